"""The laboratory table of a case: entries joined to analytes, in one unit a row, by date. Pure; decides nothing.

Rows are joined by LOINC, else by the whole name (analytes.py). A number in another unit than its row is converted
by UCUM and the analyte's molar mass, keeps what was written beside it, and says that it was converted. Whether a value
lies outside is what the laboratory's own flag says, else its own printed range; nothing is judged here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from consilium.records import analytes, units
from consilium.records.analytes import Analyte
from consilium.records.models import Entry, Record

HIGH, LOW, ODD, INSIDE, UNKNOWN = "high", "low", "odd", "inside", ""
_FLAGS = {"H": HIGH, "HH": HIGH, "L": LOW, "LL": LOW, "A": ODD, "N": INSIDE}
_TRUST = {Entry.Status.CONFIRMED: 0, Entry.Status.STATED: 1, Entry.Status.READ: 2}
SIGNIFICANT = 3


@dataclass
class Value:
    """One result. `number` is in the unit of its row once `rows` has settled that; `shown` is as written."""

    id: UUID
    record: Record
    page: int | None  # from 0; None: a structured document
    date: str
    number: float | None
    comparator: str
    shown: str
    unit: str
    ucum: str
    low: float | None
    high: float | None
    range: str
    side: str  # HIGH, LOW, ODD, INSIDE or UNKNOWN
    status: str
    name: str
    converted: bool = False
    comparable: bool = True
    others: list[Value] = field(default_factory=list)  # the same result in other documents

    @property
    def unconfirmed(self) -> bool:
        """Read by a machine from a page, and nobody has compared it yet."""
        return self.status == Entry.Status.READ

    @property
    def outside(self) -> bool:
        return self.side in (HIGH, LOW, ODD)


@dataclass
class Row:
    """An analyte with its values, oldest first; undated values come first."""

    key: str
    label: str
    group: str
    analyte: Analyte | None
    unit: str = ""  # as most of its values are written
    ucum: str = ""
    values: list[Value] = field(default_factory=list)

    @property
    def latest(self) -> Value:
        return self.values[-1]

    @property
    def numbers(self) -> list[Value]:
        """Dated values that can be drawn on one scale."""
        return [v for v in self.values if v.number is not None and v.comparable and v.date and not v.comparator]

    @property
    def bounds(self) -> tuple[float | None, float | None]:
        """The newest printed range, in the unit of the row."""
        found = (v for v in reversed(self.values) if v.comparable and (v.low is not None or v.high is not None))
        newest = next(found, None)
        return (newest.low, newest.high) if newest else (None, None)


def rows(entries: Iterable[Entry]) -> list[Row]:
    """The table, in the order of the groups of analytes.py, then by name. Rejected entries are left out."""
    found: dict[str, Row] = {}
    for entry in entries:
        if entry.status == Entry.Status.REJECTED:
            continue
        value = value_of(entry)
        row = _row_of(entry.body, value)
        found.setdefault(row.key, row).values.append(value)
    for row in found.values():
        _settle(row)
    order = {key: index for index, key in enumerate(analytes.BY_KEY)}
    groups = {key: index for index, key in enumerate(analytes.GROUPS)}
    return sorted(found.values(), key=lambda r: (groups[r.group], order.get(r.key, 999), r.label.casefold()))


def value_of(entry: Entry) -> Value:
    """An entry as a value in its own unit."""
    body: dict[str, Any] = entry.body
    value = Value(
        id=entry.pk, record=entry.record, page=entry.page if body.get("paged") else None, date=body.get("date", ""),
        number=body.get("value"), comparator=body.get("comparator", ""), shown=body.get("shown", ""),
        unit=body.get("unit", ""), ucum=body.get("ucum", ""), low=body.get("low"), high=body.get("high"),
        range=body.get("range", ""), side="", status=entry.status, name=body.get("name", ""),
    )  # fmt: skip
    value.side = _side(value, body.get("flag", ""))
    return value


def _side(value: Value, flag: str) -> str:
    """The laboratory's own word first, else its own range: a fact of the sheet."""
    if flag in _FLAGS:
        return _FLAGS[flag]
    if value.number is None or (value.low is None and value.high is None):
        return UNKNOWN
    at_most, at_least = value.comparator in ("<", "<="), value.comparator in (">", ">=")
    if value.high is not None and not at_most and value.number > value.high:
        return HIGH
    if value.low is not None and not at_least and value.number < value.low:
        return LOW
    unsure = (at_most and value.low is not None and value.number > value.low) or (
        at_least and value.high is not None and value.number < value.high
    )
    return UNKNOWN if unsure else INSIDE


