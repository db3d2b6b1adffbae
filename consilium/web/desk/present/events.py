"""What happened, in words: the titles of a case's history."""

from django.utils.translation import gettext as _

from consilium.cases.workflow import TABLE


def titles() -> dict[str, str]:
    """Event verb → what happened. A verb without words of its own takes its button's."""
    own = {
        "start": _("Request started"),
        "submit": _("Submitted"),
        "redirect": _("Closed: something else fits better"),
        "turn_down": _("Turned down: not suitable for a remote opinion"),
        "expire": _("Expired"),
        "send_back": _("Sent back to the patient"),
        "check_identity": _("Identity and eligibility checked"),
        "check_in": _("Taken on"),
        "record_here": _("Record marked as here"),
        "record_asked": _("Record asked for"),
        "record_waived": _("Record waived"),
        "record_missing": _("Record marked as missing"),
        "complete_records": _("Records complete"),
        "reopen_records": _("Back to collecting records"),
        "confirm_recap": _("Summary confirmed"),
        "stop_clock": _("Clock stopped"),
        "start_clock": _("Clock started again"),
        "set_triage": _("Triage done"),
        "mark_conclusions": _("Concluding pages marked"),
        "offer": _("Offered to a specialist"),
        "accept": _("Accepted by the specialist"),
        "decline": _("Declined, or not answered in time"),
        "escalate_offers": _("Offer taken back"),
        "lock_blind_read": _("First impression locked"),
        "hand_back": _("Handed back to the desk"),
        "sign": _("Opinion signed"),
        "pass_quality": _("Quality check passed"),
        "return_for_revision": _("Returned to the specialist with comments"),
        "oral_explanation": _("Oral explanation held"),
        "deliver": _("Report delivered"),
        "ask_clarification": _("Question about the report asked"),
        "answer_clarification": _("Question answered"),
        "issue_addendum": _("Addendum signed"),
        "begin_follow_up": _("Follow-up begun"),
        "close": _("Closed"),
        "archive": _("Archived"),
        "erase": _("Erased"),
        "withdraw": _("Withdrawn"),
        "hold": _("Put on hold"),
        "resume": _("Resumed"),
        "raise_urgent": _("Raised as urgent"),
        "acknowledge_urgent": _("Urgent message acknowledged"),
        "legal_hold": _("Legal hold set"),
        "legal_hold_lifted": _("Legal hold lifted"),
        "request_erasure": _("Erasure requested"),
    }
    return {row.verb: str(row.label) for row in TABLE} | own
