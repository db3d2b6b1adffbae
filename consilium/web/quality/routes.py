"""Who may come in to this area: one row a route (see web/routes.py)."""

from consilium.web.routes import Route

BOTH = ("GET", "POST")

ROUTES: tuple[Route, ...] = (
    Route("quality_home", "role:quality_reviewer"),
    Route("quality_case", "case:case.view", BOTH),
    Route("quality_progress", "case:case.view"),
    Route("quality_pass", "case:quality.review", BOTH),
    Route("quality_return", "case:quality.review", BOTH),
    Route("quality_urgent", "case:quality.review", BOTH),
)
