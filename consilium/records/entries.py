"""Entries of records: filing what was read, and a person's word on what a machine read from a page.

What a structured document states is filed as "stated"; what was read from the words of a page is filed as "read" until
somebody compares it with the page and confirms it, or says that it is not right. The body is the dict of
extract/entry.py, with "paged": true for what stands on a page of its own right (and may be withheld with it).
"""

from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from consilium.access.principals import Principal
from consilium.core import audit, clock
from consilium.core.errors import BadInput
from consilium.records.extract import Extraction, Kind
from consilium.records.extract.entry import MAX_ENTRIES, checked
from consilium.records.extract.labs import rows_of
from consilium.records.models import Entry, Record, RecordFile

# Kinds of files whose pages are words in reading order: sheets may be among them.
PAGED = frozenset({Kind.PDF, Kind.TEXT, Kind.DOCX, Kind.ODT, Kind.RTF})
MAX_PAGES = 300


def file_found(record: Record, file: RecordFile, found: Extraction) -> int:
    """File what reading a document yielded: its stated entries, else laboratory values on its pages."""
    if found.entries:
        return file_entries(record, file, found.entries)
    if found.kind in PAGED or found.facts.get("embedded") == "application/pdf":
        return read_pages(record, file, found.text)
    return 0


def file_entries(record: Record, file: RecordFile, found: Sequence[dict[str, Any]]) -> int:
    """File the entries a structured document states, in place of those it had; returns how many."""
    return _replace(record, file, Entry.Status.STATED, [one for one in map(checked, found) if one is not None])


def read_pages(record: Record, file: RecordFile, pages: Sequence[str]) -> int:
    """File laboratory values read from the words of pages (from a PDF or from OCR); returns how many.

    Safe to run again when OCR has found more: what nobody has decided on is replaced, what somebody has is kept.
    """
    found: list[dict[str, Any]] = []
    for index, text in enumerate(pages[:MAX_PAGES]):
        rows = rows_of(text, record.clinical_date)
        found += [clean | {"paged": True} for row in rows if (clean := checked({**row, "page": index}))]
    return _replace(record, file, Entry.Status.READ, found)


def _replace(record: Record, file: RecordFile, status: Entry.Status, bodies: list[dict[str, Any]]) -> int:
    with transaction.atomic():
        Entry.objects.filter(file=file, status=status).delete()
        decided = {_place(one.page, one.body) for one in Entry.objects.filter(file=file)}
        rows: list[Entry] = []
        for position, body in enumerate(bodies[:MAX_ENTRIES]):
            page = body.pop("page", 0)
            if _place(page, body) not in decided:
                kind = body.pop("kind")
                rows.append(
                    Entry(
                        space=record.space, record=record, file=file, kind=kind, status=status, page=page,
                        position=position, body={key: value for key, value in body.items() if value not in ("", None)},
                    )
                )  # fmt: skip
        Entry.objects.bulk_create(rows, batch_size=500)
    return len(rows)


def _place(page: int, body: dict[str, Any]) -> tuple[Any, ...]:
    return (page, body.get("name"), body.get("shown"), body.get("date", ""))


def confirm(entry: Entry, *, by: Principal) -> None:
    """A person has compared the value with the page: it is right."""
    _decide(entry, Entry.Status.CONFIRMED, by=by)


def reject(entry: Entry, *, by: Principal) -> None:
    """A person has compared the value with the page: it was misread. It is kept, but shown nowhere as a result."""
    _decide(entry, Entry.Status.REJECTED, by=by)


def _decide(entry: Entry, status: Entry.Status, *, by: Principal) -> None:
    if entry.status == Entry.Status.STATED:
        raise BadInput(_("This value was not read from a page: it stands in the document just so."))
    if entry.status == status:
        return
    with transaction.atomic():
        entry.status, entry.decided_by, entry.decided_at = status, by.ref, clock.now()
        entry.save(update_fields=["status", "decided_by", "decided_at"])
        verb = "confirm" if status == Entry.Status.CONFIRMED else "reject"
        audit.record(f"entry.{verb}", by=by, thing=f"entry:{entry.pk}", space=entry.space, record=entry.record_id)
