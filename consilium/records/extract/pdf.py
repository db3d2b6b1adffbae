"""PDF by PDFium: number of pages, text, pictures of the pages; scripts and attachments are only counted."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pypdfium2
import pypdfium2.raw as pdfium

from consilium.records.extract import scans

if TYPE_CHECKING:
    from consilium.records.extract.reader import Job

MAX_EDGE = 2400  # pixels: a very tall page is scaled to fit
_PASSWORD = pdfium.FPDF_ERR_PASSWORD


def parse(job: Job) -> None:
    """Facts, text and page previews of the job's bytes."""
    parse_bytes(job, job.data())


def parse_bytes(job: Job, data: bytes) -> None:
    """The same for PDF bytes found inside another file (DICOM, C-CDA)."""
    try:
        document = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        job.problem("encrypted_pdf" if error.err_code == _PASSWORD else "damaged_pdf")
        return
    pages = len(document)
    job.suggest(pages=pages)
    _facts(job, document)
    if pages == 0 or not _has_end(data):
        job.problem("damaged_pdf")
    if pages > job.options["max_pages"]:
        job.problem("many_pages")
    _pages(job, document)


def _has_end(data: bytes) -> bool:
    """ISO 32000-1 §7.5.5: a complete file ends with %%EOF; PDFium quietly repairs a cut one."""
    return b"%%EOF" in data[-2048:]


def _facts(job: Job, document: pypdfium2.PdfDocument) -> None:
    scripts = max(0, pdfium.FPDFDoc_GetJavaScriptActionCount(document))
    attached = max(0, pdfium.FPDFDoc_GetAttachmentCount(document))
    meta = document.get_metadata_dict()
    job.facts(
        pdf_title=meta.get("Title", "")[:200], created=meta.get("CreationDate", "")[:30],
        scripts=scripts, attachments=attached,
    )  # fmt: skip
    if scripts or attached:
        job.problem("active_content")


def _pages(job: Job, document: pypdfium2.PdfDocument) -> None:
    broken = False
    scanned = []
    for index in range(min(len(document), job.options["max_pages"])):
        try:
            page = document[index]
            words = page.get_textpage().get_text_bounded(errors="ignore")
            job.text(words)
            if scans.is_scan(page, words):
                scanned.append(index)
            _picture(job, page, index)
            page.close()
        except (pypdfium2.PdfiumError, ValueError):
            broken = True
    job.facts(scanned=scanned)
    if broken:
        job.problem("damaged_pdf")


def _picture(job: Job, page: pypdfium2.PdfPage, index: int) -> None:
    width, height = page.get_size()
    if not (0 < width < 1e6 and 0 < height < 1e6):
        raise ValueError("page without a size")
    scale = min(job.options["page_width"] / width, MAX_EDGE / height)
    bitmap = page.render(scale=scale, draw_annots=True, may_draw_forms=False, rev_byteorder=True)
    image = bitmap.to_pil().convert("RGB")
    job.preview("page", index, image.width, image.height, jpeg(image))
    if index == 0:
        image.thumbnail((job.options["thumbnail"], job.options["thumbnail"] * 2))
        job.preview("thumbnail", 0, image.width, image.height, jpeg(image))


def jpeg(image: object) -> bytes:
    """A baseline JPEG without metadata; 4:4:4 keeps small print legible."""
    out = io.BytesIO()
    image.save(out, "JPEG", quality=82, subsampling=0)  # type: ignore[attr-defined]
    return out.getvalue()


def warm() -> None:
    """Start PDFium."""
    blank = pypdfium2.PdfDocument.new()
    blank.new_page(100, 100)
    blank[0].render(scale=0.1).to_pil()
    blank.close()
