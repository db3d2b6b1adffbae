"""C-CDA documents (HL7 CDA R2): title, patient, the text of the sections; an embedded PDF is shown."""

from __future__ import annotations

import base64
import binascii
from typing import IO, TYPE_CHECKING, Any

from lxml import etree

from consilium.records.extract import blocks, ccda_entries, pdf
from consilium.records.extract.blocks import hardened_parser
from consilium.records.extract.guess import hl7_date
from consilium.records.extract.plain import send_pages
from consilium.records.extract.sections import MAX_SECTIONS, lines

if TYPE_CHECKING:
    from lxml.etree import _ElementTree

    from consilium.records.extract.reader import Job

MAX_BYTES = 48 * 2**20
_NS = {"c": "urn:hl7-org:v3"}
# LOINC document codes that say what kind of record this is
_TYPE_BY_LOINC = {"11488-4": "letter", "18842-5": "summary", "34133-9": "summary", "11502-2": "laboratory",
                  "18748-4": "imaging", "11526-1": "pathology", "60591-5": "summary"}  # fmt: skip


def parse(job: Job) -> None:
    """Facts and readable pages."""
    if job.size > MAX_BYTES or job.options["cut"]:
        job.problem("too_large")
        return
    parse_stream(job, job.open())


def parse_stream(job: Job, source: IO[bytes]) -> None:
    """The same of a document that lies inside a file of another kind."""
    try:
        tree = etree.parse(source, hardened_parser())
    except etree.XMLSyntaxError:
        job.problem("damaged_text")
        return
    if tree.docinfo.internalDTD is not None:  # CDA has none; only an attack needs one
        job.problem("damaged_text")
        return
    job.facts(**_facts(tree))
    job.suggest(type=_type(tree), date=hl7_date(_value(tree, "/c:ClinicalDocument/c:effectiveTime/@value")))
    if not _embedded(job, tree):
        found = _sections(tree)
        job.entries(ccda_entries.entries(tree))
        job.sections(found)
        send_pages(job, _text(tree, found))


def _value(tree: _ElementTree, path: str) -> str:
    found = tree.xpath(path, namespaces=_NS)
    return str(found[0])[:1000].strip() if isinstance(found, list) and found else ""


_PATIENT = "/c:ClinicalDocument/c:recordTarget/c:patientRole"


def _facts(tree: _ElementTree) -> dict[str, str]:
    name = f"{_PATIENT}/c:patient/c:name[1]"
    given = tree.xpath(f"{name}/c:given//text()", namespaces=_NS)
    return {
        "title": _value(tree, "/c:ClinicalDocument/c:title//text()"),
        "patient_family": _value(tree, f"{name}/c:family//text()"),
        "patient_given": " ".join(str(g).strip() for g in given[:4]) if isinstance(given, list) else "",
        "patient_birth_date": hl7_date(_value(tree, f"{_PATIENT}/c:patient/c:birthTime/@value")),
        "patient_sex": _value(tree, f"{_PATIENT}/c:patient/c:administrativeGenderCode/@code"),
        "patient_id": _value(tree, f"{_PATIENT}/c:id/@extension"),
        "document_code": _value(tree, "/c:ClinicalDocument/c:code/@code"),
    }


def _type(tree: _ElementTree) -> str:
    return _TYPE_BY_LOINC.get(_value(tree, "/c:ClinicalDocument/c:code/@code"), "summary")


def _embedded(job: Job, tree: _ElementTree) -> bool:
    """CDA R2 §4.3.1.1 nonXMLBody: a document of another kind, base64 inside."""
    bodies = tree.xpath("//c:nonXMLBody/c:text[@representation='B64']", namespaces=_NS)
    if not isinstance(bodies, list) or not bodies:
        return False
    try:
        data = base64.b64decode(bodies[0].text or "")
    except binascii.Error:
        job.problem("damaged_text")
        return True
    if data.startswith(b"%PDF-"):
        job.facts(embedded="application/pdf")
        pdf.parse_bytes(job, data)
    else:
        job.problem("no_preview")
    return True


def _sections(tree: _ElementTree) -> list[dict[str, Any]]:
    """Title, LOINC code and words of each section."""
    found = tree.xpath("//c:structuredBody//c:section", namespaces=_NS)
    out: list[dict[str, Any]] = []
    for section in found[:MAX_SECTIONS] if isinstance(found, list) else []:
        title, code = section.find("c:title", _NS), section.find("c:code", _NS)
        out.append(
            {
                "title": blocks.words(title) if title is not None else "",
                "code": code.get("code", "") if code is not None else "",
                "blocks": blocks.of_element(section.find("c:text", _NS)),
            }
        )
    return out


def _text(tree: _ElementTree, found: list[dict[str, Any]]) -> str:
    """All words, for search: the structured view shows entries and sections instead."""
    out = [_value(tree, "/c:ClinicalDocument/c:title//text()")]
    for section in found:
        out += ["", section["title"], *lines(section["blocks"])]
    return "\n".join(out)
