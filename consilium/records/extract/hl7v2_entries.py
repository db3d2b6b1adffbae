"""Entries and sections of an HL7 version 2 message: OBX results below their OBR, AL1, DG1, PR1, RXA/RXE/RXO."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from consilium.records.extract.entry import bounds, interpretation, number
from consilium.records.extract.fhir_entries import VITALS
from consilium.records.extract.lab_words import OTHER_SPECIMEN

if TYPE_CHECKING:
    from consilium.records.extract.hl7v2 import Message

# Table 0396: coding systems
_SYSTEMS = {"LN": "http://loinc.org", "SCT": "http://snomed.info/sct", "I10": "http://hl7.org/fhir/sid/icd-10",
            "I10C": "http://hl7.org/fhir/sid/icd-10-cm", "CVX": "http://hl7.org/fhir/sid/cvx",
            "RXNORM": "http://www.nlm.nih.gov/research/umls/rxnorm"}  # fmt: skip
# Table 0085 (observation result status): deleted, not done, pending, wrong
_NO_RESULT = frozenset({"D", "I", "N", "O", "W", "X"})
# Table 0074 (diagnostic service): pictures and traces, whose numbers are no laboratory values
_NO_LABORATORY = frozenset(
    {"RAD", "RUS", "CUS", "CTH", "VUS", "NMR", "NMS", "MRI", "CT", "EC", "EN", "CG", "XRC", "RX"}
)
_CODED, _WORDS = frozenset({"CE", "CWE", "CF"}), frozenset({"ST", "TS", "DT", "DTM"})
_RESULT_MESSAGES = frozenset({"ORU", "OUL", "ORL", "OML", "ORM", "REF"})
_MEDICINES = {"RXE": 2, "RXO": 1, "RXD": 2}


def entries(message: Message) -> Iterator[dict[str, Any]]:
    """Every entry of the message, unbounded and unchecked (entry.batches does both)."""
    kind = message.part(message.of("MSH")[0], 9)
    order: list[str] = []
    for index, segment in enumerate(message.segments):
        name, source = segment[0], f"{segment[0]} ({index + 1})"
        if name == "OBR":
            order = segment
        for found in _of_segment(message, segment, order, kind):
            yield {"source": source, **found}


def _of_segment(message: Message, segment: list[str], order: list[str], kind: str) -> Iterator[dict[str, Any]]:
    name = segment[0]
    if name == "OBX" and kind in _RESULT_MESSAGES:
        yield from _result(message, segment, order)
    elif name == "AL1":  # AL1-3 allergen, AL1-5 reaction, AL1-6 date
        yield _coded(message, segment, 3) | {
            "kind": "allergy", "text": message.part(segment, 5), "date": date(message.field(segment, 6)),
        }  # fmt: skip
    elif name in ("DG1", "PR1"):  # DG1-3/PR1-3 code, -4 description, -5 time
        found = _coded(message, segment, 3)
        found["name"] = found["name"] or message.part(segment, 4)
        yield found | {"kind": "problem" if name == "DG1" else "procedure", "date": date(message.field(segment, 5))}
    elif name == "RXA":  # RXA-5 code, RXA-3 start, RXA-6 amount, RXA-7 unit
        yield _coded(message, segment, 5) | {
            "kind": "immunization" if kind == "VXU" else "medication", "date": date(message.field(segment, 3)),
            "text": " ".join(filter(None, (message.part(segment, 6), message.part(segment, 7, 2)))),
        }  # fmt: skip
    elif name in _MEDICINES:
        at = _MEDICINES[name]  # the give code; amount and units follow it
        amount = " ".join(filter(None, (message.part(segment, at + 1), message.part(segment, at + 3, 2))))
        yield _coded(message, segment, at) | {"kind": "medication", "text": amount}


def _result(message: Message, segment: list[str], order: list[str]) -> Iterator[dict[str, Any]]:
    """OBX-2 type, -3 what, -5 value, -6 unit, -7 range, -8 flags, -11 status, -14 time."""
    status, service = message.part(segment, 11), message.part(order, 24) if order else ""
    if status in _NO_RESULT or service in _NO_LABORATORY or message.repetition in message.field(segment, 5):
        return
    found = _coded(message, segment, 3)
    value = _value(message, segment, found["system"] == "http://loinc.org")
    if not value or not found["name"]:
        return
    if not found["system"] and order:  # a local name below "Urinalysis" is not the one of blood
        specimen = OTHER_SPECIMEN.search(message.part(order, 4, 2))
        found["name"] += f" ({specimen[1].capitalize()})" if specimen else ""
    words = message.part(segment, 7)
    low, high = bounds(words)
    when = message.field(segment, 14) or (message.field(order, 7) or message.field(order, 22) if order else "")
    unit = message.part(segment, 6)
    kind = "vital" if found["code"] in VITALS else "laboratory"
    yield found | {"unit": unit, "low": low, "high": high, "range": words} | value | {
        "kind": kind, "flag": interpretation(message.part(segment, 8)), "date": date(when), "state": status,
    }  # fmt: skip


def _value(message: Message, segment: list[str], is_loinc: bool) -> dict[str, Any]:
    """OBX-5 by OBX-2: NM and SN are numbers; words count when they are coded, or answer a LOINC code."""
    kind = message.part(segment, 2)
    if kind == "NM":
        shown = message.part(segment, 5).strip()
        value = number(shown)
        return {"value": value, "shown": shown} if value is not None else {}
    if kind == "SN":
        return _structured(message, segment)
    if kind == "ST" and number(message.part(segment, 5).strip()) is not None:
        shown = message.part(segment, 5).strip()
        return {"value": number(shown), "shown": shown}
    if kind in _CODED:
        return {"shown": message.part(segment, 5, 2) or message.part(segment, 5), "unit": ""}
    if kind in _WORDS and is_loinc:
        return {"shown": message.part(segment, 5), "unit": ""}
    return {}


def _structured(message: Message, segment: list[str]) -> dict[str, Any]:
    """SN (chapter 2A): comparator, first number, separator, second number."""
    sign, first, separator, second = (message.part(segment, 5, part).strip() for part in (1, 2, 3, 4))
    value = number(first)
    if value is None:
        return {}
    if second:
        return {"shown": f"{first}{separator}{second}"}
    sign = sign if sign in ("<", "<=", ">", ">=") else ""
    return {"value": value, "comparator": sign, "shown": f"{sign}{first}"}


def _coded(message: Message, segment: list[str], field: int) -> dict[str, Any]:
    """A coded element: code, name and system, or the alternate triplet when only that is LOINC."""
    parts = [message.part(segment, field, part) for part in range(1, 7)]
    code, name, system = parts[3:] if parts[5] == "LN" != parts[2] else parts[:3]
    return {"name": name or parts[1] or code, "code": code, "system": _SYSTEMS.get(system, "")}


def date(value: str) -> str:
    """A TS/DTM value (YYYY[MM[DD…]]) as an ISO date of the same precision."""
    digits = (value or "")[:8]
    if not digits[:4].isdigit() or int(digits[:4] or 0) < 1850:
        return ""
    parts = [digits[:4], digits[4:6], digits[6:8]]
    return "-".join(p for p, size in zip(parts, (4, 2, 2), strict=True) if len(p) == size and p.isdigit())


def sections(message: Message) -> list[dict[str, Any]]:
    """Words of the message below its orders: text results and notes, as paragraphs in their order."""
    found: list[dict[str, Any]] = [{"title": "", "code": "", "blocks": []}]
    for segment in message.segments:
        if segment[0] == "OBR":
            title = message.part(segment, 4, 2) or message.part(segment, 4)
            found.append({"title": title, "code": message.part(segment, 4), "blocks": []})
        elif segment[0] == "NTE":
            found[-1]["blocks"].append({"p": message.plain(message.field(segment, 3))})
        elif segment[0] == "OBX" and message.part(segment, 2) in ("TX", "FT", "ST", "CWE", "CE", "NM", "SN"):
            found[-1]["blocks"].append({"p": _line(message, segment)})
    return [one for one in found if any(block["p"].strip() for block in one["blocks"])]


def _line(message: Message, segment: list[str]) -> str:
    """A result as one line; of text the words alone, since they make a report together."""
    from consilium.records.extract.hl7v2 import result_line

    if message.part(segment, 2) in ("TX", "FT"):
        values = message.field(segment, 5).split(message.repetition)
        return "\n".join(message.plain(value) for value in values)
    return result_line(message, segment)
