"""The patient's case page: where it stands, whose turn it is, what comes next, and an honest estimate."""

from typing import Any

from django.urls import reverse
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from consilium.access.principals import Principal
from consilium.access.rules import may
from consilium.cases import deadlines
from consilium.cases.actions.advance import possible
from consilium.cases.models import Case, CaseEvent, ClockStop, FollowUp
from consilium.cases.states import State
from consilium.core import clock
from consilium.packs import registry
from consilium.people.models import Specialist
from consilium.web.components.prepare import PORTRAITS
from consilium.web.patient.present.wording import STATE_WORDS, day

S = State
# What the patient sees of the way: title and the states behind it.
STEPS: tuple[tuple[Any, tuple[str, ...]], ...] = (
    (gettext_lazy("You tell us about it"), (S.DRAFT,)),
    (gettext_lazy("We check your request"), (S.SUBMITTED,)),
    (gettext_lazy("We collect the records"), (S.COLLECTING,)),
    (gettext_lazy("You confirm the one-page summary"), (S.RECAP,)),
    (gettext_lazy("We find your specialist"), (S.TRIAGE, S.OFFERED)),
    (gettext_lazy("The specialist reads and writes"), (S.BLIND_READ, S.IN_REVIEW)),
    (gettext_lazy("A second doctor checks the report"), (S.QUALITY_CHECK, S.SIGNED)),
    (gettext_lazy("Your report is here"), (S.DELIVERED, S.CLARIFYING)),
    (gettext_lazy("We ask how you are"), (S.FOLLOW_UP,)),
)
STOPPED = {S.WITHDRAWN, S.EXPIRED, S.REDIRECTED, S.INCIDENT_HOLD, S.URGENT}
PAUSES = {
    ClockStop.Reason.MISSING_RECORDS: gettext_lazy("We are waiting for records that are still missing."),
    ClockStop.Reason.PATIENT_QUESTION: gettext_lazy(
        "We are waiting for an answer from you. Please look at your messages."
    ),
    ClockStop.Reason.PROVIDER_QUESTION: gettext_lazy("We are waiting for an answer from another practice or hospital."),
    ClockStop.Reason.PATIENT_PAUSE: gettext_lazy("Paused because you asked us to."),
    ClockStop.Reason.SPECIALIST_ABSENCE: gettext_lazy("The specialist is away for a short time."),
    ClockStop.Reason.INTERPRETATION: gettext_lazy("We are waiting for an interpreter or a translation."),
}


def tracker(case: Case, events: list[CaseEvent]) -> list[dict[str, Any]]:
    """Steps done, current and to come, with the day each one began."""
    state = case.halted_from or case.state
    if state not in {name for _title, states in STEPS for name in states}:
        state = next((e.from_state for e in reversed(events) if e.to_state == case.state and e.from_state), S.DRAFT)
    began = {event.to_state: event.at for event in events if event.to_state}
    here = next((n for n, (_title, states) in enumerate(STEPS) if state in states), len(STEPS) - 1)
    finished = case.state in (S.CLOSED, S.ARCHIVED) or (case.state == S.ERASED and case.delivered_at is not None)
    rows = []
    for number, (title, states) in enumerate(STEPS):
        at = next((began[name] for name in states if name in began), None)
        status = "done" if number < here or finished else "next" if number > here else "current"
        if number == here and case.state in STOPPED:
            status = "stopped"
        note = STATE_WORDS[case.state][0] if status == "stopped" else ""
        when = day(at, case) if at and status != "next" else ""
        rows.append({"title": title, "state": status, "when": when, "note": note})
    return rows


def next_action(case: Case, by: Principal, due: FollowUp | None, unread: bool) -> dict[str, Any]:
    """The one thing to do, or what others are doing now: title, text, turn, and a link when it is the reader's turn."""
    made = NEXT.get(case.state, _ended)(case)
    if made.get("verb") and not possible(case, made["verb"], by):
        made |= {"href": "", "turn": "other"}
    if made.get("action") and not may(made["action"], case, by):
        made |= {"href": "", "turn": "other"}
    if due and may("follow_up.answer", case, by):
        href = reverse("case_follow_up", args=[case.pk, due.day])
        words = _("Eight short questions. Your answers help the next patient, too.")
        made = {"title": _("How are you now?"), "text": words, "turn": "you", "href": href, "label": _("Answer")}
    if unread and made["turn"] != "you":
        href = reverse("case_messages", args=[case.pk])
        made = {"title": _("You have a new message"), "text": "", "turn": "you", "href": href, "label": _("Read it")}
    return {"label": "", "href": "", "text": "", "turn_label": ""} | made


