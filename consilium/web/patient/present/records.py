"""What was sent, as rows: state, the plain sentence of every problem, what to decide, what is still missing."""

from collections import Counter
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from consilium.access.principals import Principal
from consilium.access.rules import may
from consilium.cases.models import Case
from consilium.cases.states import State
from consilium.core import clock
from consilium.packs import registry
from consilium.records import identity, ocr
from consilium.records.actions import named
from consilium.records.models import Record, RecordFile, Upload
from consilium.web.patient import sections
from consilium.web.patient.present import arrived
from consilium.web.patient.present.arrived import sentence
from consilium.web.patient.present.wording import day, size, titled
from consilium.web.programs import sending

ACCEPT = ".pdf,.jpg,.jpeg,.png,.heic,.tif,.tiff,.zip,.dcm,.xml,.json,.hl7,.txt,.docx,.rtf,application/dicom,image/*"
UPLOAD_STATES = {"received": "received", "checking": "checking", "refused": "failed"}
RECORD_STATES = {"ready": "ready", "flagged": "flagged", "undecided": "decision"}
ARRIVED_SHOWN = 3
WAITING_SHOWN = 12  # a folder may bring hundreds of files
WORK_LASTS = timedelta(minutes=30)  # then the page waits no more: each look keeps the session alive


def upload_page(
    case: Case, by: Principal, uploads: list[Upload], records: list[Record], files: QuerySet[RecordFile]
) -> dict[str, Any]:
    """Everything the page and its polled part show."""
    pictures = thumbnails(files)
    waiting = [row for row in uploads if row.status in ("received", "checking")]
    refused = [row for row in uploads if row.status == "refused"]
    shown = [row for row in records if row.status != "removed"]
    shown.sort(key=lambda row: row.added_at, reverse=True)  # what was sent last is looked for first
    shown.sort(key=lambda row: row.status != "undecided")
    names = sending.names(case, uploads)
    came = [arrived.told(row, names[row.pk], records) for row in reversed(uploads) if arrived.is_worth_a_word(row)]
    decisions = [row for row in shown if row.status == "undecided"]
    asks = _decisions(case, decisions)
    draft = case.state == State.DRAFT
    back = reverse("case_section", args=[case.pk, "certainty"]) if draft else reverse("case", args=[case.pk])
    return {
        "checking": bool(waiting) or is_worked_on(shown, files),
        "waiting": [_upload(case, row, names[row.pk]) for row in waiting[:WAITING_SHOWN]],
        "waiting_more": max(len(waiting) - WAITING_SHOWN, 0),
        "refused": [_upload(case, row, names[row.pk]) for row in refused],
        "arrived": came[:ARRIVED_SHOWN],
        "arrived_before": came[ARRIVED_SHOWN:],
        "records": [_record(case, by, row, pictures) | asks.get(row.pk, {}) for row in shown],
        "undecided": len(decisions),
        "removed": [_record(case, by, row, pictures) for row in records if row.status == "removed"],
        "checklist": checklist(case),
        "accept": ACCEPT,
        "limit": size(settings.MAX_UPLOAD_BYTES),
        "draft": draft,
        "step": sections.STEPS.index("records") + 1,
        "steps": len(sections.STEPS),
        "back_url": back,
        "patient": {"name": case.patient.full_name, "birth": _day(case.patient.birth_date, case)},
    }


def is_worked_on(records: Iterable[Record], files: QuerySet[RecordFile]) -> bool:
    """Whether words or pictures of records that came lately are still to be expected. At most one query."""
    since = clock.now() - WORK_LASTS
    if any(ocr.progress(row) for row in records if row.added_at > since):
        return True
    unfiled = files.filter(filed_at=None, record__added_at__gt=since)
    return unfiled.exclude(record__status=Record.Status.REMOVED).exists()


def _upload(case: Case, row: Upload, name: str) -> dict[str, Any]:
    text = ""
    if row.status == "refused":
        text = sentence(row.problem)
    elif row.members_done:
        text = ngettext("%(n)s file read so far", "%(n)s files read so far", row.members_done) % {"n": row.members_done}
    return {
        "id": str(row.pk),
        "name": name,
        "state": UPLOAD_STATES[row.status],
        "size": size(row.size),
        "when": day(row.uploaded_at, case),
        "text": text,
        "notes": arrived.notes(row),
    }


