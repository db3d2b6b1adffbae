"""Where each frame of the pixel data lies in the file (PS3.5 §8, §A.4), reading as little of it as possible."""

from __future__ import annotations

from collections.abc import Callable
from struct import Struct, error, unpack

from consilium.imaging.header import Header, NotFast

ReadAt = Callable[[int, int], bytes]
Ranges = list[tuple[int, int]]

MAX_FRAMES = 1_000_000
MAX_FRAGMENTS = 1_000_000
_BLOCK = 4096  # bytes read at a time while looking for fragments: small ones share a read
_item = Struct("<HHL").unpack_from
_END_OF_IMAGE = b"\xff\xd9"  # of JPEG, JPEG-LS and JPEG 2000 code streams


def frames_of(read_at: ReadAt, header: Header) -> list[Ranges]:
    """The (start, length) ranges in the file of each frame, in order; [] without pixels.

    `read_at(start, length)` gives bytes of the file, fewer at its end. Native frames are one range each, encapsulated
    ones a range a fragment. Raises NotFast when frames cannot be told apart or lie outside of the file.
    """
    if header.pixels is None:
        return []
    count = header.number("00280008", 1)
    if not 1 <= count <= MAX_FRAMES:
        raise NotFast("frames")
    if not header.encapsulated:
        return _native(header, count)
    return _extended(read_at, header, count) or _by_fragments(read_at, header, count)


def _native(header: Header, count: int) -> list[Ranges]:
    start, length = header.pixels or (0, 0)
    bits = header.number("00280010") * header.number("00280011") * header.number("00280100")
    samples = header.number("00280002", 1)
    if header.text("00280004") == "YBR_FULL_422" and samples == 3:
        samples = 2  # PS3.3 §C.7.6.3.1.2: chrominance for every second pixel
    bits *= samples
    if not bits or (bits % 8 and count > 1):  # frames of single bits need not end at a byte
        raise NotFast("frames")
    one = (bits + 7) // 8
    if one * count > length:
        raise NotFast("truncated")
    return [[(start + index * one, one)] for index in range(count)]


def _extended(read_at: ReadAt, header: Header, count: int) -> list[Ranges]:
    """By the extended offset table (PS3.3 §C.7.6.3.1.8): one fragment a frame. [] when there is none."""
    table, lengths = header.extended or (None, None)
    if not table or not lengths:
        return []
    if table[1] != 8 * count or lengths[1] != 8 * count:
        raise NotFast("offset table")
    try:
        offsets = unpack(f"<{count}Q", read_at(*table))
        sizes = unpack(f"<{count}Q", read_at(*lengths))
    except error:
        raise NotFast("truncated") from None
    first = _after_basic_table(read_at, header)[0]
    found = [(first + offset + 8, size) for offset, size in zip(offsets, sizes, strict=True)]
    end = first
    for start, size in found:
        if start < end or start + size > header.size:
            raise NotFast("offset table")
        end = start + size
    for start, size in (found[0], found[-1]):  # two samples: does the table speak of this file?
        tag = read_at(start - 8, 8)
        if tag[:4] != b"\xfe\xff\x00\xe0" or not size <= int.from_bytes(tag[4:], "little") <= size + 1:
            raise NotFast("offset table")
    return [[one] for one in found]


def _after_basic_table(read_at: ReadAt, header: Header) -> tuple[int, list[int]]:
    """(where the first fragment's item is, the offsets in the basic offset table)."""
    start = (header.pixels or (0, 0))[0]
    head = read_at(start, 8)
    if len(head) < 8 or head[:4] != b"\xfe\xff\x00\xe0":
        raise NotFast("offset table")
    length = int.from_bytes(head[4:], "little")
    if length % 4 or length > 4 * MAX_FRAMES:
        raise NotFast("offset table")
    raw = read_at(start + 8, length) if length else b""
    if len(raw) != length:
        raise NotFast("truncated")
    return start + 8 + length, list(unpack(f"<{length // 4}L", raw))


def _by_fragments(read_at: ReadAt, header: Header, count: int) -> list[Ranges]:
    first, offsets = _after_basic_table(read_at, header)
    fragments = _fragments(read_at, first, header.size)
    if count == 1:
        return [fragments]
    if len(offsets) == count:
        return _split(fragments, [first + offset for offset in offsets])
    if len(fragments) == count:
        return [[one] for one in fragments]
    return _by_end_markers(read_at, fragments, count)


def _fragments(read_at: ReadAt, pos: int, size: int) -> Ranges:
    """The values of the items from `pos` to the sequence delimiter."""
    found: Ranges = []
    block, block_at = b"", pos
    while True:
        if pos + 8 > block_at + len(block):
            block, block_at = read_at(pos, _BLOCK), pos
            if len(block) < 8:
                raise NotFast("truncated")
        group, element, length = _item(block, pos - block_at)
        pos += 8
        if (group, element) == (0xFFFE, 0xE0DD):
            break
        if (group, element) != (0xFFFE, 0xE000) or pos + length > size or len(found) >= MAX_FRAGMENTS:
            raise NotFast("fragments")
        found.append((pos, length))
        pos += length
    if not found:
        raise NotFast("fragments")
    return found


def _split(fragments: Ranges, starts: list[int]) -> list[Ranges]:
    """Fragments by the item at which each frame begins. Raises NotFast when a start is no item."""
    begins = {start: index for index, start in enumerate(starts)}
    found: list[Ranges] = [[] for _start in starts]
    frame = -1
    for start, length in fragments:
        if start - 8 in begins:
            if begins[start - 8] != frame + 1:
                raise NotFast("offset table")
            frame += 1
        if frame < 0:
            raise NotFast("offset table")
        found[frame].append((start, length))
    if frame != len(starts) - 1:
        raise NotFast("offset table")
    return found


def _by_end_markers(read_at: ReadAt, fragments: Ranges, count: int) -> list[Ranges]:
    """No table and more fragments than frames: a frame ends with the fragment that ends an image."""
    found: list[Ranges] = [[]]
    for start, length in fragments:
        found[-1].append((start, length))
        tail = min(length, 10)
        if _END_OF_IMAGE in read_at(start + length - tail, tail):
            found.append([])
    if not found[-1]:
        found.pop()
    if len(found) != count:
        raise NotFast("frames")
    return found
