"""Whole-slide images of a case: recognised when they arrive, prepared for zooming by a job of low priority.

The original stays as it is. A job cuts it into JPEG tiles, coarse levels first, a few seconds at a time: each run
makes its tiles durable, notes how far it came, and asks for the next one, so that a crash costs seconds and other
work comes in between. What reads the original runs in the jail and gets its bytes range by range (slide_feed.py).
"""

import base64
import time
from collections.abc import Iterator, Sequence
from typing import Any

from django.db import transaction
from PIL import Image

from consilium.core import clock, jobs
from consilium.imaging import slides as pyramid
from consilium.imaging.slides_dicom import SOP_CLASS, WITHHELD
from consilium.records import content, sandbox, slide_tiles
from consilium.records.extract.result import Extraction, Preview, safe_json
from consilium.records.models import Preview as StoredPreview
from consilium.records.models import Record, RecordFile, Slide
from consilium.records.slide_feed import fed
from consilium.records.sniff import HEAD, MEDIA_TYPES, Kind, sniff
from consilium.vault import blobs, keys

LOOK_SECONDS = 40.0
RUN_SECONDS = 20.0  # of one run of the job
STEP_SECONDS = 8.0  # of one visit to the jail
STEP_BYTES = 48 * 2**20  # of tiles, which make one blob
CHILD_MEMORY = 448 * 2**20  # on top of the warm interpreter
MOST_SOURCES = 64  # instances of one DICOM series


class NotPrepared(Exception):  # noqa: N818 - a named outcome
    """The slide cannot be read; `code` is one of records/problems.py."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


# -- recognising ------------------------------------------------------------------------------------


def look(what: content.Content) -> Extraction | None:
    """A slide in TIFF clothes (SVS, NDPI, pyramidal TIFF), described as any other file; None for everything else."""
    if not what.size or sniff(content.read_at(what, 0, min(HEAD, 4096))) != Kind.TIFF:
        return None
    found = Extraction(Kind.SLIDE, MEDIA_TYPES[Kind.TIFF], size=what.size)
    found.suggested_type = "slides"
    try:
        seen = _look([what], dicom=False, pictures=True)
    except NotPrepared as no:
        found.kind = Kind.TIFF
        found.flag(no.code)
        return found
    except (sandbox.SandboxError, sandbox.JobFailed, OSError):
        return None  # the ordinary reading says that it could not be read just now
    if seen is None:
        return None
    found.facts = seen["facts"]
    found.suggested_date = seen["facts"].get("taken", "")
    found.previews = seen["previews"]
    if seen["missing"]:
        found.flag("slide_incomplete")
    return found


def _look(files: Sequence[content.Content], *, dicom: bool, pictures: bool) -> dict[str, Any] | None:
    """What the jail says of the files: checked levels, facts and previews. Raises NotPrepared."""
    options = {"sizes": [file.size for file in files], "dicom": dicom, "pictures": pictures}
    seen: dict[str, Any] | None = None
    previews: list[Preview] = []
    try:
        for header, parts in _visit("look", files, options, LOOK_SECONDS):
            if "problem" in header:
                raise NotPrepared(header["problem"] if header["problem"] == "slide_unsupported" else "slide_damaged")
            if isinstance(header.get("slide"), dict):
                seen = _checked(header["slide"], len(files))
            elif seen is not None and parts:
                previews += _preview(header, parts[0])
    except sandbox.JobFailed as failure:
        if failure.reason == "lost":
            raise
        if seen is None:
            raise NotPrepared("slide_damaged") from None
    return seen | {"previews": previews} if seen is not None else None


def _visit(job: str, files: Sequence[content.Content], options: dict[str, Any], seconds: float) -> Iterator[Any]:
    """Frames of a job of imaging/slides.py. Looking happens in the middle of archives, which hold stream places."""
    with fed(files) as fd:
        yield from sandbox.run(
            f"consilium.imaging.slides:{job}", fd, options, seconds=seconds, cpu_seconds=int(seconds) + 5,
            memory=CHILD_MEMORY, max_output=4 * STEP_BYTES, stream=job == "cut",
        )  # fmt: skip


def _checked(said: dict[str, Any], files: int) -> dict[str, Any]:
    """The child's description, or NotPrepared: nothing in it is trusted."""
    levels = said.get("levels")
    most = 2_000_000
    sound = isinstance(levels, list) and len(levels) <= 500 and all(
        isinstance(one, list) and len(one) == 3 and all(type(n) is int for n in one)
        and 0 < one[0] <= most and 0 < one[1] <= most and 0 <= one[2] < files for one in levels
    )  # fmt: skip
    if not sound or not isinstance(levels, list):
        raise NotPrepared("slide_damaged")
    facts = {key: value for key, value in safe_json(said.get("facts") or {}).items() if key in _FACTS}
    if levels:
        facts |= {"width": levels[0][0], "height": levels[0][1], "levels": len(levels)}
    withheld = [name for name in ("label", "macro") if name in (said.get("withheld") or [])]
    if withheld:
        facts["withheld"] = withheld
    return {"levels": levels, "facts": facts, "missing": bool(said.get("missing"))}


