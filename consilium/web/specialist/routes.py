"""Who may come in to the specialist's area: one row a route (see web/routes.py)."""

from consilium.web.routes import Route

BOTH = ("GET", "POST")

ROUTES: tuple[Route, ...] = (
    Route("specialist_home", "role:specialist"),
    Route("review", "case:story.view"),
    Route("offer", "case:summary.view", BOTH),
    Route("decline", "case:summary.view", BOTH),
    Route("blind_read", "case:blind_read.write", BOTH),
    Route("lock_blind_read", "case:blind_read.write", BOTH),
    Route("reveal", "case:opinion.write", BOTH),
    Route("opinion", "case:opinion.view_draft", BOTH),
    Route("remove_finding", "case:opinion.view_draft", ("POST",)),
    Route("addendum", "case:addendum.write", BOTH),
    Route("answer_clarification", "case:clarification.answer", ("POST",)),
    Route("specialist_message", "case:message.send", ("POST",)),
    Route("ask_for_record", "case:request.manage", BOTH),
    Route("specialist_step", "case:story.view", BOTH),
)
