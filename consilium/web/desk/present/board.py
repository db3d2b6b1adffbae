"""The desk's list: what is next on each case, whose turn it is, when it is due. Pure preparation, no queries."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from consilium.cases import deadlines
from consilium.cases.models import Case
from consilium.cases.states import OWNER, State
from consilium.core import clock
from consilium.packs import registry
from consilium.vault import fields
from consilium.web.desk.present.dates import short_day, span
from consilium.web.desk.queries import Filters, Insight

SOON = timedelta(hours=24)


def roles() -> dict[str, str]:
    """Whose turn it is, in words."""
    return {
        "patient": _("The patient"),
        "coordinator": _("The desk"),
        "triage_clinician": _("Triage"),
        "specialist": _("The specialist"),
        "quality_reviewer": _("The quality check"),
        "administrator": _("The desk or an administrator"),
        "system": _("Nobody: the case has ended"),
    }


def turn(case: Case) -> str:
    """Whose turn it is: the state's owner, or the desk where the table says the desk goes on."""
    if case.state == State.TRIAGE and case.triaged_at:
        return "coordinator"
    if case.state == State.COLLECTING and getattr(case, "mine", False):
        return "coordinator"
    return OWNER[case.state]


def next_step(case: Case) -> str:
    """The next step of a case as one short sentence; uses the annotations of queries.board."""
    words = {
        State.DRAFT: _("The patient prepares the request"),
        State.SUBMITTED: _("Check identity and eligibility"),
        State.RECAP: _("The patient confirms the one-page summary"),
        State.OFFERED: _("The specialist accepts or declines"),
        State.BLIND_READ: _("The specialist forms a first impression"),
        State.IN_REVIEW: _("The specialist writes the opinion"),
        State.QUALITY_CHECK: _("A second doctor checks the opinion"),
        State.SIGNED: _("Hold the explanation if the rule asks for one, then deliver"),
        State.DELIVERED: _("The patient reads the report and may ask"),
        State.CLARIFYING: _("The specialist answers the patient's questions"),
        State.FOLLOW_UP: _("The patient answers the follow-up questions"),
        State.INCIDENT_HOLD: _("Settle what stopped the case, then resume"),
        State.URGENT: _("Reach the patient and the treating doctor today"),
    }
    if case.state == State.COLLECTING:
        return _collecting(case)
    if case.state == State.TRIAGE:
        return _("Choose a specialist") if case.triaged_at else _("Triage sets urgency and marks the conclusion")
    return words.get(State(case.state), _("Nothing: the case has ended"))


def _collecting(case: Case) -> str:
    if getattr(case, "missing", False):
        return _("Ask for the records that are missing")
    if getattr(case, "asked", False):
        return _("Wait for the records that were asked for")
    return _("The records are complete: go on")


def due(case: Case, *, paused: bool, now: datetime | None = None) -> tuple[str, str]:
    """(words, tone) of the due time; a pause stops the clock."""
    now = now or clock.now()
    if paused:
        return _("Clock paused"), ""
    if case.due_at is None:
        return "", ""
    if case.due_at < now:
        return _("Overdue by %(span)s") % {"span": span(now - case.due_at)}, "danger"
    tone = "warn" if case.due_at - now < SOON else ""
    return _("Due in %(span)s") % {"span": span(case.due_at - now)}, tone


def treatment_alarm(case: Case) -> str:
    """The sentence when the estimate passes the date of the planned treatment, else nothing."""
    estimate = deadlines.estimate(case)
    if not case.planned_treatment_on or estimate is None or estimate.date() < case.planned_treatment_on:
        return ""
    return _("Treatment planned for %(day)s, report expected %(report)s") % {
        "day": short_day(case.planned_treatment_on),
        "report": short_day(estimate),
    }


def specialty_title(case: Case) -> str:
    """The specialty in words."""
    return str(registry.specialty(case.specialty).title)


def refs_in(cases: Iterable[Case]) -> list[str]:
    """References of the specialists on the cases, for one query of names."""
    held = (role for case in cases for role in case.case_roles.all())
    return [f"user:{role.user_id}" for role in held if role.role in ("specialist", "offered_specialist")]


def card(case: Case, names: dict[str, str], *, href: str = "desk_case") -> dict[str, Any]:
    """A case as the case_card component draws it."""
    stops = getattr(case, "open_stops", [])
    words, tone = due(case, paused=bool(stops))
    erased = case.state == State.ERASED
    return {
        "title": _("Erased case") if erased else fields.shown(case.patient, "full_name"),
        "href": reverse(href, args=[case.pk]),
        "reference": case.reference,
        "status": case.get_state_display(),
        "tone": STATE_TONES.get(State(case.state), "neutral"),
        "facts": [] if erased else _facts(case, names),
        "next": next_step(case),
        "due": words,
        "due_tone": tone,
        "badges": [] if erased else _badges(case, stops),
    }


