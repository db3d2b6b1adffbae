"""Who may come in to this area: one row a route (see web/routes.py)."""

from consilium.web.routes import Route

ROUTES: tuple[Route, ...] = (
    Route("programs", "case:record.view"),
    Route("program_key", "case:record.view", ("GET", "POST")),
    Route("program_key_end", "case:record.view", ("POST",)),
    Route("upload_discard", "case:record.add", ("GET", "POST")),
)
