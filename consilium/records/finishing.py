"""What becomes of images after they were filed (instances.py): hashed, checked, pictured, summed up. A job.

Several hundred files share a commit. The last files of a study count as finished in the same commit as the summary of
the study: after a crash the job finds work left whenever something is missing.
"""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from consilium.core import clock
from consilium.imaging.series import summarise
from consilium.records import checking, content, filing, malware, slides
from consilium.records.models import Preview, Record, RecordFile

BATCH = 500  # files hashed between two commits
_NAMED = ("kind", "name")  # by which checking.py tells who sent it
_COLUMNS = ("id", "space", "record", "blob", "offset", "size", "more", "series", "position", "frames", "facts", *_NAMED)


def finish(space: UUID) -> int:
    """Finish every unfiled instance of a case; returns how many. Running it twice changes nothing."""
    done = 0
    while found := list(_unfiled(space)[: BATCH + 1]):
        batch = found[:BATCH]
        unfinished = {found[BATCH].record_id} if len(found) > BATCH else set()
        _finish_batch(batch, {file.record_id for file in batch if file.frames} - unfinished)
        done += len(batch)
    return done


def _unfiled(space: UUID) -> Any:
    waiting = RecordFile.objects.filter(space=space, filed_at=None).only(*_COLUMNS)
    return waiting.order_by("record_id", "series", "position", "id")


def _finish_batch(batch: list[RecordFile], complete: set[UUID]) -> None:
    """complete: the studies of which nothing is left after these files."""
    clean = _without_malware(batch)
    hashes = _hashes(clean)
    for _series, files in groupby(clean, key=lambda file: (file.record_id, file.series)):
        _look_at_series(list(files))
    for file in clean:
        if slides.is_dicom_slide(file):
            slides.notice(file)
    sums = {record: _summed(record) for record in complete}
    with transaction.atomic():
        _note(clean, hashes, clock.now())
        for record, (count, series) in sums.items():
            _keep_summary(record, count, series)


# --- hashes -----------------------------------------------------------------------------------------------


def _hashes(files: Sequence[RecordFile]) -> list[str]:
    """The SHA-256 of each, read in the order in which they lie on the disk: no chunk is opened twice."""
    order = sorted(range(len(files)), key=lambda number: (files[number].blob, files[number].offset))
    found = [""] * len(files)
    for number, pieces in zip(order, _contents([files[number] for number in order]), strict=True):
        digest = hashlib.sha256()
        for piece in pieces:
            digest.update(piece)
        found[number] = digest.hexdigest()
    return found


def _contents(files: Sequence[RecordFile]) -> Iterable[Iterable[bytes]]:
    return content.run(files, files[0].space) if files else ()


def _note(files: Sequence[RecordFile], hashes: Sequence[str], now: datetime) -> None:
    """One prepared statement; a file whose bytes were replaced meanwhile stays unfiled and has its turn again."""
    if not files:
        return
    fields = [RecordFile._meta.get_field(name) for name in ("sha256", "filed_at", "id", "blob", "offset")]
    sha256, filed_at, pk, blob, offset = (connection.ops.quote_name(field.column) for field in fields)
    values = [(digest, now, file.pk, file.blob, file.offset) for file, digest in zip(files, hashes, strict=True)]
    rows = [[field.get_db_prep_save(one, connection) for field, one in zip(fields, row, strict=True)] for row in values]
    table = connection.ops.quote_name(RecordFile._meta.db_table)
    changes, same = f"{sha256} = %s, {filed_at} = %s", f"{pk} = %s AND {blob} = %s AND {offset} = %s"
    with connection.cursor() as cursor:
        cursor.executemany(f"UPDATE {table} SET {changes} WHERE {same}", rows)  # noqa: S608 - no input


# --- malware ----------------------------------------------------------------------------------------------


def _without_malware(files: list[RecordFile]) -> list[RecordFile]:
    """What another program sent is checked now (uploads were, before they were read); a find takes the record out."""
    if not malware.checks():
        return files
    return [file for file in files if not checking.is_from_program(file) or not _is_malware(file)]


def _is_malware(file: RecordFile) -> bool:
    if not malware.refused(content.chunks(file), space=file.space, upload=file.pk):
        return False
    with transaction.atomic():
        record = Record.objects.select_for_update().get(pk=file.record_id)
        filing.merge_problems(record, {"malware"})
        record.status, record.removed_at, record.removed_by = Record.Status.REMOVED, clock.now(), "system"
        record.save(update_fields=["problems", "status", "removed_at", "removed_by"])
        RecordFile.objects.filter(pk=file.pk).update(sha256=filing.sha256(file), filed_at=clock.now())
    return True


# --- pictures and words -----------------------------------------------------------------------------------


def _look_at_series(files: list[RecordFile]) -> None:
    """Look at every report, and at one picture when nobody looked at one of this series before."""
    pictures = [file for file in files if file.frames]
    for file in files:
        if not file.frames:
            filing.look_at(file.pk)
    if not pictures or any(slides.is_dicom_slide(file) for file in files):
        return
    drawn = Preview.objects.filter(file__record=files[0].record_id, file__series=files[0].series, kind="thumbnail")
    # the middle says most; where that one cannot be shown, the ends may
    for number in dict.fromkeys((len(pictures) // 2, 0, len(pictures) - 1)):
        if drawn.exists():
            return
        filing.look_at(pictures[number].pk)


# --- the study as a whole ---------------------------------------------------------------------------------


def _summed(record_id: UUID) -> tuple[int, list[dict[str, Any]]]:
    """How many images were looked at, and what each series is, for the check whether it is enough."""
    files = RecordFile.objects.filter(record_id=record_id, frames__gt=0).only("space", "series", "facts")
    ordered = list(files.order_by("series_number", "series", "position"))
    groups = groupby(ordered, key=lambda file: file.series)
    return len(ordered), [summarise([file.facts for file in group]) for _key, group in groups]


def _main(series: list[dict[str, Any]]) -> dict[str, Any]:
    """What the study is, by its largest series of originals: a screenshot may have been filed first."""
    originals = [one for one in series if not one.get("secondary")] or series
    main = max(originals, key=lambda one: int(one.get("images", 0)), default={})
    return {key: main[key] for key in ("modality", "body_part", "laterality") if main.get(key)}


def _keep_summary(record_id: UUID, count: int, series: list[dict[str, Any]]) -> None:
    record = Record.objects.select_for_update().get(pk=record_id)
    if record.files.filter(frames__gt=0).count() != count:  # more came: whoever finishes those may be done already
        series = _summed(record_id)[1]
    record.facts = record.facts | _main(series) | {"series": series}
    if "no_preview" in record.problems and Preview.objects.filter(file__record=record, kind="thumbnail").exists():
        record.problems = sorted({*record.problems, "no_preview_of_some"} - {"no_preview"})
    record.save(update_fields=["facts", "problems"])