STATE_TONES = {
    State.URGENT: "danger",
    State.INCIDENT_HOLD: "warn",
    State.SUBMITTED: "accent",
    State.SIGNED: "accent",
    State.DELIVERED: "good",
    State.FOLLOW_UP: "good",
    State.OFFERED: "info",
    State.BLIND_READ: "info",
    State.IN_REVIEW: "info",
    State.QUALITY_CHECK: "info",
    State.CLARIFYING: "info",
}


def _facts(case: Case, names: dict[str, str]) -> list[dict[str, str]]:
    facts = [
        {"term": _("Turn"), "text": roles()[turn(case)]},
        {"term": _("Specialty"), "text": specialty_title(case)},
        {"term": _("In this state"), "text": span(clock.now() - case.state_since)},
    ]
    held = [r for r in case.case_roles.all() if r.role in ("specialist", "offered_specialist") and r.ended_at is None]
    if held and (name := names.get(f"user:{held[0].user_id}")):
        facts.append({"term": _("Specialist"), "text": name})
    return facts


def _badges(case: Case, stops: list[Any]) -> list[dict[str, str]]:
    badges = [{"text": str(stop.get_reason_display()), "tone": "info"} for stop in stops]
    if case.urgency != Case.Urgency.ROUTINE:
        badges.insert(0, {"text": _("Urgency: %(level)s") % {"level": case.get_urgency_display()}, "tone": "warn"})
    if alarm := treatment_alarm(case):
        badges.append({"text": alarm, "tone": "danger"})
    if getattr(case, "undecided", False):
        badges.append({"text": _("A record needs a decision"), "tone": "warn"})
    if getattr(case, "unread", False):
        badges.append({"text": _("New message"), "tone": "accent"})
    return badges


def tabs(filters: Filters, totals: dict[str, int]) -> list[dict[str, Any]]:
    """The tabs of the list with counts; a tab keeps specialty and view."""
    labels = {
        "open": _("All open"),
        "mine": _("My turn"),
        "others": _("Waiting for others"),
        "overdue": _("Overdue"),
        "ended": _("Ended"),
    }
    return [
        {
            "label": label,
            "href": address(filters, whose=whose, state=""),
            "current": whose == filters.whose and not filters.state,
            "count": totals[whose],
        }
        for whose, label in labels.items()
    ]


def address(filters: Filters, **changes: str) -> str:
    """The address of the list with these filters changed."""
    wanted = {"whose": filters.whose, "state": filters.state, "specialty": filters.specialty, "view": filters.view}
    wanted |= changes
    defaults = {"whose": "open", "state": "", "specialty": "", "view": "list"}
    query = urlencode({key: value for key, value in wanted.items() if value != defaults[key]})
    return f"?{query}" if query else reverse("desk")


def choices(filters: Filters) -> dict[str, Any]:
    """What the filter form offers."""
    states = [(state.value, str(state.label)) for state in State if state != State.ERASED]
    specialties = [(pack.id, str(pack.title)) for pack in registry.specialties()]
    other = "list" if filters.view == "lanes" else "lanes"
    label = _("Show as one list") if other == "list" else _("Group similar cases")
    return {"states": states, "specialties": specialties, "other_view": address(filters, view=other), "other": label}


def lanes(cases: Iterable[Case], names: dict[str, str]) -> list[dict[str, Any]]:
    """Similar cases together: one lane a specialty and state, in the order of their most pressing case."""
    found: dict[tuple[str, str], list[Case]] = {}
    for case in cases:
        found.setdefault((case.specialty, case.state), []).append(case)
    return [
        {
            "title": specialty_title(group[0]),
            "state": group[0].get_state_display(),
            "tone": STATE_TONES.get(State(group[0].state), "neutral"),
            "cards": [card(case, names) for case in group],
        }
        for group in found.values()
    ]


def insight_facts(found: Insight, totals: dict[str, int]) -> list[dict[str, str]]:
    """The strip of figures above the list."""
    late, number = totals["overdue"], found.delivered
    words = ngettext("median of %(n)s report in 180 days", "median of %(n)s reports in 180 days", number)
    days = _("%(n)s days") % {"n": f"{found.median_days:.1f}"} if found.median_days is not None else "–"
    return [
        {"term": _("Open cases"), "text": str(totals["open"])},
        {"term": _("My turn"), "text": str(totals["mine"])},
        {"term": _("Overdue"), "text": str(late), "tone": "danger" if late else ""},
        {
            "term": _("Records complete to report"),
            "text": days,
            "note": words % {"n": number} if number else _("no report delivered yet"),
        },
    ]


def state_counts(found: Insight) -> list[dict[str, Any]]:
    """Open cases by state as links, in the order of a case's life."""
    return [
        {"label": state.label, "href": f"?state={state.value}", "count": found.by_state[state.value]}
        for state in State
        if found.by_state.get(state.value)
    ]
