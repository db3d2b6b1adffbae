"""From an upload to records: sniff, unpack, read in the sandbox, file. Safe to run again after a crash.

Bytes are sealed before any row is written, rows are written in small transactions, and a file that is
already there (same bytes, or the same SOP Instance UID) is not stored twice.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.db import transaction

from consilium.core import clock
from consilium.records import conclusions, identity
from consilium.records.extract import Extraction, Kind, extract, open_archive, sniff
from consilium.records.models import Preview, Record, RecordFile, Upload
from consilium.records.sniff import HEAD, TAIL
from consilium.vault import blind, blobs
from consilium.vault.blobs import BlobInfo

# Extraction.suggested_type → Record.Kind
KINDS = {"pathology": "pathology_report", "photo": "other"}


@dataclass(frozen=True)
class Owner:
    """Whose records these should be: compared with what the files say."""

    tenant: UUID
    given_name: str
    family_name: str
    birth_date: str  # ISO 8601 or empty


@dataclass(frozen=True)
class Found:
    """A file of an upload with what was read from it."""

    name: str
    blob: BlobInfo
    extraction: Extraction


def ingest(upload: Upload, owner: Owner) -> Upload:
    """Read `upload` and file its records; returns it with its final status."""
    Upload.objects.filter(pk=upload.pk).update(status=Upload.Status.CHECKING)
    if _sniffed(upload) == Kind.ZIP:
        _ingest_archive(upload, owner)
    else:
        _ingest_single(upload, owner)
    upload.refresh_from_db()
    return upload


def _sniffed(upload: Upload) -> Kind:
    """By content: the head, and the tail in which zip-based documents name their parts."""

    def part(start: int, end: int) -> bytes:
        return b"".join(blobs.read(upload.blob, space=upload.space, start=start, end=end))

    tail = part(max(0, upload.size - TAIL), upload.size) if upload.size else b""
    return sniff(part(0, min(HEAD, upload.size)) if upload.size else b"", tail)


def _ingest_single(upload: Upload, owner: Owner) -> None:
    found = extract(lambda: blobs.read(upload.blob, space=upload.space))
    if found.refused:
        code = next(problem.code for problem in found.problems if problem.severity == "refuse")
        Upload.objects.filter(pk=upload.pk).update(status=Upload.Status.REFUSED, problem=code)
        return
    info = BlobInfo(id=upload.blob, size=upload.size, sha256=upload.sha256)
    _file(upload, owner, Found(upload.name, info, found))
    Upload.objects.filter(pk=upload.pk).update(status=Upload.Status.DONE, members=1, members_done=1)


def _ingest_archive(upload: Upload, owner: Owner) -> None:
    notes: list[dict[str, str]] = []
    filed = 0
    for member in open_archive(lambda: blobs.read(upload.blob, space=upload.space)):
        if member.refused or not member.name:
            notes += [{"name": member.name, "code": problem.code} for problem in member.problems]
            continue
        info = blobs.put(member.chunks(), space=upload.space, tenant=owner.tenant)
        # Damage and bombs show only while a member is read: then nothing of it is kept.
        if member.refused:
            blobs.delete(info.id)
            notes += [{"name": member.name, "code": problem.code} for problem in member.problems]
            continue
        note = _file_member(upload, owner, member.name, info)
        if note:
            blobs.delete(info.id)
            notes.append({"name": member.name, "code": note})
        else:
            filed += 1
            Upload.objects.filter(pk=upload.pk).update(members=filed, members_done=filed)
    _finish_archive(upload, filed, notes)


def _finish_archive(upload: Upload, filed: int, notes: list[dict[str, str]]) -> None:
    upload.refresh_from_db()
    upload.notes = notes[:500]
    known = upload.records.exists() or any(note["code"] == "duplicate" for note in notes)
    if known:
        upload.status, upload.members, upload.members_done = Upload.Status.DONE, filed, filed
    else:
        upload.status = Upload.Status.REFUSED
        upload.problem = next((note["code"] for note in notes if note["code"] != "left_out"), "archive_empty")
    upload.save()


def _file_member(upload: Upload, owner: Owner, name: str, info: BlobInfo) -> str:
    """File one member; returns the code of a note when it was not kept."""
    if RecordFile.objects.filter(space=upload.space, sha256=info.sha256).exists():
        return "duplicate"
    found = extract(lambda: blobs.read(info.id, space=upload.space))
    if found.refused:
        return next(problem.code for problem in found.problems if problem.severity == "refuse")
    return _file(upload, owner, Found(name, info, found))


def _file(upload: Upload, owner: Owner, found: Found) -> str:
    """Write record, file and previews; returns "duplicate" when the same image is already there."""
    facts = found.extraction.facts
    instance = _hashed(owner, "instance", facts.get("instance_uid"))
    if instance and RecordFile.objects.filter(space=upload.space, instance=instance).exists():
        return "duplicate"
    previews = list(_store_previews(upload, owner, found.extraction))
    with transaction.atomic():
        record = _record_for(upload, owner, found)
        file = RecordFile.objects.create(
            space=upload.space,
            record=record,
            blob=found.blob.id,
            size=found.blob.size,
            sha256=found.blob.sha256,
            media_type=found.extraction.media_type,
            kind=str(found.extraction.kind.value),
            name=found.name.rsplit("/", 1)[-1],
            series=_hashed(owner, "series", facts.get("series_uid")),
            instance=instance,
            series_number=_int(facts.get("series_number")),
            position=_int(facts.get("instance_number")),
            frames=_int(facts.get("frames")),
            facts=facts,
            text=found.extraction.text,
        )
        for preview in previews:
            preview.file = file
        Preview.objects.bulk_create(previews)
        _count(record, found)
    return ""


def _store_previews(upload: Upload, owner: Owner, extraction: Extraction) -> Iterator[Preview]:
    for preview in extraction.previews:
        info = blobs.put([preview.data], space=upload.space, tenant=owner.tenant)
        yield Preview(
            kind=preview.kind,
            index=preview.index,
            blob=info.id,
            media_type=preview.media_type,
            width=preview.width,
            height=preview.height,
        )


def _record_for(upload: Upload, owner: Owner, found: Found) -> Record:
    """The study's record when one is there already, else a new one."""
    # Only images join their study: a letter or report in a DICOM coat is a document of its own, with pages to mark.
    study = found.extraction.facts.get("study_uid") if found.extraction.facts.get("frames") else None
    group = _hashed(owner, "study", study)
    if group:
        record = Record.objects.select_for_update().filter(space=upload.space, group=group).first()
        if record:
            _merge_problems(record, owner, found)
            return record
    return _new_record(upload, owner, found, group)


