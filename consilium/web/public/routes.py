"""Who may come in to this area: one row a route (see web/routes.py)."""

from consilium.web.routes import Route

BOTH = ("GET", "POST")
VERIFY = "whoever holds a report may check that it is genuine; the answer names no person"
ABOUT = "says what the service is, and nothing about anybody"

ROUTES: tuple[Route, ...] = (
    Route("home", "public", ("GET",), "the front page; leads the signed-in to their place"),
    Route("verify", "public", BOTH, VERIFY),
    Route("verify_file", "public", ("POST",), VERIFY),
    Route("verify_code", "public", BOTH, VERIFY),
    Route("verify_code_printed", "public", BOTH, VERIFY),
    Route("privacy", "public", ("GET",), ABOUT),
    Route("accessibility", "public", ("GET",), ABOUT),
    Route("help", "public", ("GET",), ABOUT),
    Route("imprint", "public", ("GET",), ABOUT),
    Route("robots", "public", ("GET",), "RFC 9309"),
    Route("security_txt", "public", ("GET",), "RFC 9116"),
    Route("healthz", "public", ("GET",), "for the operator's monitoring; says ok and nothing else"),
)
