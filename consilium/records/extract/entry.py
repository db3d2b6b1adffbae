"""Entries: structured facts that the parsers read from a document, in one bounded shape; checked again by the host.

An entry is a dict: "kind" (see KINDS), "name", "code", "system" (URI of the code system), "value" (finite number or
None), "comparator" ("", "<", "<=", ">", ">="), "shown" (the value as written: number or words), "unit" (as written),
"ucum", "low", "high" (numbers or None, in that unit), "range" (as written), "flag" ("H", "L", "HH", "LL", "A", "N",
""), "date", "end" (ISO 8601, possibly year or month only), "state" (the document's own status), "text" (dose, reaction,
note), "source" (where in the file), "analyte" (key of analytes.py or ""), "page" (from 0). Absent keys are "" or None.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from consilium.records import analytes, units

KINDS = ("laboratory", "vital", "medication", "problem", "procedure", "allergy", "immunization")
MAX_ENTRIES = 3000  # of one file
BATCH = 100  # entries in one message of the child
_LENGTHS = {"name": 200, "code": 60, "system": 120, "shown": 300, "unit": 40, "ucum": 40, "range": 120, "date": 10,
            "end": 10, "state": 40, "text": 500, "source": 160, "analyte": 40, "comparator": 2, "flag": 2}  # fmt: skip
_DATE = re.compile(r"(?:18|19|20)\d\d(?:-(?:0[1-9]|1[0-2])(?:-(?:0[1-9]|[12]\d|3[01]))?)?$")
_FLAGS = ("H", "L", "HH", "LL", "A", "N")
_COMPARATORS = ("<", "<=", ">", ">=")
LARGEST = 1e12


class Written(float):
    """A JSON number that remembers how it was written: 13.20 is not 13.2 (FHIR R4 §2.24.0.1, decimal)."""

    text: str

    def __new__(cls, text: str) -> Written:
        made = super().__new__(cls, text)
        made.text = text
        return made


def number(value: Any) -> float | None:
    """A finite number of sensible size, or None; text is read with a decimal point."""
    if isinstance(value, str):
        if not re.fullmatch(r"[+-]?[0-9]{1,15}(?:\.[0-9]{1,15})?(?:[eE][+-]?[0-9]{1,2})?", value.strip()):
            return None
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) <= LARGEST else None  # false for NaN and infinity


def written(value: Any) -> str:
    """A number as the document wrote it."""
    return value.text if isinstance(value, Written) else "" if value is None else f"{value}"


def checked(value: Any) -> dict[str, Any] | None:
    """A clean copy of what claims to be an entry: known keys, bounded text, finite numbers; else None."""
    if not isinstance(value, dict) or value.get("kind") not in KINDS:
        return None
    found: dict[str, Any] = {"kind": value["kind"]}
    for key, length in _LENGTHS.items():
        text = value.get(key)
        found[key] = _one_line(text)[:length] if isinstance(text, str) else ""
    for key in ("value", "low", "high"):
        found[key] = number(value.get(key))
    found["page"] = value["page"] if type(value.get("page")) is int and 0 <= value["page"] < 100_000 else 0
    return _settled(found)


def _settled(found: dict[str, Any]) -> dict[str, Any] | None:
    """Values outside their lists are emptied; a result without a result, and anything without a name, is nothing."""
    for key in ("date", "end"):
        found[key] = found[key] if _DATE.match(found[key]) else ""
    found["flag"] = found["flag"] if found["flag"] in _FLAGS else ""
    found["comparator"] = found["comparator"] if found["comparator"] in _COMPARATORS else ""
    if found["low"] is not None and found["high"] is not None and found["low"] > found["high"]:
        found["low"] = found["high"] = None
    if units.parse(found["ucum"]) is None:
        found["ucum"] = units.ucum(found["unit"])
    found["analyte"] = found["analyte"] if found["analyte"] in analytes.BY_KEY else ""
    if found["value"] is None:  # words have no numeric range
        found["range"] = "" if found["low"] is not None or found["high"] is not None else found["range"]
        found["low"] = found["high"] = None
    elif not found["shown"]:
        found["shown"] = f"{found['comparator']}{found['value']:g}"
    empty = found["kind"] in ("laboratory", "vital") and found["value"] is None and not found["shown"]
    return None if empty or not found["name"] else found


def _one_line(text: str) -> str:
    return " ".join("".join(c if c >= " " and not "\x7f" <= c <= "\x9f" else " " for c in text[:2000]).split()).encode(
        "utf-8", "ignore"
    ).decode()  # fmt: skip


def batches(entries: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Bounded groups of clean entries, for the messages of the child; nothing more after `MAX_ENTRIES`."""
    group: list[dict[str, Any]] = []
    for count, entry in enumerate(filter(None, map(checked, entries))):
        if count >= MAX_ENTRIES:
            break
        group.append(entry)
        if len(group) == BATCH:
            yield group
            group = []
    if group:
        yield group


def interpretation(code: str) -> str:
    """HL7 table 0078 / FHIR observation-interpretation as one of the flags; "" for codes that say something else."""
    return _INTERPRETATIONS.get(code.strip().upper(), "")


_INTERPRETATIONS = {
    "H": "H", "HH": "HH", "L": "L", "LL": "LL", "A": "A", "AA": "A", "N": "N", "HU": "HH", "LU": "LL", "H*": "HH",
    "L*": "LL", "ABN": "A", "HIGH": "H", "LOW": "L", ">": "H", "<": "L",
}  # fmt: skip
_NUMBER = r"(-?\d{1,9}(?:\.\d{1,6})?)"
_UNIT = r"(?:\s*[A-Za-zµ%/][^\s]{0,15})?"
_BETWEEN = re.compile(rf"\s*\(?{_NUMBER}\s*(?:-|to|–)\s*{_NUMBER}\)?{_UNIT}\s*")
_ONE_END = re.compile(rf"\s*(<=|>=|<|>)\s*{_NUMBER}{_UNIT}\s*")


def bounds(text: str) -> tuple[float | None, float | None]:
    """(low, high) of a range as HL7 v2 OBX-7 writes it: "70-80", "<5", ">= 60"; (None, None) for other words."""
    text = text[:120]
    match = _BETWEEN.fullmatch(text)
    if match:
        return number(match[1]), number(match[2])
    match = _ONE_END.fullmatch(text)
    if match:
        return (None, number(match[2])) if match[1].startswith("<") else (number(match[2]), None)
    return None, None
