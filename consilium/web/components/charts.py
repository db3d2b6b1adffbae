"""Numbers into SVG geometry: sparklines and trends with a reference range. No library, no inline style."""

from collections.abc import Mapping, Sequence
from typing import Any

PAD = 4.0


def scale(values: Sequence[float], low: float | None, high: float | None) -> tuple[float, float]:
    """Bottom and top of the axis: the values and the reference range, with a little air."""
    every = [*values, *(bound for bound in (low, high) if bound is not None)]
    bottom, top = min(every), max(every)
    air = (top - bottom) * 0.08 or abs(top) * 0.1 or 1.0
    return bottom - air, top + air


def positions(
    values: Sequence[float], *, width: float, height: float, bottom: float, top: float
) -> list[tuple[float, float]]:
    """Points in SVG units, evenly spaced from left to right; y grows downwards."""
    inner_width, inner_height = width - 2 * PAD, height - 2 * PAD
    step = inner_width / (len(values) - 1) if len(values) > 1 else 0.0
    start = PAD if len(values) > 1 else width / 2
    return [
        (round(start + index * step, 1), round(PAD + inner_height * (top - value) / (top - bottom), 1))
        for index, value in enumerate(values)
    ]


def band(*, low: float | None, high: float | None, height: float, bottom: float, top: float) -> dict[str, float] | None:
    """The reference range as a rectangle's y and height; None when there is no range."""
    if low is None and high is None:
        return None
    upper, lower = (top if high is None else high), (bottom if low is None else low)
    inner = height - 2 * PAD
    start = PAD + inner * (top - upper) / (top - bottom)
    return {"y": round(start, 1), "height": round(inner * (upper - lower) / (top - bottom), 1)}


def outside(value: float, low: float | None, high: float | None) -> bool:
    """Whether a value lies outside its reference range (a fact of the sheet, not a judgement)."""
    return (low is not None and value < low) or (high is not None and value > high)


def sparkline(variables: dict[str, Any], _context: Mapping[str, Any]) -> None:
    """Geometry of a sparkline; `values` are numbers, oldest first."""
    values = [float(value) for value in variables["values"]]
    low, high = _number(variables["low"]), _number(variables["high"])
    width, height = float(variables["width"]), float(variables["height"])
    variables["has_values"] = bool(values)
    if not values:
        return
    bottom, top = scale(values, low, high)
    points = positions(values, width=width, height=height, bottom=bottom, top=top)
    variables.update(
        polyline=" ".join(f"{x},{y}" for x, y in points),
        last={"x": points[-1][0], "y": points[-1][1], "outside": outside(values[-1], low, high)},
        band=band(low=low, high=high, height=height, bottom=bottom, top=top),
        first_value=variables["values"][0],
        last_value=variables["values"][-1],
    )


def trend(variables: dict[str, Any], _context: Mapping[str, Any]) -> None:
    """Geometry of a trend chart 320 × 140 units; every point keeps its date and words for the table below."""
    low, high = _number(variables["low"]), _number(variables["high"])
    values = [float(point["value"]) for point in variables["points"]]
    variables["has_values"] = bool(values)
    if not values:
        return
    bottom, top = scale(values, low, high)
    places = positions(values, width=320, height=140, bottom=bottom, top=top)
    dots = [
        {**point, "x": x, "y": y, "outside": outside(value, low, high)}
        for point, value, (x, y) in zip(variables["points"], values, places, strict=True)
    ]
    variables.update(
        dots=dots,
        polyline=" ".join(f"{x},{y}" for x, y in places),
        band=band(low=low, high=high, height=140, bottom=bottom, top=top),
    )


def _number(value: Any) -> float | None:
    return None if value in (None, "") else float(value)
