"""Dates on a laboratory sheet: the heads of several value columns, and the day the sample was taken."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from consilium.core import clock

_DATE = re.compile(
    r"(?<![\d./-])(?:(?P<y>(?:19|20)\d\d)-(?P<m>\d\d)-(?P<d>\d\d)"
    r"|(?P<d2>\d{1,2})\.(?P<m2>\d{1,2})\.(?P<y2>(?:19|20)\d\d|\d\d)"
    r"|(?P<a>\d{1,2})/(?P<b>\d{1,2})/(?P<y3>(?:19|20)\d\d))(?![\d/-])"
)
_TIME = re.compile(r"\b\d{1,2}:\d\d(?::\d\d)?(?: ?(?:uhr|h|am|pm))?\b", re.I)
_BORN = re.compile(r"\b(?:geb|geboren|geburtsdatum|birth|born|dob)", re.I)
_TAKEN = re.compile(r"entnahme|abnahme|entnommen|abgenommen|collect|drawn|specimen date|sample date|probenahme", re.I)
_OTHER_LABEL = re.compile(
    r"eingang|ausgang|freigabe|printed|received|befund|report|datum|date|labor|laboratory|vom\b|auftrag|order", re.I
)
_SPAN = re.compile(r"\bvom\b|\bfrom\b|\bbis\b|\bto\b|\buntil\b|\bseit\b", re.I)
_HEAD_WORD = re.compile(
    r"datum|date|entnahme\w*|abnahme\w*|collected|uhrzeit|zeit|time|uhr|analyse\w*|analyte|parameter|test|untersuchung|"
    r"einheit\w*|units?|referenz\w*|reference|norm\w*|range|bereich|wert\w*|values?|result\w*|ergebnis\w*|messgröße|"
    r"component|bezeichnung|am|vom|lab\w*|eingang",
    re.I,
)
MAX_COLUMNS = 12


@dataclass(frozen=True)
class _Found:
    line: int
    iso: str
    taken: bool
    labelled: bool


class Dates:
    """The day that holds for each line of a page: the label of the sampling above it, else the only other date."""

    def __init__(self, lines: list[str], default: str = "") -> None:
        self._default = default
        self._found = [one for index, line in enumerate(lines) for one in _in_line(index, line)]

    def at(self, line: int) -> str:
        """ISO date for a row in `line`, "" when it is not certain."""
        taken = [one for one in self._found if one.taken]
        if taken:
            above = [one.iso for one in taken if one.line <= line]
            if above:
                return above[-1]
            return taken[0].iso if len({one.iso for one in taken}) == 1 else ""
        labelled = {one.iso for one in self._found if one.labelled}
        if len(labelled) == 1:
            return labelled.pop()
        every = {one.iso for one in self._found}
        if len(every) == 1:
            return every.pop()
        return self._default if not every or self._default in every else ""


def _in_line(index: int, line: str) -> list[_Found]:
    found: list[_Found] = []
    last = 0
    for match in _DATE.finditer(line):
        iso = iso_of(match)
        before = line[max(last, match.start() - 40) : match.start()]  # a label belongs to the date it stands before
        last = match.end()
        if iso and not _BORN.search(before):
            found.append(_Found(index, iso, bool(_TAKEN.search(before)), bool(_OTHER_LABEL.search(before))))
    return found


def columns_of(line: str) -> list[str] | None:
    """The dates of a line that heads several value columns; None for any other line.

    A date that cannot be read for certain is "?": the column is there, its values are left out.
    """
    matches = list(_DATE.finditer(line))
    if not 2 <= len(matches) <= MAX_COLUMNS:
        return None
    between = _TIME.sub(" ", line[matches[0].end() : matches[-1].start()])
    if re.search(r"[^\W\d_]{2,}", _DATE.sub(" ", between)):  # "Abnahme: …  Eingang: …" are no columns
        return None
    rest = _TIME.sub(" ", _DATE.sub(" ", line))
    if _BORN.search(rest) or (_SPAN.search(rest) and len(matches) == 2):
        return None
    if re.search(r"[^\W\d_]{2,}|\d", _HEAD_WORD.sub(" ", rest)):
        return None
    return [iso_of(match) or "?" for match in matches]


def iso_of(match: re.Match[str]) -> str:
    """ISO date, "" when there is no such day, it lies ahead, or day and month cannot be told apart."""
    part = match.groupdict()
    if part["y"]:
        year, month, day = int(part["y"]), int(part["m"]), int(part["d"])
    elif part["y2"]:
        year, month, day = int(part["y2"]), int(part["m2"]), int(part["d2"])
    else:
        year, month, day = int(part["y3"]), int(part["a"]), int(part["b"])
        if month > 12:
            month, day = day, month
        elif day <= 12 and month != day:
            return ""
    year += 2000 if year < 100 else 0
    try:
        found = date(year, month, day)
    except ValueError:
        return ""
    return found.isoformat() if found <= clock.now().date() else ""
