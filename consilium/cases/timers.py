"""How long each state may last: the second table of the workflow (product.md, "The life of a case").

A duration is calendar time or working time; working time knows the organisation's hours and holidays
(cases/calendar.py) and stands still while a `ClockStop` is open.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from consilium.cases.states import State


@dataclass(frozen=True)
class Span:
    """A length of time. `working_days` counts working days; `hours`/`days` are calendar time."""

    days: int = 0
    hours: int = 0
    working_days: int = 0

    @property
    def calendar(self) -> timedelta:
        return timedelta(days=self.days, hours=self.hours)


@dataclass(frozen=True)
class Timer:
    """When a state is due, when its owner is reminded before, and the verb the scheduler then tries."""

    due: Span
    reminders: tuple[Span, ...] = ()
    then: str = ""  # verb tried by the system when due; empty: the coordinator is alerted
    stops: bool = True  # whether an open ClockStop moves the due time


TIMERS: Final[dict[str, Timer]] = {
    State.DRAFT: Timer(Span(days=30), (Span(days=2), Span(days=7), Span(days=14)), "expire", stops=False),
    State.SUBMITTED: Timer(Span(working_days=1)),
    State.COLLECTING: Timer(Span(days=14), (Span(days=2), Span(days=5), Span(days=9))),
    State.RECAP: Timer(Span(days=7), (Span(days=2),)),
    State.TRIAGE: Timer(Span(hours=24)),
    State.OFFERED: Timer(Span(hours=12), then="time_out_offer"),
    State.BLIND_READ: Timer(Span(working_days=2)),
    State.IN_REVIEW: Timer(Span(working_days=5)),
    State.QUALITY_CHECK: Timer(Span(working_days=1)),
    State.SIGNED: Timer(Span(working_days=3)),
    State.DELIVERED: Timer(Span(days=14), (Span(days=2),), "begin_follow_up", stops=False),
    State.CLARIFYING: Timer(Span(working_days=2)),
    State.FOLLOW_UP: Timer(Span(days=200), (Span(days=16), Span(days=76), Span(days=166)), "close", stops=False),
    State.URGENT: Timer(Span(hours=8), (Span(hours=1), Span(hours=2), Span(hours=4))),
}

# A simple case is read in 48 hours instead (product.md); chosen at triage.
SIMPLE_REVIEW: Final = Timer(Span(hours=48))

# The promise on the front page: records complete → report.
PROMISE_DAYS: Final = 7
FOLLOW_UP_DAYS: Final = (30, 90, 180)
CLARIFICATION_DAYS: Final = 14
MAX_CLARIFICATIONS: Final = 3
OFFERS_BEFORE_ESCALATION: Final = 3
