"""Who may come in to the administration: one row a route (see web/routes.py)."""

from consilium.web.routes import Route

WHO = "role:administrator"
FORM = ("GET", "POST")
PRESS = ("POST",)

ROUTES: tuple[Route, ...] = (
    Route("admin_home", WHO),
    Route("admin_organisation", WHO, FORM),
    Route("admin_packs", WHO),
    Route("admin_audit", WHO, FORM),
    Route("admin_people", WHO),
    Route("admin_invite", WHO, FORM),
    Route("admin_person", WHO),
    Route("admin_role_grant", WHO, FORM),
    Route("admin_role_end", WHO, FORM),
    Route("admin_suspend", WHO, FORM),
    Route("admin_reinstate", WHO, PRESS),
    Route("admin_deletions", WHO),
    Route("admin_deletion_close", WHO, FORM),
    Route("admin_specialists", WHO),
    Route("admin_specialist", WHO, FORM),
    Route("admin_licence_add", WHO, FORM),
    Route("admin_licence_end", WHO, FORM),
    Route("admin_verify", WHO, PRESS),
    Route("admin_cases", WHO),
    Route("admin_case", WHO),
    Route("admin_case_access", WHO),
    Route("admin_step", WHO, FORM),
    Route("admin_legal_hold", WHO, FORM),
)
