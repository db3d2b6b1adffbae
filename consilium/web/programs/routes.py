"""Who may come in to this area: one row a route (see web/routes.py)."""

from consilium.web.routes import Route

ROUTES: tuple[Route, ...] = (
    Route("programs", "case:key.make"),
    Route("program_key", "case:key.make", ("GET", "POST")),
    Route("program_key_end", "case:key.make", ("POST",)),
    Route("upload_discard", "case:record.add", ("GET", "POST")),
)
