"""Who may come in to this area: one row a route (see web/routes.py)."""

from consilium.web.routes import Route

BOTH = ("GET", "POST")
POST = ("POST",)

# fmt: off
ROUTES: tuple[Route, ...] = (
    Route("my_cases", "account"),
    Route("invitation_answer", "account", POST),
    Route("case_new", "account", BOTH),
    Route("about_you", "account", BOTH),
    Route("case", "case:case.view"),
    Route("case_prepare", "case:story.view"),
    Route("case_specialty", "case:story.view", BOTH),
    Route("case_stopped", "case:story.view"),
    Route("case_close", "case:story.view", BOTH),
    Route("case_section", "case:story.view", BOTH),
    Route("case_autosave", "case:story.view", POST),
    Route("case_summary", "case:story.view", BOTH),
    Route("case_correct", "case:story.correct", BOTH),
    Route("case_upload", "case:record.view"),
    Route("case_upload_files", "case:record.add", POST),
    Route("case_upload_list", "case:record.view"),
    Route("case_record_correct", "case:record.correct", BOTH),
    Route("case_record_verb", "case:record.view", POST),
    Route("case_consents", "case:case.view", BOTH),
    Route("case_consent_withdraw", "case:consent.give", BOTH),
    Route("case_people", "case:case.view"),
    Route("case_invite", "case:team.manage", BOTH),
    Route("case_people_end", "case:case.view", BOTH),
    Route("case_links", "case:case.view"),
    Route("case_link_new", "case:link.manage", BOTH),
    Route("case_link_revoke", "case:link.manage", BOTH),
    Route("case_messages", "case:message.view", BOTH),
    Route("case_report", "case:report.view"),
    Route("case_ask", "case:clarification.ask", BOTH),
    Route("case_urgent", "case:case.view", BOTH),
    Route("case_follow_up", "case:follow_up.answer", BOTH),
    Route("case_steps", "case:workflow.view"),
    Route("case_access_history", "case:access_history.view"),
    Route("case_withdraw", "case:case.view", BOTH),
    Route("case_erasure", "case:erasure.request", BOTH),
    Route("download_all", "case:record.download_all"),
)
# fmt: on
