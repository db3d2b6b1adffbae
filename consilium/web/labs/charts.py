"""A trend over time as SVG geometry: days on a true time axis, the reference range as a band. No library."""

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

from consilium.core.text import iso_date
from consilium.records.laboratory import Row
from consilium.web.components.charts import scale

WIDTH, HEIGHT = 640, 280
LEFT, RIGHT, TOP, BOTTOM = 64, 24, 16, 40
MAX_LABELS, BESIDE_THE_ENDS = 6, 4  # one label in so many parts; those at the ends reach inwards with their whole width


def chart(
    row: Row, low: float | None, high: float | None, *, label: Callable[[str], str], number: Callable[[float], str]
) -> dict[str, Any] | None:
    """Points, line, band and axis labels in a box of 640 × 280; None when there are no two days to draw."""
    drawn = [(when, value) for value in row.numbers if (when := _when(value.date)) is not None]
    if len({when for when, _value in drawn}) < 2:
        return None
    values = [value.number or 0.0 for _when_, value in drawn]
    bottom, top = scale(values, low, high)
    first, last = drawn[0][0], drawn[-1][0]
    span = max(1, (last - first).days)

    def across(when: date) -> float:
        return round(LEFT + (WIDTH - LEFT - RIGHT) * (when - first).days / span, 1)

    def up(value: float) -> float:
        return round(TOP + (HEIGHT - TOP - BOTTOM) * (top - value) / (top - bottom), 1)

    points = [
        {
            "x": across(when), "y": up(value.number or 0.0), "outside": value.outside, "open": value.unconfirmed,
            "title": f"{label(value.date)}: {number(value.number or 0.0)}",
        }
        for when, value in drawn
    ]  # fmt: skip
    return {
        "points": points,
        "line": " ".join(f"{point['x']},{point['y']}" for point in points),
        "band": _band(low, high, up, bottom, top),
        "days": [
            {"x": across(when), "text": label(when.isoformat())} for when in _spread([when for when, _v in drawn])
        ],
        "levels": [{"y": up(level), "text": number(level)} for level in _levels(bottom, top)],
        "first": points[0]["title"],
        "last": points[-1]["title"],
        "count": len(points),
    }


def _when(iso: str) -> date | None:
    """A day; a year or month alone stands at its beginning."""
    return iso_date(iso if len(iso) == 10 else f"{iso}-01" if len(iso) == 7 else f"{iso}-01-01")


def _band(
    low: float | None, high: float | None, up: Callable[[float], float], bottom: float, top: float
) -> dict[str, float] | None:
    if low is None and high is None:
        return None
    start, end = up(top if high is None else high), up(bottom if low is None else low)
    return {"y": start, "height": round(end - start, 1)}


def _spread(days: Sequence[date]) -> list[date]:
    """Days to label: first, last and those between that have room."""
    span = max(1, (days[-1] - days[0]).days)
    chosen = [days[0]]
    for one in days[1:-1]:
        room = MAX_LABELS if len(chosen) > 1 else BESIDE_THE_ENDS
        if (one - chosen[-1]).days * room >= span and (days[-1] - one).days * BESIDE_THE_ENDS >= span:
            chosen.append(one)
    return [*chosen, days[-1]]


def _levels(bottom: float, top: float) -> list[float]:
    """Round numbers on the value axis."""
    rough = (top - bottom) / 4
    power = 10.0 ** _exponent(rough)
    step = next((power * factor for factor in (1, 2, 5, 10) if power * factor >= rough), power * 10)
    first = int(bottom // step) + 1
    return [round(step * (first + index), 10) for index in range(8) if step * (first + index) <= top]


def _exponent(value: float) -> int:
    from math import floor, log10

    return floor(log10(value)) if value > 0 else 0
