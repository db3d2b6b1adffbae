"""One case at the desk: its tabs, the next action, the facts beside it, records, history."""

from collections.abc import Iterable
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from consilium.access.principals import Principal
from consilium.access.rules import may
from consilium.cases import deadlines
from consilium.cases.actions.advance import possible, what_is_missing
from consilium.cases.models import Case, CaseEvent, ClockStop
from consilium.cases.states import State
from consilium.cases.workflow import RETURN, row_for, rows_from
from consilium.core import clock
from consilium.packs import registry
from consilium.web.desk import steps
from consilium.web.desk.present import board
from consilium.web.desk.present import events as events_in_words
from consilium.web.desk.present.dates import day, day_of, languages, moment, span
from consilium.web.patient.forms.about import COUNTRIES


def tabs(case: Case, current: str) -> list[dict[str, Any]]:
    """The pages of a case."""
    pages = [
        ("desk_case", _("Overview")),
        ("desk_records", _("Records")),
        ("desk_story", _("Story")),
        ("desk_matching", _("Specialist")),
        ("desk_report", _("Report and sharing")),
        ("desk_messages", _("Messages")),
        ("desk_history", _("History")),
    ]
    return [
        {"label": label, "href": reverse(name, args=[case.pk]), "current": name == current} for name, label in pages
    ]


def other_steps(case: Case, by: Principal, *, but: Iterable[str] = (), page: str = "desk_step") -> list[dict[str, str]]:
    """Steps of the workflow that are possible now and have a page, without those shown already."""
    found = []
    for row in rows_from(case.state):
        if row.verb in steps.BY_VERB and row.verb not in but and possible(case, row.verb, by):
            found.append(
                {"verb": row.verb, "label": step_label(case, row.verb), "href": reverse(page, args=[case.pk, row.verb])}
            )
    return found


# state → (URL name of the page that does the step, or the verb of a button)
PAGES = {State.SUBMITTED: "desk_identity", State.TRIAGE: "desk_matching"}
VERBS = {
    State.COLLECTING: "complete_records",
    State.SIGNED: "deliver",
    State.URGENT: "acknowledge_urgent",
    State.INCIDENT_HOLD: "resume",
    State.DELIVERED: "begin_follow_up",
    State.FOLLOW_UP: "close",
}
# The verb whose needs are shown as "what is missing", where another page does the step.
ASKS = {State.SUBMITTED: "check_in", State.COLLECTING: "complete_records", State.SIGNED: "deliver"}


def next_action(case: Case, by: Principal) -> dict[str, Any]:
    """The one next action: words, whose turn, what is missing, and where the button leads."""
    who = board.turn(case)
    verb = VERBS.get(State(case.state), "")
    missing = what_is_missing(case, ASKS.get(State(case.state), verb), by) if verb or case.state in ASKS else []
    mine = who == "coordinator" or case.state == State.INCIDENT_HOLD
    action = {
        "title": board.next_step(case),
        "turn": "you" if mine else "us" if who != "patient" else "other",
        "turn_label": _("Your turn") if mine else board.roles()[who],
        "verb": verb,
        "missing": [] if case.state in (State.SUBMITTED, State.URGENT, State.INCIDENT_HOLD) else missing,
        "href": "",
        "label": "",
    }
    return action | _button(case, by, verb, missing)


def _button(case: Case, by: Principal, verb: str, missing: list[Any]) -> dict[str, str]:
    if case.state in PAGES and (case.state != State.TRIAGE or case.triaged_at):
        label = {State.SUBMITTED: _("Check now"), State.TRIAGE: _("Choose a specialist")}[State(case.state)]
        return {"href": reverse(PAGES[State(case.state)], args=[case.pk]), "label": label}
    if case.state == State.COLLECTING and missing:
        return {"href": reverse("desk_records", args=[case.pk]), "label": _("Look at the records")}
    if case.state == State.SIGNED and oral_is_missing(case):
        return {"href": reverse("desk_oral", args=[case.pk]), "label": _("Record the oral explanation")}
    if verb and not missing and possible(case, verb, by) and case.state not in (State.DELIVERED, State.FOLLOW_UP):
        return _step_button(case, verb)
    if case.state in (State.URGENT, State.INCIDENT_HOLD) and possible(case, verb, by):
        return _step_button(case, verb)
    return {}


def _step_button(case: Case, verb: str) -> dict[str, str]:
    return {"href": reverse("desk_step", args=[case.pk, verb]), "label": step_label(case, verb)}


def step_label(case: Case, verb: str) -> str:
    """The words of a step's button: the desk's own where the table speaks to the patient."""
    row, own = row_for(verb, case.state), steps.BY_VERB.get(verb)
    return str((own and own.label) or (row.label if row else verb))


def oral_is_missing(case: Case) -> bool:
    """Whether the rule demands an oral explanation that was not held yet."""
    needed = registry.jurisdiction(case.jurisdiction).oral_delivery_required(case.procedure)
    return needed and case.oral_explanation_held_at is None


def identity(case: Case) -> list[dict[str, str]]:
    """Who the patient is and how to reach them."""
    person = case.patient
    contact = person.contact
    country = dict(COUNTRIES).get(contact.get("country", ""), contact.get("country", ""))
    address = ", ".join(str(part) for part in (contact.get("address"), country) if part)
    email = person.user.email if person.user else ""
    checked = person.identity_checked_at
    return [
        {"term": _("Name"), "text": person.full_name},
        {"term": _("Birth date"), "text": day_of(person.birth_date)},
        {"term": _("Telephone"), "text": person.telephone or _("not given")},
        {"term": _("E-mail"), "text": email or _("no account: cared for by telephone or post")},
        {"term": _("Address"), "text": address or _("not given")},
        {
            "term": _("Identity"),
            "text": _("checked on %(day)s") % {"day": moment(checked)} if checked else _("not checked yet"),
        },
    ]


