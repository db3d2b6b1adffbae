"""What a file is, judged by its content only: never by its name or the type a browser claims.

Only the first and last kilobytes are looked at and nothing is parsed, so this may run anywhere. A file that
is two things at once (a polyglot) is judged by its most dangerous face first: a program wins over a picture.
"""

from __future__ import annotations

import re
from enum import StrEnum

HEAD = 64 * 1024
TAIL = 64 * 1024


class Kind(StrEnum):
    PDF = "pdf"
    DICOM = "dicom"
    DICOMDIR = "dicomdir"
    JPEG = "jpeg"
    PNG = "png"
    HEIC = "heic"
    TIFF = "tiff"
    SLIDE = "slide"  # a TIFF that a slide scanner wrote: told apart by its directories (records/slides.py)
    WEBP = "webp"
    GIF = "gif"
    BMP = "bmp"
    ZIP = "zip"
    TAR = "tar"
    ARCHIVE = "archive"  # 7z, rar, gzip, disc images: named, never opened
    FHIR_JSON = "fhir-json"
    CCDA_XML = "ccda-xml"
    HL7V2 = "hl7v2"
    TEXT = "text"
    RTF = "rtf"
    DOCX = "docx"
    ODT = "odt"
    HTML = "html"
    EXECUTABLE = "executable"
    UNKNOWN = "unknown"
    EMPTY = "empty"


MEDIA_TYPES: dict[Kind, str] = {
    Kind.PDF: "application/pdf",
    Kind.DICOM: "application/dicom",
    Kind.DICOMDIR: "application/dicom",
    Kind.JPEG: "image/jpeg",
    Kind.PNG: "image/png",
    Kind.HEIC: "image/heic",
    Kind.TIFF: "image/tiff",
    Kind.SLIDE: "image/tiff",
    Kind.WEBP: "image/webp",
    Kind.GIF: "image/gif",
    Kind.BMP: "image/bmp",
    Kind.ZIP: "application/zip",
    Kind.TAR: "application/x-tar",
    Kind.FHIR_JSON: "application/fhir+json",
    Kind.CCDA_XML: "text/xml",
    Kind.HL7V2: "x-application/hl7-v2+er7",
    Kind.TEXT: "text/plain",
    Kind.RTF: "application/rtf",
    Kind.DOCX: "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    Kind.ODT: "application/vnd.oasis.opendocument.text",
    Kind.HTML: "text/html",
}

_MAGIC: tuple[tuple[bytes, Kind], ...] = (
    (b"\x7fELF", Kind.EXECUTABLE),
    (b"\xfe\xed\xfa\xce", Kind.EXECUTABLE),
    (b"\xfe\xed\xfa\xcf", Kind.EXECUTABLE),
    (b"\xce\xfa\xed\xfe", Kind.EXECUTABLE),
    (b"\xcf\xfa\xed\xfe", Kind.EXECUTABLE),
    (b"\xca\xfe\xba\xbe", Kind.EXECUTABLE),  # Mach-O universal and Java class
    (b"\x00asm", Kind.EXECUTABLE),
    (b"dex\n", Kind.EXECUTABLE),
    (b"#!", Kind.EXECUTABLE),
    (b"L\x00\x00\x00\x01\x14\x02\x00", Kind.EXECUTABLE),  # Windows shortcut
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Kind.UNKNOWN),  # OLE: old Word, MSI
    (b"\x89PNG\r\n\x1a\n", Kind.PNG),
    (b"\xff\xd8\xff", Kind.JPEG),
    (b"II*\x00", Kind.TIFF),
    (b"MM\x00*", Kind.TIFF),
    (b"II+\x00", Kind.TIFF),
    (b"MM\x00+", Kind.TIFF),
    (b"GIF87a", Kind.GIF),
    (b"GIF89a", Kind.GIF),
    (b"{\\rtf", Kind.RTF),
    (b"7z\xbc\xaf\x27\x1c", Kind.ARCHIVE),
    (b"Rar!\x1a\x07", Kind.ARCHIVE),
    (b"\x1f\x8b\x08", Kind.ARCHIVE),  # gzip, as in tar.gz (RFC 1952)
    (b"\x1f\x9d", Kind.ARCHIVE),  # compress
    (b"BZh", Kind.ARCHIVE),
    (b"\xfd7zXZ\x00", Kind.ARCHIVE),
    (b"\x28\xb5\x2f\xfd", Kind.ARCHIVE),  # Zstandard (RFC 8878)
    (b"MSCF\x00\x00\x00\x00", Kind.ARCHIVE),
)
_HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1", b"avif"}
_XML_CDA = re.compile(rb"<(?:[A-Za-z_][\w.-]{0,20}:)?ClinicalDocument[\s>]")
_HTML = re.compile(rb"<(?:!doctype\s+html|html|head|body|script|svg|iframe)[\s>]", re.I)
_SCRIPT = re.compile(rb"^\s*(?:@echo\s|<\?php|<%@|<job\b|on error resume next|param\s*\(|powershell)", re.I)
# DICOM without preamble starts with group 0002 or 0008: PS3.10 §7.1 wants the preamble, old scanners omit it.
_BARE_EXPLICIT = re.compile(rb"^(?:\x02\x00|\x08\x00)..(?:UL|OB|UI|SH|CS|DA|TM|LO|IS)", re.S)
_BARE_BIG = re.compile(rb"^\x00\x08\x00.(?:UL|UI|SH|CS|DA|TM|LO|IS)", re.S)


