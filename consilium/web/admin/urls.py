"""Addresses of the administration (below admin/)."""

from django.urls import URLPattern, URLResolver, path

from consilium.web.admin.views import cases, people, specialists, system

urlpatterns: list[URLPattern | URLResolver] = [
    path("", system.home, name="admin_home"),
    path("organisation/", system.organisation, name="admin_organisation"),
    path("packs/", system.packs, name="admin_packs"),
    path("audit/", system.audit_log, name="admin_audit"),
    path("people/", people.people, name="admin_people"),
    path("people/invite/", people.invite, name="admin_invite"),
    path("people/<uuid:user_id>/", people.person, name="admin_person"),
    path("people/<uuid:user_id>/roles/", people.role_grant, name="admin_role_grant"),
    path("people/<uuid:user_id>/roles/<int:membership_id>/end/", people.role_end, name="admin_role_end"),
    path("people/<uuid:user_id>/suspend/", people.suspend, name="admin_suspend"),
    path("people/<uuid:user_id>/reinstate/", people.reinstate, name="admin_reinstate"),
    path("deletions/", people.deletions, name="admin_deletions"),
    path("deletions/<int:request_id>/close/", people.deletion_close, name="admin_deletion_close"),
    path("specialists/", specialists.specialists, name="admin_specialists"),
    path("specialists/<uuid:user_id>/", specialists.specialist, name="admin_specialist"),
    path("specialists/<uuid:user_id>/licences/", specialists.licence_add, name="admin_licence_add"),
    path(
        "specialists/<uuid:user_id>/licences/<int:licence_id>/end/", specialists.licence_end, name="admin_licence_end"
    ),
    path("specialists/<uuid:user_id>/verify/", specialists.verify, name="admin_verify"),
    path("cases/", cases.cases, name="admin_cases"),
    path("cases/<uuid:case_id>/", cases.case, name="admin_case"),
    path("cases/<uuid:case_id>/access/", cases.access, name="admin_case_access"),
    path("cases/<uuid:case_id>/step/<slug:verb>/", cases.step, name="admin_step"),
    path("cases/<uuid:case_id>/legal-hold/", cases.legal_hold, name="admin_legal_hold"),
]