_FACTS = {"vendor", "mpp", "objective", "taken"}


def _preview(header: dict[str, Any], data: bytes) -> list[Preview]:
    width, height = header.get("width"), header.get("height")
    if not data.startswith(b"\xff\xd8\xff") or type(width) is not int or type(height) is not int:
        return []
    if not (0 < width <= pyramid.OVERVIEW and 0 < height <= pyramid.OVERVIEW):
        return []
    kind = "thumbnail" if header.get("picture") == "thumbnail" else "page"
    return [Preview(kind, 0, "image/jpeg", width, height, data)]


# -- noticing ---------------------------------------------------------------------------------------


def is_dicom_slide(file: RecordFile) -> bool:
    """Whether a filed image is one level, label or overview of a DICOM whole-slide image."""
    return file.facts.get("sop_class") == SOP_CLASS


def is_withheld(file: RecordFile) -> bool:
    """A label or overview picture of a slide: it may show the patient's name and is never drawn."""
    kinds = {str(one).upper() for one in file.facts.get("image_type", [])}
    return is_dicom_slide(file) and bool(kinds & WITHHELD.keys())


def notice(file: RecordFile) -> Slide | None:
    """Have a filed slide prepared; a further level of a series joins the slide that is there. Idempotent."""
    if is_withheld(file):
        return None
    with transaction.atomic():
        record = Record.objects.select_for_update().get(pk=file.record_id)
        same = Slide.objects.filter(file__record=record, file__series=file.series) if file.series else None
        slide = (same.first() if same is not None else None) or Slide.objects.get_or_create(
            file=file, defaults={"space": file.space}
        )[0]
        if slide.status in (Slide.Status.READY, Slide.Status.FAILED) and str(file.pk) not in slide.index["sources"]:
            slide.status = Slide.Status.WAITING
            slide.save(update_fields=["status"])
        record.kind = Record.Kind.SLIDES
        record.images, record.pages = max(1, Slide.objects.filter(file__record=record).count()), 0
        record.save(update_fields=["kind", "images", "pages"])
        jobs.enqueue(prepare, str(slide.pk), key=f"slide:{slide.pk}:{file.pk}")
    return slide


# -- preparing --------------------------------------------------------------------------------------


@jobs.task(queue="ocr", attempts=6, priority=-50)  # the queue of slow work, with a worker of its own
def prepare(slide_id: str) -> None:
    """Cut tiles for a while; asks for another run until the slide is ready. Running it twice changes nothing."""
    slide = Slide.objects.filter(pk=slide_id).select_related("file").first()
    if slide is None or slide.status in (Slide.Status.READY, Slide.Status.FAILED) or keys.space_destroyed(slide.space):
        return
    until = time.monotonic() + RUN_SECONDS
    try:
        files = _sources(slide)
        if slide.index.get("sources") != [str(file.pk) for file in files]:
            slide = _begin(slide, files)
        while slide.status == Slide.Status.WORKING and time.monotonic() < until:
            slide = _advance(slide, files)
    except NotPrepared as no:
        _fail(slide, no.code)
        return
    if slide.status == Slide.Status.WORKING:
        jobs.enqueue(prepare, str(slide.pk), key=f"slide:{slide.pk}:{len(files)}:{slide.done}")


def _sources(slide: Slide) -> list[RecordFile]:
    """The files that make up the slide: one, or the resolutions of a DICOM series."""
    if not is_dicom_slide(slide.file):
        return [slide.file]
    series = RecordFile.objects.filter(record=slide.file.record_id, series=slide.file.series).order_by("id")
    return [file for file in series[: 4 * MOST_SOURCES] if is_dicom_slide(file) and not is_withheld(file)][
        :MOST_SOURCES
    ]


