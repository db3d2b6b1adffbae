"""Addresses of the treating doctor: by a link and its code, or by account."""

from django.urls import URLPattern, URLResolver, path

from consilium.web.clinician import views
from consilium.web.clinician.guards import behind_link, with_role

CASE = "shared/<uuid:case_id>/"

urlpatterns: list[URLPattern | URLResolver] = [
    path("link/", views.enter_code, name="guest_code"),
    path("link/<slug:token>/", views.open_link, name="guest_open"),
    path("shared/", behind_link(views.case_page), name="guest_case"),
    path("shared/reply/", behind_link(views.reply), name="guest_reply"),
    path("shared/urgent/", behind_link(views.urgent), name="guest_urgent"),
    path("shared/close/", views.leave, name="guest_leave"),
    path("shared/closed/", views.left, name="guest_left"),
    path("shared/cases/", views.cases, name="clinician_cases"),
    path(CASE, with_role(views.case_page), name="clinician_case"),
    path(f"{CASE}reply/", with_role(views.reply), name="clinician_reply"),
    path(f"{CASE}urgent/", with_role(views.urgent), name="clinician_urgent"),
]