def _row_of(body: dict[str, Any], value: Value) -> Row:
    """An empty row of the analyte this is; a name without a code joins only with a unit that measures the same."""
    code, system = body.get("code", ""), body.get("system", "")
    analyte = analytes.BY_KEY.get(body.get("analyte", "")) or analytes.find(code, system, value.name)
    if analyte is not None and code not in analytes.BY_LOINC:
        analyte = analytes.fitting(analyte, value.ucum) if value.number is not None else None
    if analyte is not None:
        return Row(analyte.key, str(analyte.label), analyte.group, analyte)
    key = f"loinc {code}" if code and system == "http://loinc.org" else f"name {analytes.fold(value.name)}"
    return Row(key, value.name, "other", None)


def _settle(row: Row) -> None:
    """Choose the unit, convert, order, and put the same result of several documents together."""
    used = Counter(v.ucum for v in row.values if v.number is not None and units.parse(v.ucum) is not None)
    if used:
        newest = {v.ucum: v.date for v in sorted(row.values, key=lambda v: v.date)}
        row.ucum = max(used, key=lambda code: (used[code], newest.get(code, ""), code))
    row.unit = next((v.unit for v in row.values if v.ucum == row.ucum and v.unit), row.ucum)
    for value in row.values:
        _convert(row, value)
    row.values = _merged(sorted(row.values, key=lambda v: (v.date, _TRUST.get(Entry.Status(v.status), 3))))


def _convert(row: Row, value: Value) -> None:
    if value.number is None or value.ucum == row.ucum:
        value.comparable = value.number is not None
        return
    found = analytes.to_unit(row.analyte, value.number, value.ucum, row.ucum)
    if found is None:
        value.comparable = False
        return
    value.converted = not units.same(value.ucum, row.ucum)
    if not value.converted:  # the same unit in another spelling: 10*3/uL, 10*9/L
        return
    value.number = rounded(found)
    value.low, value.high = (
        None if bound is None else rounded(analytes.to_unit(row.analyte, bound, value.ucum, row.ucum) or 0)
        for bound in (value.low, value.high)
    )


def rounded(number: float) -> float:
    """To three significant digits: a converted number claims no more precision than sheets have."""
    return float(f"{number:.{SIGNIFICANT}g}")


def _merged(values: Sequence[Value]) -> list[Value]:
    """The same number of the same day in two documents is one result with two sources; the most trusted one leads."""
    kept: dict[tuple[Any, ...], Value] = {}
    for value in values:
        same = (value.date, value.number, value.comparator, value.shown if value.number is None else value.ucum)
        if value.date and same in kept:
            kept[same].others.append(value)
        else:
            kept[same if value.date else (value.id,)] = value
    return list(kept.values())


def dates(found: Iterable[Row]) -> list[str]:
    """The days of the table, oldest first; "" for values without a date."""
    return sorted({value.date for row in found for value in row.values})


def rejected(entries: Iterable[Entry]) -> list[Row]:
    """Rows of the entries that somebody marked as wrong, to take that back."""
    found: dict[str, Row] = {}
    for entry in entries:
        if entry.status == Entry.Status.REJECTED:
            value = value_of(entry)
            row = _row_of(entry.body, value)
            found.setdefault(row.key, row).values.append(value)
    return list(found.values())


def key_of(entry: Entry) -> str:
    """The key of the row an entry belongs to."""
    return _row_of(entry.body, value_of(entry)).key