def _record(case: Case, by: Principal, row: Record, pictures: dict[UUID, UUID]) -> dict[str, Any]:
    facts = row.facts
    extent = _extent(row)
    when = _day(row.clinical_date, case)
    return {
        "id": row.pk,
        "name": titled(row.title) or row.get_kind_display(),
        "state": RECORD_STATES.get(row.status, "ready"),
        "kind": row.get_kind_display(),
        "size": extent,
        "when": when,
        "text": " ".join(
            [*(sentence(code) for code in row.problems if code != "wrong_patient"), ocr.sentence(row)]
        ).strip(),
        "thumbnail": f"/data/files/{pictures[row.pk]}/thumbnail" if row.pk in pictures else "",
        "href": record_address(case, row),
        "undecided": row.status == "undecided",
        "found": {
            "name": _person_name(str(facts.get("patient_name") or "")),
            "birth": _day(str(facts.get("patient_birth_date") or ""), case),
        },
        "may_remove": may("record.remove", case, by),
        "may_decide": may("record.decide", case, by),
        "may_correct": may("record.correct", case, by),
    }


def _decisions(case: Case, rows: list[Record]) -> dict[UUID, dict[str, Any]]:
    """What a question shows: whether it is the first, a stranger's, and how many of one name (said once) there are."""
    alike = Counter(named(row) for row in rows)
    shown: dict[UUID, dict[str, Any]] = {}
    for row in rows:
        shown[row.pk] = {"anchor": "" if shown else "decide", "stranger": _is_stranger(case, row)}
        shown[row.pk] |= {"alike": alike.pop(named(row), 0)}
    return shown


def _is_stranger(case: Case, row: Record) -> bool:
    """Whether name and birth date are both somebody else's: then nothing speaks for keeping it."""
    patient = case.patient
    names = {"given": patient.given_name, "family": patient.family_name}
    match = identity.compare(row.facts, **names, birth_date=patient.birth_date or None)
    return {"name_different", "birth_date_different"} <= set(match.reasons)


def _person_name(text: str) -> str:
    """DICOM's "BERGER^ANNA" (PS3.5 §6.2) as people write it."""
    family, _caret, given = text.split("=", maxsplit=1)[0].partition("^")
    return f"{given.replace('^', ' ').strip()} {family.strip()}".strip()


def _extent(row: Record) -> str:
    if row.images:
        return ngettext("%(n)s image", "%(n)s images", row.images) % {"n": row.images}
    return ngettext("%(n)s page", "%(n)s pages", row.pages) % {"n": row.pages} if row.pages else ""


def _day(text: str, case: Case) -> str:
    """An ISO date in words; other spellings as they are."""
    try:
        return day(date.fromisoformat(text), case)
    except ValueError:
        return text


def record_address(case: Case, row: Record) -> str:
    """Where the record can be read (the reading room)."""
    return reverse("record", args=[case.pk, row.pk])


def thumbnails(files: QuerySet[RecordFile]) -> dict[UUID, UUID]:
    """Record → one of its files with a thumbnail."""
    pairs = files.filter(previews__kind="thumbnail").order_by("-position").values_list("record_id", "pk")
    return dict(pairs)


def checklist(case: Case) -> list[dict[str, Any]]:
    """What the specialty needs, item by item, with the reason; the missing ones first."""
    items = {item.code: item for item in registry.specialty(case.specialty).records}
    rows = []
    for request in case.record_requests.all():
        item = items.get(request.item)
        if item is None:
            continue
        here = request.status in ("here", "waived")
        rows.append(
            {
                "text": item.title,
                "passed": True if here else None,
                "note": "" if here else item.why,
                "mandatory": request.mandatory,
                "asked": request.status == "asked",
                "words": request.note if request.status == "asked" else "",
            }
        )
    rows.sort(key=lambda row: (row["passed"] is True, not row["mandatory"]))
    return rows


def too_large() -> str:
    """The sentence about the limit."""
    limit = size(settings.MAX_UPLOAD_BYTES)
    return _("This is more than %(limit)s at once. Please send it in smaller parts, or call us.") % {"limit": limit}


def done(verb: str) -> str:
    """What is said after a verb on a record."""
    return {
        "remove": _("Taken out. You can bring it back below, under “Taken out”."),
        "restore": _("It is back in your case."),
        "mine": _("Thank you. The record stays in your case."),
        "not-mine": _("Thank you for looking. The record is taken out; nobody works with it."),
        "all-mine": _("Thank you. These records stay in your case."),
        "none-mine": _("Thank you for looking. These records are taken out; nobody works with them."),
    }[verb]
