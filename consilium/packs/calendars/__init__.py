"""Holiday calendars: rules as data in ``<code>.toml``, turned into dates here."""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Iterator
from typing import Any

from consilium.packs.schema import Text


def easter(year: int) -> dt.date:
    """Easter Sunday in the Gregorian calendar (Meeus/Jones/Butcher)."""
    a, (b, c) = year % 19, divmod(year, 100)
    d, e = divmod(b, 4)
    g = (8 * b + 13) // 25
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    m = (32 + 2 * e + 2 * i - h - k) % 7
    n = (a + 11 * h + 22 * m) // 451
    month, day = divmod(h + m - 7 * n + 114, 31)
    return dt.date(year, month, day + 1)


def nth_weekday(year: int, month: int, weekday: int, nth: int) -> dt.date:
    """The ``nth`` weekday of a month (0 = Monday); -1 is the last one."""
    all_days = [dt.date(year, month, day) for day in range(1, calendar.monthrange(year, month)[1] + 1)]
    return [day for day in all_days if day.weekday() == weekday][nth - 1 if nth > 0 else nth]


def observed(day: dt.date) -> dt.date:
    """Saturday is observed on Friday, Sunday on Monday (5 U.S.C. §6103)."""
    return day + dt.timedelta(days={5: -1, 6: 1}.get(day.weekday(), 0))


def days(rules: list[dict[str, Any]], year: int) -> Iterator[tuple[dt.date, Text]]:
    """Each rule's day in ``year``. A rule has ``name`` and one of ``fixed``, ``easter`` or ``nth``."""
    for rule in rules:
        name = Text(tuple(rule["name"].items()))
        if "easter" in rule:
            yield easter(year) + dt.timedelta(days=rule["easter"]), name
        elif "nth" in rule:
            yield nth_weekday(year, *rule["nth"]), name
        else:
            day = dt.date(year, *rule["fixed"])
            yield observed(day) if rule.get("observed") else day, name
