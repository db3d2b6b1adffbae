"""One resolution of a slide: a grid of source blocks, decoded when they are needed.

Runs inside the jail. A block is what the file stores apart: a tile, a strip, a frame, or a run of restart intervals.
"""

from __future__ import annotations

import io
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from PIL import Image

from consilium.imaging.slides_source import Damaged

MAX_BLOCK = 24_000_000  # pixels of one block
MAX_EDGE = 2_000_000  # pixels of a level
CACHE = 160 * 2**20  # bytes of decoded blocks that are kept: a row of a wide slide
PAPER = (255, 255, 255)


@dataclass
class Level:
    """`load(column, row)` gives an RGB block or None (nothing stored: background); it raises what decoders raise."""

    width: int
    height: int
    block_width: int
    block_height: int
    load: Callable[[int, int, bool], Image.Image | None]  # the last argument: at half size, when that is cheaper
    file: int = 0
    missing: int = 0  # blocks that point outside the file
    stored: int = 0  # bytes of the blocks that do not
    blocks: int = 0

    def __post_init__(self) -> None:
        sides = (self.width, self.height, self.block_width, self.block_height)
        if min(sides) < 1 or max(self.width, self.height) > MAX_EDGE:
            raise Damaged("size")
        if self.block_width * self.block_height > MAX_BLOCK:
            raise Damaged("block size")


@dataclass
class Found:
    """A slide: its levels, widest first, and what it says about itself."""

    levels: list[Level]
    facts: dict[str, Any] = field(default_factory=dict)
    withheld: list[str] = field(default_factory=list)  # "label", "macro": pictures that may show a name

    @property
    def width(self) -> int:
        return self.levels[0].width

    @property
    def height(self) -> int:
        return self.levels[0].height


def pyramid(levels: list[Level]) -> list[Level]:
    """The levels that show the same field as the widest one, widest first, each size once."""
    levels = sorted(levels, key=lambda level: (-level.width, -level.height))
    base, kept = levels[0], [levels[0]]
    for level in levels[1:]:
        ratio = (base.width / level.width) / (base.height / level.height)
        # A small level is rounded to whole pixels: one of them either way is no other field.
        slack = 0.02 + 1.5 / level.width + 1.5 / level.height
        if level.width < kept[-1].width and abs(ratio - 1) < slack:
            kept.append(level)
    return kept


class Blocks:
    """Decoded blocks with a bound in bytes; one that cannot be decoded becomes background and is counted."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[int, int, int, bool], Image.Image | None] = OrderedDict()
        self._bytes = 0
        self.damaged = 0

    def get(self, level: Level, column: int, row: int, *, half: bool) -> Image.Image | None:
        name = (id(level), column, row, half)
        if name in self._kept:
            self._kept.move_to_end(name)
            return self._kept[name]
        try:
            block = level.load(column, row, half)
        except MemoryError:
            raise
        except Exception:  # decoders raise many types; whichever it is, this block is lost and the rest is not
            self.damaged += 1
            block = None
        if block is not None and half and block.width * 2 > level.block_width + 1:
            block = block.reduce(2)
        self._kept[name] = block
        self._bytes += block.width * block.height * 3 if block else 0
        while self._bytes > CACHE and len(self._kept) > 1:
            _name, old = self._kept.popitem(last=False)
            self._bytes -= old.width * old.height * 3 if old else 0
        return block


def region(level: Level, blocks: Blocks, box: tuple[int, int, int, int], *, half: bool = False) -> Image.Image:
    """Pixels left, top, right, bottom of a level, on white; with `half` (even edges) at half its resolution."""
    scale = 2 if half else 1
    left, top, right, bottom = box
    canvas = Image.new("RGB", ((right - left) // scale, (bottom - top) // scale), PAPER)
    for row in range(max(0, top) // level.block_height, -(-min(bottom, level.height) // level.block_height)):
        for column in range(max(0, left) // level.block_width, -(-min(right, level.width) // level.block_width)):
            block = blocks.get(level, column, row, half=half)
            if block is None:
                continue
            x, y = column * level.block_width - left, row * level.block_height - top
            # What a block holds beyond the edge of the picture is padding.
            width = min(block.width, -(-(level.width - column * level.block_width) // scale))
            height = min(block.height, -(-(level.height - row * level.block_height) // scale))
            block = block.crop((0, 0, width, height)) if (width, height) != block.size else block
            canvas.paste(block, (x // scale, y // scale))
    return canvas


def open_jpeg(data: bytes, tables: bytes, *, ycbcr: bool | None, half: bool) -> Image.Image:
    """An RGB picture from a JPEG stream whose tables may lie elsewhere and whose colours somebody else names.

    `ycbcr`: True, False (RGB), or None (as the stream says). Its size is checked by the caller before loading.
    """
    picture = Image.open(io.BytesIO(_spliced(data, tables, ycbcr)), formats=["JPEG"])
    if picture.width * picture.height > MAX_BLOCK:
        raise Damaged("block size")
    if half:
        picture.draft("RGB", (-(-picture.width // 2), -(-picture.height // 2)))
    return picture.convert("RGB")


def _spliced(data: bytes, tables: bytes, ycbcr: bool | None) -> bytes:
    if not data.startswith(b"\xff\xd8"):
        raise Damaged("no JPEG")
    head = b"\xff\xd8"
    body = data[2:]
    if ycbcr is not None:
        # libjpeg asks the Adobe marker (transform 0: RGB, 1: YCbCr) unless a JFIF marker speaks first
        head += b"\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00" + bytes([int(ycbcr)])
        while len(body) > 4 and body[0] == 0xFF and 0xE0 <= body[1] <= 0xEF:
            body = body[2 + int.from_bytes(body[2:4], "big") :]
    if tables.startswith(b"\xff\xd8"):
        head += tables[2:-2] if tables.endswith(b"\xff\xd9") else tables[2:]
    return head + body
