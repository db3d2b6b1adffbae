"""What a structured document (FHIR, C-CDA, HL7 v2) states, as tables and headed words. Pure preparation."""

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from consilium.records import units
from consilium.records.extract.sections import checked
from consilium.records.laboratory import value_of
from consilium.records.models import Entry, Record
from consilium.web.labs import present
from consilium.web.labs.lists import once, state_words

_ORDER = ("problem", "allergy", "medication", "laboratory", "vital", "procedure", "immunization")
_TITLES = {
    "problem": gettext_lazy("Diagnoses and problems"), "allergy": gettext_lazy("Allergies and intolerances"),
    "medication": gettext_lazy("Medication"), "laboratory": gettext_lazy("Laboratory results"),
    "vital": gettext_lazy("Vital signs"), "procedure": gettext_lazy("Operations and procedures"),
    "immunization": gettext_lazy("Vaccinations"),
}  # fmt: skip
MOST_ROWS, LONG = 500, 25  # rows in all; rows beyond which a table is folded


def document(record: Record, entries: Sequence[Entry], *, whole: bool) -> dict[str, Any] | None:
    """The structured view of a record: tables of what it states, and its own words under their headings.

    `entries`: of this record, as scopes gave them; whole: no page is closed to the reader. None: nothing to show.
    """
    stated = [one for one in entries if one.status != Entry.Status.REJECTED and not one.body.get("paged")]
    tables = [_table(kind, rows) for kind in _ORDER if (rows := [one for one in stated if one.kind == kind])]
    files = record.files.all() if whole else []
    sections = [section for file in files for section in checked(file.facts.get("sections"))]
    read = [one for one in entries if one.body.get("paged") and one.status != Entry.Status.REJECTED]
    if not tables and not sections and not read:
        return None
    waiting = sum(one.status == Entry.Status.READ for one in read)
    return {"tables": tables, "sections": sections, "read": len(read), "waiting": waiting}


def _table(kind: str, found: Sequence[Entry]) -> dict[str, Any]:
    if kind in ("laboratory", "vital"):
        columns = [_("What"), _("Value"), _("Reference range"), _("When")]
        rows = [_result(one) for one in found]
    else:
        columns = [_("What"), _("Details"), _("Status"), _("When")]
        rows = [_fact(one) for one in once(found)]
    used = [index for index in range(len(columns)) if index == 0 or any(_says(row[index]) for row in rows)]
    return {
        "kind": kind,
        "title": str(_TITLES[kind]),
        "count": len(rows),
        "long": len(rows) > LONG,
        "columns": [{"label": columns[index]} for index in used],
        "rows": [[row[index] for index in used] for row in rows[:MOST_ROWS]],
        "more": max(0, len(rows) - MOST_ROWS),
    }


def _says(cell: Any) -> bool:
    return bool(cell["text"] if isinstance(cell, dict) else cell)


def _result(entry: Entry) -> list[Any]:
    value = value_of(entry)
    unit = units.shown(value.ucum) if value.ucum else value.unit
    symbol, words = present.SYMBOLS.get(value.side, ""), present.side_words(value.side)
    extent = value.range or present.range_words(value.low, value.high)
    return [
        value.name,
        {"text": f"{present.short(value)} {unit} {symbol}".strip(), "note": words},
        extent,
        {"text": present.day(value.date), "iso": value.date},
    ]


def _fact(entry: Entry) -> list[Any]:
    body = entry.body
    span = [present.day(body[key]) for key in ("date", "end") if body.get(key)]
    name = {"text": body.get("name", ""), "note": _("severe") if body.get("flag") == "A" else ""}
    return [name, body.get("text", ""), state_words(body.get("state", "")), " – ".join(span)]
