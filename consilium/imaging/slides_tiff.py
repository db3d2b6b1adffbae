"""The directories of a TIFF, BigTIFF or NDPI file, and its blocks decoded one at a time.

TIFF 6.0 and the BigTIFF design. Runs inside the jail on `slides_source.Files`: directories and block tables are
read here, with bounds; each block is handed to a decoder as a picture of its own.
"""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from consilium.imaging.slides_level import Level, open_jpeg
from consilium.imaging.slides_source import Damaged, Files, Unsupported

WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC, DESCRIPTION, MAKE = 256, 257, 258, 259, 262, 270, 271
STRIPS, SAMPLES, ROWS_PER_STRIP, STRIP_BYTES, X_RESOLUTION, PLANAR, UNIT = 273, 277, 278, 279, 282, 284, 296
SOFTWARE, DATE, PREDICTOR, TILE_WIDTH, TILE_HEIGHT, TILES, TILE_BYTES = 305, 306, 317, 322, 323, 324, 325
SUB_IFDS, JPEG_TABLES, SUBSAMPLING, NDPI = 330, 347, 530, 65420
NDPI_LENS, NDPI_FOCUS, NDPI_STARTS, NDPI_STARTS_HIGH = 65421, 65424, 65426, 65432
JPEG, DEFLATES, J2K = 7, (8, 32946), {33003: True, 33005: False, 34712: False}  # J2K: whether components are YCbCr
PLAIN = {1, 5, 8, 32773, 32946, 50000, 50001}  # none, LZW, Deflate, PackBits, Deflate, Zstandard, WebP

MAX_DIRECTORIES, MAX_ENTRIES = 400, 500
MAX_BLOCKS = 4_000_000
MAX_BLOCK_BYTES = 32 * 2**20
_FORMATS = {1: "B", 2: "s", 3: "H", 4: "I", 5: "II", 6: "b", 7: "s", 8: "h", 9: "i", 10: "ii", 11: "f", 12: "d",
            13: "I", 16: "Q", 17: "q", 18: "Q"}  # fmt: skip


@dataclass
class Directory:
    """The tags of one picture: number → (type, count, where its value lies)."""

    reader: Tiff
    tags: dict[int, tuple[int, int, int]]

    def values(self, tag: int, most: int = 64) -> tuple[Any, ...]:
        """The numbers of a tag, () when absent. Raises Damaged when there are more than `most`."""
        return self.reader.values(self.tags[tag], most) if tag in self.tags else ()

    def one(self, tag: int, default: int = 0) -> int:
        found = self.values(tag, most=4096)
        return int(found[0]) if found else default

    def text(self, tag: int) -> str:
        kind, count, place = self.tags.get(tag, (2, 0, 0))
        if kind != 2 or count > 2 * 2**20:
            return ""
        return self.reader.files.read(0, place, count).split(b"\0")[0].decode("utf-8", "replace")

    def raw(self, tag: int, most: int = 64 * 1024) -> bytes:
        _kind, count, place = self.tags.get(tag, (7, 0, 0))
        if count > most:
            raise Damaged("tables")
        return self.reader.files.read(0, place, count)

    @property
    def tiled(self) -> bool:
        return TILES in self.tags and TILE_WIDTH in self.tags

    @property
    def size(self) -> tuple[int, int]:
        return self.one(WIDTH), self.one(HEIGHT)


