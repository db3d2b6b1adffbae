"""DICOM instances as files of a case: filed in batches as they arrive, looked at afterwards.

`add` takes what the header says: it finds or makes the study's record, compares the patient, and leaves out what
is there already. Rows exist, and DICOMweb answers from them, when it returns. `finish` (finishing.py) is a job: it
computes the SHA-256 of every file (the list of records seen names it), looks at one picture a series in the jail, and
reads the pages of reports. Bytes are sealed before `add` is called.
"""

import contextlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from uuid import UUID, uuid4

from django.db import IntegrityError, transaction

from consilium.core import clock, jobs
from consilium.imaging import facts as imaging_facts
from consilium.imaging.header_tags import DEFLATED
from consilium.records import content, filing, finishing, returning, rows, slides
from consilium.records.filing import Owner
from consilium.records.models import Record, RecordFile, Upload
from consilium.vault.segments import Slice

DAMAGE = {"truncated_dicom"}
NOT_LOOKED_AT = [-1]  # Record.conclusion_pages until the words of a report have been read


@dataclass(frozen=True)
class NewInstance:
    """An instance whose bytes are sealed: where they lie, and its header.

    header: {"ts": transfer syntax UID, "tags": {"00080018": ["UI", ["1.2…"]], …}, "dataset": offset of the data set,
    "pixels": [offset, length] of native pixel data or None}.
    """

    slices: list[Slice]
    header: dict[str, Any]
    name: str = ""

    @property
    def size(self) -> int:
        return sum(one.size for one in self.slices)

    @property
    def uid(self) -> str:
        """The SOP Instance UID, or nothing."""
        return str(imaging_facts.value(self.header["tags"], "SOPInstanceUID") or "")


@dataclass(frozen=True)
class Origin:
    """Whose the instances are and how they came."""

    space: UUID
    owner: Owner
    by: str  # Principal.ref
    upload: Upload | None = None


@dataclass(frozen=True)
class Filed:
    """What became of one instance: code "stored" (then its file and record), "duplicate", "same_number" (another
    picture has its UID), or one of returning.py."""

    code: str
    file: UUID | None = None
    record: UUID | None = None


def add(
    new: Sequence[NewInstance],
    origin: Origin,
    *,
    joined: Mapping[str, UUID] | None = None,
    durable: Callable[[], None] = lambda: None,
) -> list[Filed]:
    """File instances in one transaction; the answers are in the order of `new`.

    joined: from a caller who knows the case by heart, the record that the images of a study (its UID) belong to. Then
    nothing is looked up first; where that turns out to be wrong it is done again, with looking. durable: returns when
    the bytes are on disk; it is asked before the transaction begins, after all that can be prepared.
    """
    hashed = _Hashed(origin.owner)
    looked = [_looked_at(one, origin.owner, hashed) for one in new]
    known = {hashed.of("study", uid): record for uid, record in (joined or {}).items()}
    if all(one.study in known and one.facts["frames"] and not one.problems for one in looked):
        with contextlib.suppress(IntegrityError, _Outdated):
            return _join(looked, origin, known, durable)
    durable()
    return _add(looked, origin)


class _Outdated(Exception):  # noqa: N818 - a named outcome
    """A record that images should join is not there any more."""


def _join(looked: "list[_Looked]", origin: Origin, joined: dict[str, UUID], durable: Callable[[], None]) -> list[Filed]:
    """Images of studies that are there already. Raises _Outdated, and IntegrityError for one that came before."""
    made = [_row(one, joined[one.study], origin) for one in looked]
    insert = rows.insertion(made)
    images: Counter[UUID] = Counter()
    for row in made:
        images[row.record_id] += row.frames
    durable()
    with transaction.atomic():
        insert()
        if not all(rows.add_images(record, count) for record, count in images.items()):
            raise _Outdated
        if made:
            _ask_to_finish(origin)
    return [Filed("stored", row.pk, row.record_id) for row in made]


def _add(looked: "list[_Looked]", origin: Origin) -> list[Filed]:
    with transaction.atomic():
        known = _known(origin.space, [one.instance for one in looked])
        back = returning.instances_back(origin.space, known, by=origin.by)
        records = _Records(origin)
        made: dict[int, RecordFile] = {}
        again: list[int] = []
        for number, one in enumerate(looked):
            if one.instance in known:
                again.append(number)
                continue
            known.add(one.instance)
            made[number] = _row(one, records.of(one).pk, origin)
        rows.insert(list(made.values()))
        records.save()
        answers = {number: Filed("stored", row.pk, row.record_id) for number, row in made.items()}
        for number in again:
            found = answers[number] = _again(looked[number], origin, back)
            answers |= {other: Filed("duplicate") for other, row in made.items() if row.pk == found.file}
        if any(answer.code == "stored" for answer in answers.values()):
            _ask_to_finish(origin)
    return [answers[number] for number in range(len(looked))]


