"""The one place that knows what time it is: aware UTC, replaceable in tests and simulations."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta


class FrozenClock:
    """A clock that moves only when told."""

    def __init__(self, at: datetime) -> None:
        if at.tzinfo is None:
            raise ValueError("A frozen clock needs an aware datetime.")
        self.at = at.astimezone(UTC)

    def tick(self, step: timedelta) -> datetime:
        """Move the clock by `step` (also backwards) and return the new time."""
        self.at += step
        return self.at


_frozen: ContextVar[FrozenClock | None] = ContextVar("frozen_clock", default=None)


def now() -> datetime:
    """The current time as an aware UTC datetime."""
    clock = _frozen.get()
    return clock.at if clock else datetime.now(UTC)


@contextmanager
def frozen(at: datetime) -> Iterator[FrozenClock]:
    """Freeze `now()` at `at` inside the block (this context only)."""
    clock = FrozenClock(at)
    token = _frozen.set(clock)
    try:
        yield clock
    finally:
        _frozen.reset(token)
