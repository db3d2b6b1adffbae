"""The bytes of an upload or a file, wherever they lie: one blob, a stretch of one, or several stretches in a row.

An original that came in one piece is a blob of its own. Images that came in a batch share a segment, a file of
a bundle lies inside the bundle, and a large upload that was interrupted consists of the parts that arrived: none
of them is copied to be read.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias
from uuid import UUID

from consilium.vault import blobs, segments
from consilium.vault.segments import Slice

if TYPE_CHECKING:
    from consilium.records.models import InboxInstance, RecordFile, Upload


class Stretch(Protocol):
    """Anything that says where its bytes lie."""

    @property
    def space(self) -> UUID: ...
    @property
    def blob(self) -> UUID: ...
    @property
    def offset(self) -> int: ...
    @property
    def size(self) -> int: ...
    @property
    def more(self) -> list[list[Any]]: ...


@dataclass(frozen=True)
class Sliced:
    """Content that no row names yet."""

    space: UUID
    slices: list[Slice]

    @property
    def blob(self) -> UUID:
        return self.slices[0].blob

    @property
    def offset(self) -> int:
        return self.slices[0].offset

    @property
    def size(self) -> int:
        return sum(one.size for one in self.slices)

    @property
    def more(self) -> list[list[Any]]:
        return [[one.blob.hex, one.offset, one.size] for one in self.slices[1:]]


# The fields of a model are descriptors, which a type checker does not match with a protocol.
Content: TypeAlias = "Stretch | Upload | RecordFile | InboxInstance"


def extents(thing: Content) -> list[Slice]:
    """Where the bytes lie, in order. `size` counts all of them."""
    further = [Slice(UUID(hex=blob), int(offset), int(size)) for blob, offset, size in thing.more]
    return [Slice(thing.blob, thing.offset, thing.size - sum(one.size for one in further)), *further]


def part(thing: Content, start: int, size: int) -> list[Slice]:
    """Where `size` bytes from `start` of the content lie: a file inside a bundle. Raises ValueError beyond the end."""
    if start < 0 or size < 0 or start + size > thing.size:
        raise ValueError("This stretch lies outside the content.")
    found = []
    for one in extents(thing):
        if start < one.size and size:
            here = min(size, one.size - start)
            found.append(Slice(one.blob, one.offset + start, here))
            size -= here
        start = max(0, start - one.size)
    return found or [Slice(thing.blob, thing.offset, 0)]


def placed(slices: list[Slice]) -> dict[str, Any]:
    """The fields `blob`, `offset`, `size`, `more` of a row whose bytes lie in `slices`."""
    first, *rest = slices
    more = [[one.blob.hex, one.offset, one.size] for one in rest]
    return {"blob": first.blob, "offset": first.offset, "size": sum(one.size for one in slices), "more": more}


def chunks(thing: Content, start: int = 0, end: int | None = None) -> Iterator[bytes]:
    """Plaintext bytes start…end (exclusive, clamped), in pieces of at most 256 KiB.

    Raises what `blobs.read` raises: BlobMissing, KeyDestroyed, KeyMissing, Tampered.
    """
    stop = thing.size if end is None else min(end, thing.size)
    for one in part(thing, min(start, stop), max(0, stop - start)):
        if one.size:
            yield from blobs.read(one.blob, space=thing.space, start=one.offset, end=one.offset + one.size)


def read_all(thing: Content) -> bytes:
    """The whole content; for small files."""
    return b"".join(chunks(thing))


def read_at(thing: Content, start: int, size: int) -> bytes:
    """Up to `size` bytes from `start`, through the cache of opened segments: for many small reads."""
    size = max(0, min(size, thing.size - start))
    if not size:
        return b""
    pieces = [
        segments.read(one.blob, space=thing.space, start=one.offset, size=one.size) for one in part(thing, start, size)
    ]
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def pieces_at(thing: Content, start: int, size: int) -> list[memoryview]:
    """`read_at` for who puts the pieces together anyway."""
    size = max(0, min(size, thing.size - start))
    return [
        piece
        for one in (part(thing, start, size) if size else ())
        for piece in segments.pieces(one.blob, space=thing.space, start=one.offset, size=one.size)
    ]


def begins_with(longer: Content, shorter: Content) -> bool:
    """Whether one content is the beginning of the other, or the same."""
    step = 4 * 2**20
    return shorter.size <= longer.size and all(
        read_at(shorter, start, step) == read_at(longer, start, min(step, shorter.size - start))
        for start in range(0, shorter.size, step)
    )


def at_hand(thing: Content, start: int, size: int) -> bool:
    """Whether `read_at` would wait for no disk."""
    found = part(thing, start, size)
    return all(segments.at_hand(one.blob, space=thing.space, start=one.offset, size=one.size) for one in found)


def run(things: Iterable[Content], space: UUID) -> Iterator[Iterator[bytes]]:
    """The chunks of contents of one case one after another; those that lie side by side share the work."""
    reading = segments.Run(space)
    for thing in things:
        yield chain.from_iterable(reading.read(one.blob, one.offset, one.size) for one in extents(thing))


def blob_ids(thing: Content) -> set[UUID]:
    """Every blob that holds some of it."""
    return {one.blob for one in extents(thing)}
