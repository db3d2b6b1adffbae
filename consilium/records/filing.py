"""What every way in shares: whose a file is, how a record is called, what is wrong with it, what its pages say."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.db import transaction

from consilium.core import clock
from consilium.records import conclusions, content, identity
from consilium.records.extract import Extraction, extract
from consilium.records.models import Preview, Record, RecordFile, Upload
from consilium.vault import blind, blobs, keys

# Extraction.suggested_type → Record.Kind
KINDS = {"pathology": "pathology_report", "photo": "other"}
WORDLESS = {"no_image", "truncated_dicom"}
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


@dataclass(frozen=True)
class Owner:
    """Whose records these should be: compared with what the files say."""

    tenant: UUID
    given_name: str
    family_name: str
    birth_date: str  # ISO 8601 or empty


def hashed(owner: Owner, domain: str, uid: Any) -> str:
    """The keyed hash under which a UID is filed; empty for none."""
    return blind.token(owner.tenant, domain, str(uid)) if uid else ""


def base(name: str) -> str:
    """The last part of a path, as any system writes it."""
    return name.replace("\\", "/").rsplit("/", 1)[-1]


def sha256(thing: content.Content) -> str:
    """The SHA-256 (hex) of the whole content."""
    digest = hashlib.sha256()
    for chunk in content.chunks(thing):
        digest.update(chunk)
    return digest.hexdigest()


def hash_uploads(space: UUID, size: int) -> None:
    """Compute the SHA-256 of the uploads of this size that came in parts: nobody needed it before."""
    for upload in Upload.objects.filter(space=space, size=size, sha256=""):
        Upload.objects.filter(pk=upload.pk).update(sha256=sha256(upload))


def integer(value: Any) -> int:
    """A number of a header as the database takes it; 0 when it is none."""
    try:
        return max(-(2**31), min(2**31 - 1, int(value)))
    except (TypeError, ValueError, OverflowError):
        return 0


def past(text: str) -> str:
    """An ISO date that does not lie in the future, else empty."""
    try:
        return text if text and date.fromisoformat(text) <= clock.now().date() else ""
    except ValueError:
        return ""


def study_facts(facts: dict[str, Any]) -> dict[str, Any]:
    """The facts of a file that hold for its whole record."""
    return {key: facts[key] for key in STUDY_FACTS if key in facts}


def title(facts: dict[str, Any], name: str) -> str:
    """What a record is called: its own title, the description, modality with what the device was told, or the file."""
    told = facts.get("body_part") or facts.get("series_description") or facts.get("protocol")
    described = facts.get("title") or facts.get("study_description") or _words(facts.get("modality"), told)
    stem = base(name).rsplit(".", 1)[0].replace("_", " ")
    return str(described or stem)[:200]


def _words(*parts: Any) -> str:
    return " ".join(str(part) for part in parts if part)


def kind_of(extraction: Extraction) -> str:
    """A document that speaks of images is their report; images are what has frames.

    A DICOM file with neither (a plan, a palette, what is left of a cut file) is no report: none may be taken as sent.
    """
    kind = KINDS.get(extraction.suggested_type, extraction.suggested_type)
    if kind == Record.Kind.IMAGING and extraction.page_count and not extraction.facts.get("frames"):
        wordless = any(problem.code in WORDLESS for problem in extraction.problems)
        return Record.Kind.OTHER if wordless else Record.Kind.IMAGING_REPORT
    return kind if kind in Record.Kind.values else Record.Kind.OTHER


def identity_problem(facts: dict[str, Any], owner: Owner) -> set[str]:
    """{"wrong_patient"} when the file names somebody else; a person decides then."""
    match = identity.compare(
        facts, given=owner.given_name, family=owner.family_name, birth_date=owner.birth_date or None
    )
    return {"wrong_patient"} if match.verdict == "mismatch" else set()


def status(problems: list[str]) -> str:
    """The status that a record with these problems starts with."""
    if "wrong_patient" in problems:
        return Record.Status.UNDECIDED
    return Record.Status.FLAGGED if problems else Record.Status.READY


def merge_problems(record: Record, codes: set[str]) -> bool:
    """Add what a further file of the record showed (unsaved); True when that changed anything."""
    problems = sorted({*record.problems, *codes})
    if problems == record.problems:
        return False
    record.problems = problems
    if record.status in (Record.Status.READY, Record.Status.FLAGGED):
        record.status = status(problems)
    return True


def suggested_conclusions(kind: str, pages: list[str]) -> list[int]:
    """Pages (from 0) that may state the first opinion's conclusion; triage confirms them."""
    return conclusions.suggest(pages) if kind == Record.Kind.LETTER else []


def store_previews(space: UUID, tenant: UUID, extraction: Extraction) -> Iterator[Preview]:
    """Seal the pictures that the jail made; the rows are not saved."""
    for preview in extraction.previews:
        info = blobs.put([preview.data], space=space, tenant=tenant)
        yield Preview(
            kind=preview.kind,
            index=preview.index,
            blob=info.id,
            media_type=preview.media_type,
            width=preview.width,
            height=preview.height,
        )


def look_at(pk: UUID) -> None:
    """Read a file in the jail that is filed already: pictures, pages, words, and what is wrong with it."""
    from consilium.records import entries, ocr  # which file their findings through this module

    file = RecordFile.objects.get(pk=pk)  # all of it: who finishes hundreds holds only some columns of each
    found = extract(lambda: content.chunks(file))
    previews = list(store_previews(file.space, keys.space_key(file.space).tenant, found))
    with transaction.atomic():
        record = Record.objects.select_for_update().get(pk=file.record_id)
        for preview in previews:
            preview.file = file
        Preview.objects.bulk_create(previews, ignore_conflicts=True)
        merge_problems(record, {problem.code for problem in found.problems})
        if any(problem.code == "truncated_dicom" for problem in found.problems):
            file.facts = file.facts | {"cut": True}  # a whole copy may take its place
            file.save(update_fields=["facts"])
        if not file.frames:
            _describe_document(record, file, found)
        record.save()
        if not file.frames:
            entries.file_found(record, file, found)
            ocr.plan(file, found.page_count)


def _describe_document(record: Record, file: RecordFile, found: Extraction) -> None:
    """A report in a DICOM coat: its words, pages and type."""
    file.text = found.text
    file.facts = {
        **file.facts,
        **{key: found.facts[key] for key in ("scanned", "embedded", "sections") if key in found.facts},
    }
    file.save(update_fields=["text", "facts"])
    record.kind = kind_of(found)
    record.pages = max(record.pages, found.page_count)
    record.language = found.language
    record.title = title({**found.facts, "study_description": record.facts.get("study_description")}, file.name)
    record.conclusion_pages = suggested_conclusions(record.kind, found.text)
