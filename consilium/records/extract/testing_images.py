"""Pictures, imaging files and documents that promise more than is good, made on the spot for tests."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
from PIL import Image
from pydicom.encaps import encapsulate
from pydicom.uid import JPEG2000Lossless, JPEGLSLossless, RLELossless

from consilium.records.extract import testing_files as make

HTJ2K = "1.2.840.10008.1.2.4.201"


def gif_claiming(width: int, height: int) -> bytes:
    screen = struct.pack("<HH3B", width, height, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff"
    image = b"," + struct.pack("<4HB", 0, 0, width, height, 0) + b"\x02\x02\x44\x01\0"
    return b"GIF89a" + screen + image + b";"


def bmp_claiming(width: int, height: int) -> bytes:
    info = struct.pack("<I2i2H6I", 40, width, height, 1, 24, 0, 0, 0, 0, 0, 0)
    return b"BM" + struct.pack("<I2HI", 54 + 64, 0, 0, 54) + info + b"\0" * 64


def webp_claiming(width: int, height: int) -> bytes:
    """A lossless WebP header (RFC 9649 §3.4): 14 bits each."""
    bits = struct.pack("<I", (width - 1) | (height - 1) << 14)
    body = b"VP8L" + struct.pack("<I", 9) + b"\x2f" + bits + b"\0\0\0\0\0"
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def jpeg_claiming(width: int, height: int) -> bytes:
    whole = bytearray(make.picture("JPEG", (16, 16)))
    at = whole.index(b"\xff\xc0")
    whole[at + 5 : at + 9] = struct.pack(">HH", height, width)
    return bytes(whole)


def heic_claiming(width: int, height: int) -> bytes:
    """The size that the container gives (ISO/IEC 23008-12 §6.5.3, ispe), and the codec disagrees with."""
    import pillow_heif

    out = io.BytesIO()
    pillow_heif.from_pillow(Image.open(io.BytesIO(make.picture("PNG", (64, 64))))).save(out, quality=50)
    whole = bytearray(out.getvalue())
    at = whole.index(b"ispe")
    while at >= 0:
        whole[at + 8 : at + 16] = struct.pack(">II", width, height)
        at = whole.find(b"ispe", at + 4)
    return bytes(whole)


def tiff(entries: dict[int, tuple[int, int, int]], *, after: int = 0, tail: bytes = b"") -> bytes:
    """A little-endian TIFF of one directory: tag → (type, count, value or offset); `after`: the next directory."""
    rows = b"".join(struct.pack("<HHII", tag, *entry) for tag, entry in sorted(entries.items()))
    return b"II*\0" + struct.pack("<IH", 8, len(entries)) + rows + struct.pack("<I", after) + tail


def tiff_claiming(width: int, height: int, *, compression: int = 1, data: bytes = b"\0" * 64, **more: object) -> bytes:
    at = 8 + 2 + 12 * 9 + 4
    return tiff(
        {256: (4, 1, width), 257: (4, 1, height), 258: (3, 1, 8), 259: (3, 1, compression), 262: (3, 1, 1),
         273: (4, 1, at), 277: (3, 1, 1), 278: (4, 1, height), 279: (4, 1, len(data))},
        tail=data, **more,
    )  # fmt: skip


def png_with(*chunks: tuple[bytes, bytes]) -> bytes:
    """A 1 × 1 picture with further chunks after its header."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    parts = (b"IHDR", header), *chunks, (b"IDAT", zlib.compress(b"\0\1\2\3")), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


def png_deflated_bomb(size: int) -> bytes:
    """Rows of zeros: `size` bytes of picture from a thousandth of that."""
    side = int((size / 3) ** 0.5)
    whole = make.png_claiming(side, side)
    body = zlib.compress((b"\0" * (side * 3 + 1)) * side, 9)
    start = whole.index(b"IDAT") - 4
    chunk = struct.pack(">I", len(body)) + b"IDAT" + body + struct.pack(">I", zlib.crc32(b"IDAT" + body))
    return whole[:start] + chunk + b"\0\0\0\0IEND\xaeB`\x82"


# -- imaging -----------------------------------------------------------------------------------------
def dicom_of(syntax: str, codestream: bytes, **more: object) -> bytes:
    """A DICOM file whose encapsulated pixel data are `codestream` (PS3.5 §A.4)."""
    import pydicom

    whole = pydicom.dcmread(io.BytesIO(make.dicom(**more)))
    whole.file_meta.TransferSyntaxUID = syntax
    whole.PixelData = encapsulate([codestream])
    whole["PixelData"].VR = "OB"
    whole["PixelData"].is_undefined_length = True
    out = io.BytesIO()
    whole.save_as(out, enforce_file_format=True)
    return out.getvalue()


