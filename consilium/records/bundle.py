"""A large content that is read from its front to its end in small steps: each sealed chunk is opened once."""

from bisect import bisect_right
from collections import OrderedDict
from uuid import UUID

from consilium.records import content
from consilium.vault import segments
from consilium.vault.format import CHUNK_BYTES
from consilium.vault.segments import Slice

KEPT = 4  # opened chunks at hand: the header of a file may lie on the border of two


class Bundle:
    """Where the bytes of an upload lie, and a short memory of those read last. For one thread."""

    def __init__(self, thing: content.Content) -> None:
        self.space, self.size = thing.space, thing.size
        self._extents = content.extents(thing)
        self._starts: list[int] = []
        at = 0
        for one in self._extents:
            self._starts.append(at)
            at += one.size
        self._ends: dict[UUID, int] = {}  # how far each blob is used
        for one in self._extents:
            self._ends[one.blob] = max(self._ends.get(one.blob, 0), one.offset + one.size)
        self._chunks: OrderedDict[tuple[UUID, int], memoryview] = OrderedDict()

    def part(self, start: int, size: int) -> list[Slice]:
        """As content.part: where `size` bytes from `start` lie. Raises ValueError beyond the end."""
        if start < 0 or size < 0 or start + size > self.size:
            raise ValueError("This stretch lies outside the content.")
        found = []
        number = max(0, bisect_right(self._starts, start) - 1)
        skip = start - self._starts[number]
        while size:
            one = self._extents[number]
            here = min(size, one.size - skip)
            if here:
                found.append(Slice(one.blob, one.offset + skip, here))
            size, skip, number = size - here, 0, number + 1
        return found or [Slice(self._extents[0].blob, self._extents[0].offset, 0)]

    def read(self, start: int, length: int) -> bytes:
        """Up to `length` bytes from `start`; fewer only at the end. Raises what `segments.read` raises."""
        length = min(length, self.size - start)
        if length <= 0:
            return b""
        pieces = [piece for one in self.part(start, length) for piece in self._pieces(one)]
        return bytes(pieces[0]) if len(pieces) == 1 else b"".join(pieces)

    def read_part(self, offset: int, size: int, start: int, length: int) -> bytes:
        """`read` within the file of `size` bytes that begins at `offset`."""
        return self.read(offset + start, min(length, size - start))

    def _pieces(self, one: Slice) -> list[memoryview]:
        found = []
        at, end = one.offset, one.offset + one.size
        while at < end:
            index, skip = divmod(at, CHUNK_BYTES)
            piece = self._chunk(one.blob, index)[skip : skip + end - at]
            found.append(piece)
            at += len(piece)
        return found

    def _chunk(self, blob: UUID, index: int) -> memoryview:
        found = self._chunks.get((blob, index))
        if found is None:
            start = index * CHUNK_BYTES
            size = min(CHUNK_BYTES, self._ends[blob] - start)
            (found,) = segments.pieces(blob, space=self.space, start=start, size=size)
            self._chunks[blob, index] = found
            if len(self._chunks) > KEPT:
                self._chunks.popitem(last=False)
        return found
