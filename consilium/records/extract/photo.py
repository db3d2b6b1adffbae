"""Photos and scans by Pillow: dimensions are checked before a pixel is decoded; position data is never read out."""

from __future__ import annotations

import io
import re
import warnings
from typing import TYPE_CHECKING

import pillow_heif
from PIL import Image, ImageFile, ImageOps

from consilium.records.extract.pdf import jpeg
from consilium.records.sniff import Kind

if TYPE_CHECKING:
    from consilium.records.extract.reader import Job

pillow_heif.register_heif_opener(thumbnails=False)
Image.MAX_IMAGE_PIXELS = None  # we check the size ourselves, before decoding
MAX_PIXELS = 64_000_000  # × 4 bytes, twice, fits the memory of a job
MAX_PIXELS_JPEG = 400_000_000  # JPEG is decoded at a fraction of its size
MAX_EDGE = 1800
_FORMATS = {
    Kind.JPEG: "JPEG", Kind.PNG: "PNG", Kind.HEIC: "HEIF", Kind.TIFF: "TIFF",
    Kind.WEBP: "WEBP", Kind.GIF: "GIF", Kind.BMP: "BMP",
}  # fmt: skip
_TAKEN, _ORIGINAL, _EXIF_IFD = 0x0132, 0x9003, 0x8769


def parse(job: Job) -> None:
    """Facts and previews: one page for each picture in the file (several in TIFF)."""
    warnings.simplefilter("ignore")
    try:
        image = Image.open(job.open(), formats=formats_of(job.kind))
    except Exception:  # the decoders raise many types; whichever it is, the picture cannot be opened
        job.problem("damaged_image")
        return
    pages = int(getattr(image, "n_frames", 1)) if job.kind is Kind.TIFF else 1
    job.suggest(pages=pages, type="photo")
    job.facts(width=image.width, height=image.height, taken=_taken(image))
    if job.options["cut"]:
        return
    _pages(job, image, pages)


def formats_of(kind: Kind) -> list[str]:
    """Pillow's names of the decoders that may read a picture of this kind."""
    return [_FORMATS[kind]] + (["AVIF"] if kind is Kind.HEIC else [])


def _pages(job: Job, image: Image.Image, pages: int) -> None:
    if pages > job.options["max_pages"]:
        job.problem("many_pages")
    for index in range(min(pages, job.options["max_pages"])):
        if index:
            try:
                image.seek(index)
            except Exception:  # a damaged directory
                job.problem("damaged_image")
                return
        _page(job, image, index)


def _page(job: Job, image: Image.Image, index: int) -> None:
    most = MAX_PIXELS_JPEG if image.format == "JPEG" else MAX_PIXELS
    if image.width * image.height > most or min(image.size) < 1:
        job.problem("too_large")
        return
    picture = _decode(job, image)
    if picture is None:
        job.problem("damaged_image")
        return
    job.preview("page", index, picture.width, picture.height, jpeg(picture))
    if index == 0:
        picture.thumbnail((job.options["thumbnail"], job.options["thumbnail"]))
        job.preview("thumbnail", 0, picture.width, picture.height, jpeg(picture))


def _decode(job: Job, image: Image.Image) -> Image.Image | None:
    """The upright picture, small enough to show; what can be saved of a cut file is shown with a flag."""
    image.draft("RGB", (MAX_EDGE, MAX_EDGE))
    try:
        image.load()
    except Exception:  # any decoder error: try again leniently
        job.problem("damaged_image")
        ImageFile.LOAD_TRUNCATED_IMAGES = True
        try:
            image.load()
        except Exception:  # nothing can be saved
            return None
    if max(image.size) > MAX_EDGE and image.mode not in ("P", "1"):
        image.thumbnail((MAX_EDGE, MAX_EDGE)) if _single(image) else None
    upright = ImageOps.exif_transpose(image) or image
    picture = on_white(upright)
    picture.thumbnail((MAX_EDGE, MAX_EDGE))
    return picture


def _single(image: Image.Image) -> bool:
    return getattr(image, "n_frames", 1) == 1


def on_white(image: Image.Image) -> Image.Image:
    """RGB; transparent parts become paper; 16-bit and float scans are scaled to 8 bit."""
    if image.mode.startswith(("I", "F")):
        low, high = image.getextrema()
        span = max(1e-6, float(high) - float(low))  # type: ignore[arg-type]
        return (
            image.convert("F").point(lambda v: v * (255 / span) - float(low) * 255 / span).convert("L").convert("RGB")
        )  # type: ignore[arg-type]
    if image.has_transparency_data:
        image = image.convert("RGBA")
        paper = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(paper, image).convert("RGB")
    return image.convert("RGB")


def _taken(image: Image.Image) -> str:
    """The day the photo was taken (EXIF DateTimeOriginal); the position is not looked at."""
    try:
        exif = Image.Image.getexif(image)  # PNG's own would decode the picture and swallow what is wrong with it
        value = str(exif.get_ifd(_EXIF_IFD).get(_ORIGINAL) or exif.get(_TAKEN) or "")
    except Exception:  # EXIF is often broken; it is only a hint
        return ""
    match = re.match(r"(\d{4}):(\d\d):(\d\d)", value)
    return "-".join(match.groups()) if match else ""


def warm() -> None:
    """Load Pillow's codecs."""
    Image.init()
    out = io.BytesIO(jpeg(Image.new("RGB", (8, 8))))
    Image.open(out).load()