def _again(one: "_Looked", origin: Origin, back: Mapping[str, str]) -> Filed:
    """The same SOP instance again: the same bytes, less of them, the whole of what was cut, or another picture.

    A whole copy takes the place of one that came incomplete (a scratched disc, then a better one). back: what became of
    records that were out.
    """
    there = RecordFile.objects.select_for_update().filter(space=origin.space, instance=one.instance).first()
    mine = content.Sliced(origin.space, one.new.slices)
    damaged = bool(one.problems & DAMAGE)
    less = there is None or content.begins_with(there, mine)
    if there is not None and not less and not damaged and (_damage_of(there) or content.begins_with(mine, there)):
        return _replace(there, one)
    return Filed(back.get(one.instance) or ("duplicate" if less or damaged else "same_number"))


def _replace(there: RecordFile, one: "_Looked") -> Filed:
    """The earlier bytes stay sealed where they are; what was made of them (hash, pictures) is made anew."""
    for name, value in content.placed(one.new.slices).items():
        setattr(there, name, value)
    there.name, there.facts, there.header = one.new.name, one.facts, one.new.header
    there.sha256, there.filed_at = "", None
    there.save()
    there.previews.all().delete()
    record = Record.objects.select_for_update().get(pk=there.record_id)
    if not any(map(_damage_of, record.files.all())):
        record.problems = [code for code in record.problems if code not in DAMAGE]
        if record.status == Record.Status.FLAGGED:
            record.status = filing.status(record.problems)
        record.save(update_fields=["problems", "status"])
    return Filed("stored", there.pk, there.record_id)


def _damage_of(file: RecordFile) -> bool:
    """By its header, or as somebody found who looked at it."""
    stored = NewInstance(content.extents(file), file.header or {"tags": {}})
    return bool(file.facts.get("cut") or (file.header and _damage(file.facts, stored)))


@dataclass(frozen=True)
class _Looked:
    """An instance and what its header says; study, series, instance: keyed hashes."""

    new: NewInstance
    facts: dict[str, Any]
    study: str
    series: str
    instance: str
    problems: frozenset[str]


def _looked_at(one: NewInstance, owner: Owner, hashed: "_Hashed") -> _Looked:
    tags = one.header["tags"]
    facts = imaging_facts.from_tags(tags, one.header["ts"])
    study, series, instance = (imaging_facts.value(tags, f"{level}InstanceUID") for level in ("Study", "Series", "SOP"))
    return _Looked(
        one,
        facts,
        hashed.of("study", study),
        hashed.of("series", series),
        filing.hashed(owner, "instance", instance),
        frozenset(_identity_problem(owner, *(facts.get(key) for key in _IDENTITY)) | _damage(facts, one)),
    )


class _Hashed:
    """Keyed hashes of UIDs that all instances of a batch share."""

    def __init__(self, owner: Owner) -> None:
        self._owner = owner
        self._found: dict[tuple[str, Any], str] = {}

    def of(self, domain: str, uid: Any) -> str:
        found = self._found.get((domain, uid))
        if found is None:
            found = self._found[domain, uid] = filing.hashed(self._owner, domain, uid)
        return found


_IDENTITY = ("patient_name", "patient_birth_date", "patient_given", "patient_family")


@lru_cache(maxsize=64)
def _identity_problem(owner: Owner, *values: Any) -> frozenset[str]:
    """All slices of a study name the same patient."""
    facts = dict(zip(_IDENTITY, values, strict=True))
    return frozenset(filing.identity_problem({key: one for key, one in facts.items() if one}, owner))


def _damage(facts: dict[str, Any], one: NewInstance) -> set[str]:
    if one.header.get("ts") in DEFLATED:  # whether its end is missing shows when it is inflated
        return set()
    start, length = one.header.get("pixels") or (one.size, 0)
    # native pixel data (a negative length: compressed, whose frames show it when one is decoded)
    short = 0 <= length < imaging_facts.expected_bytes(one.header["tags"])
    return {"truncated_dicom"} if facts["frames"] and (short or start + max(length, 0) > one.size) else set()


