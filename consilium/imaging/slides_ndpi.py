"""Levels of a Hamamatsu NDPI file: each is one huge JPEG, cut at its restart markers (ITU-T T.81 §E.1.4).

A level may be wider than a JPEG header can say. Between two restart markers the decoder starts afresh, so any run
of intervals behind a patched header is a small JPEG of its own. Runs inside the jail.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from consilium.imaging.slides_level import Level, open_jpeg
from consilium.imaging.slides_source import Damaged, Files, Unsupported
from consilium.imaging.slides_tiff import NDPI_STARTS, NDPI_STARTS_HIGH, STRIP_BYTES, STRIPS, Directory

HEADER_MOST = 64 * 1024
BLOCK_HEIGHT = 512
SCAN_MOST = 512 * 2**20  # bytes searched for markers when the file has no table of them


@dataclass(frozen=True)
class Header:
    """Of a baseline JPEG: bytes up to the scan, where the frame size stands in them, and the block layout."""

    data: bytes
    size_at: int
    width: int
    height: int
    mcu: tuple[int, int]  # pixels of one minimum coded unit
    interval: int  # units between restart markers, 0 for none


def header_of(data: bytes) -> Header:
    """Read segment by segment. Raises Damaged, Unsupported (not baseline)."""
    at, frame, interval = 2, None, 0
    if data[:2] != b"\xff\xd8":
        raise Damaged("no JPEG")
    while at + 4 <= len(data):
        marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        if data[at] != 0xFF or length < 2:
            raise Damaged("JPEG segment")
        if marker in (0xC0, 0xC1):
            frame = at
        elif 0xC2 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            raise Unsupported("progressive")
        elif marker == 0xDD:
            interval = int.from_bytes(data[at + 4 : at + 6], "big")
        elif marker == 0xDA:
            return _header(data[: at + 2 + length], frame, interval)
        at += 2 + length
    raise Damaged("no scan")


def _header(data: bytes, frame: int | None, interval: int) -> Header:
    if frame is None or len(data) < frame + 10:
        raise Damaged("no frame")
    parts = data[frame + 9]
    factors = [data[frame + 11 + 3 * number] for number in range(parts)]
    across, down = max(f >> 4 for f in factors), max(f & 15 for f in factors)
    if parts == 1:
        across = down = 1  # one component is not interleaved (§A.2.2)
    if not (1 <= across <= 4 and 1 <= down <= 4):
        raise Damaged("sampling")
    height = int.from_bytes(data[frame + 5 : frame + 7], "big")
    width = int.from_bytes(data[frame + 7 : frame + 9], "big")
    return Header(data, frame + 5, width, height, (8 * across, 8 * down), interval)


def level_of(directory: Directory) -> Level:
    """The level of a directory. Raises Damaged, Unsupported."""
    files = directory.reader.files
    start, length = directory.one(STRIPS), directory.one(STRIP_BYTES)
    width, height = directory.size
    if length <= 0 or start + 4 > files.sizes[0]:
        raise Damaged("strip")
    present = min(length, files.sizes[0] - start)  # of a truncated file, what has arrived is shown
    header = header_of(files.read(0, start, min(HEADER_MOST, present)))
    if not header.interval:
        return _whole(files, start, present, header, (width, height))
    layout = _layout(header, width, height)
    count = layout[2] * layout[3]
    starts = _starts(directory, files, start, length, present, header, count)
    block_height = min(-(-height // layout[1]), max(1, BLOCK_HEIGHT // layout[1])) * layout[1]
    level = Level(width, height, layout[0], block_height, load=lambda _c, _r, _h: None)
    level.blocks, level.missing = count, int((starts[1:] > present).sum())
    level.stored = present
    level.load = _Intervals(files, start, header, layout, starts, level).load
    return level


def _whole(files: Files, start: int, length: int, header: Header, size: tuple[int, int]) -> Level:
    """A small level without restart markers: one block."""
    level = Level(*size, *size, load=lambda _c, _r, _h: None)
    if (header.width, header.height) != size or length > 32 * 2**20:
        raise Damaged("size")
    level.load = lambda _c, _r, half: open_jpeg(files.read(0, start, length), b"", ycbcr=None, half=half)
    level.blocks, level.stored = 1, length
    return level


def _layout(header: Header, width: int, height: int) -> tuple[int, int, int, int]:
    """(width and height of one interval in pixels, intervals across, intervals down)."""
    across, down = -(-width // header.mcu[0]), -(-height // header.mcu[1])
    if across % header.interval == 0:
        return header.interval * header.mcu[0], header.mcu[1], across // header.interval, down
    if header.interval % across == 0:
        lines = header.interval // across
        return across * header.mcu[0], lines * header.mcu[1], 1, -(-down // lines)
    raise Unsupported("restart interval")


def _starts(
    directory: Directory, files: Files, start: int, length: int, present: int, header: Header, count: int
) -> np.ndarray[Any, np.dtype[np.uint64]]:
    """Where each interval begins, relative to the strip, and as the last number where the strip ends."""
    if NDPI_STARTS in directory.tags:
        found = directory.reader.table(directory.tags[NDPI_STARTS], count)
        if NDPI_STARTS_HIGH in directory.tags:
            found = found + (directory.reader.table(directory.tags[NDPI_STARTS_HIGH], count) << np.uint64(32))
    else:
        found = _search(files, start, present, len(header.data), count)
    found = np.concatenate([found, np.array([length], np.uint64)])
    if int(found[0]) != len(header.data) or np.any(found[1:] < found[:-1]):
        raise Damaged("restart table")
    return found


def _search(files: Files, start: int, present: int, header: int, count: int) -> Any:
    """Markers FF D0…D7 in the entropy-coded data, where no other FF may stand unstuffed (§F.1.2.3)."""
    if present > SCAN_MOST:
        raise Unsupported("no restart table")
    found, step, last = [header], 4 * 2**20, -1
    for at in range(header, present, step):
        piece = np.frombuffer(files.read(0, start + at, min(step + 1, present - at)), np.uint8)
        marks = np.flatnonzero((piece[:-1] == 0xFF) & (piece[1:] >= 0xD0) & (piece[1:] <= 0xD7)) + at + 2
        found += [int(mark) for mark in marks if mark > last]
        last = found[-1]
    if len(found) < count:
        found += [present] * (count - len(found))
    return np.array(found[:count], np.uint64)


class _Intervals:
    def __init__(
        self, files: Files, start: int, header: Header, layout: tuple[int, int, int, int], starts: Any, level: Level
    ) -> None:
        self.files, self.start, self.header, self.layout = files, start, header, layout
        self.starts, self.level = starts, level

    def load(self, column: int, row: int, half: bool) -> Image.Image | None:
        width, height, across, down = self.layout
        many = self.level.block_height // height
        first, last = row * many, min((row + 1) * many, down)
        size = self.header.size_at
        sides = ((last - first) * height).to_bytes(2, "big") + width.to_bytes(2, "big")
        parts = [self.header.data[:size], sides, self.header.data[size + 4 :]]
        for number, line in enumerate(range(first, last)):
            data = self._interval(line * across + column)
            parts += [data, bytes([0xFF, 0xD0 + number % 8])]
        parts[-1] = b"\xff\xd9"
        return open_jpeg(b"".join(parts), b"", ycbcr=None, half=half)

    def _interval(self, number: int) -> bytes:
        """Entropy-coded data without the marker that ends it."""
        begin, end = int(self.starts[number]), int(self.starts[number + 1])
        data = self.files.read(0, self.start + begin, end - begin)
        return data[:-2] if data[-2:-1] == b"\xff" and (0xD0 <= data[-1] <= 0xD7 or data[-1] == 0xD9) else data
