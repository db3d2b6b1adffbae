"""Who may come in to laboratory values and medication: one row a route (see web/routes.py)."""

from consilium.web.routes import Route

ROUTES: tuple[Route, ...] = (
    Route("laboratory", "case:record.view"),
    Route("laboratory_analyte", "case:record.view"),
    Route("laboratory_decide", "case:record.correct", ("POST",)),
    Route("medication", "case:record.view"),
)
