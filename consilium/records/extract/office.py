"""Word and OpenDocument letters: the text only, out of one bounded part of the zip they are."""

from __future__ import annotations

import zipfile
import zlib
from typing import TYPE_CHECKING

from consilium.records.extract.ccda import hardened_parser
from consilium.records.extract.plain import send_pages
from consilium.records.sniff import Kind

if TYPE_CHECKING:
    from lxml.etree import _Element

    from consilium.records.extract.reader import Job

MAX_PART = 24 * 2**20
_PART = {Kind.DOCX: "word/document.xml", Kind.ODT: "content.xml"}
_BREAKS = {"p", "h", "br", "tr", "table-row", "line-break"}


def parse(job: Job) -> None:
    """Text pages of a .docx or .odt; macros and embedded objects are noted."""
    from lxml import etree

    try:
        with zipfile.ZipFile(job.open()) as archive:
            names = archive.namelist()[:5000]
            if any("vbaProject" in n or n.startswith(("word/embeddings/", "Basic/", "Object ")) for n in names):
                job.problem("active_content")
            with archive.open(_PART[job.kind]) as part:
                data = part.read(MAX_PART + 1)
        if len(data) > MAX_PART:
            job.problem("too_large")
            return
        send_pages(job, _text(etree.fromstring(data, hardened_parser())))
    except (zipfile.BadZipFile, zlib.error, KeyError, EOFError, etree.XMLSyntaxError, RuntimeError, OSError):
        job.problem("damaged_text")


def _text(root: _Element) -> str:
    out: list[str] = []
    for element in root.iter():
        name = element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""
        if name in _BREAKS:
            out.append("\n")
        elif name in ("tab", "tc", "table-cell"):
            out.append("\t")
        if element.text and (name in ("t", "p", "h", "span", "a")):
            out.append(element.text)
        if element.tail and "opendocument" in element.nsmap.get(element.prefix, ""):
            out.append(element.tail)
    return "".join(out)
