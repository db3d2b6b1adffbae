"""DICOM instances as files of a case: filed in batches as they arrive, looked at afterwards.

`add` takes what the header says: it finds or makes the study's record, compares the patient, and leaves out what
is there already. Rows exist, and DICOMweb answers from them, when it returns. `finish` is a job: it computes the
SHA-256 of every file (the list of records seen names it), looks at one picture a series in the jail, and reads the
pages of reports. Bytes are sealed before `add` is called.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any
from uuid import UUID, uuid4

from django.db import transaction

from consilium.core import clock, jobs
from consilium.imaging import facts as imaging_facts
from consilium.imaging.series import summarise
from consilium.records import content, filing, slides
from consilium.records.filing import Owner
from consilium.records.models import Record, RecordFile, Upload
from consilium.vault import keys
from consilium.vault.segments import Slice

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


@dataclass(frozen=True)
class Origin:
    """Whose the instances are and how they came."""

    space: UUID
    owner: Owner
    by: str  # Principal.ref
    upload: Upload | None = None


@dataclass(frozen=True)
class Filed:
    """What became of one instance: code "stored" or "duplicate", and its file and record when stored."""

    code: str
    file: UUID | None = None
    record: UUID | None = None


def add(new: Sequence[NewInstance], origin: Origin) -> list[Filed]:
    """File instances in one transaction; the answers are in the order of `new`."""
    keyed = [(one, _keys(one, origin.owner)) for one in new]
    with transaction.atomic():
        known = _known(origin.space, [keys[2] for _one, keys in keyed])
        records = _Records(origin)
        rows: list[RecordFile] = []
        answers: list[Filed] = []
        for one, (study, series, instance) in keyed:
            if instance in known:
                answers.append(Filed("duplicate"))
                continue
            known.add(instance)
            row = _row(one, records.of(one, study), series, instance, origin)
            rows.append(row)
            answers.append(Filed("stored", row.pk, row.record_id))
        RecordFile.objects.bulk_create(rows, batch_size=100)
        records.save()
        if rows:
            _ask_to_finish(origin.space)
    return answers


def known(space: UUID, owner: Owner, instance_uids: Iterable[str]) -> set[str]:
    """Which of these SOP Instance UIDs the case holds already."""
    by_token = {filing.hashed(owner, "instance", uid): uid for uid in instance_uids if uid}
    return {by_token[token] for token in _known(space, list(by_token))}


def _keys(one: NewInstance, owner: Owner) -> tuple[str, str, str]:
    tags = one.header["tags"]
    uids = (imaging_facts.value(tags, f"{level}InstanceUID") for level in ("Study", "Series", "SOP"))
    study, series, instance = (filing.hashed(owner, domain, uid) for domain, uid in zip(_DOMAINS, uids, strict=True))
    return study, series, instance


_DOMAINS = ("study", "series", "instance")


def _known(space: UUID, tokens: list[str]) -> set[str]:
    found: set[str] = set()
    for start in range(0, len(tokens), 500):
        some = [token for token in tokens[start : start + 500] if token]
        found |= set(RecordFile.objects.filter(space=space, instance__in=some).values_list("instance", flat=True))
    return found


def _row(one: NewInstance, record: Record, series: str, instance: str, origin: Origin) -> RecordFile:
    tags = one.header["tags"]
    return RecordFile(
        id=uuid4(),
        space=origin.space,
        record=record,
        **content.placed(one.slices),
        media_type="application/dicom",
        kind="dicom",
        name=one.name,
        series=series,
        instance=instance,
        series_number=filing.integer(imaging_facts.value(tags, "SeriesNumber")),
        position=filing.integer(imaging_facts.value(tags, "InstanceNumber")),
        frames=imaging_facts.frames(tags),
        facts=imaging_facts.from_tags(tags, one.header["ts"]),
        header=one.header,
    )


class _Records:
    """The records that a batch adds to: found or made once a study, saved once."""

    def __init__(self, origin: Origin) -> None:
        self.origin = origin
        self.found: dict[str, Record] = {}
        self.changed: set[UUID] = set()

    def of(self, one: NewInstance, study: str) -> Record:
        """The record of an instance: images join their study, a report is a document of its own."""
        facts = imaging_facts.from_tags(one.header["tags"], one.header["ts"])
        if not facts["frames"] or not study:
            return self._new(facts, one, "")
        record = self.found.get(study) or self._stored(study) or self._new(facts, one, study)
        self.found[study] = record
        problems = self._problems(facts, one) - set(record.problems)
        if problems:
            filing.merge_problems(record, problems)
        record.images += facts["frames"]
        self.changed.add(record.pk)
        return record

    def save(self) -> None:
        for record in self.found.values():
            if record.pk in self.changed:
                record.save(update_fields=["problems", "status", "images"])

    def _stored(self, study: str) -> Record | None:
        mine = Record.objects.select_for_update().filter(space=self.origin.space, group=study)
        return mine.exclude(status=Record.Status.REMOVED).first()

    def _new(self, facts: dict[str, Any], one: NewInstance, study: str) -> Record:
        problems = sorted(self._problems(facts, one))
        record = Record(
            space=self.origin.space,
            upload=self.origin.upload,
            kind=Record.Kind.IMAGING if facts["frames"] else Record.Kind.OTHER,
            status=filing.status(problems),
            problems=problems,
            group=study,
            added_by=self.origin.by,
            conclusion_pages=[] if facts["frames"] else NOT_LOOKED_AT,
        )
        record.title = filing.title(facts, one.name)
        record.clinical_date = filing.past(facts["study_date"] or facts["content_date"])
        record.facts = filing.study_facts(facts)
        record.save()
        return record

    def _problems(self, facts: dict[str, Any], one: NewInstance) -> set[str]:
        found = filing.identity_problem(facts, self.origin.owner)
        start, length = one.header.get("pixels") or (one.size, 0)
        # native pixel data (a negative length: compressed, whose frames show it when one is decoded)
        short = 0 <= length < imaging_facts.expected_bytes(one.header["tags"])
        if facts["frames"] and (short or start + max(length, 0) > one.size):
            found.add("truncated_dicom")
        return found


# --- afterwards -------------------------------------------------------------------------------------------


def _ask_to_finish(space: UUID) -> None:
    """One job for all that arrives within two seconds; what slips through is found by the sweep."""
    from consilium.records.jobs import finish_space

    jobs.enqueue(finish_space, str(space), key=f"instances:{space}:{int(clock.now().timestamp()) // 2}")


def finish(space: UUID) -> int:
    """Finish every unfiled instance of a case; returns how many. Running it twice changes nothing."""
    done = 0
    while batch := list(_unfiled(space)[:200]):
        for series, files in groupby(batch, key=lambda file: (file.record_id, file.series)):
            done += _finish_series(list(files), first=series)
        for record in {file.record_id for file in batch if file.frames}:
            _summarise(record)
    return done


def _summarise(record_id: UUID) -> None:
    """Note what each series of a study is as a whole, for the check whether it is enough."""
    with transaction.atomic():
        record = Record.objects.select_for_update().get(pk=record_id)
        files = record.files.filter(frames__gt=0).order_by("series_number", "series", "position")
        groups = groupby(files.iterator(), key=lambda file: file.series)
        record.facts = record.facts | {"series": [summarise([file.facts for file in group]) for _key, group in groups]}
        record.save(update_fields=["facts"])


def _unfiled(space: UUID) -> Any:
    waiting = RecordFile.objects.filter(space=space, filed_at=None).select_related("record")
    return waiting.order_by("record_id", "series", "position", "id")


def _finish_series(files: list[RecordFile], *, first: tuple[UUID, str]) -> int:
    """Hash each file; look at the middle picture when nobody looked at one of this series before."""
    record_id, series = first
    pictured = RecordFile.objects.filter(record_id=record_id, series=series, previews__kind="thumbnail").exists()
    tenant = keys.space_key(files[0].space).tenant
    zoomed = [file for file in files if slides.is_dicom_slide(file)]
    chosen = files[len(files) // 2] if files[0].frames and not pictured and not zoomed else None
    for file in files:
        sha256 = filing.sha256(file)
        if file is chosen or not file.frames:
            filing.look_at(file, tenant)
        RecordFile.objects.filter(pk=file.pk).update(sha256=sha256, filed_at=clock.now())
    for file in zoomed:
        slides.notice(file)
    return len(files)
