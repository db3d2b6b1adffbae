"""The workflow is this table. One row a transition: verb, from, to, who, needs.

`advance()` (cases/actions/advance.py) is the only writer of `Case.state` and obeys these rows; the
buttons, the diagram in docs/reference/workflow.md and the tests come from the same rows.
`who` names roles on the case or in the organisation; "system" is the scheduler. A need is a pure
question about the case, answered in cases/needs.py. `step_up` asks for a fresh second step.
"""

from dataclasses import dataclass
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from consilium.cases.states import ENDED, OPEN, State

# The target of rows that lead back to where the case was before it was halted.
RETURN: Final = "return"

PATIENT_SIDE: Final = frozenset({"patient", "proxy_act", "support_scribe"})
HALTABLE: Final = OPEN - {State.DRAFT}


@dataclass(frozen=True)
class Row:
    """One transition. `label` is the button's text; `confirm` is asked before what cannot be undone."""

    verb: str
    sources: frozenset[str]
    target: str
    who: frozenset[str]
    label: Promise | str
    needs: tuple[str, ...] = ()
    step_up: bool = False
    confirm: Promise | str = ""


def _row(
    verb: str,
    sources: str | frozenset[str],
    target: str,
    who: str | frozenset[str],
    label: Promise | str,
    *needs: str,
    step_up: bool = False,
    confirm: Promise | str = "",
) -> Row:
    froms = frozenset({sources}) if isinstance(sources, str) else sources
    roles = frozenset(who.split()) if isinstance(who, str) else who
    return Row(verb, froms, target, roles, label, needs, step_up, confirm)


S = State
ALARM: Final = _("Everything else stops. The patient and the treating doctor are contacted today.")

