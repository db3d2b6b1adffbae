"""From an upload to records: sniff, unpack, read in the sandbox, file. Safe to run again after a crash.

Bytes are sealed before any row is written, rows are written in small transactions, and a file that is
already there (same bytes, or the same SOP Instance UID) is not stored twice. Images take the short way: their
header is read here (imaging/header.py) and they are filed in batches (instances.py), so that a disc of thousands
is done at the speed of its bytes; everything else is read in the jail, file by file.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from time import monotonic
from typing import Any
from uuid import UUID

from django.db import transaction

from consilium.core import clock
from consilium.imaging import header
from consilium.records import content, dicom, entries, filing, instances, malware, ocr, returning, slides
from consilium.records.bundle import Bundle
from consilium.records.extract import DEFAULT, Extraction, Kind, Limits, extract, leftout, open_archive, sniff, tarball
from consilium.records.extract.tarball import TarMember
from consilium.records.filing import Owner
from consilium.records.instances import Filed, NewInstance, Origin
from consilium.records.models import Preview, Record, RecordFile, Upload
from consilium.records.sniff import HEAD, TAIL
from consilium.vault import blobs
from consilium.vault.segments import SegmentWriter, Slice, joined

BATCH = 400  # images filed in one transaction
MOST_DOCUMENTS = 2_000  # of one upload: more are no case's letters, and all others would wait behind them
TOGETHER = 64 * 2**20  # bytes unpacked before they are made durable and filed

__all__ = ["Owner", "ingest"]


@dataclass
class Batch:
    """The state of one archive: what is to be filed, what was left out, what is done."""

    upload: Upload
    owner: Owner
    waiting: list[NewInstance] = field(default_factory=list)
    notes: list[dict[str, str]] = field(default_factory=list)
    filed: int = 0
    documents: int = 0  # read in the jail, one by one
    seconds: float = 0.0  # that took
    used: set[UUID] = field(default_factory=set)  # blobs in which something that was filed lies
    checked: bool = field(default_factory=malware.checks)  # asked once, not for each of thousands
    seen: header.Seen = field(default_factory=header.Seen)  # of headers read so far
    there: set[tuple[UUID, int]] = field(default_factory=set)  # filed by an earlier run

    def note(self, name: str, code: str) -> None:
        self.notes.append({"name": name, "code": code})

    def too_many(self) -> None:
        """Say once, before all other notes, that the rest of the documents was not taken."""
        whole = {"name": "", "code": "too_many_files"}
        if whole not in self.notes[:1]:
            self.notes.insert(0, whole)

    def image(self, new: NewInstance) -> None:
        self.waiting.append(new)
        if len(self.waiting) >= BATCH:
            self.flush()

    def flush(self) -> None:
        """File the images that wait, and say how far it is."""
        origin = Origin(self.upload.space, self.owner, self.upload.uploaded_by, self.upload)
        answers = instances.add(self.waiting, origin)
        for new, answer in zip(self.waiting, answers, strict=True):
            if answer.code == "stored":
                self.filed += 1
                self.used |= {one.blob for one in new.slices}
        self._note_others(answers)
        self.waiting = []
        self.progress()

    def _note_others(self, answers: Sequence[Filed]) -> None:
        """What was not filed; of what is twice in one folder, or was filed by a run that broke off, no other word."""
        others = [(new, one.code) for new, one in zip(self.waiting, answers, strict=True) if one.code != "stored"]
        mine = instances.of_upload(self.upload, self.owner, [new for new, code in others if code == "duplicate"])
        for new, code in others:
            self.note(new.name, "copy" if code == "duplicate" and new.uid in mine else code)

    def progress(self) -> None:
        Upload.objects.filter(pk=self.upload.pk).update(members=self.filed, members_done=self.filed)


def ingest(upload: Upload, owner: Owner) -> Upload:
    """Read `upload` and file its records; returns it with its final status. Raises malware.Unavailable."""
    malware.ready()
    Upload.objects.filter(pk=upload.pk).update(status=Upload.Status.CHECKING)  # `upload` itself says what was before
    ways: dict[Kind, Callable[[Upload, Owner], None]] = {Kind.ZIP: _ingest_zip, Kind.TAR: _ingest_tar}
    ways.get(_sniffed(upload), _ingest_single)(upload, owner)
    upload.refresh_from_db()
    return upload


def _sniffed(thing: content.Content) -> Kind:
    """By content: the head, and the tail in which zip-based documents name their parts."""
    tail = b"".join(content.chunks(thing, max(0, thing.size - TAIL), thing.size))
    return sniff(content.read_at(thing, 0, HEAD), tail)


def _ingest_single(upload: Upload, owner: Owner) -> None:
    if malware.refused(content.chunks(upload), space=upload.space, upload=upload.pk):
        Upload.objects.filter(pk=upload.pk).update(status=Upload.Status.REFUSED, problem="malware")
        return
    new = dicom.instance(upload, content.part(upload, 0, upload.size), name=filing.base(upload.name))
    if new is not None:
        _ingest_one_image(upload, owner, new)
        return
    if _is_here(upload, filing.base(upload.name), upload):
        return
    found = _read(upload)
    if found.refused:
        code = next(problem.code for problem in found.problems if problem.severity == "refuse")
        Upload.objects.filter(pk=upload.pk).update(status=Upload.Status.REFUSED, problem=code)
        return
    file_document(upload, owner, upload.name, upload, found)
    done = {"status": Upload.Status.DONE, "members": 1, "members_done": 1, "sha256": upload.sha256}
    Upload.objects.filter(pk=upload.pk).update(**done)


def _is_here(upload: Upload, name: str, what: content.Content) -> bool:
    """Whether these bytes are a record of the case already; then the upload says so and is done."""
    upload.sha256 = upload.sha256 or filing.sha256(what)
    here = returning.document_back(upload.space, upload.sha256, by=upload.uploaded_by)
    if here is None:
        return False
    code, earlier = here
    upload.status, upload.members, upload.members_done = Upload.Status.DONE, 1, 1
    upload.notes = [] if earlier == upload.pk else [{"name": name, "code": code}]
    if code == returning.MALWARE:
        upload.status, upload.problem = Upload.Status.REFUSED, code
    upload.save(update_fields=["sha256", "status", "problem", "members", "members_done", "notes"])
    return True


def _ingest_one_image(upload: Upload, owner: Owner, new: NewInstance) -> None:
    (answer,) = instances.add([new], Origin(upload.space, owner, upload.uploaded_by, upload))
    notes = [] if answer.code == "stored" else [{"name": new.name, "code": answer.code}]
    upload.status, upload.members, upload.members_done, upload.notes = Upload.Status.DONE, 1, 1, notes
    upload.save(update_fields=["status", "members", "members_done", "notes"])


def _read(what: content.Content, limits: Limits = DEFAULT) -> Extraction:
    """Look at a slide where it lies; anything else is read whole, in the jail."""
    return slides.look(what) or extract(lambda: content.chunks(what), limits=limits)


# An upload whose files keep the jail busy gets less time for each: other people's letters wait behind it.
PATIENCE = ((60.0, DEFAULT), (300.0, replace(DEFAULT, seconds=3.0, cpu_seconds=2)))
HURRY = replace(DEFAULT, seconds=1.0, cpu_seconds=1)


def _read_in_time(batch: Batch, what: content.Content) -> Extraction:
    limits = next((limits for until, limits in PATIENCE if batch.seconds < until), HURRY)
    began = monotonic()
    found = _read(what, limits)
    batch.seconds += monotonic() - began
    batch.documents += 1
    return found


# --- archives ---------------------------------------------------------------------------------------------


def _ingest_tar(upload: Upload, owner: Owner) -> None:
    """A bundle: its files stay where they are, inside the upload.

    Images are filed while the bundle is read, for they are kept whatever lies beside them; of the rest, all names
    together tell what belongs to the disc's viewer.
    """
    batch, bundle = Batch(upload, owner), Bundle(upload)
    batch.there = _filed_before(upload)
    found: list[TarMember] = []
    images: set[int] = set()  # where those begin that were taken at once
    for member in tarball.walk(bundle.read, upload.size):
        found.append(member)
        if not member.problems and leftout.is_kept(member.name, member.kind):
            images.add(member.offset)
            _take_member(batch, bundle, member)
    for member in tarball.judged(found):
        if member.refused or not member.name:
            batch.note(member.name, _why_not(member))
        elif member.offset not in images:
            _take_member(batch, bundle, member)
    _finish_archive(batch)


def _why_not(member: TarMember) -> str:
    codes = [one.code for one in member.problems if one.severity == "refuse" or one.code == "left_out"]
    return codes[0] if codes else member.problems[0].code


def _filed_before(upload: Upload) -> set[tuple[UUID, int]]:
    """Where the files begin that an earlier run filed, which did not come to its end."""
    if upload.status != Upload.Status.CHECKING:
        return set()
    mine = RecordFile.objects.filter(space=upload.space, blob__in=content.blob_ids(upload))
    return set(mine.values_list("blob", "offset"))


def _take_member(batch: Batch, bundle: Bundle, member: TarMember) -> None:
    what = content.Sliced(bundle.space, bundle.part(member.offset, member.size))
    if (what.blob, what.offset) in batch.there:
        batch.filed += 1
    elif member.kind == Kind.ZIP and _sniffed(what) == Kind.ZIP:  # else a letter in a zip's coat
        _unpack(batch, what, f"{member.name}/")
    else:
        _take(batch, member.name, what, lambda start, size: bundle.read_part(member.offset, member.size, start, size))


def _ingest_zip(upload: Upload, owner: Owner) -> None:
    """A zip: its files are unpacked in the jail and sealed anew, many to a segment."""
    batch = Batch(upload, owner)
    _unpack(batch, upload)
    _finish_archive(batch)


def _unpack(batch: Batch, what: content.Content, prefix: str = "") -> None:
    unpacked = _Unpacked(batch)
    for member in open_archive(lambda: content.chunks(what)):
        if member.refused or not member.name:
            batch.notes += [{"name": prefix + member.name, "code": problem.code} for problem in member.problems]
            continue
        slices = joined([one for chunk in member.chunks() for one in unpacked.out.add(chunk)])
        # Damage and bombs show only while a member is read: then nothing of it is kept.
        if member.refused or not slices:
            codes = [problem.code for problem in member.problems] or ["empty"]
            batch.notes += [{"name": prefix + member.name, "code": code} for code in codes]
        else:
            unpacked.add(prefix + member.name, slices)
    unpacked.settle()


class _Unpacked:
    """Members whose bytes wait in one writer until they are made durable and filed together."""

    def __init__(self, batch: Batch) -> None:
        self.batch = batch
        self.out = self._writer()
        self.members: list[tuple[str, list[Slice]]] = []
        self.bytes = 0

    def _writer(self) -> SegmentWriter:
        return SegmentWriter(space=self.batch.upload.space, tenant=self.batch.owner.tenant)

    def add(self, name: str, slices: list[Slice]) -> None:
        self.members.append((name, slices))
        self.bytes += sum(one.size for one in slices)
        if self.bytes >= TOGETHER or len(self.members) >= BATCH:
            self.settle()

    def settle(self) -> None:
        """Durable first, then filed; segments of which nothing was needed are deleted."""
        self.out.finish()
        self.batch.used = set()
        for name, slices in self.members:
            _take(self.batch, name, content.Sliced(self.batch.upload.space, slices))
        self.batch.flush()
        for blob in set(self.out.blobs) - self.batch.used:
            blobs.delete(blob)
        self.out, self.members, self.bytes = self._writer(), [], 0


def _take(batch: Batch, name: str, what: content.Sliced, read: dicom.Read | None = None) -> None:
    """File one member, or note why not."""
    if batch.checked and malware.refused(content.chunks(what), space=what.space, upload=batch.upload.pk):
        batch.note(name, "malware")
        return
    new = dicom.instance(what, what.slices, name=filing.base(name), read=read, seen=batch.seen) if what.size else None
    if new is not None:
        batch.image(new)
    elif what.size:
        _take_document(batch, name, what)
    else:
        batch.note(name, "empty")


def _take_document(batch: Batch, name: str, what: content.Sliced) -> None:
    sha256 = filing.sha256(what)
    here = returning.document_back(what.space, sha256, by=batch.upload.uploaded_by)
    if here is not None:
        code, earlier = here
        batch.note(name, "copy" if code == "duplicate" and earlier == batch.upload.pk else code)
        return
    if batch.documents >= MOST_DOCUMENTS:
        batch.too_many()
        return
    found = _read_in_time(batch, what)
    if found.refused or found.has("left_out"):
        batch.note(name, next(one.code for one in found.problems if one.severity == "refuse" or one.code == "left_out"))
        return
    file_document(batch.upload, batch.owner, name, what, found, sha256=sha256)
    batch.used |= content.blob_ids(what)
    batch.filed += 1
    batch.progress()


HERE = {"duplicate", "same_number", returning.CAME_AGAIN}  # something of this upload is in the case already
MOST_NOTES = 500


def _kept(notes: list[dict[str, str]]) -> list[dict[str, Any]]:
    """As many notes as a page can hold, of every kind some: thousands of one must not hide the only one of another.

    "more" of a note: how many like it are not listed.
    """
    if len(notes) <= MOST_NOTES:
        return list(notes)
    by_code: dict[str, list[dict[str, Any]]] = {}
    for note in notes:
        by_code.setdefault(note["code"], []).append(dict(note))
    most = max(1, MOST_NOTES // len(by_code))
    for some in by_code.values():
        if len(some) > most:
            some[most - 1]["more"] = len(some) - most
    return [note for some in by_code.values() for note in some[:most]]


def _finish_archive(batch: Batch) -> None:
    batch.flush()
    upload = batch.upload
    upload.refresh_from_db()
    upload.notes = _kept(batch.notes)
    here = any(note["code"] in HERE for note in batch.notes)
    if batch.filed or here or upload.records.exists():  # images may join a record of another upload
        upload.status, upload.members, upload.members_done = Upload.Status.DONE, batch.filed, batch.filed
    else:
        upload.status = Upload.Status.REFUSED
        said = (note["code"] for note in batch.notes if note["code"] not in ("left_out", "empty"))
        upload.problem = next(said, "archive_empty")  # nothing but empty files is nothing
    upload.save()


# --- documents --------------------------------------------------------------------------------------------


def file_document(
    upload: Upload, owner: Owner, name: str, what: content.Content, found: Extraction, *, sha256: str = ""
) -> RecordFile:
    """Write the record, file and previews of what was read in the jail."""
    previews = list(filing.store_previews(upload.space, owner.tenant, found))
    with transaction.atomic():
        record = _new_record(upload, owner, name, found)
        file = RecordFile.objects.create(
            space=upload.space,
            record=record,
            blob=what.blob,
            offset=what.offset,
            size=what.size,
            more=what.more,
            sha256=sha256 or upload.sha256 or filing.sha256(what),
            media_type=found.media_type,
            kind=str(found.kind.value),
            name=filing.base(name),
            frames=filing.integer(found.facts.get("frames")),
            facts=found.facts,
            text=found.text,
            filed_at=clock.now(),
        )
        for preview in previews:
            preview.file = file
        Preview.objects.bulk_create(previews)
        entries.file_found(record, file, found)
        if found.kind == Kind.SLIDE:
            slides.notice(file)
        ocr.plan(file, found.page_count)
    return file


def _new_record(upload: Upload, owner: Owner, name: str, found: Extraction) -> Record:
    kind = filing.kind_of(found)
    problems = sorted({problem.code for problem in found.problems} | filing.identity_problem(found.facts, owner))
    record = Record(
        space=upload.space,
        upload=upload,
        kind=kind,
        status=filing.status(problems),
        problems=problems,
        language=found.language,
        added_by=upload.uploaded_by,
        conclusion_pages=filing.suggested_conclusions(kind, found.text),
        pages=found.page_count if not found.facts.get("frames") else 0,
        images=filing.integer(found.facts.get("frames")),
    )
    record.title = filing.title(found.facts, name)
    record.clinical_date = filing.past(found.suggested_date)
    record.facts = filing.study_facts(found.facts)
    record.save()
    return record