def _begin(slide: Slide, files: list[RecordFile]) -> Slide:
    """Measure, lay out the pyramid and forget what was cut from fewer files. Raises NotPrepared."""
    seen = _look(files, dicom=is_dicom_slide(files[0]), pictures=True)
    if seen is None or not seen["levels"]:
        raise NotPrepared("slide_unsupported")
    levels = seen["levels"]
    width, height, main = levels[0]
    sizes = pyramid.shape(width, height)
    rows = [{"source": pyramid.source_of(levels, size[0]), "done": 0, "tiles": ""} for size in sizes]
    index = {"sources": [str(file.pk) for file in files], "levels": rows, "order": _order(rows), "damaged": 0}
    counts = [columns * down for columns, down in map(pyramid.grid, sizes)]
    with transaction.atomic():
        slide = Slide.objects.select_for_update().select_related("file").get(pk=slide.pk)
        slide.file = files[main]
        slide.width, slide.height, slide.levels, slide.tile = width, height, len(sizes), pyramid.TILE
        slide.mpp, slide.status = _scale(seen["facts"]), Slide.Status.WORKING
        slide.done, slide.total, slide.tiles, slide.index = 0, sum(counts), [], index
        slide.save()
        slide.file.facts = slide.file.facts | seen["facts"]
        slide.file.save(update_fields=["facts"])
    _keep_pictures(slide, seen["previews"])
    if seen["missing"]:
        _flag(slide, "slide_incomplete")
    return slide


def _scale(facts: dict[str, Any]) -> float | None:
    value = facts.get("mpp")
    return float(value) if isinstance(value, (int, float)) and 0.001 <= value <= 1000 else None


def _order(rows: list[dict[str, Any]]) -> list[int]:
    """Coarse levels first; one without a source of its own right after the finer one that it is made from."""
    order: list[int] = []
    for number, row in enumerate(rows):
        if row["source"] >= 0:
            order.append(number)
            coarser = number - 1
            while coarser >= 0 and coarser not in order:
                order.append(coarser)
                coarser -= 1
    return order


def _advance(slide: Slide, files: list[RecordFile]) -> Slide:
    """One step: some tiles of the level that is next, durable before the row says so."""
    found = slide_tiles.layout_of(slide)
    level = next((number for number in slide.index["order"] if not found.levels[number].complete), None)
    if level is None:
        return _finished(slide)
    row = slide.index["levels"][level]
    source = _cut(slide, files, level, row["done"]) if row["source"] >= 0 else _made(found, level, row["done"])
    with blobs.writer(space=slide.space, tenant=keys.space_key(slide.space).tenant) as out:
        entries, damaged = _pack(source, out, number=len(slide.tiles))
        if not entries:
            raise NotPrepared("slide_damaged")
        blob = out.finish().id
    with transaction.atomic():
        fresh = Slide.objects.select_for_update().select_related("file").get(pk=slide.pk)
        if (fresh.tiles, fresh.done) != (slide.tiles, slide.done):
            return fresh  # another worker was faster; the blob belongs to no row and is collected
        mine = fresh.index["levels"][level]
        mine["tiles"] = base64.b64encode(base64.b64decode(mine["tiles"]) + b"".join(entries)).decode()
        mine["done"] += len(entries)
        fresh.index["damaged"] += damaged
        fresh.tiles, fresh.done = [*fresh.tiles, blob.hex], fresh.done + len(entries)
        fresh.save(update_fields=["tiles", "done", "index"])
    return fresh


def _cut(slide: Slide, files: list[RecordFile], level: int, start: int) -> Iterator[tuple[bytes, int]]:
    """(tile, blocks found damaged since the last) from the jail. Raises NotPrepared when not even one comes."""
    options = {
        "sizes": [file.size for file in files], "dicom": is_dicom_slide(files[0]), "level": level, "start": start,
        "size": [slide.width, slide.height], "seconds": STEP_SECONDS,
    }  # fmt: skip
    expected = start
    try:
        for header, parts in _visit("cut", files, options, STEP_SECONDS * 4 + 20):
            if header.get("at") != expected or not all(part.startswith(b"\xff\xd8\xff") for part in parts):
                raise NotPrepared("slide_damaged")
            expected += len(parts)
            damaged = header.get("damaged")
            for part in parts:
                yield part, 0
            if type(damaged) is int and parts:
                yield b"", max(0, damaged)
    except sandbox.JobFailed as failure:
        if failure.reason == "lost":  # the sandbox was killed, which says nothing about the file: try again
            raise
        if expected == start:
            raise NotPrepared("slide_damaged") from None


