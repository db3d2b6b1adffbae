"""Who may come in to the desk, to triage, and to the telephone: one row a route (see web/routes.py).

Pages of a case ask two things: the role, and that the case is in the scope of the action named in the view.
"""

from consilium.web.routes import Route

READ = ("GET",)
FORM = ("GET", "POST")
PRESS = ("POST",)

ROUTES: tuple[Route, ...] = (
    Route("desk", "role:coordinator", FORM),
    Route("desk_case", "role:coordinator", READ),
    Route("desk_story", "role:coordinator", READ),
    Route("desk_history", "role:coordinator", READ),
    Route("desk_messages", "role:coordinator", FORM),
    Route("desk_identity", "role:coordinator", FORM),
    Route("desk_step", "role:coordinator,triage_clinician", FORM),
    Route("desk_clock_stop", "role:coordinator", PRESS),
    Route("desk_clock_start", "role:coordinator", PRESS),
    Route("desk_note", "role:coordinator", PRESS),
    Route("desk_records", "role:coordinator", READ),
    Route("desk_upload", "role:coordinator", PRESS),
    Route("desk_decide", "role:coordinator", PRESS),
    Route("desk_record_move", "role:coordinator", PRESS),
    Route("desk_request", "role:coordinator", FORM),
    Route("desk_request_here", "role:coordinator", PRESS),
    Route("desk_matching", "role:coordinator", FORM),
    Route("desk_report", "role:coordinator", READ),
    Route("desk_oral", "role:coordinator", FORM),
    Route("desk_link_new", "role:coordinator", FORM),
    Route("desk_link_revoke", "role:coordinator", FORM),
    Route("desk_inbox", "role:coordinator", READ),
    Route("desk_inbox_study", "role:coordinator", FORM),
    Route("desk_inbox_discard", "role:coordinator", FORM),
    Route("triage_list", "role:triage_clinician", READ),
    Route("triage_case", "role:triage_clinician", FORM),
    Route("triage_conclusions", "role:triage_clinician,coordinator", FORM),
    Route("scribe_home", "role:support_scribe", FORM),
    Route("scribe_register", "role:support_scribe", FORM),
    Route("scribe_start", "role:support_scribe", FORM),
)
