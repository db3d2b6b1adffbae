"""Who may come in to the reading room: one row a route (see web/routes.py)."""

from consilium.web.routes import Route

ROUTES: tuple[Route, ...] = (
    Route("records", "case:record.view"),
    Route("record_search", "case:record.view", ("GET", "POST")),
    Route("record_compare", "case:record.view"),
    Route("record_enough", "case:record.view"),
    Route("record", "case:record.view"),
    Route("windowed_frame", "case:record.view"),
)
