"""What a case holds, by study, series and instance, in memory: searches and frames ask no database.

Built from the headers of the case's DICOM files. What this process files is added at once; what another one filed is
noticed by the number of files and when the last was looked at, asked once a second at most. An instance changes only
when it was damaged and a whole copy took its place.
"""

import time
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from django.db.models import Count, Max

from consilium.gateways.dicomweb.reply import Thread
from consilium.imaging import facts
from consilium.imaging.header import Header, Seen
from consilium.imaging.header_frames import Ranges
from consilium.records import checking, malware
from consilium.records.models import RecordFile, SeriesMetadata

STALE = 1.0  # seconds
CASES = 64
INSTANCES = 200_000  # of all cases together
VIEWS = 8
TAKING = 8  # cases whose headers that came last are remembered


@dataclass(slots=True, eq=False)
class Instance:
    """One stored instance; `space`, `blob`, `offset`, `size`, `more` say where its bytes lie (records.content)."""

    space: UUID
    file: UUID
    record: UUID
    blob: UUID
    offset: int
    size: int
    more: list[list[Any]]
    header: Header
    frames: list[Ranges] | None = None  # where each frame lies, once somebody asked
    shown: dict[Any, bytes] = field(default_factory=dict)  # search results about it (qido.py)

    @property
    def study(self) -> str:
        return self.header.study

    @property
    def series(self) -> str:
        return self.header.series

    @property
    def uid(self) -> str:
        return self.header.instance


@dataclass(slots=True, eq=False)
class Series:
    uid: str
    study: "Study"
    members: dict[str, Instance] = field(default_factory=dict)
    _sorted: list[Instance] | None = None
    shown: dict[Any, bytes] = field(default_factory=dict)  # as of an instance

    @property
    def instances(self) -> list[Instance]:
        """By instance number."""
        if self._sorted is None or len(self._sorted) != len(self.members):
            self._sorted = sorted(self.members.values(), key=lambda one: (one.header.number("00200013"), one.uid))
        return self._sorted

    @property
    def first(self) -> Instance:
        return self.instances[0]


@dataclass(slots=True, eq=False)
class Study:
    uid: str
    series: dict[str, Series] = field(default_factory=dict)
    records: dict[UUID, None] = field(default_factory=dict)  # that hold its images, in the order they came
    shown: dict[Any, bytes] = field(default_factory=dict)

    @property
    def instances(self) -> list[Instance]:
        return [one for series in self.series.values() for one in series.instances]

    @property
    def first(self) -> Instance:
        return next(iter(self.series.values())).first


class Tree:
    """Studies, their series and their instances."""

    def __init__(self, instances: Iterable[Instance] = ()) -> None:
        self.studies: dict[str, Study] = {}
        self.by_uid: dict[str, Instance] = {}
        for one in instances:
            self.add(one)

    def add(self, one: Instance) -> None:
        """Take in an instance; a second one with the same UID is left out."""
        if one.uid in self.by_uid:
            return
        self.by_uid[one.uid] = one
        study = self.studies.setdefault(one.study, Study(one.study))
        series = study.series.setdefault(one.series, Series(one.series, study))
        series.members[one.uid] = one
        if one.record not in study.records and facts.frames(one.header.tags):
            study.records[one.record] = None

    def replace(self, one: Instance) -> None:
        """Take in a whole copy of an instance that was damaged."""
        former = self.by_uid.get(one.uid)
        if former is None or (former.study, former.series) != (one.study, one.series):
            return
        self.by_uid[one.uid] = one
        study = self.studies[one.study]
        series = study.series[one.series]
        series.members[one.uid], series._sorted = one, None
        study.shown.clear()
        series.shown.clear()


def _place(one: Instance) -> tuple[UUID, int]:
    return one.blob, one.offset


class CaseIndex:
    """All instances of one case, and what the holders of grants may see of them."""

    def __init__(self, space: UUID) -> None:
        self.space = space
        self.tree = Tree()
        self.files: dict[UUID, Instance] = {}
        self.records: set[UUID] = set()
        self.grew_at = 0.0  # when a record came that had not been here before (monotonic)
        self.mark: Any = None  # files of the case and when the last was filed, when last looked
        self.replaced = 0  # instances that whole copies took the place of
        self.looked_at = 0.0
        self.hidden: frozenset[UUID] = frozenset()  # files that nobody may read yet (records/checking.py)
        self._views: OrderedDict[frozenset[UUID], Tree] = OrderedDict()

    def hide(self, files: frozenset[UUID]) -> None:
        """Say which files nobody may read yet: they are known here, and shown to nobody."""
        if files != self.hidden:
            self.hidden = files
            self._views.clear()

    def add(self, one: Instance) -> None:
        """Take in a new instance."""
        former = self.files.get(one.file)
        self.files[one.file] = one
        if former is not None:
            if _place(former) != _place(one):
                self.replaced += 1
                self.tree.replace(one)
                self._views.clear()
            return
        if one.record not in self.records:
            self.records.add(one.record)
            self.grew_at = time.monotonic()
        self.tree.add(one)
        self._views.clear()

    def seen_by(self, records: frozenset[UUID]) -> Tree:
        """The part of it that lies in these records: for its holder nothing else exists."""
        if self.records <= records and not self.hidden:
            return self.tree
        key = records & self.records
        view = self._views.get(key)
        if view is None:
            mine = (one for one in self.tree.by_uid.values() if one.record in key and one.file not in self.hidden)
            view = self._views[key] = Tree(mine)
            if len(self._views) > VIEWS:
                self._views.popitem(last=False)
        return view