class Tiff:
    """All directories of file 0. Raises Damaged."""

    def __init__(self, files: Files) -> None:
        self.files = files
        head = files.read(0, 0, min(16, files.sizes[0]))
        self.order = {b"II": "<", b"MM": ">"}.get(head[:2], "")
        version = int.from_bytes(head[2:4], "little" if self.order == "<" else "big")
        if not self.order or version not in (42, 43) or len(head) < 16:
            raise Damaged("no TIFF")
        self.big, self.ndpi = version == 43, False
        first = struct.unpack(self.order + ("Q" if self.big else "I"), head[8:16] if self.big else head[4:8])[0]
        # NDPI writes a 64-bit offset into the classic header (documented by OpenSlide from real files)
        if not self.big and self._is_ndpi(struct.unpack("<Q", head[4:12])[0]):
            self.ndpi, first = True, struct.unpack("<Q", head[4:12])[0]
        self.directories = self._chain(first)

    def _is_ndpi(self, offset: int) -> bool:
        if self.order != "<" or not 8 <= offset < self.files.sizes[0] - 2:
            return False
        self.ndpi = True
        try:
            return NDPI in self._directory(offset)[0].tags
        except Damaged:
            return False
        finally:
            self.ndpi = False

    def _chain(self, offset: int) -> list[Directory]:
        """Directories in order, each followed by its sub-directories; a circle ends the chain."""
        found: list[Directory] = []
        seen: set[int] = set()
        while offset and offset not in seen and len(found) < MAX_DIRECTORIES:
            seen.add(offset)
            try:
                one, after = self._directory(offset)
            except Damaged:
                if not found:
                    raise
                break  # what came before is whole: a truncated file still shows it
            found.append(one)
            for inner in one.values(SUB_IFDS, most=MAX_DIRECTORIES):
                if inner not in seen and len(found) < MAX_DIRECTORIES:
                    seen.add(inner)
                    found.append(self._directory(int(inner))[0])
            offset = after
        if not found:
            raise Damaged("no directory")
        return found

    def _directory(self, offset: int) -> tuple[Directory, int]:
        """The directory at `offset` and the place of the next one."""
        counter, entry, pointer = ("Q", 20, "Q") if self.big else ("H", 12, "I")
        width = struct.calcsize("<" + counter)
        count = struct.unpack(self.order + counter, self.files.read(0, offset, width))[0]
        if not 1 <= count <= MAX_ENTRIES:
            raise Damaged("entries")
        start = offset + width
        table = self.files.read(0, start, count * entry)
        tail = "Q" if self.big or self.ndpi else "I"
        end = start + count * entry
        after = struct.unpack(self.order + tail, self.files.read(0, end, struct.calcsize("<" + tail)))[0]
        highs = self.files.read(0, end + 8, 4 * count) if self.ndpi else b""
        tags = {}
        for number in range(count):
            tag, kind, many = struct.unpack_from(self.order + "HH" + pointer, table, number * entry)
            inside = start + number * entry + (12 if self.big else 8)
            if kind not in _FORMATS:
                continue
            size = struct.calcsize("<" + _FORMATS[kind]) * many
            place = inside
            if size > (8 if self.big else 4):
                place = struct.unpack_from(self.order + pointer, table, inside - start)[0]
            if highs:
                place += int.from_bytes(highs[4 * number : 4 * number + 4], "little") << 32 if place != inside else 0
            tags[tag] = (kind, many, place)
        return Directory(self, tags), after

    def values(self, entry: tuple[int, int, int], most: int) -> tuple[Any, ...]:
        kind, count, place = entry
        if count > most:
            raise Damaged("values")
        letters = _FORMATS[kind]
        size = struct.calcsize("<" + letters)
        data = self.files.read(0, place, count * size)
        numbers = struct.unpack(f"{self.order}{count * len(letters)}{letters[0]}", data) if letters != "s" else (data,)
        if len(letters) == 2:
            return tuple(a / b if b else 0.0 for a, b in zip(numbers[::2], numbers[1::2], strict=True))
        return numbers

    def table(self, entry: tuple[int, int, int], count: int) -> np.ndarray[Any, np.dtype[np.uint64]]:
        """A long list of offsets or lengths, piece by piece: block tables are larger than one request."""
        kind, many, place = entry
        if kind not in (3, 4, 13, 16, 18) or many < count or count > MAX_BLOCKS:
            raise Damaged("table")
        dtype = np.dtype(self.order + {3: "u2", 16: "u8", 18: "u8"}.get(kind, "u4"))
        pieces, step = [], 2**20
        for start in range(0, count, step):
            length = min(step, count - start)
            data = self.files.read(0, place + start * dtype.itemsize, length * dtype.itemsize)
            pieces.append(np.frombuffer(data, dtype).astype(np.uint64))
        return np.concatenate(pieces)


