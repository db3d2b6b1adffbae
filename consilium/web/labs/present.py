"""What the laboratory pages show: the table with its columns of days, and one analyte as chart and table. Pure."""

import re
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _

from consilium.access import scopes
from consilium.access.principals import Principal
from consilium.cases.models import Case
from consilium.core.text import iso_date
from consilium.records import analytes, units
from consilium.records.laboratory import HIGH, LOW, ODD, Row, Value, dates
from consilium.vault import blind
from consilium.web.labs import charts

COLUMNS = 8  # days side by side
SYMBOLS = {HIGH: "↑", LOW: "↓", ODD: "!"}


def key_of(case: Case, key: str) -> str:
    """An analyte in an address: a keyed hash, since what was measured is a fact about the person."""
    return blind.token(case.organisation_id, "analyte", f"{case.pk} {key}")[:24]


def is_withheld(by: Principal, case: Case) -> bool:
    """Whether values may be missing because pages are closed to the reader for now."""
    return not scopes.sees_conclusion(by, case)


def side_words(side: str) -> str:
    """What the arrow beside a value says."""
    return {HIGH: _("above the range"), LOW: _("below the range"), ODD: _("marked by the laboratory")}.get(side, "")


def day(iso: str) -> str:
    """A date in the words of the page; a month or a year alone as such."""
    when = iso_date(iso)
    if when:
        return date_format(when, "SHORT_DATE_FORMAT")
    month = iso_date(f"{iso}-01") if len(iso) == 7 else None
    return date_format(month, "YEAR_MONTH_FORMAT") if month else iso or _("no date")


# --- the table ----------------------------------------------------------------------------------------------


def table(case: Case, rows: Sequence[Row], query: dict[str, str]) -> dict[str, Any]:
    """Context of the table: groups of rows with a cell for each day on show, tabs, links to earlier days."""
    chosen = query.get("show", "")
    waiting = [value for row in rows for value in row.values if value.unconfirmed]
    outside = [row for row in rows if row.latest.outside]
    shown = outside if chosen == "outside" else [] if chosen == "waiting" else list(rows)
    columns, older, newer = window(dates(shown), query)
    keep = {"show": chosen} if chosen else {}
    return {
        "tabs": _tabs(rows, outside, waiting, chosen),
        "columns": [{"iso": one, "label": day(one)} for one in columns],
        "groups": _groups(case, shown, columns),
        "waiting": [waiting_row(case, row, v) for row in rows for v in row.values if v.unconfirmed],
        "waiting_count": len(waiting),
        "show": chosen if chosen in ("outside", "waiting") else "",
        "any": bool(rows),
        "older": "?" + urlencode(keep | {"until": older}) if older else "",
        "newer": "?" + urlencode(keep | {"until": newer}) if newer else "",
    }


def _tabs(rows: Sequence[Row], outside: Sequence[Row], waiting: Sequence[Value], chosen: str) -> list[dict[str, Any]]:
    every = [("", _("All"), len(rows)), ("outside", _("Outside the range"), len(outside))]
    every += [("waiting", _("Not confirmed yet"), len(waiting))]
    return [
        {"label": label, "href": f"?show={name}" if name else "?", "current": name == chosen, "count": count}
        for name, label, count in every
        if count or name in ("", chosen)
    ]


def window(every: Sequence[str], query: dict[str, str]) -> tuple[list[str], str, str]:
    """(days on show, newest first; where the earlier days end, where the later ones end, "" when there are none)."""
    try:
        until = int(query.get("until", ""))
    except ValueError:
        until = len(every)
    until = max(min(until, len(every)), min(COLUMNS, len(every)))
    start = max(0, until - COLUMNS)
    newer = min(len(every), until + COLUMNS)
    return list(reversed(every[start:until])), str(start) if start else "", str(newer) if until < len(every) else ""


def _groups(case: Case, rows: Iterable[Row], columns: Sequence[str]) -> list[dict[str, Any]]:
    return [
        {"label": str(analytes.GROUPS[name]), "rows": [_row(case, row, columns) for row in group]}
        for name, group in groupby(rows, key=lambda row: row.group)
    ]


def _row(case: Case, row: Row, columns: Sequence[str]) -> dict[str, Any]:
    low, high = row.bounds
    numbers = row.numbers
    return {
        "label": row.label,
        "href": reverse("laboratory_analyte", args=[case.pk, key_of(case, row.key)]),
        "unit": unit_words(row),
        "range": range_words(low, high),
        # the dot of the newest value is red by its own range only, never by that of another laboratory
        "low": numbers[-1].low if numbers else None,
        "high": numbers[-1].high if numbers else None,
        "line": [float(f"{v.number:.4g}") for v in numbers] if len(numbers) > 1 else [],
        "cells": [[cell(case, row, v) for v in row.values if v.date == column] for column in columns],
    }