def j2k_claiming(width: int, height: int, *, high_throughput: bool = False) -> bytes:
    """SOC, SIZ (ISO/IEC 15444-1 §A.5.1), COD, QCD, one empty tile part."""
    capabilities = 0x4000 if high_throughput else 0
    size = struct.pack(">H8IH3B", capabilities, width, height, 0, 0, width, height, 0, 0, 1, 15, 1, 1)
    cod = b"\0\0\0\1\0\0\4\4\0\1"[:10]
    parts = b"\xff\x4f\xff\x51" + struct.pack(">H", len(size) + 2) + size
    parts += b"\xff\x52" + struct.pack(">H", len(cod) + 2) + cod + b"\xff\x5c\0\4\x40\x40"
    return parts + b"\xff\x90\0\x0a\0\0\0\0\0\x0e\0\1\xff\x93\xff\xd9"


def jls_claiming(width: int, height: int) -> bytes:
    """SOI, SOF55 (ISO/IEC 14495-1 §C.2.2), SOS, a little data."""
    frame = struct.pack(">BHHB3B", 16, height, width, 1, 1, 0x11, 0)
    scan = b"\1\1\0\0\0\0"
    return (
        b"\xff\xd8\xff\xf7"
        + struct.pack(">H", len(frame) + 2)
        + frame
        + b"\xff\xda\0\x08"
        + scan
        + b"\0" * 8
        + b"\xff\xd9"
    )


def rle_bomb(repeats: int) -> bytes:
    """One segment that repeats a byte 128 times, `repeats` times over (PS3.5 §G.3)."""
    return struct.pack("<16I", 2, 64, 64 + repeats * 2, *([0] * 13)) + b"\x81\0" * repeats * 2


IMAGING = {
    "jpeg2000 claims giant": lambda: dicom_of(JPEG2000Lossless, j2k_claiming(60_000, 60_000)),
    "jpeg2000 claims 2^31": lambda: dicom_of(JPEG2000Lossless, j2k_claiming(2**31 - 1, 2**31 - 1)),
    "htj2k claims giant": lambda: dicom_of(HTJ2K, j2k_claiming(50_000, 50_000, high_throughput=True)),
    "jpeg-ls claims giant": lambda: dicom_of(JPEGLSLossless, jls_claiming(65_535, 65_535)),
    "jpeg claims giant": lambda: dicom_of("1.2.840.10008.1.2.4.50", jpeg_claiming(65_500, 65_500)),
    "jpeg lossless of noise": lambda: dicom_of("1.2.840.10008.1.2.4.70", b"\xff\xd8\xff\xc3" + b"\x5a" * 400),
    "rle bomb": lambda: dicom_of(RLELossless, rle_bomb(400_000)),
    "rle claims segments": lambda: dicom_of(RLELossless, struct.pack("<16I", 4_000_000, *([2**32 - 1] * 15))),
    "rle empty": lambda: dicom_of(RLELossless, b"\0\0"),
}


def dicom_nested(depth: int) -> bytes:
    """Sequences in sequences, each of undefined length (PS3.5 §7.5)."""
    whole = make.dicom()[: make.dicom().index(b"\x10\x00\x10\x00PN")]
    opened = struct.pack("<HH2sHI", 0x0008, 0x1115, b"SQ", 0, 0xFFFFFFFF) + struct.pack(
        "<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF
    )
    closed = struct.pack("<HHI", 0xFFFE, 0xE00D, 0) + struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)
    return whole + opened * depth + closed * depth


def dicom_element(tag: tuple[int, int], vr: bytes, length: int, data: bytes = b"") -> bytes:
    """A good header with one more element whose length may lie."""
    whole = make.dicom()[: make.dicom().index(b"\xe0\x7f\x10\x00")]
    long = vr in (b"OB", b"OW", b"SQ", b"UN", b"UT", b"UC")
    head = struct.pack("<HH2s", *tag, vr) + (
        struct.pack("<HI", 0, length) if long else struct.pack("<H", length & 0xFFFF)
    )
    return whole + head + data


def wide(form: str, count: int) -> bytes:
    """Many tiny frames in one file."""
    frames = [Image.fromarray(np.full((2, 2), n % 256, np.uint8)) for n in range(count)]
    out = io.BytesIO()
    frames[0].save(out, form, save_all=True, append_images=frames[1:])
    return out.getvalue()


# -- documents -----------------------------------------------------------------------------------------
def pdf_of(*objects: bytes, root: int = 1, trailer: bytes = b"", prev: int | None = None) -> bytes:
    """A PDF of raw objects 1, 2, 3 … with a true table (ISO 32000-1 §7.5.4)."""
    out, places = bytearray(b"%PDF-1.7\n"), []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    at = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    back = b" /Prev %d" % (at if prev is None else prev) if prev is not None else b""
    out += b"trailer\n<< /Size %d /Root %d 0 R%s %s>>\nstartxref\n%d\n%%%%EOF\n" % (
        len(objects) + 1,
        root,
        back,
        trailer,
        at,
    )
    return bytes(out)


def _stream(head: bytes, data: bytes) -> bytes:
    return b"<< %s /Length %d >>\nstream\n%s\nendstream" % (head, len(data), data)


