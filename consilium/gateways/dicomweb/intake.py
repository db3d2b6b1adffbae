"""Parts of a STOW request on their way into the vault: scanned, compared with what is there, sealed. All in threads."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from consilium.gateways.dicomweb.index import CaseIndex, Instance
from consilium.imaging import facts, header
from consilium.imaging.header import Header, NotFast, Seen
from consilium.imaging.header_tags import DEFLATED
from consilium.records import content, dicom
from consilium.records.extract import Kind, sniff
from consilium.records.instances import NewInstance
from consilium.records.sniff import HEAD
from consilium.vault import blobs
from consilium.vault.segments import SegmentWriter, Slice, joined

# Failure Reason (0008,1197), PS3.18 Table I.2-2, and one that PS3.7 §C.5 defines for all services
OUT_OF_RESOURCES = 0xA700
NOT_OF_THIS_STUDY = 0xA900
NOT_UNDERSTOOD = 0xC000
PROCESSING_FAILURE = 0x0110
DUPLICATE = 0x0111  # "Duplicate SOP Instance": the UID is taken by other bytes
UNKNOWN_SIZE = 2**62
END_OF_FRAGMENTS = b"\xfe\xff\xdd\xe0\0\0\0\0"  # Sequence Delimitation Item, PS3.5 §A.4
_UID_TAGS = (("sop_class", "00080016"), ("uid", "00080018"), ("study", "0020000D"), ("series", "0020000E"))


@dataclass
class Item:
    """What became of one part. `new`: to be filed; `failure`: a Failure Reason, 0 for success."""

    sop_class: str = ""
    uid: str = ""
    study: str = ""
    series: str = ""
    failure: int = 0
    slices: list[Slice] | None = None
    new: Any = None  # NewInstance
    held: UUID | None = None  # the record of the same bytes that are here already

    def name(self, head: Header) -> None:
        for field, tag in _UID_TAGS:
            setattr(self, field, head.text(tag))

    @property
    def complete(self) -> bool:
        return bool(self.sop_class and self.uid and self.study and self.series)


class Intake:
    """Takes the parts of one request. study: the only one allowed, "" for any."""

    def __init__(self, index: CaseIndex, study: str, tenant: UUID, seen: Seen) -> None:
        self.index, self.study, self.tenant, self.seen = index, study, tenant, seen
        self.begin_again()

    def begin_again(self) -> None:
        """Take in the next batch."""
        self.items: list[Item] = []
        self._writer: SegmentWriter | None = None

    @property
    def writer(self) -> SegmentWriter:
        if self._writer is None:
            self._writer = SegmentWriter(space=self.index.space, tenant=self.tenant)
        return self._writer

    def part(self, _fields: dict[str, str]) -> "Part":
        """The sink of the next part."""
        return Part(self)

    def close(self) -> list[Item]:
        """Nothing more comes: the items to be filed, `durable` before they are."""
        if self._writer is not None:
            self._writer.close()
        slow = [one for one in self.items if one.slices and one.new is None and not one.failure]
        if slow:
            self.durable()
        for one in slow:
            self._read_slowly(one)
        return [one for one in self.items if one.new is not None and not one.failure]

    def durable(self) -> None:
        """Returns when everything is on disk."""
        if self._writer is not None:
            self._writer.finish()

    def _read_slowly(self, one: Item) -> None:
        assert one.slices is not None
        what = content.Sliced(self.index.space, one.slices)
        kept = dicom.read_header(what)
        if kept is None:
            one.failure = NOT_UNDERSTOOD
            return
        one.name(Header(kept["ts"], kept["dataset"], what.size, kept["tags"]))
        one.failure = self.problem(one)
        if not one.failure:
            one.new = NewInstance(one.slices, kept)

    def problem(self, one: Item) -> int:
        """Why an instance cannot be taken, 0 when it can."""
        if not one.complete:
            return NOT_UNDERSTOOD
        return NOT_OF_THIS_STUDY if self.study and one.study != self.study else 0

    def unused(self, stored: list[Item]) -> set[UUID]:
        """Segments of which nothing is needed."""
        used = {part.blob for one in stored for part in one.slices or ()}
        return set(self._writer.blobs) - used if self._writer is not None else set()

    def delete(self, unused: set[UUID]) -> None:
        """Take segments away."""
        self.durable()
        for blob in unused:
            blobs.delete(blob)

    def abort(self) -> None:
        """Forget what is not filed."""
        if self._writer is not None:
            self._writer.abort()
            self._writer = None


class Part:
    """The sink of one part (multipart.Sink)."""

    def __init__(self, intake: Intake) -> None:
        self.intake = intake
        self.item = Item()
        self.head: Header | None = None
        self.slow = False
        self.stored: Instance | None = None  # with the same UID
        self.same = True
        self.size = 0
        self.slices: list[Slice] = []
        self.decided = False
        intake.items.append(self.item)

    def begin(self, first: memoryview) -> int:
        """The length of an instance whose pixels are not compressed; 0 when that is not known."""
        self._scan(first, UNKNOWN_SIZE)
        pixels = self.head.pixels if self.head else None
        return pixels[0] + pixels[1] if pixels and pixels[1] >= 0 else 0

    def _scan(self, data: memoryview, size: int) -> None:
        try:
            self.head, self.slow = header.scan(data, size=size, seen=self.intake.seen), False
        except NotFast as no:
            self.head, self.slow = None, no.reason != "short"

    def whole(self, part: memoryview) -> None:
        """All of it in one piece."""
        end = self.head.pixels[0] + max(0, self.head.pixels[1]) if self.head and self.head.pixels else 0
        if not end or end > len(part):
            self._scan(part, len(part))
        self.feed(part)
        self.close()

    def feed(self, piece: memoryview) -> None:
        """The next piece; the first of a large part is large enough for any header."""
        if not self.decided:
            if self.head is None:
                self._scan(piece, max(len(piece), self.size))
            self._decide(piece)
        self.size += len(piece)
        if self.item.failure:
            return
        if self.stored is None:
            self.slices += self.intake.writer.add(piece)
        elif self.same:
            before = self.size - len(piece)
            self.same = content.read_at(self.stored, before, len(piece)) == piece

    def _decide(self, piece: memoryview) -> None:
        """Whether to seal it, to compare it with what is there, or to leave it."""
        self.decided = True
        if self.head is not None:
            self.item.name(self.head)
            self.item.failure = self.intake.problem(self.item)
            stored = self.intake.index.tree.by_uid.get(self.item.uid)
            self.stored = None if stored is None or is_cut_short(stored) else stored  # a whole copy may replace it
        elif sniff(bytes(piece[:HEAD]), b"") != Kind.DICOM:
            self.item.failure = NOT_UNDERSTOOD

    def close(self) -> None:
        """The part is complete."""
        item = self.item
        if item.failure:
            return
        if self.stored is not None:
            item.failure = 0 if self.same and self.size == self.stored.size else DUPLICATE
            item.held = None if item.failure else self.stored.record
            return
        item.slices = joined(self.slices)
        if self.head is not None:
            head = self.head
            if head.pixels and head.pixels[0] + max(0, head.pixels[1]) > self.size:
                return  # cut short: pydicom says what is left of it
            head.size = self.size
            item.new = NewInstance(item.slices, dicom.as_kept(head))


def is_cut_short(stored: Instance) -> bool:
    """Whether the pixels end before they should, or may: then the bytes are compared when all are here."""
    head = stored.header
    start, length = head.pixels or (0, 0)
    if head.transfer_syntax in DEFLATED or (
        length < 0 and content.read_at(stored, stored.size - 8, 8) != END_OF_FRAGMENTS
    ):
        return True
    missing = 0 <= length < facts.expected_bytes(head.tags)
    return bool(facts.frames(head.tags)) and (missing or start + max(0, length) > stored.size)


def compare_late(index: CaseIndex, late: list[Item]) -> None:
    """Instances that were there when they were to be filed: the same bytes are a success, others are not."""
    for one in late:
        stored = index.tree.by_uid.get(one.uid)
        mine = content.Sliced(index.space, one.slices or [])
        if stored is None or stored.size != mine.size or not content.begins_with(stored, mine):
            one.failure = DUPLICATE
        else:
            one.held = stored.record