def unit_words(row: Row) -> str:
    """The unit of a row as people write it."""
    return units.shown(row.ucum) if row.ucum else row.unit


def range_words(low: float | None, high: float | None) -> str:
    """A reference range in numbers."""
    if low is not None and high is not None:
        return f"{plain(low)}–{plain(high)}"
    return f"≤ {plain(high)}" if high is not None else f"≥ {plain(low)}" if low is not None else ""


def plain(number: float) -> str:
    """A number without needless digits, in the style of the page's language."""
    text = f"{number:.4g}" if abs(number) < 10_000 else f"{number:.0f}"
    places = len(text.partition(".")[2]) if "e" not in text else 0
    return number_format(float(text), decimal_pos=places, use_l10n=True, force_grouping=False)


def cell(case: Case, row: Row, value: Value) -> dict[str, Any]:
    """A value as it is shown: in the unit of the row, with what was written when that differs."""
    own = units.shown(value.ucum) if value.ucum else value.unit
    if value.converted and value.number is not None:
        text = f"{value.comparator}{plain(value.number)}"
        note = _("converted from %(value)s") % {"value": f"{short(value)} {own}"}
    else:
        text = short(value)
        note = own if value.number is not None and not value.comparable and own else ""
    return {
        "id": value.id,
        "text": text,
        "note": note,
        "symbol": SYMBOLS.get(value.side, ""),
        "side": side_words(value.side),
        "outside": value.outside,
        "unconfirmed": value.unconfirmed,
        "confirmed": value.status == "confirmed",
        "href": source_href(case, value),
        "source": source_words(value),
        "more": [{"href": source_href(case, v), "source": source_words(v)} for v in value.others],
    }


def short(value: Value) -> str:
    """The value as written; numbers that programs wrote with many digits are rounded for reading."""
    if len(value.shown) <= 9 or not _LONG_NUMBER.fullmatch(value.shown):
        return value.shown
    return value.comparator + plain(float(value.shown.removeprefix(value.comparator)))


_LONG_NUMBER = re.compile(r"[<>]?=?-?\d{1,12}\.\d{1,20}")


def source_href(case: Case, value: Value) -> str:
    """The page the value stands on, or the document that states it."""
    href = reverse("record", args=[case.pk, value.record.pk])
    return f"{href}?frame={value.page + 1}" if value.page is not None else f"{href}#entries"


def source_words(value: Value) -> str:
    """The name of the record, and the page."""
    name = value.record.title or str(value.record.get_kind_display())
    return f"{name}, " + _("page %(page)s") % {"page": value.page + 1} if value.page is not None else name


def waiting_row(case: Case, row: Row, value: Value) -> dict[str, Any]:
    """A value that nobody has compared with its page yet."""
    return cell(case, row, value) | {
        "label": row.label,
        "as_written": as_written(value),
        "range": value.range or _range_of(row, value),
        "when": day(value.date),
        "decide": reverse("laboratory_decide", args=[case.pk, value.id]),
    }


def _range_of(row: Row, value: Value) -> str:
    """A range stated as numbers, as structured documents do; a converted one names the unit it is in."""
    extent = range_words(value.low, value.high)
    return f"{extent} {unit_words(row)}" if extent and value.converted else extent


def as_written(value: Value) -> str:
    """Name, number and unit just as the page has them."""
    return " ".join(part for part in (value.name, value.shown, value.unit) if part)


# --- one analyte ----------------------------------------------------------------------------------------------


def analyte(case: Case, row: Row | None, rejected: Sequence[Row]) -> dict[str, Any]:
    """Context of an analyte's page: chart geometry, its values newest first, and those marked as wrong."""
    wrong = [waiting_row(case, one, value) for one in rejected for value in one.values]
    if row is None:
        return {"label": rejected[0].label, "unit": "", "values": [], "rejected": wrong, "chart": None}
    low, high = row.bounds
    return {
        "label": row.label,
        "unit": unit_words(row),
        "range": range_words(low, high),
        "values": [waiting_row(case, row, value) for value in reversed(row.values)],
        "rejected": wrong,
        "chart": charts.chart(row, low, high, label=day, number=plain),
        "undrawn": len(row.values) - len(row.numbers),
    }
