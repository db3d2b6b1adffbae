"""Working time: local hours, weekends and holidays of the jurisdiction, kept in UTC."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from consilium.cases.timers import Span
from consilium.packs import registry
from consilium.packs.schema import WorkingHours


def is_working_day(day: datetime, hours: WorkingHours, holidays: str) -> bool:
    """Whether the local date of `day` is a working day."""
    return day.weekday() in hours.weekdays and day.date() not in registry.holidays(holidays, day.year)


def add(start: datetime, span: Span, *, jurisdiction: str) -> datetime:
    """`start` plus `span`, as UTC.

    Working days count full days: one working day from Friday 15:00 is Monday 15:00, moved into
    working hours; calendar time is plain. Daylight saving keeps the local wall clock.
    """
    if not span.working_days:
        return start + span.calendar
    pack = registry.jurisdiction(jurisdiction)
    zone = ZoneInfo(pack.hours.timezone)
    local = _into_hours(start.astimezone(zone), pack.hours, pack.holidays)
    left = span.working_days
    while left:
        local += timedelta(days=1)
        if is_working_day(local, pack.hours, pack.holidays):
            left -= 1
    return local.astimezone(UTC)


def _into_hours(local: datetime, hours: WorkingHours, holidays: str) -> datetime:
    """The moment itself when somebody works then, else the next start of work."""
    while True:
        if not is_working_day(local, hours, holidays) or local.time() >= hours.end:
            local = (local + timedelta(days=1)).replace(
                hour=hours.start.hour, minute=hours.start.minute, second=0, microsecond=0
            )
            continue
        if local.time() < hours.start:
            local = local.replace(hour=hours.start.hour, minute=hours.start.minute, second=0, microsecond=0)
        return local