def _draft(case: Case) -> dict[str, Any]:
    href = reverse("case_prepare", args=[case.pk])
    text = _("You can go on where you stopped. A draft is kept for 30 days.")
    return {
        "title": _("Tell us about it"),
        "text": text,
        "turn": "you",
        "href": href,
        "label": _("Go on"),
        "action": "story.edit",
    }


def _submitted(_case: Case) -> dict[str, Any]:
    return {
        "title": _("We are checking your request"),
        "text": _("A person at the desk looks at it, usually by the next working day. You need not do anything."),
        "turn": "us",
    }


def _collecting(case: Case) -> dict[str, Any]:
    missing = any(row.mandatory and row.status in ("missing", "asked") for row in case.record_requests.all())
    if not missing:
        return {"title": _("We are checking whether the records are complete"), "text": "", "turn": "us"}
    href = reverse("case_upload", args=[case.pk])
    text = _("The specialist needs them to answer well. If you cannot get one, tell your coordinator.")
    label = _("See what is missing")
    return {
        "title": _("Some records are missing"),
        "text": text,
        "turn": "you",
        "href": href,
        "label": label,
        "action": "record.add",
    }


def _recap(case: Case) -> dict[str, Any]:
    href = reverse("case_summary", args=[case.pk])
    text = _("Please read it once more. When you confirm it, we look for your specialist.")
    title = _("Please confirm your case on one page")
    return {
        "title": title,
        "text": text,
        "turn": "you",
        "href": href,
        "label": _("Read and confirm"),
        "verb": "confirm_recap",
    }


def _finding(_case: Case) -> dict[str, Any]:
    text = _("We choose a doctor who knows your problem well, and who has nothing to do with your hospital.")
    return {"title": _("We are finding the right specialist for you"), "text": text, "turn": "us"}


def _reading(_case: Case) -> dict[str, Any]:
    text = _("First without the first opinion, so that the view is a fresh one. Then both are compared.")
    return {"title": _("Your specialist is reading everything"), "text": text, "turn": "us"}


def _checking(_case: Case) -> dict[str, Any]:
    text = _("A second doctor checks that every question is answered and that nothing was missed.")
    return {"title": _("The report is being checked"), "text": text, "turn": "us"}


def _signed(case: Case) -> dict[str, Any]:
    if registry.jurisdiction(case.jurisdiction).oral_delivery_required(case.procedure):
        text = _(
            "The doctor explains the result to you by telephone or video first. Your coordinator calls you for a date."
        )
        return {"title": _("The report is signed"), "text": text, "turn": "us"}
    return {"title": _("The report is signed"), "text": _("It is being prepared for you."), "turn": "us"}


def _delivered(case: Case) -> dict[str, Any]:
    href = reverse("case_report", args=[case.pk])
    text = _("It begins with a summary in plain words. You can ask about it for 14 days.")
    return {
        "title": _("Your report is here"),
        "text": text,
        "turn": "you",
        "href": href,
        "label": _("Read the report"),
        "action": "report.view",
    }


def _clarifying(case: Case) -> dict[str, Any]:
    text = _("Your specialist answers within two working days. You can read the report meanwhile.")
    href = reverse("case_report", args=[case.pk])
    return {
        "title": _("Your question is being answered"),
        "text": text,
        "turn": "us",
        "href": href,
        "label": _("Open the report"),
    }


def _follow_up(case: Case) -> dict[str, Any]:
    href = reverse("case_report", args=[case.pk])
    text = _("We will ask you a few short questions after 30, 90 and 180 days. Until then there is nothing to do.")
    return {
        "title": _("We hope the report helps you"),
        "text": text,
        "turn": "us",
        "href": href,
        "label": _("Open the report"),
    }


