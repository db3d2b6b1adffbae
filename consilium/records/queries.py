"""Questions about records that pages ask."""

from collections.abc import Iterable
from uuid import UUID

from consilium.records.models import Entry, Preview, Record

# Entries that are events of a life, beside the records they were read from
EVENTS = (Entry.Kind.PROCEDURE, Entry.Kind.IMMUNIZATION, Entry.Kind.PROBLEM, Entry.Kind.MEDICATION)


def thumbnails(records: Iterable[Record]) -> dict[UUID, UUID]:
    """Record → the file whose thumbnail stands for it: of the middle series, or the first page. One query."""
    drawn: dict[UUID, list[UUID]] = {}
    found = Preview.objects.filter(file__record__in=[r.pk for r in records], kind=Preview.Kind.THUMBNAIL)
    order = ("file__series_number", "file__series", "file__position", "file")
    for record, file in found.order_by(*order).values_list("file__record", "file"):
        drawn.setdefault(record, []).append(file)
    return {record: files[len(files) // 2] for record, files in drawn.items()}


def events(records: Iterable[Record]) -> list[Entry]:
    """What structured documents tell of operations, diagnoses, vaccinations and medicines, with its record."""
    chosen = {record.pk: record for record in records}
    found = Entry.objects.filter(record__in=chosen, kind__in=EVENTS).exclude(status=Entry.Status.REJECTED)
    entries = list(found[:2000])
    for entry in entries:
        entry.record = chosen[entry.record_id]
    return entries