CATALOG = b"<< /Type /Catalog /Pages 2 0 R >>"
ONE_PAGE = b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>"


def pdf_page(extra: bytes = b"", *more: bytes, box: bytes = b"0 0 300 300") -> bytes:
    return pdf_of(CATALOG, ONE_PAGE, b"<< /Type /Page /Parent 2 0 R /MediaBox [%s] %s >>" % (box, extra), *more)


def pdf_content_bomb(size: int) -> bytes:
    data = zlib.compress(b" " * size, 9)
    return pdf_page(b"/Contents 4 0 R", _stream(b"/Filter /FlateDecode", data))


def pdf_image_bomb(side: int) -> bytes:
    data = zlib.compress(b"\0" * 10_000)
    head = b"/Type /XObject /Subtype /Image /Width %d /Height %d /ColorSpace /DeviceRGB /BitsPerComponent 8 "
    head += b"/Filter /FlateDecode"
    content = _stream(b"", b"q 300 0 0 300 0 0 cm /I Do Q")
    return pdf_page(
        b"/Contents 4 0 R /Resources << /XObject << /I 5 0 R >> >>", content, _stream(head % (side, side), data)
    )


def pdf_form_loop() -> bytes:
    """A drawing that draws itself."""
    form = _stream(
        b"/Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << /XObject << /F 4 0 R >> >>", b"/F Do /F Do"
    )
    return pdf_page(b"/Contents 5 0 R /Resources << /XObject << /F 4 0 R >> >>", form, _stream(b"", b"/F Do"))


def _counted(count: bytes) -> bytes:
    return b"<< /Type /Pages /Kids [3 0 R] /Count %s >>" % count


PDFS = {
    "page is its own child": lambda: pdf_of(CATALOG, b"<< /Type /Pages /Kids [2 0 R] /Count 1 >>"),
    "pages in a ring": lambda: pdf_of(CATALOG, _counted(b"9"), b"<< /Type /Pages /Kids [2 0 R] /Count 9 >>"),
    "root is no catalog": lambda: pdf_of(b"[1 0 R]"),
    "root missing": lambda: pdf_of(CATALOG, ONE_PAGE, root=77),
    "table points at itself": lambda: pdf_of(CATALOG, ONE_PAGE, b"<< /Type /Page /Parent 2 0 R >>", prev=0),
    "claims a billion pages": lambda: pdf_of(CATALOG, _counted(b"1000000000"), b"<< /Type /Page >>"),
    "claims minus one page": lambda: pdf_of(CATALOG, _counted(b"-1"), b"<< /Type /Page >>"),
    "page of no size": lambda: pdf_page(box=b"0 0 0 0"),
    "page of endless size": lambda: pdf_page(box=b"0 0 1e12 1e12"),
    "page of negative size": lambda: pdf_page(box=b"500 500 0 0"),
    "page as a thread": lambda: pdf_page(box=b"0 0 1 14400"),
    "content bomb": lambda: pdf_content_bomb(120 << 20),
    "image bomb": lambda: pdf_image_bomb(60_000),
    "drawing that draws itself": pdf_form_loop,
    "arrays in arrays": lambda: pdf_page(b"/X " + b"[" * 60_000 + b"]" * 60_000),
    "half a dictionary": lambda: pdf_of(CATALOG, b"<< /Type /Pages /Kids [3 0 R"),
    "length lies": lambda: pdf_page(b"/Contents 4 0 R", b"<< /Length 999999999 >>\nstream\nq Q\nendstream"),
    "font of noise": lambda: pdf_page(
        b"/Contents 4 0 R /Resources << /Font << /F 5 0 R >> >>", _stream(b"", b"BT /F 20 Tf 9 9 Td (abc) Tj ET"),
        b"<< /Type /Font /Subtype /TrueType /BaseFont /X /FontDescriptor 6 0 R >>",
        b"<< /Type /FontDescriptor /FontName /X /Flags 4 /FontFile2 7 0 R >>",
        _stream(b"/Length1 64", b"\0\1\0\0" + b"\xff" * 60),
    ),
    "jbig2 of noise": lambda: pdf_page(
        b"/Contents 4 0 R /Resources << /XObject << /I 5 0 R >> >>", _stream(b"", b"q 300 0 0 300 0 0 cm /I Do Q"),
        _stream(b"/Type /XObject /Subtype /Image /Width 9000 /Height 9000 /ColorSpace /DeviceGray /BitsPerComponent 1 "
                b"/Filter /JBIG2Decode", b"\0\0\0\0\x30\0\1\0\0\0\x13" + b"\xff" * 40),
    ),
    "filters in a row": lambda: pdf_page(
        b"/Contents 4 0 R", _stream(b"/Filter [" + b"/FlateDecode " * 300 + b"]", zlib.compress(b"q Q"))
    ),
    "action on opening": lambda: pdf_of(
        b"<< /Type /Catalog /Pages 2 0 R /OpenAction << /S /Launch /F (calc.exe) >> >>", ONE_PAGE,
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] >>",
    ),
}  # fmt: skip