def _record_kind(extraction: Extraction) -> str:
    """A document that speaks of images is their report; images are what has frames."""
    kind = KINDS.get(extraction.suggested_type, extraction.suggested_type)
    if kind == Record.Kind.IMAGING and extraction.page_count and not extraction.facts.get("frames"):
        return Record.Kind.IMAGING_REPORT
    return kind


def _new_record(upload: Upload, owner: Owner, found: Found, group: str) -> Record:
    extraction = found.extraction
    kind = _record_kind(extraction)
    problems = _problem_codes(owner, found)
    record = Record(
        space=upload.space,
        upload=upload,
        kind=kind if kind in Record.Kind.values else Record.Kind.OTHER,
        status=_status(problems),
        problems=problems,
        language=extraction.language,
        group=group,
        added_by=upload.uploaded_by,
        conclusion_pages=conclusions.suggest(extraction.text) if kind == "letter" else [],
    )
    record.title = _title(found)
    record.clinical_date = _past(extraction.suggested_date)
    record.facts = _study_facts(extraction.facts)
    record.save()
    return record


def _merge_problems(record: Record, owner: Owner, found: Found) -> None:
    problems = sorted({*record.problems, *_problem_codes(owner, found)})
    if problems != record.problems:
        record.problems = problems
        if record.status in (Record.Status.READY, Record.Status.FLAGGED):
            record.status = _status(problems)
        record.save(update_fields=["problems", "status"])


def _problem_codes(owner: Owner, found: Found) -> list[str]:
    codes = {problem.code for problem in found.extraction.problems}
    match = identity.compare(
        found.extraction.facts, given=owner.given_name, family=owner.family_name, birth_date=owner.birth_date or None
    )
    if match.verdict == "mismatch":
        codes.add("wrong_patient")
    return sorted(codes)


def _status(problems: list[str]) -> str:
    if "wrong_patient" in problems:
        return Record.Status.UNDECIDED
    return Record.Status.FLAGGED if problems else Record.Status.READY


def _count(record: Record, found: Found) -> None:
    record.pages += found.extraction.page_count if not found.extraction.facts.get("frames") else 0
    record.images += _int(found.extraction.facts.get("frames"))
    record.save(update_fields=["pages", "images"])


STUDY_FACTS = [
    "modality",
    "body_part",
    "laterality",
    "study_description",
    "study_date",
    "institution",
    "manufacturer",
    "contrast",
    "slice_thickness",
    "patient_name",
    "patient_birth_date",
    "title",
]


def _study_facts(facts: dict[str, Any]) -> dict[str, Any]:
    return {key: facts[key] for key in STUDY_FACTS if key in facts}


def _title(found: Found) -> str:
    facts = found.extraction.facts
    body = " ".join(part for part in (facts.get("modality"), facts.get("body_part")) if part)
    described = facts.get("title") or facts.get("study_description") or body
    stem = found.name.rsplit("/", 1)[-1].rsplit(".", 1)[0].replace("_", " ")
    return str(described or stem)[:200]


def _past(text: str) -> str:
    try:
        return text if text and date.fromisoformat(text) <= clock.now().date() else ""
    except ValueError:
        return ""


def _hashed(owner: Owner, domain: str, uid: Any) -> str:
    return blind.token(owner.tenant, domain, str(uid)) if uid else ""


def _int(value: Any) -> int:
    try:
        return max(-(2**31), min(2**31 - 1, int(value)))
    except (TypeError, ValueError):
        return 0
