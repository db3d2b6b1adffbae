"""Deadlines of a case: set on entering a state, moved by clock stops, fired by the scheduler."""

from datetime import datetime, timedelta

from consilium.cases import calendar
from consilium.cases.models import Case, ClockStop, Deadline
from consilium.cases.states import State
from consilium.cases.timers import PROMISE_DAYS, SIMPLE_REVIEW, TIMERS, Timer
from consilium.core import clock


def timer_of(case: Case) -> Timer | None:
    """The timer of the case's present state."""
    if case.state == State.IN_REVIEW and case.complexity == "simple":
        return SIMPLE_REVIEW
    return TIMERS.get(case.state)


def set_for(case: Case) -> None:
    """Cancel what belonged to the state just left and set what belongs to the one entered."""
    now = clock.now()
    open_ones = case.deadlines.filter(fired_at=None, cancelled_at=None)
    open_ones.filter(kind__in=(Deadline.Kind.DUE, Deadline.Kind.REMINDER)).exclude(state=case.state).update(
        cancelled_at=now
    )
    timer = timer_of(case)
    due = None
    if timer and not open_ones.filter(kind=Deadline.Kind.DUE, state=case.state).exists():
        due = _set_state_timer(case, timer)
    elif timer:
        due = open_ones.filter(kind=Deadline.Kind.DUE, state=case.state).values_list("at", flat=True).first()
    Case.objects.filter(pk=case.pk).update(due_at=due)
    case.due_at = due


def _set_state_timer(case: Case, timer: Timer) -> datetime:
    """Rows for the due time and each reminder; returns the due time (UTC)."""
    start = case.state_since
    due = calendar.add(start, timer.due, jurisdiction=case.jurisdiction)
    rows = [Deadline(case=case, kind="due", state=case.state, at=due, then=timer.then, stops=timer.stops)]
    for span in timer.reminders:
        at = calendar.add(start, span, jurisdiction=case.jurisdiction)
        rows.append(Deadline(case=case, kind="reminder", state=case.state, at=at, stops=timer.stops))
    Deadline.objects.bulk_create(rows)
    return due


def set_promise(case: Case) -> None:
    """The front page's promise, from the moment the records are complete."""
    case.deadlines.filter(kind=Deadline.Kind.PROMISE, cancelled_at=None).update(cancelled_at=clock.now())
    at = (case.records_complete_at or clock.now()) + timedelta(days=PROMISE_DAYS)
    Deadline.objects.create(case=case, kind=Deadline.Kind.PROMISE, at=at)


def estimate(case: Case) -> datetime | None:
    """An honest estimate of when the report is there: what is left by the timers, counted from now.

    None once delivered or when the case ended. While the clock stands still the estimate moves with it.
    """
    path = [State.SUBMITTED, State.COLLECTING, State.RECAP, State.TRIAGE, State.OFFERED, State.BLIND_READ]
    path += [State.IN_REVIEW, State.QUALITY_CHECK, State.SIGNED]
    if case.state not in path and case.state != State.DRAFT:
        return None
    at = max(clock.now(), case.due_at or clock.now())
    start = path.index(State(case.state)) + 1 if case.state in path else 0
    for state in path[start:]:
        timer = SIMPLE_REVIEW if state == State.IN_REVIEW and case.complexity == "simple" else TIMERS[state]
        at = calendar.add(at, USUAL.get(state, timer.due), jurisdiction=case.jurisdiction)
    return at


# What a step usually takes when it is not the bottleneck; the timers are limits, not habits.
from consilium.cases.timers import Span  # noqa: E402

USUAL = {
    State.SUBMITTED: Span(working_days=1),
    State.COLLECTING: Span(days=3),
    State.RECAP: Span(days=1),
    State.TRIAGE: Span(hours=12),
    State.OFFERED: Span(hours=12),
    State.BLIND_READ: Span(working_days=1),
    State.IN_REVIEW: Span(working_days=2),
    State.QUALITY_CHECK: Span(working_days=1),
    State.SIGNED: Span(hours=12),
}


def shift(case: Case, by: timedelta) -> None:
    """Move the open deadlines that stand still with the clock by the length of a pause."""
    for deadline in case.deadlines.filter(fired_at=None, cancelled_at=None, stops=True):
        deadline.at += by
        deadline.save(update_fields=["at"])
    if case.due_at and (timer := timer_of(case)) and timer.stops:
        Case.objects.filter(pk=case.pk).update(due_at=case.due_at + by)


def is_paused(case: Case) -> bool:
    """Whether any clock stop is open."""
    return ClockStop.objects.filter(case=case, ended_at=None).exists()