def level_of(directory: Directory) -> Level:
    """The picture of a directory as a level. Raises Damaged, Unsupported."""
    width, height = directory.size
    samples, bits = directory.one(SAMPLES, 1), directory.values(BITS, most=16) or (1,)
    if set(bits) != {8} or samples not in (1, 3, 4) or directory.one(PLANAR, 1) != 1:
        raise Unsupported("samples")
    compression = directory.one(COMPRESSION, 1)
    if compression not in PLAIN | {JPEG} | set(J2K):
        raise Unsupported("compression")
    if directory.tiled:
        block = directory.one(TILE_WIDTH), directory.one(TILE_HEIGHT)
        places, lengths = directory.tags[TILES], directory.tags.get(TILE_BYTES)
    else:
        block = width, min(height, directory.one(ROWS_PER_STRIP, height) or height)
        places, lengths = directory.tags.get(STRIPS, (0, 0, 0)), directory.tags.get(STRIP_BYTES)
    if lengths is None:
        raise Damaged("lengths")
    level = Level(width, height, *block, load=_nothing)
    columns, rows = -(-width // block[0]), -(-height // block[1])
    tiff = directory.reader
    offsets, sizes = tiff.table(places, columns * rows), tiff.table(lengths, columns * rows)
    # uint64 arithmetic wraps around: an offset near 2**64 must not look small
    limit = tiff.files.sizes[0]
    inside = (offsets <= limit) & (sizes <= limit) & (offsets + np.minimum(sizes, limit) <= limit)
    level.blocks, level.missing = columns * rows, int((~inside).sum())
    # Blank tiles may share one stretch of the file: what the file really holds is counted once.
    _places, once = np.unique(offsets[inside], return_index=True)
    level.stored = int(sizes[inside][once].sum())
    level.load = _Tiles(directory, level, columns, offsets, sizes, compression).load
    return level


def _nothing(_column: int, _row: int, _half: bool) -> None:
    return None


class _Tiles:
    def __init__(
        self, directory: Directory, level: Level, columns: int, offsets: Any, sizes: Any, compression: int
    ) -> None:
        self.directory, self.level, self.columns = directory, level, columns
        self.offsets, self.sizes, self.compression = offsets, sizes, compression
        self.photometric = directory.one(PHOTOMETRIC, 2)
        self.tables = directory.raw(JPEG_TABLES) if compression == JPEG else b""

    def load(self, column: int, row: int, half: bool) -> Image.Image | None:
        number = row * self.columns + column
        offset, size = int(self.offsets[number]), int(self.sizes[number])
        if size == 0:
            return None  # sparse: nothing was scanned here
        if size > MAX_BLOCK_BYTES:
            raise Damaged("block bytes")
        data = self.directory.reader.files.read(0, offset, size)
        if self.compression == JPEG:
            ycbcr = {2: False, 6: True}.get(self.photometric)
            block = open_jpeg(data, self.tables, ycbcr=ycbcr, half=half)
        elif self.compression in J2K:
            block = _jpeg_2000(data, ycbcr=J2K[self.compression])
        else:
            block = self._through_tiff(data, row)
        most = (self.level.block_width, self.level.block_height)
        if block.width > most[0] or block.height > most[1]:
            raise Damaged("a block larger than its place")
        return block

    def _through_tiff(self, data: bytes, row: int) -> Image.Image:
        """The block as a TIFF of its own, so that the TIFF decoder undoes compression and predictor."""
        width, height = self.level.block_width, self.level.block_height
        if not self.directory.tiled:
            height = min(height, self.level.height - row * height)
        samples = self.directory.one(SAMPLES, 1)
        rows = [
            (WIDTH, 4, width), (HEIGHT, 4, height), (COMPRESSION, 3, self.compression),
            (PHOTOMETRIC, 3, self.photometric if self.photometric != 6 or samples == 1 else 2), (SAMPLES, 3, samples),
            (ROWS_PER_STRIP, 4, height), (STRIP_BYTES, 4, len(data)), (PLANAR, 3, 1),
            (PREDICTOR, 3, self.directory.one(PREDICTOR, 1)),
        ]  # fmt: skip
        picture = Image.open(io.BytesIO(_small_tiff(rows, samples, data)), formats=["TIFF"])
        if picture.size != (width, height):
            raise Damaged("block size")
        return picture.convert("RGB")


def _small_tiff(rows: list[tuple[int, int, int]], samples: int, data: bytes) -> bytes:
    """A little-endian TIFF of one strip: header, one directory, the bits of each sample, the strip."""
    count = len(rows) + 2 + (samples == 4)
    bits_at = 8 + 2 + 12 * count + 4
    start = bits_at + 8
    entries = [(tag, kind, 1, value) for tag, kind, value in rows] + [(STRIPS, 4, 1, start)]
    # One or two shorts lie in the entry itself.
    entries.append((BITS, 3, samples, bits_at if samples > 2 else 8))
    if samples == 4:
        entries.append((338, 3, 1, 2))  # ExtraSamples: unassociated alpha
    packed = b"".join(struct.pack("<HHII", *entry) for entry in sorted(entries))
    return b"II*\0\x08\0\0\0" + struct.pack("<H", count) + packed + bytes(4) + b"\x08\0" * 4 + data


def _jpeg_2000(data: bytes, *, ycbcr: bool) -> Image.Image:
    picture = Image.open(io.BytesIO(data), formats=["JPEG2000"])
    if picture.width * picture.height > 16_000_000:
        raise Damaged("block size")
    picture.load()
    if ycbcr and picture.mode == "RGB":
        return Image.merge("YCbCr", picture.split()).convert("RGB")
    return picture.convert("RGB")