def of_upload(upload: Upload, owner: Owner, some: Sequence[NewInstance]) -> set[str]:
    """Which of these (by SOP Instance UID) came with this upload already."""
    by_token = {filing.hashed(owner, "instance", one.uid): one.uid for one in some if one.uid}
    if not by_token:
        return set()
    mine = RecordFile.objects.filter(space=upload.space, record__upload=upload, instance__in=list(by_token))
    return {by_token[token] for token in mine.values_list("instance", flat=True)}


def _known(space: UUID, tokens: list[str]) -> set[str]:
    found: set[str] = set()
    for start in range(0, len(tokens), 500):
        some = [token for token in tokens[start : start + 500] if token]
        found |= set(RecordFile.objects.filter(space=space, instance__in=some).values_list("instance", flat=True))
    return found


def _row(one: _Looked, record: UUID, origin: Origin) -> RecordFile:
    new, tags = one.new, one.new.header["tags"]
    return RecordFile(
        id=uuid4(),
        space=origin.space,
        record_id=record,
        **content.placed(new.slices),
        media_type="application/dicom",
        kind="dicom",
        name=new.name,
        series=one.series,
        instance=one.instance,
        series_number=filing.integer(imaging_facts.value(tags, "SeriesNumber")),
        position=filing.integer(imaging_facts.value(tags, "InstanceNumber")),
        frames=imaging_facts.frames(tags),
        facts=one.facts,
        header=new.header,
    )


class _Records:
    """The records that a batch adds to: found or made once a study, saved once."""

    def __init__(self, origin: Origin) -> None:
        self.origin = origin
        self.found: dict[str, Record] = {}

    def of(self, one: _Looked) -> Record:
        """The record of an instance: images join their study, a report is a document of its own."""
        if not one.facts["frames"] or not one.study:
            return self._new(one, "")
        record = self.found.get(one.study) or self._stored(one.study) or self._new(one, one.study)
        self.found[one.study] = record
        if one.problems - set(record.problems):
            filing.merge_problems(record, set(one.problems))
        record.images = filing.integer(record.images + one.facts["frames"])
        return record

    def save(self) -> None:
        """Write what changed."""
        for record in self.found.values():
            record.save(update_fields=["problems", "status", "images"])

    def _stored(self, study: str) -> Record | None:
        mine = Record.objects.select_for_update().filter(space=self.origin.space, group=study)
        return mine.exclude(status=Record.Status.REMOVED).first()

    def _new(self, one: _Looked, study: str) -> Record:
        facts, problems = one.facts, sorted(one.problems)
        record = Record(
            space=self.origin.space,
            upload=self.origin.upload,
            kind=_kind(facts),
            status=filing.status(problems),
            problems=problems,
            group=study,
            added_by=self.origin.by,
            conclusion_pages=[] if facts["frames"] else NOT_LOOKED_AT,
        )
        record.title = filing.title(facts, one.new.name)
        record.clinical_date = filing.past(facts["study_date"] or facts["content_date"])
        record.facts = filing.study_facts(facts)
        record.save()
        return record


def _kind(facts: dict[str, Any]) -> str:
    if facts.get("sop_class") == slides.SOP_CLASS:
        return Record.Kind.SLIDES
    return Record.Kind.IMAGING if facts["frames"] else Record.Kind.OTHER


# --- afterwards -------------------------------------------------------------------------------------------


def _ask_to_finish(origin: Origin) -> None:
    """One job for all that arrives within a few seconds; what slips through is found by the sweep.

    What other programs send is looked at when those seconds are over: it would take the processor from the images
    that are still coming.
    """
    from consilium.records.jobs import finish_space

    space, window = origin.space, int(clock.now().timestamp()) // TOGETHER
    later = None if origin.upload else datetime.fromtimestamp((window + 1) * TOGETHER, UTC)
    if later and _asked.get(space) == window:
        return
    sent = origin.upload.pk if origin.upload else space
    jobs.enqueue(finish_space, str(space), key=f"instances:{sent}:{window}", run_after=later)
    if later:
        transaction.on_commit(lambda: _remember_asked(space, window))


def _remember_asked(space: UUID, window: int) -> None:
    if len(_asked) > 1000:
        _asked.clear()
    _asked[space] = window


TOGETHER = 4  # seconds
_asked: dict[UUID, int] = {}  # this process has written the job of this case and window

finish = finishing.finish