def _urgent(case: Case) -> dict[str, Any]:
    href = reverse("case_urgent", args=[case.pk])
    text = _("A doctor has seen something that should not wait. Please read it now.")
    return {
        "title": _("There is an urgent message for you"),
        "text": text,
        "turn": "you",
        "href": href,
        "label": _("Read it now"),
    }


def _held(_case: Case) -> dict[str, Any]:
    text = _("We have to clear something up first. Your coordinator will tell you more.")
    return {"title": _("Your case is paused"), "text": text, "turn": "us"}


def _ended(case: Case) -> dict[str, Any]:
    text = {
        S.WITHDRAWN: _("You have withdrawn it. You can still download your records and start again at any time."),
        S.EXPIRED: _("It was not sent within 30 days. You are welcome to start again."),
        S.REDIRECTED: _("A written opinion did not fit this time."),
        S.ERASED: _("The contents were erased. Nobody can read them any more."),
    }.get(case.state, _("The report stays available for you here."))
    made = {"title": _("This case is closed"), "text": text, "turn": "other", "turn_label": _("Nothing to do")}
    if case.state in (S.CLOSED, S.ARCHIVED):
        made |= {"href": reverse("case_report", args=[case.pk]), "label": _("Open the report")}
    return made


NEXT = {
    S.DRAFT: _draft,
    S.SUBMITTED: _submitted,
    S.COLLECTING: _collecting,
    S.RECAP: _recap,
    S.TRIAGE: _finding,
    S.OFFERED: _finding,
    S.BLIND_READ: _reading,
    S.IN_REVIEW: _reading,
    S.QUALITY_CHECK: _checking,
    S.SIGNED: _signed,
    S.DELIVERED: _delivered,
    S.CLARIFYING: _clarifying,
    S.FOLLOW_UP: _follow_up,
    S.URGENT: _urgent,
    S.INCIDENT_HOLD: _held,
}


def estimate(case: Case, paused: bool) -> dict[str, Any]:
    """The date we expect the report, in words, and whether it comes after the planned treatment."""
    at = None if case.state == S.DRAFT else deadlines.estimate(case)
    if at is None:
        return {"words": "", "alarm": False}
    words = _("We expect your report by %(day)s. This is an estimate, not a promise.") % {"day": day(at, case)}
    if paused:
        words = _("We expect your report by %(day)s, if the waiting ends today.") % {"day": day(at, case)}
    planned = case.planned_treatment_on
    late = bool(planned and planned >= clock.now().date() and at.date() >= planned)
    return {"words": words, "alarm": late, "planned": day(planned, case) if planned and late else ""}


def word_from_us(case: Case, events: list[CaseEvent]) -> str:
    """What the desk wrote when it sent the case back or could not help; "" otherwise."""
    verb = {S.DRAFT: "send_back", S.REDIRECTED: "turn_down"}.get(case.state)
    return next((event.note for event in reversed(events) if event.verb == verb), "") if verb else ""


def pauses(case: Case) -> list[dict[str, Any]]:
    """Open pauses in words, with the day they began."""
    open_ones = [stop for stop in case.clock_stops.all() if stop.ended_at is None]
    return [{"text": PAUSES[ClockStop.Reason(stop.reason)], "since": day(stop.started_at, case)} for stop in open_ones]


def doctor(specialist: Specialist | None) -> dict[str, Any] | None:
    """The doctor's card."""
    if specialist is None:
        return None
    stem = specialist.portrait.rsplit("/", 1)[-1].rsplit(".", 1)[0]
    language = (get_language() or "en")[:2]
    spoken = {"en": _("English"), "de": _("German")}
    languages = ", ".join(str(spoken.get(code[:2], code)) for code in specialist.languages)
    return {
        "name": specialist.name,
        "title": specialist.title,
        "portrait": stem if stem in PORTRAITS else "",
        "place": specialist.institution,
        "words": specialist.biography.get(language) or specialist.biography.get("en", ""),
        "facts": [_("Speaks %(languages)s") % {"languages": languages}] if languages else [],
    }


def heading(case: Case) -> str:
    """What the case is about, for the head of the page."""
    return str(registry.specialty(case.specialty).title)
