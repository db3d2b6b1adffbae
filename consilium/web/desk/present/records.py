"""The record checklist, doubtful records and what was sent, for the desk."""

from collections.abc import Iterable
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from consilium.cases.models import Case, RecordRequest
from consilium.packs import registry
from consilium.records import ocr
from consilium.records.models import Record, Upload
from consilium.records.problems import TABLE as PROBLEMS
from consilium.web.desk.present.dates import day_of
from consilium.web.patient.present.wording import titled
from consilium.web.programs import sending
from consilium.web.reading.present import extent

TONES = {"here": "good", "waived": "neutral", "asked": "info", "missing": "warn"}


def checklist(
    case: Case, requests: Iterable[RecordRequest], suggestions: dict[str, list[Record]]
) -> list[dict[str, Any]]:
    """The items of the specialty's checklist in its order: why, how it stands, which records would do."""
    rows = {row.item: row for row in requests}
    found = []
    for item in registry.specialty(case.specialty).records:
        if row := rows.pop(item.code, None):
            found.append(_item(case, row, str(item.title), str(item.why), suggestions.get(item.code, [])))
    # Items of an earlier specialty stay on the list until somebody decides on them.
    return found + [_item(case, row, row.item.replace("-", " "), "", []) for row in rows.values()]


def _item(case: Case, row: RecordRequest, title: str, why: str, records: list[Record]) -> dict[str, Any]:
    asked = {"patient": _("the patient"), "provider": _("the practice or hospital")}
    return {
        "title": title,
        "why": why,
        "mandatory": row.mandatory,
        "status": row.get_status_display(),
        "tone": TONES[row.status] if row.mandatory or row.status != "missing" else "neutral",
        "is_open": row.status in ("missing", "asked"),
        "asked": asked.get(row.asked_of, "") if row.status == "asked" else "",
        "note": row.note,
        "href": reverse("desk_request", args=[case.pk, row.item]),
        "here": reverse("desk_request_here", args=[case.pk, row.item]),
        "records": [{"name": name_of(r), "href": reverse("record", args=[case.pk, r.pk])} for r in records],
    }


def name_of(record: Record) -> str:
    """Title of a record, or its kind."""
    return titled(record.title) or str(record.get_kind_display())


def doubtful(case: Case, records: Iterable[Record]) -> list[dict[str, Any]]:
    """Records that name somebody else: both names beside each other."""
    person = case.patient
    return [
        {
            "name": name_of(record),
            "kind": record.get_kind_display(),
            "href": reverse("record", args=[case.pk, record.pk]),
            "action": reverse("desk_decide", args=[case.pk, record.pk]),
            "columns": [_("Compare"), _("In the file"), _("The patient")],
            "rows": [
                [_("Name"), _in_file(record, "patient_name"), person.full_name],
                [_("Birth date"), _date_in_file(record), day_of(person.birth_date)],
            ],
        }
        for record in records
        if record.status == Record.Status.UNDECIDED
    ]


def _in_file(record: Record, key: str) -> str:
    value = record.facts.get(key)
    return str(value).replace("^", " ").strip() if value else _("not given")


def _date_in_file(record: Record) -> str:
    return day_of(str(record.facts.get("patient_birth_date", "")))


def kept(case: Case, records: Iterable[Record]) -> list[dict[str, Any]]:
    """Every record with its state and the address that takes it out or brings it back."""
    states = {"ready": "ready", "flagged": "flagged", "undecided": "decision", "removed": "failed"}
    return [
        {
            "name": name_of(record),
            "kind": record.get_kind_display(),
            "size": extent(record),
            "when": day_of(record.clinical_date) if record.clinical_date else _("no date"),
            "state": states[record.status],
            "text": " ".join(
                [*(str(PROBLEMS[code].sentence) for code in record.problems if code in PROBLEMS), ocr.sentence(record)]
            ).strip(),
            "href": reverse("record", args=[case.pk, record.pk]),
            "move": reverse("desk_record_move", args=[case.pk, record.pk]),
            "removed": record.status == Record.Status.REMOVED,
        }
        for record in records
    ]


def uploads(case: Case, found: Iterable[Upload]) -> list[dict[str, Any]]:
    """What was sent and is not a record yet: being checked, or refused with the reason."""
    states = {"received": "received", "checking": "checking", "refused": "failed"}
    return [
        {
            "name": sending.shown(upload.name, upload.uploaded_at, case),
            "state": states[upload.status],
            "text": str(PROBLEMS[upload.problem].sentence) if upload.problem in PROBLEMS else "",
        }
        for upload in found
        if upload.status in states
    ]


def is_checking(found: Iterable[Upload]) -> bool:
    """Whether something is still being read, so that the page looks again by itself."""
    return any(upload.status in ("received", "checking") for upload in found)
