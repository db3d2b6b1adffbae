"""Resumable uploads on their way: what has arrived lies sealed in the vault before anybody is told so.

A `Transfer` counts bytes that are durable, and nothing else: its parts are finished blobs, and its offset moves with
them in one statement that holds only when nobody else moved it meanwhile. A crash therefore loses at most what was
never acknowledged.

Parts. A request brings parts of up to 64 MiB. A line that breaks all the time, or a client that sends in crumbs,
would leave thousands of blobs; so neighbours are joined as they arrive, in steps of eight (64 KiB → 512 KiB → 4 MiB):
eight small neighbours become one. Every byte is rewritten at most three or four times and a transfer has at most
length / 4 MiB + 24 parts. Parts of 4 MiB and more are never touched again.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from consilium.access.principals import Principal
from consilium.core import audit, clock
from consilium.core.errors import BadInput, Refusal
from consilium.records import content, filing, returning
from consilium.records.actions import clean_name
from consilium.records.models import Transfer, Upload
from consilium.vault import blobs
from consilium.vault.segments import SegmentWriter, Slice, joined

LIFE = timedelta(days=7)  # from the last byte that arrived
MOST_OPEN = 100  # unfinished uploads of one person to one case
PART_BYTES = 64 * 2**20
JOIN = 8  # so many neighbours of one step become one
STEPS = (64 * 2**10, 512 * 2**10, 4 * 2**20)


class Moved(Refusal):
    """Somebody else added bytes to this upload meanwhile; ask where it stands and go on from there."""


# --- life of a transfer -----------------------------------------------------------------------------------


def begin(space: UUID, length: int, metadata: dict[str, str], *, by: Principal) -> Transfer:
    """A new upload of `length` bytes. metadata: "raw" (the header as it came), "name", "fingerprint"."""
    if still_open(space, by.ref).count() >= MOST_OPEN:
        raise BadInput(_("Too many uploads were begun and not finished. Please finish or discard some of them first."))
    now = clock.now()
    return Transfer.objects.create(
        space=space, sender=by.ref, length=length, metadata=metadata, created_at=now, expires_at=now + LIFE
    )


def find(space: UUID, transfer: UUID, sender: str) -> Transfer | None:
    """An upload of this person to this case, finished or not."""
    return Transfer.objects.filter(pk=transfer, space=space, sender=sender).first()


def still_open(space: UUID, sender: str) -> QuerySet[Transfer]:
    """What this person began to send and did not finish, oldest first."""
    return Transfer.objects.filter(space=space, sender=sender, upload=None, expires_at__gt=clock.now())


def extend(transfer: Transfer, slices: list[Slice], tenant: UUID) -> None:
    """Count bytes that are durable: `slices` follow what was there. Raises Moved when the offset is another by now.

    Small neighbours are joined; blobs that are not needed any more are deleted once that is committed.
    """
    before = [Slice(UUID(hex=blob), int(start), int(size)) for blob, start, size in transfer.parts]
    offset = transfer.offset + sum(one.size for one in slices)
    after = [*before, *slices]
    if offset < transfer.length:  # what is complete is not worth another copy
        after = _joined(transfer.space, tenant, after)
    parts = [[one.blob.hex, one.offset, one.size] for one in after]
    expires_at = clock.now() + LIFE
    where = Transfer.objects.filter(pk=transfer.pk, offset=transfer.offset, upload=None)
    if not where.update(offset=offset, parts=parts, expires_at=expires_at):
        _delete({one.blob for one in after} - {one.blob for one in before} - {one.blob for one in slices})
        raise Moved(_("Other bytes arrived here meanwhile. Please ask for the offset and go on from there."))
    transfer.offset, transfer.parts, transfer.expires_at = offset, parts, expires_at
    gone = {one.blob for one in [*before, *slices]} - {one.blob for one in after}
    transaction.on_commit(lambda: _delete(gone))


def finish(transfer: Transfer, *, by: Principal) -> Upload:
    """The upload that a complete transfer becomes; its SHA-256 is computed when it is needed. Again: the same one."""
    with transaction.atomic():
        now = Transfer.objects.select_for_update().get(pk=transfer.pk)
        if now.upload is not None:
            return now.upload
        if now.offset != now.length:
            raise BadInput(_("This upload is not complete yet."))
        slices = [Slice(UUID(hex=blob), int(start), int(size)) for blob, start, size in now.parts]
        upload = Upload.objects.create(
            space=now.space,
            **content.placed(slices),
            sha256="",
            name=clean_name(str(now.metadata.get("name", ""))),
            uploaded_by=by.ref,
        )
        Transfer.objects.filter(pk=now.pk).update(upload=upload, parts=[])
        audit.record("record.upload", by=by, thing=f"upload:{upload.pk}", space=now.space)
    transfer.upload = upload
    return upload


def discard(transfer: Transfer) -> None:
    """Forget an unfinished upload and delete what arrived of it."""
    with transaction.atomic():
        deleted, _rows = Transfer.objects.filter(pk=transfer.pk, upload=None).delete()
        if not deleted:
            raise BadInput(_("This upload has arrived completely and cannot be discarded here."))
        transaction.on_commit(lambda: _delete({UUID(hex=blob) for blob, _start, _size in transfer.parts}))


def sweep(now: datetime) -> int:
    """Discard what expired before `now`; returns how many. Finished transfers lose their row, never a byte."""
    found = 0
    for transfer in Transfer.objects.filter(expires_at__lte=now).order_by("expires_at")[:500]:
        with transaction.atomic():
            # It may have grown since it was read: then it lives on.
            mine = Transfer.objects.filter(pk=transfer.pk, expires_at__lte=now, offset=transfer.offset)
            if not mine.delete()[0]:
                continue
            found += 1
            if transfer.upload_id is None:
                gone = {UUID(hex=blob) for blob, _start, _size in transfer.parts}
                transaction.on_commit(lambda gone=gone: _delete(gone))
    return found


# --- reading what has arrived -----------------------------------------------------------------------------


def settle(upload: Upload) -> bool:
    """Compare an upload that came in parts with those that are here; False when the same bytes are here already.

    Then both rows name the bytes of the earlier one, and those that came twice are deleted. The SHA-256 is computed
    when there is another upload of the same size, and not before.
    """
    if upload.sha256:
        return True
    same = Upload.objects.filter(space=upload.space, size=upload.size, uploaded_at__lte=upload.uploaded_at)
    others = same.exclude(pk=upload.pk).exclude(status=Upload.Status.REFUSED)
    if not others.exists():
        return True
    filing.hash_uploads(upload.space, upload.size)
    upload.refresh_from_db(fields=["sha256"])
    earlier = others.filter(sha256=upload.sha256).order_by("uploaded_at").first()
    if earlier is None:
        return True
    gone = content.blob_ids(upload) - content.blob_ids(earlier)
    for name in ("blob", "offset", "size", "more"):
        setattr(upload, name, getattr(earlier, name))
    again = returning.is_any_out(upload.space)  # what was taken out comes back when it is sent again
    if not again:
        upload.status, upload.notes = Upload.Status.DONE, [{"name": upload.name, "code": "duplicate"}]
    with transaction.atomic():
        upload.save(update_fields=["blob", "offset", "size", "more", "status", "notes"])
        transaction.on_commit(lambda: _delete(gone))
    return again


# --- parts ------------------------------------------------------------------------------------------------


def _joined(space: UUID, tenant: UUID, parts: list[Slice]) -> list[Slice]:
    """The same bytes in fewer parts, by the rule at the head of this file."""
    for step in STEPS:
        run = 0
        while run < len(parts) and parts[-1 - run].size < step:
            run += 1
        if run >= JOIN:
            parts = [*parts[:-run], *_rewritten(space, tenant, parts[-run:])]
    return parts


def _rewritten(space: UUID, tenant: UUID, parts: Iterable[Slice]) -> list[Slice]:
    with SegmentWriter(space=space, tenant=tenant, segment_bytes=PART_BYTES) as out:
        slices: list[Slice] = []
        for one in parts:
            for chunk in blobs.read(one.blob, space=space, start=one.offset, end=one.offset + one.size):
                slices += out.add(chunk)
        out.finish()
    return joined(slices)


def _delete(gone: Iterable[UUID]) -> None:
    for blob in gone:
        blobs.delete(blob)
