"""DICOM whole-slide images (PS3.3 §A.32.8, VL Whole Slide Microscopy): each instance is one resolution.

Runs inside the jail on `slides_source.Files`. The data set is read by pydicom up to the pixel data; frames are
found by the offset tables or by walking the items (PS3.5 §A.4) and decoded one at a time.
"""

from __future__ import annotations

import struct
import sys
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import UID, JPEGBaseline8Bit

from consilium.imaging import dataset as datasets
from consilium.imaging import frames, scan
from consilium.imaging.slides_level import Level, open_jpeg
from consilium.imaging.slides_source import Damaged, Files, Unsupported

SOP_CLASS = "1.2.840.10008.5.1.4.1.1.77.1.6"
MAX_FRAMES = 2_000_000
MAX_HEADER = 96 * 2**20
WITHHELD = {"LABEL": "label", "OVERVIEW": "macro", "LOCALIZER": "macro"}
_ITEM, _END = b"\xfe\xff\x00\xe0", b"\xfe\xff\xdd\xe0"


@dataclass
class Instance:
    """One instance: its level, or None for a label or overview picture; `facts` as of any DICOM file."""

    level: Level | None
    facts: dict[str, Any]
    withheld: str = ""


def read(files: Files, file: int) -> Instance:
    """Raises Damaged, Unsupported and whatever pydicom raises on damaged values."""
    sys.setrecursionlimit(600)
    with files.open(file) as handle:
        found = datasets.read(handle, pixels=False)
        start = handle.tell()
    if start > MAX_HEADER:
        raise Unsupported("header")
    facts = scan.header_facts(found) | _facts(found)
    flavour = [str(part).upper() for part in (found.get("ImageType") or [])]
    for word, name in WITHHELD.items():
        if word in flavour:
            return Instance(None, facts, name)
    return Instance(_level(files, file, found, start), facts)


def _facts(found: Dataset) -> dict[str, Any]:
    objective = None
    for path in list(found.get("OpticalPathSequence") or [])[:1]:
        objective = scan._number(path, "ObjectiveLensPower")
    return {"mpp": _mpp(found), "objective": objective, "vendor": scan._text(found, "Manufacturer")}


def _mpp(found: Dataset) -> float | None:
    """Micrometres a pixel, from the pixel spacing or the size of the imaged volume (both in millimetres)."""
    for group in list(found.get("SharedFunctionalGroupsSequence") or [])[:1]:
        for measures in list(group.get("PixelMeasuresSequence") or [])[:1]:
            spacing = scan._numbers(measures, "PixelSpacing")
            if spacing:
                return spacing[-1] * 1000
    breadth, pixels = scan._number(found, "ImagedVolumeWidth"), scan._number(found, "TotalPixelMatrixColumns")
    return breadth * 1000 / pixels if breadth and pixels else None


