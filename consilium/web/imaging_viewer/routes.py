"""Who may come in to the image viewer: one row a route (see web/routes.py)."""

from consilium.web.routes import Route

ROUTES: tuple[Route, ...] = (
    Route("case_viewer", "case:record.view"),
    Route("record_viewer", "case:record.view"),
)
