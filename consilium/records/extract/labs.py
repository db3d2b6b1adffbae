"""Laboratory values from the text of a page: German and English sheets, from a PDF's text or from OCR.

Rather no value than a wrong one. A row counts only when its first words are an analyte that is known (or, on a page
full of such rows, a plain name), its unit measures that analyte, the number can be true, and there is one way only to
read number, range and flag. What is in doubt is left to the reader of the page. No pattern here backtracks: every
regular expression is linear, lines are cut at `MAX_LINE` characters and pages at `MAX_LINES` lines.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from consilium.records import analytes, units
from consilium.records.analytes import Analyte
from consilium.records.extract import lab_dates, lab_numbers
from consilium.records.extract import lab_words as words
from consilium.records.extract.lab_tokens import Token, tokens

MAX_LINE, MAX_LINES, MAX_ROWS = 300, 2000, 500
KNOWN_ROWS = 3  # so many known analytes make a page a laboratory sheet, on which unknown names count too
_DASHES = str.maketrans({"–": "-", "—": "-", "−": "-", "‐": "-", "‑": "-", "\u00a0": " ", "\u202f": " ", "\t": " "})


_CELLS = {"G/L": "10*9/L", "T/L": "10*12/L"}  # giga and tera a litre, which in capitals could be grams elsewhere


@dataclass
class _Sheet:
    """What the lines above said: the dates of the columns, their order, the specimen, how decimals are written."""

    decimal: str  # "," or "." when the page makes it certain
    dates: lab_dates.Dates
    columns: list[str] = field(default_factory=list)  # ISO dates of several value columns
    previous: bool = False  # a column "previous value" stands right of the value
    bounds: bool = False  # lower and upper bound have columns of their own
    specimen: str = ""


def rows_of(text: str, date: str = "") -> list[dict[str, Any]]:
    """Entries (entry.py) of kind "laboratory" read from one page; `date`: ISO date of the document, "" when unknown.

    Never raises for what the text holds, and reads no more than `MAX_LINES` lines.
    """
    lines = [line[:MAX_LINE].translate(_DASHES) for line in text.splitlines()[:MAX_LINES]]
    sheet = _Sheet(lab_numbers.decimal_sign(lines), lab_dates.Dates(lines, date))
    known: list[dict[str, Any]] = []
    others: list[dict[str, Any]] = []
    order = 0
    for index, line in enumerate(lines):
        if _is_heading(sheet, line):
            continue
        for body, sure in _row(sheet, index, line):
            body["order"], order = order, order + 1
            (known if sure else others).append(body)
        if order >= MAX_ROWS:
            break
    found = known + (others if len({row["name"] for row in known}) >= KNOWN_ROWS else [])
    found.sort(key=lambda row: row["order"])
    return [{key: value for key, value in row.items() if key != "order"} for row in found]


def _is_heading(sheet: _Sheet, line: str) -> bool:
    """Take in what a line without values says about the rows below it."""
    columns = lab_dates.columns_of(line)
    if columns is not None:
        sheet.columns = columns
        return True
    if words.heads_columns(line):
        sheet.previous, sheet.bounds, reversed_order = words.columns(line)
        if reversed_order:
            sheet.columns = ["?", "?"]  # the older value stands first: which one is meant is not certain
        return True
    if not re.search(r"\d", line) and len(line) < 60:
        _take_specimen(sheet, line)
    return False


def _take_specimen(sheet: _Sheet, line: str) -> None:
    other = words.OTHER_SPECIMEN.search(line)
    if other:
        sheet.specimen = other[1].casefold()
    elif words.BLOOD.search(line):
        sheet.specimen = ""


def _row(sheet: _Sheet, index: int, line: str) -> list[tuple[dict[str, Any], bool]]:
    """The values of one line with whether their analyte is known; none when there is any doubt."""
    named = _name(line)
    if named is None:
        return []
    analyte, name, rest = named
    specimen = sheet.specimen
    inline = words.OTHER_SPECIMEN.search(rest) or words.OTHER_SPECIMEN.search(name)
    if inline:
        specimen, analyte = inline[1].casefold(), None
        rest = rest.replace(inline[0], " ")
    parts = tokens(_without_qualifiers(rest) if analyte else rest, sheet.decimal, signed=_signed(analyte))
    if parts is None:
        return []
    reading = _reading(parts, sheet)
    if reading is None:
        return []
    if specimen:
        analyte, name = None, f"{name} ({specimen.capitalize()})"
    return _bodies(sheet, index, analyte, name, reading)


def _signed(analyte: Analyte | None) -> bool:
    return analyte is not None and analyte.low < 0


def _name(line: str) -> tuple[Analyte | None, str, str] | None:
    """(known analyte or None, name as printed, rest of the line); None for a line that begins with no name."""
    stripped = line.strip().lstrip("*•·|- ").rstrip()
    if len(stripped) < 4 or not stripped[0].isalnum():
        return None
    known = _longest(stripped)
    if known is not None:
        return known
    if not stripped[0].isalpha():
        return None
    match = re.match(r"[^\W\d_][^\d<>≤≥|=:;]{2,60}?(?=[ |:]{1,40}[+\-<>≤≥]{0,2} ?\d)", stripped)
    if match is None or len(match[0].split()) > 5 or re.search(r"[.!?] ", match[0]):
        return None
    return None, match[0].strip(" |:"), stripped[match.end() :]


def _longest(stripped: str) -> tuple[Analyte, str, str] | None:
    """The longest known name with which the line begins, ended by a space or a mark."""
    for end in range(min(len(stripped), analytes.LONGEST_NAME + 8), 0, -1):
        if end < len(stripped) and (stripped[end].isalnum() or stripped[end] in "-/(+" or stripped[end - 1] == "-"):
            continue
        if stripped[end - 1] == " ":
            continue
        found = analytes.BY_NAME.get(analytes.fold(stripped[:end]))
        if found is not None and (end > 1 or stripped[0].isupper()):
            return found, stripped[:end].strip(" :"), stripped[end:]
    return None


def _without_qualifiers(rest: str) -> str:
    """Without words and brackets that say how it was measured; any other word stays, and makes the row unsure."""
    number = re.search(r"[\d<>≤≥+]", rest)
    before, after = (rest[: number.start()], rest[number.start() :]) if number else (rest, "")
    rest = re.sub(r"\([^()]{2,30}\)", " ", before) + after
    parts = rest.split(" ")
    while parts and (parts[0] in ("", "|", ":") or words.qualifies(parts[0])):
        parts.pop(0)
    return " ".join(parts)


@dataclass
class _Reading:
    cells: list[Token]
    unit: str
    span: Token | None
    flag: str


def _reading(parts: list[Token], sheet: _Sheet) -> _Reading | None:
    """Which token is what; None when there is more than one way to see it."""
    if any(part.kind == "word" for part in parts):
        return None
    cells = [part for part in parts if part.kind in ("number", "limit")]
    spans = [part for part in parts if part.kind == "range"]
    unit_names = {part.text for part in parts if part.kind == "unit"}
    flags = {
        "H" if part.text in words.HIGH else "L" if part.text in words.LOW else ""
        for part in parts
        if part.kind == "flag"
    }
    flags.discard("")
    if len(unit_names) > 1 or len(spans) > 1 or len(flags) > 1:
        return None
    wanted = len(sheet.columns) if len(sheet.columns) > 1 else 1
    span = spans[0] if spans else None
    if sheet.bounds and span is None and len(cells) == wanted + 2 and cells[-2].kind == cells[-1].kind == "number":
        low, high = cells[-2].value, cells[-1].value
        if low >= high:
            return None
        span, cells = Token("range", f"{cells[-2].text} - {cells[-1].text}", low=low, high=high), cells[:-2]
    if span is None and len(cells) == wanted + 1 and cells[-1].kind == "limit":
        last = cells.pop()
        span = _limit(last)
    elif span is None and all(cell.kind == "limit" for cell in cells):
        return None  # "CRP < 5": the result, or only its reference?
    if sheet.previous and wanted == 1 and len(cells) == 2:
        cells = cells[:1]
    if len(cells) != wanted or (flags and wanted > 1 and len(parts) > 30):
        return None
    return _Reading(cells, unit_names.pop() if unit_names else "", span, flags.pop() if flags and wanted == 1 else "")


def _limit(token: Token) -> Token:
    upper = token.comparator in ("<", "<=")
    low, high = (None, token.value) if upper else (token.value, None)
    return Token("range", token.text, low=low, high=high)


def _bodies(
    sheet: _Sheet, index: int, analyte: Analyte | None, name: str, reading: _Reading
) -> list[tuple[dict[str, Any], bool]]:
    """Entries of the cells that pass every check."""
    code = units.ucum(reading.unit)
    if analyte is not None:
        code = _CELLS.get(reading.unit, code) if analyte.unit.startswith("10*") else code
        analyte = analytes.fitting(analyte, code)
        if analyte is None:
            return []
    elif not code or "/" not in code or reading.span is None:
        return []
    dates = sheet.columns if len(sheet.columns) > 1 else [sheet.dates.at(index)]
    found: list[tuple[dict[str, Any], bool]] = []
    for cell, when in zip(reading.cells, dates, strict=True):
        if when == "?" or (analyte is not None and not analytes.possible(analyte, cell.value, code)):
            return []
        if not _agrees(cell, reading):
            return []
        found.append((_body(analyte, name, cell, code, reading, when), analyte is not None))
    return found


def _agrees(cell: Token, reading: _Reading) -> bool:
    """A flag that contradicts the printed range shows that one of them was misread."""
    span = reading.span
    if span is None:
        return True
    if reading.flag == "H" and span.high is not None and cell.value <= span.high and not cell.comparator:
        return False
    if reading.flag == "L" and span.low is not None and cell.value >= span.low and not cell.comparator:
        return False
    bound = span.high or span.low or 0
    return not bound or cell.value <= 1000 * max(bound, 1e-9)


def _body(analyte: Analyte | None, name: str, cell: Token, code: str, reading: _Reading, when: str) -> dict[str, Any]:
    span = reading.span
    return {
        "kind": "laboratory", "name": name[:100], "value": cell.value, "comparator": cell.comparator,
        "shown": cell.text.replace(" ", ""), "unit": reading.unit, "ucum": code,
        "low": span.low if span else None, "high": span.high if span else None, "range": span.text if span else "",
        "flag": reading.flag, "date": when, "analyte": analyte.key if analyte else "",
    }  # fmt: skip
