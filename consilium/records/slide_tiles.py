"""The tiles of a prepared slide: where each lies, and pictures put together from them.

A `Slide`'s index is {"levels": [{"source", "done", "tiles"}, …], …}, coarsest level first; "tiles" is base64 of one
(blob number, offset, length) a tile, row by row. Our own JPEGs lie there, so they may be decoded in this process.
"""

import base64
import io
import struct
from dataclasses import dataclass
from functools import cached_property
from uuid import UUID

from PIL import Image

from consilium.imaging.slides import QUALITY, TILE, grid, shape
from consilium.records.models import RecordFile, Slide
from consilium.vault import segments
from consilium.vault.segments import Slice

ENTRY = struct.Struct("<HII")
MOST_TILES = 36  # put together for one picture


@dataclass(frozen=True)
class Level:
    width: int
    height: int
    done: int
    tiles: bytes

    @property
    def grid(self) -> tuple[int, int]:
        """Tiles across and down."""
        return grid((self.width, self.height))

    @cached_property
    def complete(self) -> bool:
        columns, rows = self.grid
        return self.done >= columns * rows


@dataclass(frozen=True)
class Layout:
    """What is needed to send tiles, read once from the row: `levels` coarsest first."""

    file: UUID
    record: UUID
    space: UUID
    width: int
    height: int
    mpp: float | None
    status: str
    done: int
    total: int
    blobs: tuple[UUID, ...]
    levels: tuple[Level, ...]

    @cached_property
    def ready(self) -> int:
        """Number of complete levels from the coarsest on."""
        return next((number for number, level in enumerate(self.levels) if not level.complete), len(self.levels))

    def place(self, level: int, column: int, row: int) -> Slice | None:
        """Where a tile lies; None when there is no such tile, or not yet."""
        if not 0 <= level < len(self.levels):
            return None
        found = self.levels[level]
        columns, rows = found.grid
        number = row * columns + column
        if not (0 <= column < columns and 0 <= row < rows and number < found.done):
            return None
        blob, offset, length = ENTRY.unpack_from(found.tiles, number * ENTRY.size)
        return Slice(self.blobs[blob], offset, length)

    def tile(self, level: int, column: int, row: int) -> bytes | None:
        """The JPEG of a tile. Raises what the vault raises."""
        place = self.place(level, column, row)
        return segments.read(place.blob, space=self.space, start=place.offset, size=place.size) if place else None


def layout(file: UUID) -> Layout | None:
    """The layout of the slide that this file belongs to; None when there is none."""
    slide = of_file(file)
    return layout_of(slide) if slide else None


def of_file(file: UUID) -> Slide | None:
    """The slide of a file: as its main file, or as another resolution of the same series."""
    found = Slide.objects.select_related("file")
    slide = found.filter(file=file).first()
    if slide is None:
        other = RecordFile.objects.filter(pk=file).exclude(series="").only("record_id", "series").first()
        slide = found.filter(file__record=other.record_id, file__series=other.series).first() if other else None
    return slide


def layout_of(slide: Slide) -> Layout:
    """The layout of a row at this moment."""
    rows = slide.index.get("levels", []) if slide.width else []
    sizes = shape(slide.width, slide.height) if slide.width else []
    levels = tuple(
        Level(*size, int(row["done"]), base64.b64decode(row["tiles"])) for size, row in zip(sizes, rows, strict=True)
    )
    return Layout(
        slide.file.pk, slide.file.record_id, slide.space, slide.width, slide.height, slide.mpp, slide.status,
        slide.done, slide.total, tuple(UUID(hex=blob) for blob in slide.tiles), levels,
    )  # fmt: skip


def picture(found: Layout, box: tuple[float, float, float, float], edge: int) -> Image.Image | None:
    """The part x, y, w, h (fractions of the slide) at about `edge` pixels; None while nothing is prepared."""
    best = None
    for level in range(found.ready):
        width, height = box[2] * found.levels[level].width, box[3] * found.levels[level].height
        tiles = (width / TILE + 2) * (height / TILE + 2)
        if best is not None and tiles > MOST_TILES:
            break
        best = level
        if max(width, height) >= edge:
            break
    if best is None:
        return None
    level_size = found.levels[best]
    left, top = int(box[0] * level_size.width), int(box[1] * level_size.height)
    right = min(level_size.width, max(left + 1, round((box[0] + box[2]) * level_size.width)))
    bottom = min(level_size.height, max(top + 1, round((box[1] + box[3]) * level_size.height)))
    return stitched(found, best, (left, top, right, bottom))


def stitched(found: Layout, level: int, box: tuple[int, int, int, int]) -> Image.Image:
    """Pixels left, top, right, bottom of a level of the pyramid, white where nothing is."""
    left, top, right, bottom = box
    canvas = Image.new("RGB", (max(1, right - left), max(1, bottom - top)), "white")
    for row in range(top // TILE, -(-bottom // TILE)):
        for column in range(left // TILE, -(-right // TILE)):
            data = found.tile(level, column, row)
            if data is not None:
                canvas.paste(Image.open(io.BytesIO(data)), (column * TILE - left, row * TILE - top))
    return canvas


def jpeg(picture: Image.Image, *, quality: int = QUALITY) -> bytes:
    """A baseline JPEG without metadata."""
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=quality)
    return out.getvalue()


def of_record(record: UUID) -> list[Slide]:
    """The slides of a record, in the order of their files."""
    return list(Slide.objects.filter(file__record=record).select_related("file").order_by("file__series_number", "id"))
