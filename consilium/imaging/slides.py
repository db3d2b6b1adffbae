"""Whole-slide images: what a slide is, and its zoom pyramid cut into JPEG tiles. The jobs of the jail.

Formats: DICOM VL Whole Slide Microscopy, Aperio SVS, Hamamatsu NDPI, tiled or pyramidal TIFF and BigTIFF, OME-TIFF.
Levels of the pyramid are numbered from 0 (fits into one tile) to the finest, each twice as wide as the one before.
"""

from __future__ import annotations

import contextlib
import io
import re
import time
from typing import TYPE_CHECKING, Any

from PIL import Image, ImageFile

from consilium.imaging import slides_dicom, slides_ndpi, slides_tiff
from consilium.imaging.slides_level import Blocks, Found, Level, pyramid, region
from consilium.imaging.slides_source import Damaged, Files, Unsupported
from consilium.imaging.slides_tiff import DATE, DESCRIPTION, MAKE, NDPI_FOCUS, NDPI_LENS, UNIT, X_RESOLUTION

if TYPE_CHECKING:
    from consilium.records.extract.reader import Output

TILE = 512
QUALITY = 80
MAX_TILES = 400_000
LARGE = 64_000_000  # pixels: a plain picture beyond this is shown as a slide
LARGE_FILE = 48 * 2**20  # bytes
# A scanner stores at least a byte for so many pixels, also of empty glass; more is a lie or a bomb.
PIXELS_A_BYTE = 3000
OVERVIEW, THUMBNAIL = 1600, 320
OVERVIEW_SOURCE = 40_000_000  # pixels decoded for the overview at most
BATCH = 16


