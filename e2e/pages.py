"""Every page of the product: who opens it on which case. One row a visit; what is no page is named with its reason."""

from dataclasses import dataclass, field
from typing import Any

from consilium.consents.actions import SHARE_WITH_TREATING_DOCTOR
from consilium.web.patient.sections import SECTIONS


@dataclass(frozen=True)
class Visit:
    """`who` opens the route `name` of the scene `scene` (see scenes.py); "" is nobody in particular."""

    name: str
    who: str = ""
    scene: str = ""
    query: str = ""
    parts: dict[str, Any] = field(default_factory=dict)

    @property
    def label(self) -> str:
        words = [self.name, *map(str, self.parts.values()), self.scene, self.who, self.query]
        return " ".join(word for word in words if word)


def _of(scene: str, who: str, *names: str) -> list[Visit]:
    return [Visit(name, who, scene) for name in names]


PUBLIC = [
    *_of("", "", "home", "verify", "privacy", "accessibility", "help", "imprint"),
    *_of("", "", "account_login", "account_signup", "account_reset_password", "account_inactive"),
    *_of("", "", "account_password_reset_completed", "guest_code", "guest_left", "demo_personas", "demo_mail"),
    Visit("verify_code", parts={"code": "0000-0000-0000"}),
    Visit("verify_code", scene="delivered", parts={"code": "of the report"}),
    Visit("verify_code_printed", scene="delivered", parts={"code": "of the report"}),
]
ACCOUNT = [
    *_of("", "anna", "mfa_index", "account_email", "account_change_password", "account_delete", "account_logout"),
    *_of("", "anna", "mfa_view_recovery_codes", "mfa_generate_recovery_codes", "mfa_list_webauthn"),
    *_of("", "anna", "mfa_deactivate_totp", "mfa_edit_webauthn", "mfa_remove_webauthn"),
    *_of("", "anna:stale", "mfa_reauthenticate", "mfa_reauthenticate_webauthn"),
    *_of("", "eve:none", "account_reauthenticate", "second_step", "mfa_activate_totp", "mfa_add_webauthn"),
    *_of("", "pia", "account_set_password"),
    Visit("home", "mia"),
]
TELLING = [
    *_of("", "newcomer", "my_cases", "about_you"),
    *_of("", "anna", "case_new", "about_you"),
    *_of("told", "anna", "my_cases", "case_prepare", "case_specialty", "case_summary", "case_upload"),
    *_of("told", "anna", "case_record_correct", "case_consents", "case_withdraw"),
    *_of("warned", "anna", "case_stopped", "case_close"),
    *[Visit("case_section", "anna", "told", parts={"section": section.slug}) for section in SECTIONS],
    *_of("recap", "anna", "case_summary", "case_correct"),
]
FOLLOWING = [
    *_of("collecting", "anna", "case", "case_people", "case_people_end", "case_upload"),
    *_of("collecting", "ben", "my_cases", "case"),
    *_of("collecting", "anna", "programs", "program_key", "upload_discard"),
    *_of("delivered", "anna", "case", "case_report", "case_ask", "case_messages", "case_links", "case_link_new"),
    *_of("delivered", "anna", "case_link_revoke", "case_invite", "case_steps", "case_access_history"),
    *_of("delivered", "anna", "case_consents", "case_erasure", "records", "record"),
    *_of("delivered", "anna", "record_search", "record_compare", "record_enough"),
    *_of("delivered", "anna", "laboratory", "laboratory_analyte", "medication"),
    Visit("case_consent_withdraw", "anna", "delivered", parts={"clause": SHARE_WITH_TREATING_DOCTOR}),
    *_of("urgent", "anna", "case", "case_urgent"),
    *_of("following", "anna", "case", "case_follow_up"),
    *_of("withdrawn", "anna", "case"),
    *_of("erased", "anna", "case"),
]
DESK = [
    Visit("desk", "dora", "collecting"),
    Visit("desk", "dora", "collecting", "?lanes=1"),
    *_of("collecting", "dora", "desk_case", "desk_story", "desk_history", "desk_messages", "desk_records"),
    *_of("collecting", "dora", "desk_request"),
    *_of("submitted", "dora", "desk_identity"),
    *_of("triage", "dora", "desk_matching", "triage_conclusions"),
    *_of("explained", "dora", "desk_oral"),
    *_of("delivered", "dora", "desk_report", "desk_link_new", "desk_link_revoke"),
    Visit("desk_step", "dora", "collecting", parts={"verb": "hold"}),
    Visit("desk_step", "dora", "triage", parts={"verb": "withdraw"}),
    *_of("urgent", "dora", "desk_case"),
    *_of("erased", "dora", "desk_case"),
    *_of("received", "dora", "desk_inbox", "desk_inbox_study", "desk_inbox_discard"),
    *_of("triage", "tess", "triage_list", "triage_case", "triage_conclusions", "records", "record"),
    *_of("", "sam", "scribe_home", "scribe_register"),
    *_of("told", "sam", "scribe_start"),
]
SPECIALIST = [
    *_of("offered", "chen", "specialist_home", "offer", "decline"),
    *_of("blind", "chen", "blind_read", "lock_blind_read", "records", "record", "laboratory"),
    Visit("specialist_step", "chen", "blind", parts={"name": "hand-back"}),
    *_of("locked", "chen", "reveal"),
    *_of("revealed", "chen", "reveal", "ask_for_record"),
    *[
        Visit("opinion", "chen", "reviewing", parts={"part": part})
        for part in ("answers", "findings", "comparison", "assessment", "options", "recommendation", "steps", "summary")
    ],
    Visit("opinion", "chen", "reviewing", "?record=of-the-case", {"part": "findings"}),
    Visit("opinion", "chen", "revealed", parts={"part": "sign"}),
    Visit("opinion", "chen", "reviewing", parts={"part": "sign"}),
    Visit("specialist_step", "chen", "reviewing", parts={"name": "urgent"}),
    *_of("delivered", "chen", "review", "addendum"),
    *_of("clarifying", "chen", "review"),
    Visit("opinion", "chen", "extended", parts={"part": "sign"}),
]
CHECKING = [
    *_of("checking", "quinn", "quality_home", "quality_case", "quality_pass", "quality_return", "quality_urgent"),
    *_of("delivered", "quinn", "quality_case"),
    *_of("delivered", "weiss", "guest_case"),
    *_of("urgent", "weiss", "guest_urgent"),
    *_of("delivered", "jonas", "clinician_cases", "clinician_case"),
    *_of("urgent", "ulla", "clinician_urgent"),
]
ADMINISTRATION = [
    *_of("", "ada", "admin_home", "admin_organisation", "admin_packs", "admin_audit", "admin_people", "admin_invite"),
    *_of("", "ada", "admin_person", "admin_role_grant", "admin_role_end", "admin_suspend"),
    *_of("", "ada", "admin_deletions", "admin_deletion_close"),
    *_of("", "ada", "admin_specialists", "admin_specialist", "admin_licence_add", "admin_licence_end"),
    *_of("blind", "ada", "admin_cases", "admin_case", "admin_case_access", "admin_legal_hold"),
    Visit("admin_step", "ada", "blind", parts={"verb": "hold"}),
]
AREAS: dict[str, list[Visit]] = {
    "public": PUBLIC,
    "account": ACCOUNT,
    "telling": TELLING,
    "following": FOLLOWING,
    "desk": DESK,
    "specialist": SPECIALIST,
    "checking": CHECKING,
    "administration": ADMINISTRATION,
}
COMING_IN = {  # pages in the middle of signing up, signing in and getting back in: test_pages_of_coming_in
    "mfa_authenticate",
    "account_email_verification_sent",
    "account_confirm_password_reset_code",
    "account_complete_password_reset",
}
PART = "a part that a page fetches into itself; the page is swept"
NO_PAGE: dict[str, str] = {
    "robots": "text for crawlers",
    "security_txt": "text for people who found a hole",
    "healthz": "says ok",
    "mfa_login_webauthn": "the passkey ceremony, JSON for the browser",
    "mfa_download_recovery_codes": "a text file",
    "download_all": "a zip",
    "windowed_frame": "a picture",
    "case_viewer": "the image viewer, whose page is another program's; test_image_viewer looks at it",
    "record_viewer": "the same, at one record",
    "slide": "needs a slide, which no scene has; test_slides looks at it",
    "guest_open": "leads to guest_code at once",
    "case_upload_list": PART,
    "quality_progress": PART,
}
