"""Who may come in to a slide's page: one row a route (see web/routes.py)."""

from consilium.web.routes import Route

ROUTES: tuple[Route, ...] = (Route("slide", "case:record.view"),)
