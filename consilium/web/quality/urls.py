"""Addresses of the quality check (below quality/)."""

from django.urls import URLPattern, URLResolver, path

from consilium.web.quality import views

CASE = "<uuid:case_id>/"

urlpatterns: list[URLPattern | URLResolver] = [
    path("", views.home, name="quality_home"),
    path(CASE, views.case_page, name="quality_case"),
    path(f"{CASE}progress/", views.progress, name="quality_progress"),
    path(f"{CASE}pass/", views.pass_opinion, name="quality_pass"),
    path(f"{CASE}return/", views.return_opinion, name="quality_return"),
    path(f"{CASE}urgent/", views.urgent, name="quality_urgent"),
]