def _level(files: Files, file: int, found: Dataset, start: int) -> Level:
    columns, rows = int(found.Columns), int(found.Rows)
    width = int(found.get("TotalPixelMatrixColumns") or columns)
    height = int(found.get("TotalPixelMatrixRows") or rows)
    count = frames.number_of_frames(found)
    if count > MAX_FRAMES or int(found.get("BitsAllocated") or 8) != 8:
        raise Unsupported("pixels")
    level = Level(width, height, columns, rows, load=lambda _c, _r, _h: None, file=file)
    across, down = -(-width // columns), -(-height // rows)
    numbers = _positions(found, count, across, down)
    stretches = _stretches(files, file, found, start, count)
    size = files.sizes[file]
    level.blocks = len(numbers)
    wanted = [stretches[number] if number < len(stretches) else (size, 1) for number in numbers.values()]
    level.missing = sum(begin + length > size for begin, length in wanted)
    level.stored = sum(min(length, size) for begin, length in wanted if begin + length <= size)
    level.load = _Frames(files, file, found, numbers, stretches, across).load
    return level


def _positions(found: Dataset, count: int, across: int, down: int) -> dict[int, int]:
    """Place in the grid (row by row) → number of the frame that lies there (PS3.3 §C.7.6.17.3)."""
    groups = found.get("PerFrameFunctionalGroupsSequence")
    if str(found.get("DimensionOrganizationType", "")) == "TILED_FULL" or not groups:
        # Further focal planes and optical paths follow the first whole plane.
        return {place: place for place in range(min(count, across * down))}
    places: dict[int, int] = {}
    for number, group in enumerate(groups):
        for position in list(group.get("PlanePositionSlideSequence") or [])[:1]:
            left = int(position.ColumnPositionInTotalImagePixelMatrix) - 1
            top = int(position.RowPositionInTotalImagePixelMatrix) - 1
            if left % int(found.Columns) or top % int(found.Rows):
                raise Unsupported("frames off the grid")
            column, row = left // int(found.Columns), top // int(found.Rows)
            if 0 <= column < across and 0 <= row < down:
                places.setdefault(row * across + column, number)
    return places


def _stretches(files: Files, file: int, found: Dataset, start: int, count: int) -> list[tuple[int, int]]:
    """(offset, length) of each frame; those of encapsulated frames include their item headers."""
    if not UID(datasets.transfer_syntax_of(found)).is_encapsulated:
        begin = start + (8 if found.original_encoding[0] else 12)  # implicit VR has no VR and no reserved bytes
        length = int(found.Rows) * int(found.Columns) * int(found.get("SamplesPerPixel") or 1)
        return [(begin + number * length, length) for number in range(count)]
    table_at = start + 12
    head = files.read(file, table_at, 8)
    if head[:4] != _ITEM:
        raise Damaged("offset table")
    table = int.from_bytes(head[4:], "little")
    first = table_at + 8 + table
    offsets = _offset_table(files, file, found, table_at + 8, table, count)
    if not offsets:
        return _walk(files, file, first, count)
    ends = [*offsets[1:], None]
    out = []
    for here, after in zip(offsets, ends, strict=True):
        length = after - here if after is not None else _length_of_last(files, file, first + here)
        if length < 8:
            raise Damaged("offset table")
        out.append((first + here, length))
    return out


def _offset_table(files: Files, file: int, found: Dataset, at: int, length: int, count: int) -> list[int]:
    extended = found.get("ExtendedOffsetTable")
    if isinstance(extended, bytes) and len(extended) >= 8 * count:
        return list(struct.unpack(f"<{count}Q", extended[: 8 * count]))
    if length != 4 * count or count == 0:
        return []
    data = files.read(file, at, length)
    offsets = list(struct.unpack(f"<{count}I", data))
    return offsets if all(a < b for a, b in pairwise(offsets)) else []


def _length_of_last(files: Files, file: int, at: int) -> int:
    """To the sequence delimiter, or to the end of a file that was cut."""
    begin, size = at, files.sizes[file]
    while at + 8 <= size:
        head = files.read(file, at, 8)
        if head[:4] != _ITEM:
            break
        at += 8 + int.from_bytes(head[4:], "little")
    return at - begin if at > begin else size - begin + 1


def _walk(files: Files, file: int, at: int, count: int) -> list[tuple[int, int]]:
    """Without an offset table: one item a frame (PS3.5 §A.4: frames of several fragments need the table)."""
    found: list[tuple[int, int]] = []
    size = files.sizes[file]
    while at + 8 <= size and len(found) < count:
        head = files.read(file, at, 8)
        if head[:4] != _ITEM:
            break
        length = 8 + int.from_bytes(head[4:], "little")
        found.append((at, length))
        at += length
    return found


class _Frames:
    def __init__(
        self, files: Files, file: int, found: Dataset, numbers: dict[int, int], stretches: list[tuple[int, int]],
        across: int,
    ) -> None:  # fmt: skip
        self.files, self.file, self.found = files, file, found
        self.numbers, self.stretches, self.across = numbers, stretches, across
        self.syntax = UID(datasets.transfer_syntax_of(found))
        self.photometric = str(found.get("PhotometricInterpretation", "RGB"))

    def load(self, column: int, row: int, half: bool) -> Image.Image | None:
        number = self.numbers.get(row * self.across + column)
        if number is None:
            return None  # sparse: nothing was scanned here
        if number >= len(self.stretches):
            raise Damaged("frame")
        data = self.files.read(self.file, *self.stretches[number])
        if self.syntax.is_encapsulated:
            data = _without_items(data)
        if self.syntax == JPEGBaseline8Bit:
            ycbcr = {"RGB": False, "YBR_FULL": True, "YBR_FULL_422": True}.get(self.photometric)
            picture = open_jpeg(data, b"", ycbcr=ycbcr, half=half)
        else:
            picture = frames.render(self._single(data), 0).convert("RGB")
        if picture.width > int(self.found.Columns) or picture.height > int(self.found.Rows):
            raise Damaged("a frame larger than its place")
        return picture

    def _single(self, data: bytes) -> Dataset:
        """The frame as an image of its own, for the decoders that want a data set."""
        one = Dataset()
        for name in ("Rows", "Columns", "SamplesPerPixel", "PhotometricInterpretation", "PlanarConfiguration",
                     "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation"):  # fmt: skip
            if name in self.found:
                one[name] = self.found[name]
        one.NumberOfFrames = 1
        one.file_meta = FileMetaDataset()
        one.file_meta.TransferSyntaxUID = self.syntax
        one.PixelData = encapsulate([data]) if self.syntax.is_encapsulated else data
        one["PixelData"].VR = "OB"
        implicit, little = self.found.original_encoding
        one.set_original_encoding(implicit, little)
        return one


def _without_items(data: bytes) -> bytes:
    """The fragments of one frame, joined."""
    at, parts = 0, []
    while at + 8 <= len(data) and data[at : at + 4] == _ITEM:
        length = int.from_bytes(data[at + 4 : at + 8], "little")
        parts.append(data[at + 8 : at + 8 + length])
        at += 8 + length
    if not parts:
        raise Damaged("frame")
    return b"".join(parts)
