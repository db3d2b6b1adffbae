"""Questions about records that pages ask."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import QuerySet

from consilium.records.models import Entry, Preview, Record, RecordFile
from consilium.vault import columns

# Entries that are events of a life, beside the records they were read from
EVENTS = (Entry.Kind.PROCEDURE, Entry.Kind.IMMUNIZATION, Entry.Kind.PROBLEM, Entry.Kind.MEDICATION)
MOST_EVENTS = 2000


def thumbnails(records: Iterable[UUID]) -> dict[UUID, UUID]:
    """Record → the file whose thumbnail stands for it: of the middle series, or the first page. One query."""
    drawn: dict[UUID, list[UUID]] = {}
    found = Preview.objects.filter(file__record__in=list(records), kind=Preview.Kind.THUMBNAIL)
    order = ("file__series_number", "file__series", "file__position", "file")
    for record, file in found.order_by(*order).values_list("file__record", "file"):
        drawn.setdefault(record, []).append(file)
    return {record: files[len(files) // 2] for record, files in drawn.items()}


def is_any_unfinished(space: UUID) -> bool:
    """Whether images of a case were filed and nobody has looked at them yet (finishing.py)."""
    return RecordFile.objects.filter(space=space, filed_at=None).exists()


class Outline(NamedTuple):
    """What a list of all records is ordered and narrowed by; everything else is read for the page shown."""

    id: UUID
    kind: str
    date: str  # clinical date, ISO 8601
    language: str
    added_at: datetime


class Event(NamedTuple):
    """Something that happened on a day, and the record that tells of it."""

    record: UUID
    kind: str
    date: str
    name: str


def outlines(space: UUID, records: QuerySet[Record]) -> list[Outline]:
    """The outlines of a case's records in their order. One query; of each only the date is opened."""
    rows = list(records.values_list("id", "kind", "clinical_date", "language", "added_at"))
    dates = columns.texts(Record, "clinical_date", space, {row[0]: row[2] for row in rows})
    return [Outline(row[0], row[1], dates[row[0]][0], row[3], row[4]) for row in rows]


def whole(space: UUID, records: QuerySet[Record], ids: Iterable[UUID]) -> dict[UUID, Record]:
    """The records of a page, with what a row of a list shows opened. One query."""
    found = records.in_bulk(list(ids))
    for name in ("title", "clinical_date", "facts"):
        columns.open_on(found.values(), name, space)
    return found


def newest_first(space: UUID, records: Sequence[Record]) -> list[Record]:
    """Records of a case in the order of the timeline: by clinical date, then by arrival."""
    dates = columns.texts_of(records, "clinical_date", space)
    return sorted(records, key=lambda record: (dates[record.pk][0], record.added_at), reverse=True)


def with_conclusions(records: QuerySet[Record]) -> set[UUID]:
    """Those of which pages state the first opinion's conclusion. One query."""
    return {record for record, pages in records.values_list("id", "conclusion_pages") if pages}


def titles(space: UUID, records: QuerySet[Record], *, withheld: Collection[UUID] = ()) -> dict[UUID, str]:
    """Record → its title. One query. withheld: those that have none here, because it may state what is closed."""
    sealed = dict(records.exclude(pk__in=withheld).values_list("id", "title"))
    return {record: texts[0] for record, texts in columns.texts(Record, "title", space, sealed).items()}


def events(space: UUID, records: QuerySet[Record], *, withheld: Collection[UUID] = ()) -> list[Event]:
    """What structured documents tell of operations, diagnoses, vaccinations and medicines. One query.

    withheld: records that tell nothing, because part of them is closed to the reader.
    """
    found = Entry.objects.filter(space=space, record__in=records.order_by().values("pk"), kind__in=EVENTS)
    found = found.exclude(status=Entry.Status.REJECTED).exclude(record__in=withheld)
    rows = list(found.values_list("id", "record", "kind", "body")[:MOST_EVENTS])
    bodies = columns.texts(Entry, "body", space, {row[0]: row[3] for row in rows}, shape=_day_and_name)
    return [Event(record, kind, *bodies[entry]) for entry, record, kind, _body in rows if bodies[entry][1]]


def _day_and_name(body: dict[str, Any]) -> tuple[str, str]:
    return str(body.get("date") or "")[:10], str(body.get("name") or "")