def sniff(head: bytes, tail: bytes = b"") -> Kind:
    """The kind of a file from its first (and, when known, last) up to 64 KiB."""
    if not head:
        return Kind.EMPTY
    # A tar begins with the name of its first file, which may begin like anything: its checksum decides.
    if is_tar_header(head[:512]):
        return Kind.TAR
    if _is_windows_program(head):
        return Kind.EXECUTABLE
    if head[128:132] == b"DICM":
        return Kind.DICOMDIR if b"1.2.840.10008.1.3.10" in head[132:1024] else Kind.DICOM
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return kind
    if head[32769:32774] == b"CD001" or tail[-512:-508] == b"koly":  # a disc as one file: ISO 9660, Apple disk image
        return Kind.ARCHIVE
    return _sniff_container(head, tail) or _sniff_bare_dicom(head) or _sniff_text(head)


def is_tar_header(block: bytes) -> bool:
    """A ustar or GNU header block with a true checksum (POSIX.1-2017 pax, "ustar Interchange Format")."""
    if len(block) < 512 or block[257:262] != b"ustar":
        return False
    digits = block[148:156].strip(b" \0")
    if not digits or digits.strip(b"01234567"):
        return False
    return int(digits, 8) == sum(block) - sum(block[148:156]) + 8 * 32


def _is_windows_program(head: bytes) -> bool:
    """MZ alone is too weak (a text may start so): it takes the PE/NE header it points to, or a DOS stub.

    A DICOM preamble may carry a Windows program (CVE-2019-11687); such a file is judged a program.
    """
    if not head.startswith((b"MZ", b"ZM")) or len(head) < 64:
        return False
    at = int.from_bytes(head[60:64], "little")
    stub = b"DOS mode" in head[:512] or head[at : at + 2] in (b"PE", b"NE", b"LE", b"LX")
    return stub or b"\x00" in head[2:64]


def _sniff_container(head: bytes, tail: bytes) -> Kind | None:
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")):
        return _sniff_zip(head, tail)
    if head[4:8] == b"ftyp" and head[8:12] in _HEIC_BRANDS:
        return Kind.HEIC
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return Kind.WEBP
    if head.startswith(b"BM") and head[6:10] == b"\0\0\0\0" and len(head) > 26:
        return Kind.BMP
    # ISO 32000-1 Annex H.3: readers accept the header anywhere in the first 1024 bytes
    if b"%PDF-" in head[:1024]:
        return Kind.PDF
    return None


def _sniff_zip(head: bytes, tail: bytes) -> Kind:
    if head[30:38] == b"mimetype" and b"application/vnd.oasis.opendocument.text" in head[38:128]:
        return Kind.ODT
    names = head + tail
    if b"META-INF/MANIFEST.MF" in names and b".class" in names:
        return Kind.EXECUTABLE
    if b"AndroidManifest.xml" in names and b"classes.dex" in names:
        return Kind.EXECUTABLE
    if b"[Content_Types].xml" in names and b"word/" in names:
        return Kind.DOCX
    return Kind.ZIP


def _sniff_bare_dicom(head: bytes) -> Kind | None:
    if _BARE_EXPLICIT.match(head) or _BARE_BIG.match(head):
        return Kind.DICOM
    # implicit VR little endian: (0008,0000|0005|0008|0016…), a small even length, zero high bytes
    if head[:2] == b"\x08\x00" and len(head) >= 32 and head[3] == 0:
        element, length = int.from_bytes(head[2:4], "little"), int.from_bytes(head[4:8], "little")
        if element <= 0x0060 and length % 2 == 0 and 0 < length <= 128:
            return Kind.DICOM
    return None


def _sniff_text(head: bytes) -> Kind:
    sample = _as_text(head)
    if sample is None:
        return Kind.UNKNOWN
    start = sample.lstrip(b"\xef\xbb\xbf \t\r\n\x0b")
    if not start:
        return Kind.TEXT
    if start.startswith(b"MSH") and len(start) > 8 and start[3:4] not in (b" ", b"\t") and b"\\" in start[4:9]:
        return Kind.HL7V2
    if start.startswith((b"FHS|", b"BHS|")) and b"MSH|" in start:
        return Kind.HL7V2
    if _SCRIPT.match(start):
        return Kind.EXECUTABLE
    if start[:1] == b"{" and re.search(rb'"resourceType"\s*:\s*"', start):
        return Kind.FHIR_JSON
    if start[:1] == b"<" and _XML_CDA.search(start):
        return Kind.CCDA_XML
    if start[:1] == b"<" and _HTML.search(start[:4096]):
        return Kind.HTML
    return Kind.TEXT


def _as_text(head: bytes) -> bytes | None:
    """The sample with UTF-16 folded to UTF-8, or None when it is binary."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return head.decode("utf-16", "replace").encode()
    if b"\x00" in head:
        return None
    controls = sum(1 for byte in head[:4096] if byte < 32 and byte not in b"\t\n\r\x0b\x0c\x1b\x1c")
    return None if controls > max(2, len(head[:4096]) // 200) else head