class Indexes:
    """The indexes of the cases that were asked for last."""

    def __init__(self, thread: Thread) -> None:
        self._thread = thread
        self._kept: OrderedDict[UUID, CaseIndex] = OrderedDict()
        self._seen: OrderedDict[UUID, Seen] = OrderedDict()

    def seen(self, space: UUID) -> Seen:
        """Elements of the headers that came into a case lately."""
        found = self._seen[space] = self._seen.pop(space, None) or Seen()
        if len(self._seen) > TAKING:
            self._seen.popitem(last=False)
        return found

    async def of(self, space: UUID, *, fresh: bool = False) -> CaseIndex:
        """The index of a case, at most a second old; with `fresh` as it is now."""
        found = self._kept.get(space)
        now = time.monotonic()
        if found is not None and not fresh and now - found.looked_at < STALE:
            self._kept.move_to_end(space)
            return found
        found = found or CaseIndex(space)
        found.looked_at = now
        rows = await self._thread(_changes, found)
        if rows is not None:
            found.mark, found_here, hidden = rows
            for one in found_here:
                found.add(one)
            found.hide(hidden)
        self._kept[space] = found
        self._kept.move_to_end(space)
        self._make_room(found)
        return found

    def filed(self, index: CaseIndex, new: Iterable[Instance]) -> None:
        """This process filed instances: they are there at once, and shown unless they are to be checked first."""
        for one in new:
            if one.file not in index.files:
                if malware.required():
                    index.hide(index.hidden | {one.file})
                index.add(one)
                if index.mark is not None:
                    index.mark = (index.mark[0] + 1, index.mark[1])

    def _make_room(self, keep: CaseIndex) -> None:
        total = sum(len(one.files) for one in self._kept.values())
        while len(self._kept) > 1 and (len(self._kept) > CASES or total > INSTANCES):
            _space, oldest = self._kept.popitem(last=False)
            total -= len(oldest.files)


COLUMNS = ("id", "record_id", "blob", "offset", "size", "more", "header")


def _changes(index: CaseIndex) -> tuple[Any, list[Instance], frozenset[UUID]] | None:
    """(the mark, instances that are new or lie elsewhere now, files that nobody may read yet), or None when nothing
    changed. Runs in a thread.
    """
    mine = RecordFile.objects.filter(space=index.space).order_by()
    mark = mine.aggregate(rows=Count("pk"), last=Max("filed_at"))
    mark = (mark["rows"], mark["last"])
    if mark == index.mark:
        return None
    imaging, hidden = mine.filter(kind="dicom", header__isnull=False), checking.hidden(index.space)
    if not index.files:
        return mark, [_instance(index.space, row) for row in imaging.values_list(*COLUMNS).iterator(500)], hidden
    wanted, moved = [], set()
    for pk, blob, offset, series in imaging.values_list("pk", "blob", "offset", "series"):
        known = index.files.get(pk)
        if known is None or _place(known) != (blob, offset):
            wanted.append(pk)
            moved |= {series} if known is not None else set()
    _forget_metadata(index.space, moved)
    found: list[Instance] = []
    for start in range(0, len(wanted), 500):
        some = mine.filter(pk__in=wanted[start : start + 500]).values_list(*COLUMNS)
        found += [_instance(index.space, row) for row in some]
    return mark, found, hidden


def _forget_metadata(space: UUID, series: set[str]) -> None:
    """What was said about an instance that was replaced; the collector of orphans takes the blobs."""
    if series:
        SeriesMetadata.objects.filter(space=space, series__in=series).delete()


def _instance(space: UUID, row: tuple[Any, ...]) -> Instance:
    pk, record, blob, offset, size, more, sealed = row
    place = SimpleNamespace(seal_space="space", space=space, pk=pk)
    kept = _HEADER.open(place, sealed)
    return Instance(space, pk, record, blob, offset, size, more, kept_header(kept, size))


_HEADER: Any = RecordFile._meta.get_field("header")


def kept_header(kept: dict[str, Any], size: int) -> Header:
    """The Header of what is kept beside the file (records.dicom.as_kept)."""
    pixels = tuple(kept["pixels"]) if kept.get("pixels") else None
    return Header(kept["ts"], kept["dataset"], size, kept["tags"], pixels)
