"""Who may come in to this area: one row a route (see web/routes.py)."""

from consilium.web.routes import Route

BOTH = ("GET", "POST")
CODE = "the code of the link is asked for here; nothing is shown before it"

ROUTES: tuple[Route, ...] = (
    Route("guest_open", "public", why="keeps the link for the next page, which asks for its code"),
    Route("guest_code", "public", BOTH, why=CODE),
    Route("guest_case", "guest"),
    Route("guest_reply", "guest", ("POST",)),
    Route("guest_urgent", "guest", BOTH),
    Route("guest_leave", "public", ("POST",), why="closes what was shared on this computer"),
    Route("guest_left", "public", why="says that it is closed"),
    Route("clinician_cases", "account"),
    Route("clinician_case", "case:report.view"),
    Route("clinician_reply", "case:message.send", ("POST",)),
    Route("clinician_urgent", "case:urgent.view", BOTH),
)