def facts(case: Case) -> list[dict[str, str]]:
    """What the desk wants to see at a glance."""
    estimate = deadlines.estimate(case)
    rule = registry.jurisdiction(case.jurisdiction)
    listed = rule.procedure(case.procedure) if case.procedure else None
    found = [
        {"term": _("Specialty"), "text": board.specialty_title(case)},
        {"term": _("Rule"), "text": f"{rule.title}" + (f" – {listed.title}" if listed else "")},
        {"term": _("Language"), "text": languages([case.language])},
        {"term": _("Urgency"), "text": case.get_urgency_display()},
    ]
    if case.planned_treatment_on:
        found.append({"term": _("Planned treatment"), "text": day(case.planned_treatment_on)})
    if estimate:
        found.append({"term": _("Report expected"), "text": day(estimate)})
    if case.delivered_at:
        found.append({"term": _("Report delivered"), "text": moment(case.delivered_at)})
    return found


def pauses(stops: Iterable[ClockStop]) -> list[dict[str, Any]]:
    """Open pauses with since when and the form's address."""
    return [
        {
            "reason": stop.get_reason_display(),
            "since": moment(stop.started_at),
            "href": reverse("desk_clock_start", args=[stop.case_id, stop.pk]),
        }
        for stop in stops
        if stop.ended_at is None
    ]


def sees(case: Case, by: Principal) -> dict[str, bool]:
    """What the policy lets `by` do here, for showing or hiding a form."""
    actions = ("clock.stop", "request.manage", "record.add", "record.remove", "record.decide", "identity.check")
    more = ("link.manage", "oral.record", "message.send", "offer.manage", "conclusion.mark", "report.view", "key.make")
    return {action.replace(".", "_"): may(action, case, by) for action in actions + more}


def history(events: Iterable[CaseEvent], names: dict[str, str], case: Case) -> list[dict[str, Any]]:
    """The case's events, newest first, with names and notes in words."""
    titles = events_in_words.titles()
    states = dict(State.choices)
    return [
        {
            "when": moment(event.at),
            "iso": event.at.isoformat(),
            "who": names.get(event.by) or actor(event),
            "title": titles.get(event.verb, event.verb.replace("_", " ")),
            "text": " – ".join(part for part in (_moved(event, states), note_of(event, case)) if part),
            "tone": TONES.get(event.verb, "" if event.to_state and event.from_state else "quiet"),
        }
        for event in reversed(list(events))
    ]


TONES = {"raise_urgent": "danger", "hold": "warn", "turn_down": "warn", "withdraw": "warn", "decline": "warn"}


def actor(event: CaseEvent) -> str:
    """Somebody without an account, in words."""
    if event.by.startswith("guest:"):
        return _("The treating doctor (by link)")
    return _("Consilium, by itself") if event.by == "system" else _("Somebody whose account is gone")


def _moved(event: CaseEvent, states: dict[Any, Any]) -> str:
    if not event.to_state or event.to_state == event.from_state or not event.from_state:
        return ""
    return _("from “%(before)s” to “%(after)s”") % {
        "before": states.get(event.from_state, event.from_state),
        "after": states.get(event.to_state, event.to_state),
    }


def note_of(event: CaseEvent, case: Case) -> str:
    """The note, or the words for the code the desk's verbs keep there."""
    if event.verb in ("stop_clock", "start_clock"):
        return str(dict(ClockStop.Reason.choices).get(event.note, event.note))
    if event.verb.startswith("record_"):
        items = {item.code: str(item.title) for item in registry.specialty(case.specialty).records}
        return str(items.get(event.note, event.note))
    if event.verb == "set_triage":
        return str(dict(Case.Urgency.choices).get(event.note, event.note))
    return event.note


def urgent_story(events: list[CaseEvent], names: dict[str, str], case: Case) -> dict[str, Any] | None:
    """What was seen, by whom and when, for the urgent panel; and whom to call."""
    raised = [event for event in events if event.verb == "raise_urgent"]
    if case.state != State.URGENT or not raised:
        return None
    said = case.first_opinion
    doctor = ", ".join(str(said[key]) for key in ("doctor", "institution") if said.get(key))
    return {
        "note": raised[-1].note,
        "who": names.get(raised[-1].by) or actor(raised[-1]),
        "when": moment(raised[-1].at),
        "waiting": span(clock.now() - raised[-1].at),
        "telephone": case.patient.telephone,
        "doctor": doctor,
    }


def step_words(case: Case, verb: str) -> dict[str, Any]:
    """Heading, consequences and where the case goes, for the page that confirms a step."""
    row = row_for(verb, case.state)
    if row is None:
        return {}
    target = case.halted_from if row.target == RETURN else row.target
    moved = _("The case goes to: %(state)s.") % {"state": State(target).label if target else "–"}
    sentences = [str(row.confirm)] if row.confirm else []
    return {
        "heading": step_label(case, verb),
        "confirm_label": step_label(case, verb),
        "consequences": sentences + ([moved] if target != case.state else []),
    }
