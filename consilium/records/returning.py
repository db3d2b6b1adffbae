"""What was taken out and is sent again comes back, with a note: nobody is left with nothing but "duplicate".

The record is the same one (its bytes are kept once), and counts as added now: nobody has looked for conclusions in it
since. One that names another person waits for a decision again. What a virus scanner warned of never comes back.
"""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction

from consilium.core import audit, clock
from consilium.records import filing
from consilium.records.models import Record, RecordFile

CAME_AGAIN, MALWARE = "came_again", "malware"  # codes of records/problems.py


@dataclass(frozen=True)
class _Sender:
    ref: str


def is_any_out(space: UUID) -> bool:
    """Whether anything of this space was taken out: then bytes that came before are worth reading again."""
    return Record.objects.filter(space=space, status=Record.Status.REMOVED).exists()


def bring_back(space: UUID, records: Collection[UUID], by: str) -> dict[UUID, str]:
    """Bring back those of these records that were taken out. Record → "came_again", or "malware" when it stays out."""
    found: dict[UUID, str] = {}
    if not records:
        return found
    with transaction.atomic():
        out = Record.objects.select_for_update().filter(space=space, status=Record.Status.REMOVED)
        for record in out.filter(pk__in=list(records)):
            if MALWARE in record.problems:
                found[record.pk] = MALWARE
                continue
            record.problems = sorted({*record.problems, CAME_AGAIN})
            record.status = filing.status(record.problems)
            record.removed_at, record.removed_by, record.added_at = None, "", clock.now()
            record.save(update_fields=["problems", "status", "removed_at", "removed_by", "added_at"])
            audit.record("record.restore", by=_Sender(by), thing=f"record:{record.pk}", space=space, code="sent_again")
            found[record.pk] = CAME_AGAIN
    return found


def instances_back(space: UUID, tokens: Collection[str], *, by: str) -> dict[str, str]:
    """The same by the keyed hashes of instances that came again: hash → what became of its record, of those out."""
    out: dict[str, UUID] = {}
    listed = sorted(tokens)
    for start in range(0, len(listed), 500):
        some = RecordFile.objects.filter(space=space, instance__in=listed[start : start + 500])
        out |= dict(some.filter(record__status=Record.Status.REMOVED).values_list("instance", "record_id"))
    back = bring_back(space, set(out.values()), by)
    return {token: back[record] for token, record in out.items() if record in back}


def document_back(space: UUID, sha256: str, *, by: str) -> tuple[str, UUID | None] | None:
    """What to say of a document whose bytes are here already, and of which upload it is; None when it is new.

    "duplicate", or what became of its record, which was taken out.
    """
    here = RecordFile.objects.filter(space=space, sha256=sha256).select_related("record")
    file = here.exclude(record__status=Record.Status.REMOVED).first() or here.first()
    if file is None:
        return None
    code = bring_back(space, {file.record_id}, by).get(file.record_id, "duplicate")
    return code, file.record.upload_id
