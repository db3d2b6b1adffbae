"""Inside the jail: which pages are pictures of words, and such a page drawn afresh for text recognition."""

from __future__ import annotations

import io
import re
import unicodedata
import warnings
from typing import TYPE_CHECKING, Any

import pypdfium2
import pypdfium2.raw as pdfium
from PIL import Image, ImageOps

from consilium.records.sniff import Kind

if TYPE_CHECKING:
    from consilium.records.extract.reader import Output

DPI = 300
MOST_PIXELS = 9_000_000  # A4 at 300 dpi; as grey PNG always below what one frame of the wire carries
LEAST_EDGE = 1600  # small pictures are enlarged: letters need some 20 pixels
FEW_WORDS, SCAN_SHARE = 60, 0.5
_WORD = re.compile(r"[^\W\d_]{2,}")


def is_scan(page: pypdfium2.PdfPage, words: str) -> bool:
    """A page whose words are only to be seen: no text though something is drawn, nonsense, or a picture of a page."""
    if not words.strip():
        return any(True for _one in page.get_objects(max_depth=2))
    if is_nonsense(words):
        return True
    return len(_WORD.findall(words)) < FEW_WORDS and _largest_picture(page) > SCAN_SHARE


def is_nonsense(words: str) -> bool:
    """A text layer of signs that belong to no word: fonts without a way back to letters."""
    signs = [char for char in words if not char.isspace()]
    odd = sum(1 for char in signs if char == "\ufffd" or unicodedata.category(char) in ("Cc", "Co", "Cn", "Cs"))
    return odd * 5 > len(signs)


def _largest_picture(page: pypdfium2.PdfPage) -> float:
    """The largest picture's share of the page, 0 to 1."""
    width, height = page.get_size()
    shares = [0.0]
    for one in page.get_objects(filter=[pdfium.FPDF_PAGEOBJ_IMAGE], max_depth=3):
        left, bottom, right, top = one.get_bounds()
        shares.append((min(right, width) - max(left, 0)) * (min(top, height) - max(bottom, 0)) / (width * height))
    return max(shares)


def render(fd: int, options: dict[str, Any], output: Output) -> None:
    """The job of `ocr`: page `options["page"]` (from 0) of a file of kind `options["kind"]` as one grey PNG."""
    from consilium.records.extract.reader import Job

    job = Job(fd, options, output)
    kind, page = Kind(options["kind"]), int(options["page"])
    image = _of_pdf(_pdf_bytes(job, kind), page) if kind in (Kind.PDF, Kind.DICOM) else _of_picture(job, page)
    out = io.BytesIO()
    image.save(out, "PNG", compress_level=1)
    output.send({"picture": {"width": image.width, "height": image.height}}, out.getvalue())


def turn(fd: int, options: dict[str, Any], output: Output) -> None:
    """The job that turns such a drawing clockwise by `options["turn"]` degrees."""
    from consilium.records.extract.reader import Job

    image = Image.open(Job(fd, options, output).open(), formats=["PNG"]).rotate(-int(options["turn"]), expand=True)
    out = io.BytesIO()
    image.save(out, "PNG", compress_level=1)
    output.send({"picture": {"width": image.width, "height": image.height}}, out.getvalue())


def _pdf_bytes(job: Any, kind: Kind) -> bytes:
    if kind is Kind.PDF:
        return job.data()
    import pydicom

    with job.open() as handle:  # PS3.3 §C.24.2: the document is one element
        return bytes(pydicom.dcmread(handle, force=True, specific_tags=["EncapsulatedDocument"]).EncapsulatedDocument)


def _of_pdf(data: bytes, index: int) -> Image.Image:
    page = pypdfium2.PdfDocument(data)[index]
    width, height = page.get_size()
    if not (0 < width < 1e6 and 0 < height < 1e6):
        raise ValueError("page without a size")
    scale = min(DPI / 72, (MOST_PIXELS / (width * height)) ** 0.5)
    return page.render(scale=scale, grayscale=True, draw_annots=True, may_draw_forms=False).to_pil().convert("L")


def _of_picture(job: Any, index: int) -> Image.Image:
    from consilium.records.extract import photo

    warnings.simplefilter("ignore")
    image = Image.open(job.open(), formats=photo.formats_of(job.kind))
    if index:
        image.seek(index)
    image.draft("L", (3600, 3600))
    if image.width * image.height > photo.MAX_PIXELS:
        raise ValueError("too many pixels")
    upright = photo.on_white(ImageOps.exif_transpose(image) or image).convert("L")
    longest = max(upright.size)
    scale = min(max(1.0, LEAST_EDGE / longest), 3.0, (MOST_PIXELS / (upright.width * upright.height)) ** 0.5)
    if abs(scale - 1) > 0.02:
        size = (max(1, int(upright.width * scale)), max(1, int(upright.height * scale)))
        upright = upright.resize(size, Image.Resampling.LANCZOS)
    return upright