def _made(found: slide_tiles.Layout, level: int, start: int) -> Iterator[tuple[bytes, int]]:
    """Tiles of a level from the next finer one of the pyramid."""
    until = time.monotonic() + STEP_SECONDS
    columns, rows = found.levels[level].grid
    finer = found.levels[level + 1]
    for number in range(start, columns * rows):
        left, top = number % columns * 2 * pyramid.TILE, number // columns * 2 * pyramid.TILE
        right, bottom = left + 2 * pyramid.TILE, top + 2 * pyramid.TILE
        box = (left, top, min(finer.width, right), min(finer.height, bottom))
        yield slide_tiles.jpeg(slide_tiles.stitched(found, level + 1, box).reduce(2)), 0
        if time.monotonic() > until:
            return


def _pack(source: Iterator[tuple[bytes, int]], out: blobs.BlobWriter, *, number: int) -> tuple[list[bytes], int]:
    """Write tiles one after the other; equal ones (empty glass) once. Returns their entries and the damage."""
    entries: list[bytes] = []
    seen: dict[bytes, bytes] = {}
    offset = damaged = 0
    for tile, lost in source:
        damaged += lost
        if not tile:
            continue
        entry = seen.get(tile) if len(tile) < 8192 else None
        if entry is None:
            entry = slide_tiles.ENTRY.pack(number, offset, len(tile))
            out.write(tile)
            offset += len(tile)
            if len(tile) < 8192 and len(seen) < 500:
                seen[tile] = entry
        entries.append(entry)
        if offset >= STEP_BYTES:
            break
    return entries, damaged


def _finished(slide: Slide) -> Slide:
    if slide.index["damaged"]:
        _flag(slide, "slide_incomplete")
    _keep_pictures(slide, _own_pictures(slide))
    slide.status = Slide.Status.READY
    slide.save(update_fields=["status"])
    return slide


def _own_pictures(slide: Slide) -> list[Preview]:
    """Overview and thumbnail out of the pyramid, for slides whose file has no small level."""
    if slide.file.previews.filter(kind=StoredPreview.Kind.THUMBNAIL).exists():
        return []
    whole = slide_tiles.picture(slide_tiles.layout_of(slide), (0, 0, 1, 1), pyramid.OVERVIEW)
    found = []
    for kind, edge in (("page", pyramid.OVERVIEW), ("thumbnail", pyramid.THUMBNAIL)):
        if whole is not None:
            whole.thumbnail((edge, edge), Image.Resampling.LANCZOS)
            found.append(Preview(kind, 0, "image/jpeg", whole.width, whole.height, slide_tiles.jpeg(whole)))  # type: ignore[arg-type]
    return found


def _keep_pictures(slide: Slide, pictures: list[Preview]) -> None:
    """Overview (page 0) and thumbnail of the main file; older ones are replaced."""
    for one in pictures:
        info = blobs.put([one.data], space=slide.space, tenant=keys.space_key(slide.space).tenant)
        fields = {"blob": info.id, "media_type": one.media_type, "width": one.width, "height": one.height}
        StoredPreview.objects.update_or_create(file=slide.file, kind=one.kind, index=0, defaults=fields)


def _fail(slide: Slide, code: str) -> None:
    Slide.objects.filter(pk=slide.pk).update(status=Slide.Status.FAILED)
    _flag(slide, code)


def _flag(slide: Slide, code: str) -> None:
    """A note beside the record; the original is kept whatever happens."""
    with transaction.atomic():
        record = Record.objects.select_for_update().get(pk=slide.file.record_id)
        if code not in record.problems:
            record.problems = sorted({*record.problems, code})
            if record.status == Record.Status.READY:
                record.status = Record.Status.FLAGGED
            record.save(update_fields=["problems", "status"])


def percent(slide: Slide) -> int:
    """How much is prepared, 0…100; 100 only when all is."""
    return 100 if slide.status == Slide.Status.READY else min(99, 100 * slide.done // max(1, slide.total))


@jobs.every(seconds=300)
@jobs.task(priority=-50)
def resume_slides() -> None:
    """Ask again for slides whose job was lost with its worker."""
    waiting = Slide.objects.filter(status__in=(Slide.Status.WAITING, Slide.Status.WORKING))
    for slide, done in waiting.values_list("pk", "done")[:50]:
        jobs.enqueue(prepare, str(slide), key=f"slide:{slide}:{done}:{int(clock.now().timestamp()) // 3600}")
