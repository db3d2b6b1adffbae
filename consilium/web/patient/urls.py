"""Addresses of this area."""

from django.urls import URLPattern, URLResolver, include, path

from consilium.web.patient.views import case, cases, consent, prepare, records, start, talk, team

of_case: list[URLPattern | URLResolver] = [
    path("", case.case_page, name="case"),
    path("prepare/", prepare.task_list, name="case_prepare"),
    path("prepare/specialty/", prepare.specialty, name="case_specialty"),
    path("prepare/stopped/", prepare.stopped, name="case_stopped"),
    path("prepare/close/", prepare.close, name="case_close"),
    path("prepare/<slug:section>/", prepare.section, name="case_section"),
    path("prepare/<slug:section>/autosave/", prepare.autosave, name="case_autosave"),
    path("summary/", prepare.summary, name="case_summary"),
    path("summary/correct/", prepare.correct, name="case_correct"),
    path("send/", records.upload_page, name="case_upload"),
    path("send/files/", records.upload, name="case_upload_files"),
    path("send/list/", records.upload_list, name="case_upload_list"),
    path("send/<uuid:record_id>/correct/", records.correct_record, name="case_record_correct"),
    path("send/<uuid:record_id>/<slug:verb>/", records.record_verb, name="case_record_verb"),
    path("consents/", consent.consent_list, name="case_consents"),
    path("consents/<slug:clause>/withdraw/", consent.withdraw_consent, name="case_consent_withdraw"),
    path("people/", team.people, name="case_people"),
    path("people/invite/", team.invite, name="case_invite"),
    path("people/<int:grant_id>/end/", team.end, name="case_people_end"),
    path("doctor/", team.links, name="case_links"),
    path("doctor/new/", team.new_link, name="case_link_new"),
    path("doctor/<uuid:link_id>/close/", team.revoke, name="case_link_revoke"),
    path("messages/", talk.message_list, name="case_messages"),
    path("report/", talk.report_page, name="case_report"),
    path("report/ask/", talk.ask, name="case_ask"),
    path("urgent/", talk.urgent, name="case_urgent"),
    path("follow-up/<int:day>/", talk.follow_up_page, name="case_follow_up"),
    path("steps/", case.steps, name="case_steps"),
    path("who-looked/", case.access_history, name="case_access_history"),
    path("withdraw/", case.withdraw, name="case_withdraw"),
    path("erasure/", case.erasure, name="case_erasure"),
    path("download/", case.download_all, name="download_all"),
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("cases/", cases.my_cases, name="my_cases"),
    path("cases/invitations/<int:grant_id>/", cases.answer_invitation, name="invitation_answer"),
    path("cases/new/", start.new_case, name="case_new"),
    path("cases/new/about-you/", start.about_you, name="about_you"),
    path("cases/<uuid:case_id>/", include(of_case)),
]