# fmt: off
TABLE: Final[tuple[Row, ...]] = (
    # verb, from, to, who, label, needs …
    _row("submit", S.DRAFT, S.SUBMITTED, PATIENT_SIDE, _("Submit my case"),
         "suitability_passed", "red_flags_answered", "story_told", "consent_given", "questions_ready",
         "recap_confirmed"),
    _row("redirect", frozenset({S.DRAFT}), S.REDIRECTED, PATIENT_SIDE | {"system"}, _("Close this request"),
         "redirect_reason_given"),
    _row("turn_down", frozenset({S.SUBMITTED, S.COLLECTING, S.TRIAGE}), S.REDIRECTED,
         "coordinator triage_clinician", _("Not suitable for a remote opinion"), "redirect_reason_given",
         confirm=_("The patient is told kindly and shown where to go instead. This cannot be undone.")),
    _row("expire", frozenset({S.DRAFT, S.COLLECTING, S.RECAP}), S.EXPIRED, "system", _("Expire"), "abandoned"),
    _row("send_back", S.SUBMITTED, S.DRAFT, "coordinator", _("Send back to the patient"), "note_given"),
    _row("check_in", S.SUBMITTED, S.COLLECTING, "coordinator", _("Identity and eligibility are checked"),
         "identity_checked", "jurisdiction_set"),
    _row("complete_records", S.COLLECTING, S.RECAP, "coordinator system", _("Records are complete"),
         "records_complete", "no_record_undecided"),
    _row("reopen_records", S.RECAP, S.COLLECTING, "coordinator", _("Back to collecting records")),
    _row("confirm_recap", S.RECAP, S.TRIAGE, PATIENT_SIDE | {"system"}, _("This is right"), "recap_confirmed"),
    _row("offer", S.TRIAGE, S.OFFERED, "coordinator", _("Offer to a specialist"),
         "triage_done", "conclusions_marked", "offer_open"),
    _row("accept", S.OFFERED, S.BLIND_READ, "offered_specialist", _("Accept this case"),
         "conflict_declared", "licence_valid"),
    _row("decline", S.OFFERED, S.OFFERED, "offered_specialist system", _("Decline"), "decline_reason_given"),
    _row("escalate_offers", S.OFFERED, S.TRIAGE, "system coordinator", _("Take the offer back"), "no_offer_open"),
    _row("lock_blind_read", S.BLIND_READ, S.IN_REVIEW, "specialist", _("Lock my first impression"),
         "impression_written", "conclusions_marked",
         confirm=_("Once locked, your first impression cannot be changed. The first opinion is shown next.")),
    _row("hand_back", frozenset({S.BLIND_READ, S.IN_REVIEW}), S.TRIAGE, "specialist coordinator",
         _("Hand the case back"), "note_given",
         confirm=_("The records are closed to the specialist and the case goes back to the desk.")),
    _row("sign", S.IN_REVIEW, S.QUALITY_CHECK, "specialist", _("Sign the opinion"),
         "first_opinion_revealed", "opinion_complete", step_up=True,
         confirm=_("You sign this version with your name. It goes to the quality check.")),
    _row("pass_quality", S.QUALITY_CHECK, S.SIGNED, "quality_reviewer", _("Pass"),
         "reviewer_is_independent", "quality_checklist_done", step_up=True,
         confirm=_("The report is sealed and prepared for delivery.")),
    _row("return_for_revision", S.QUALITY_CHECK, S.IN_REVIEW, "quality_reviewer", _("Return with comments"),
         "note_given"),
    _row("deliver", S.SIGNED, S.DELIVERED, "coordinator system", _("Deliver the report"),
         "report_built", "oral_explanation_held"),
    _row("ask_clarification", S.DELIVERED, S.CLARIFYING, frozenset({"patient", "proxy_act"}),
         _("Ask about the report"), "clarification_open", "question_asked"),
    _row("answer_clarification", S.CLARIFYING, S.DELIVERED, "specialist", _("Send the answer"),
         "clarifications_answered"),
    _row("issue_addendum", frozenset({S.CLARIFYING, S.DELIVERED}), S.DELIVERED, "specialist",
         _("Sign the addendum"), "addendum_complete", "clarifications_answered", step_up=True,
         confirm=_("A new version of the report is sealed and everybody who received the old one is told.")),
    _row("begin_follow_up", S.DELIVERED, S.FOLLOW_UP, "system coordinator", _("Begin follow-up"),
         "clarification_over"),
    _row("close", S.FOLLOW_UP, S.CLOSED, "system coordinator", _("Close the case"), "follow_up_over"),
    _row("archive", ENDED, S.ARCHIVED, "system administrator", _("Archive"), "archive_due"),
    _row("erase", ENDED | {S.ARCHIVED, S.DRAFT}, S.ERASED, "system administrator", _("Erase the case"),
         "no_legal_hold", "erasure_due", step_up=True,
         confirm=_("The key of this case is destroyed. Nobody can ever read it again.")),
    _row("withdraw", OPEN, S.WITHDRAWN,
         frozenset({"patient", "proxy_act", "coordinator"}), _("Withdraw this case"),
         confirm=_("Work on the case stops and access by the specialist ends. This cannot be undone.")),
    _row("hold", HALTABLE, S.INCIDENT_HOLD, "coordinator administrator", _("Put on hold"), "note_given"),
    _row("resume", S.INCIDENT_HOLD, RETURN, "coordinator administrator", _("Resume"), "note_given"),
    _row("raise_urgent", HALTABLE - {S.QUALITY_CHECK}, S.URGENT, "specialist triage_clinician",
         _("This is urgent"), "note_given", confirm=ALARM),
    _row("raise_urgent", S.QUALITY_CHECK, S.URGENT, "specialist triage_clinician quality_reviewer",
         _("This is urgent"), "note_given", confirm=ALARM),
    _row("acknowledge_urgent", S.URGENT, RETURN,
         frozenset({"patient", "proxy_act", "treating_clinician", "coordinator"}),
         _("I have received the urgent message"), "urgent_acknowledged"),
)
# fmt: on

VERBS: Final[tuple[str, ...]] = tuple(dict.fromkeys(row.verb for row in TABLE))


def row_for(verb: str, state: str) -> Row | None:
    """The row of `verb` that leaves `state`, or None."""
    return next((row for row in TABLE if row.verb == verb and state in row.sources), None)


def rows_from(state: str) -> tuple[Row, ...]:
    """Every row that leaves `state`, in the table's order."""
    return tuple(row for row in TABLE if state in row.sources)


def rows_for(state: str, roles: frozenset[str]) -> tuple[Row, ...]:
    """What somebody with `roles` may try from `state`: the buttons of a page."""
    return tuple(row for row in rows_from(state) if row.who & roles)