def shape(width: int, height: int) -> list[tuple[int, int]]:
    """Width and height of each level of the pyramid, coarsest first."""
    sizes = [(width, height)]
    while max(sizes[-1]) > TILE:
        sizes.append((-(-sizes[-1][0] // 2), -(-sizes[-1][1] // 2)))
    return sizes[::-1]


def grid(size: tuple[int, int]) -> tuple[int, int]:
    """Tiles across and down."""
    return -(-size[0] // TILE), -(-size[1] // TILE)


# -- reading ----------------------------------------------------------------------------------------


def find(files: Files, *, dicom: bool) -> Found | None:
    """The slide that the files make up; None when they are something else (a scanned letter).

    Raises Damaged, Unsupported, and what pydicom raises on damaged values.
    """
    found = _from_dicom(files) if dicom else _from_tiff(files)
    if found is None or not found.levels:
        return found
    tiles = sum(columns * rows for columns, rows in map(grid, shape(found.width, found.height)))
    base = found.levels[0]
    if tiles > MAX_TILES or base.width * base.height > PIXELS_A_BYTE * (base.stored + 1024):
        raise Damaged("claims more than it holds")
    return found


def _from_dicom(files: Files) -> Found:
    instances = [slides_dicom.read(files, number) for number in range(len(files.sizes))]
    levels = [one.level for one in instances if one.level]
    withheld = sorted({one.withheld for one in instances if one.withheld})
    facts = next((one.facts for one in instances if one.level), instances[0].facts)
    kept = pyramid(levels) if levels else []
    if kept:
        facts = instances[kept[0].file].facts
    return Found(kept, facts, withheld)


def _from_tiff(files: Files) -> Found | None:
    try:
        tiff = slides_tiff.Tiff(files)
    except Damaged:
        # Scanners write the directories last: a large file without them is a slide that was cut.
        if files.sizes[0] > LARGE_FILE:
            raise
        return None
    first = tiff.directories[0]
    description = first.text(DESCRIPTION)
    if tiff.ndpi:
        return _hamamatsu(tiff)
    if description.startswith("Aperio"):
        return _aperio(tiff, description)
    return _generic(tiff, description)


def _hamamatsu(tiff: slides_tiff.Tiff) -> Found:
    levels, withheld, objective, first = [], [], 0.0, tiff.directories[0]
    for directory in tiff.directories:
        lens = next(iter(directory.values(NDPI_LENS)), 0.0)
        focus = next(iter(directory.values(NDPI_FOCUS)), 0)
        if lens < 0:
            withheld.append("macro")
        elif focus == 0:
            objective = max(objective, float(lens))
            levels.append(slides_ndpi.level_of(directory))
    if not levels:
        raise Damaged("no level")
    facts = {"vendor": "Hamamatsu", "objective": objective or None, "mpp": _resolution(first), "taken": _taken(first)}
    return Found(pyramid(levels), facts, withheld)


def _aperio(tiff: slides_tiff.Tiff, description: str) -> Found:
    levels = [slides_tiff.level_of(one) for one in tiff.directories if one.tiled]
    if not levels:
        raise Damaged("no level")
    withheld = []
    for directory in tiff.directories[1:]:
        words = directory.text(DESCRIPTION)[:200].split("\n")[-1].strip().lower()
        withheld += [name for name in ("label", "macro") if words.startswith(name)]
    stated = dict(re.findall(r"\|\s*([A-Za-z ]{1,30}?)\s*=\s*([^|\n]{1,40})", description))
    facts = {
        "vendor": "Aperio", "mpp": _float(stated.get("MPP")), "objective": _float(stated.get("AppMag")),
        "taken": _american_date(stated.get("Date", "")),
    }  # fmt: skip
    return Found(pyramid(levels), facts, withheld)


def _generic(tiff: slides_tiff.Tiff, description: str) -> Found | None:
    """Several sizes of one picture, or one that is too large to be shown at once."""
    first = tiff.directories[0]
    levels: list[Level] = []
    for number, directory in enumerate(tiff.directories):
        try:
            levels.append(slides_tiff.level_of(directory))
        except (Damaged, Unsupported):
            if number == 0 and first.size[0] * first.size[1] > LARGE:
                raise
            if number == 0:
                return None
    if levels[0].width < max(level.width for level in levels):
        return None
    kept = pyramid(levels)
    if not (len(kept) > 1 and first.tiled) and kept[0].width * kept[0].height <= LARGE:
        return None
    metric = re.search(r'PhysicalSizeX="([0-9.eE+-]{1,20})"', description)  # OME-XML, in micrometres by default
    facts = {
        "vendor": first.text(MAKE)[:60], "mpp": (_float(metric[1]) if metric else None) or _resolution(first),
        "taken": _taken(first),
    }  # fmt: skip
    return Found(kept, facts)


def _resolution(directory: slides_tiff.Directory) -> float | None:
    """Micrometres a pixel from XResolution; what no microscope does (a scanner's 300 dpi) is no scale."""
    value = next(iter(directory.values(X_RESOLUTION)), 0)
    unit = {2: 25_400.0, 3: 10_000.0}.get(directory.one(UNIT, 2), 0.0)
    return unit / value if value and 0.02 <= unit / value <= 30 else None


def _float(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if 0 < value < 10_000 else None


def _taken(directory: slides_tiff.Directory) -> str:
    match = re.match(r"(\d{4})[:/-](\d\d)[:/-](\d\d)", directory.text(DATE))
    return "-".join(match.groups()) if match else ""


def _american_date(text: str) -> str:
    match = re.fullmatch(r"(\d\d)/(\d\d)/(\d\d(?:\d\d)?)", text.strip())
    return f"{match[3] if len(match[3]) == 4 else '20' + match[3]}-{match[1]}-{match[2]}" if match else ""


# -- jobs -------------------------------------------------------------------------------------------


def look(fd: int, options: dict[str, Any], output: Output) -> None:
    """What the files are: {"slide": …} with facts, levels and, when it is cheap, an overview and a thumbnail."""
    _be_lenient()
    try:
        found = find(Files(fd, options["sizes"]), dicom=options["dicom"])
    except Unsupported:
        output.send({"problem": "slide_unsupported"})
        return
    except MemoryError:
        raise
    except Exception:  # parsers raise many types; whichever it is, the file is damaged
        output.send({"problem": "slide_damaged"})
        return
    if found is None:
        output.send({"slide": None})
        return
    missing = sum(level.missing for level in found.levels[:1])
    output.send(
        {"slide": {
            "levels": [[level.width, level.height, level.file] for level in found.levels],
            "facts": {key: value for key, value in found.facts.items() if value not in (None, "", [])},
            "withheld": found.withheld, "missing": missing, "blocks": max(1, found.levels[0].blocks) if found.levels
            else 0,
        }}
    )  # fmt: skip
    if options.get("pictures") and found.levels:
        _pictures(found, output)


def _pictures(found: Found, output: Output) -> None:
    wide = [level for level in found.levels if max(level.width, level.height) >= OVERVIEW // 2] or found.levels[:1]
    level, blocks = wide[-1], Blocks()
    if level.width * level.height > OVERVIEW_SOURCE:
        return  # one huge level: the overview comes out of the pyramid
    half = max(level.width, level.height) >= 2 * OVERVIEW and _halves(level)
    trimmed = (level.width // 2 * 2, level.height // 2 * 2) if half else (level.width, level.height)
    picture = region(level, blocks, (0, 0, *trimmed), half=half)
    for kind, edge in (("overview", OVERVIEW), ("thumbnail", THUMBNAIL)):
        picture.thumbnail((edge, edge))
        output.send({"picture": kind, "width": picture.width, "height": picture.height}, _jpeg(picture))


def cut(fd: int, options: dict[str, Any], output: Output) -> None:
    """Tiles `start`… of level `level`, row by row, until `seconds` are over: {"at": n} with up to BATCH parts."""
    _be_lenient()
    found = find(Files(fd, options["sizes"]), dicom=options["dicom"])
    if found is None or [found.width, found.height] != options["size"]:
        raise Damaged("another slide")
    size = shape(found.width, found.height)[options["level"]]
    columns, rows = grid(size)
    source = source_of(found.levels, size[0])
    blocks, until = Blocks(), time.monotonic() + options["seconds"]
    number, parts = options["start"], []
    while number < columns * rows and time.monotonic() < until:
        parts.append(_jpeg(_tile(found.levels[source], blocks, size, number % columns, number // columns)))
        number += 1
        if len(parts) == BATCH:
            output.send({"at": number - len(parts)}, *parts)
            parts = []
    output.send({"at": number - len(parts), "damaged": blocks.damaged}, *parts)


def source_of(levels: list[Any], width: int) -> int:
    """The coarsest source level that has at least the detail of a pyramid level of `width`; -1 when all are more
    than about twice as fine: then the pyramid's own next level is the better source."""
    # a level may be rounded down by a few pixels against our own rounding up
    fine = [number for number, level in enumerate(levels) if _width(level) * 1.01 + 4 >= width]
    best = fine[-1] if fine else 0
    return best if _width(levels[best]) <= 2.1 * width + 8 else -1


def _width(level: Any) -> int:
    return level.width if isinstance(level, Level) else int(level[0])


def _tile(level: Level, blocks: Blocks, size: tuple[int, int], column: int, row: int) -> Image.Image:
    left, top = column * TILE, row * TILE
    width, height = min(TILE, size[0] - left), min(TILE, size[1] - top)
    across, down = level.width / size[0], level.height / size[1]
    for scale in (1, 2):
        near = abs(level.width - scale * size[0]) <= 4 and abs(level.height - scale * size[1]) <= 4
        box = (left * scale, top * scale, (left + width) * scale, (top + height) * scale)
        if near and box[2] <= level.width and box[3] <= level.height and (scale == 1 or _halves(level)):
            return region(level, blocks, box, half=scale == 2)
    wanted = (left * across, top * down, (left + width) * across, (top + height) * down)
    whole = (
        int(wanted[0]),
        int(wanted[1]),
        min(level.width, int(wanted[2]) + 1),
        min(level.height, int(wanted[3]) + 1),
    )
    around = region(level, blocks, whole)
    inside = (wanted[0] - whole[0], wanted[1] - whole[1],
              min(wanted[2] - whole[0], around.width), min(wanted[3] - whole[1], around.height))  # fmt: skip
    return around.resize((width, height), Image.Resampling.BOX if across > 1.5 else Image.Resampling.BILINEAR, inside)


def _halves(level: Level) -> bool:
    return level.block_width % 2 == 0 and level.block_height % 2 == 0


def _jpeg(picture: Image.Image) -> bytes:
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=QUALITY)
    return out.getvalue()


def _be_lenient() -> None:
    """What has arrived of a cut block is shown; the missing part stays grey."""
    ImageFile.LOAD_TRUNCATED_IMAGES = True
    Image.MAX_IMAGE_PIXELS = None  # sizes are checked before decoding


def warm() -> None:
    """Load the codecs before the door is locked."""
    with contextlib.suppress(Exception):
        Image.init()
