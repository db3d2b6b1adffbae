"""Addresses of the desk, of triage, and of the telephone (below desk/)."""

from django.urls import URLPattern, URLResolver, path

from consilium.web.desk.views import board, case, inbox, matching, records, scribe, sharing, triage

CASE = "cases/<uuid:case_id>/"

urlpatterns: list[URLPattern | URLResolver] = [
    path("", board.desk, name="desk"),
    path(CASE, case.overview, name="desk_case"),
    path(CASE + "story/", case.story, name="desk_story"),
    path(CASE + "history/", case.history, name="desk_history"),
    path(CASE + "messages/", case.conversation, name="desk_messages"),
    path(CASE + "identity/", case.identity, name="desk_identity"),
    path(CASE + "step/<slug:verb>/", case.step, name="desk_step"),
    path(CASE + "pause/", case.clock_stop, name="desk_clock_stop"),
    path(CASE + "pause/<uuid:stop_id>/end/", case.clock_start, name="desk_clock_start"),
    path(CASE + "note/", case.note, name="desk_note"),
    path(CASE + "records/", records.records, name="desk_records"),
    path(CASE + "records/add/", records.upload, name="desk_upload"),
    path(CASE + "records/<uuid:record_id>/decide/", records.decide, name="desk_decide"),
    path(CASE + "records/<uuid:record_id>/move/", records.move, name="desk_record_move"),
    path(CASE + "wanted/<slug:item>/", records.record_request, name="desk_request"),
    path(CASE + "wanted/<slug:item>/here/", records.record_here, name="desk_request_here"),
    path(CASE + "specialist/", matching.matching, name="desk_matching"),
    path(CASE + "report/", sharing.report, name="desk_report"),
    path(CASE + "oral/", sharing.oral, name="desk_oral"),
    path(CASE + "links/new/", sharing.new_link, name="desk_link_new"),
    path(CASE + "links/<uuid:link_id>/close/", sharing.revoke_link, name="desk_link_revoke"),
    path("inbox/", inbox.inbox, name="desk_inbox"),
    path("inbox/<uuid:study_id>/", inbox.study, name="desk_inbox_study"),
    path("inbox/<uuid:study_id>/discard/", inbox.discard, name="desk_inbox_discard"),
    path("triage/", triage.triage_list, name="triage_list"),
    path("triage/<uuid:case_id>/", triage.triage_case, name="triage_case"),
    path("triage/<uuid:case_id>/conclusions/", triage.conclusions, name="triage_conclusions"),
    path("phone/", scribe.home, name="scribe_home"),
    path("phone/new/", scribe.register, name="scribe_register"),
    path("phone/<uuid:person_id>/", scribe.start, name="scribe_start"),
]
