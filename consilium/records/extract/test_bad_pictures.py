"""Pictures, imaging files and PDFs that promise too much, run in circles or are two things at once."""

import struct
import time
import zlib

import pytest

from consilium.records.extract import Kind, Limits, extract, sniff
from consilium.records.extract import testing_archives as pack
from consilium.records.extract import testing_files as make
from consilium.records.extract import testing_images as bad
from consilium.records.problems import TABLE

LARGE, DAMAGED, CUT, PDF = ["too_large"], ["damaged_image"], ["truncated_dicom"], ["damaged_pdf"]

PICTURES = {
    "gif claims giant": (lambda: bad.gif_claiming(65535, 65535), "gif", LARGE),
    "gif claims nothing": (lambda: bad.gif_claiming(0, 0), "gif", DAMAGED),
    "gif head only": (lambda: b"GIF89a", "gif", DAMAGED),
    "gif of 300 frames": (lambda: bad.wide("GIF", 300), "gif", []),
    "bmp claims giant": (lambda: bad.bmp_claiming(90_000, 90_000), "bmp", LARGE),
    "bmp claims negative": (lambda: bad.bmp_claiming(-5, -90_000), "bmp", LARGE),
    "bmp claims more than it has": (lambda: bad.bmp_claiming(500, 500), "bmp", DAMAGED),
    "webp claims giant": (lambda: bad.webp_claiming(16384, 16384), "webp", DAMAGED),
    "jpeg claims giant": (lambda: bad.jpeg_claiming(65500, 65500), "jpeg", LARGE),
    "jpeg claims nothing": (lambda: bad.jpeg_claiming(0, 0), "jpeg", DAMAGED),
    "jpeg claims more than it has": (lambda: bad.jpeg_claiming(900, 900), "jpeg", []),  # grey below
    "jpeg of markers": (lambda: b"\xff\xd8\xff\xe0\0\x10JFIF\0" + b"\xff\xe1\0\2" * 20_000, "jpeg", DAMAGED),
    "heic claims giant": (lambda: bad.heic_claiming(60_000, 60_000), "heic", LARGE),
    "heic claims another size": (lambda: bad.heic_claiming(4000, 3000), "heic", DAMAGED),
    "heic boxes in boxes": (
        lambda: b"\0\0\0\x18ftypheic\0\0\0\0heicmif1" + b"".join(
            struct.pack(">I", 80_000 - 8 * n) + b"meta" for n in range(9000)),
        "heic", DAMAGED,
    ),
    "tiff claims giant": (lambda: bad.tiff_claiming(100_000, 100_000), "tiff", LARGE),
    "tiff claims nothing": (lambda: bad.tiff_claiming(0, 0), "tiff", DAMAGED),
    "tiff of lzw noise": (lambda: bad.tiff_claiming(500, 500, compression=5, data=b"\xff" * 50), "tiff", DAMAGED),
    "tiff of fax noise": (lambda: bad.tiff_claiming(500, 500, compression=4, data=b"\x5a" * 99), "tiff", DAMAGED),
    "tiff of an unknown method": (lambda: bad.tiff_claiming(64, 64, compression=34712), "tiff", DAMAGED),
    "tiff bomb": (
        lambda: bad.tiff_claiming(7000, 9200, compression=8, data=zlib.compress(b"\0" * 9200 * 7000, 9)), "tiff", LARGE
    ),
    "tiff whose directory follows itself": (lambda: bad.tiff_claiming(4, 4, after=8, data=b"\1" * 16), "tiff", []),
    "tiff whose strips lie outside": (
        lambda: bad.tiff({256: (4, 1, 9), 257: (4, 1, 9), 273: (4, 2**30, 8)}), "tiff", DAMAGED
    ),
    "tiff of 65,535 entries": (lambda: b"II*\0\x08\0\0\0\xff\xff" + b"\1" * 3000, "tiff", DAMAGED),
    "tiff of 100 pages": (lambda: bad.wide("TIFF", 100), "tiff", ["many_pages"]),
    "big tiff of noise": (lambda: b"II+\0\x08\0\0\0" + b"\xff" * 600, "tiff", DAMAGED),
    "png with a text bomb": (
        lambda: bad.png_with((b"zTXt", b"C\0\0" + zlib.compress(b"x" * (80 << 20)))), "png", DAMAGED
    ),
    "png with a colour bomb": (
        lambda: bad.png_with((b"iCCP", b"p\0\0" + zlib.compress(b"x" * (80 << 20)))), "png", DAMAGED
    ),
    "png with 5,000 notes": (lambda: bad.png_with(*[(b"tEXt", b"k%d\0v" % n) for n in range(5000)]), "png", []),
    "png bomb": (lambda: bad.png_deflated_bomb(40 << 20), "png", []),
    "png of 300 frames": (lambda: bad.wide("PNG", 300), "png", []),
    "png whose parts claim 2 GB": (
        lambda: make.picture("PNG")[:33] + b"\x7f\xff\xff\xffIDAT" + b"\0" * 99, "png", DAMAGED
    ),
}  # fmt: skip


def judged(data, **limits):
    """(kind, codes), with what must hold for every bad file."""
    began = time.monotonic()
    found = extract([data], limits=Limits(**limits))
    assert time.monotonic() - began < 40
    codes = [one.code for one in found.problems]
    assert all(code in TABLE for code in codes)
    assert all(max(one.width, one.height) <= 2400 for one in found.previews)
    return str(found.kind), codes


@pytest.mark.parametrize("name", sorted(PICTURES))
def test_pictures(name):
    maker, kind, codes = PICTURES[name]
    assert judged(maker()) == (kind, codes)


IMAGING = {
    "nested 3,000 deep": (lambda: bad.dicom_nested(3000), CUT),
    "nested 100,000 deep": (lambda: bad.dicom_nested(100_000), CUT),
    "pixels claim 4 GB": (lambda: bad.dicom_element((0x7FE0, 0x10), b"OW", 0xFFFFFFF0, b"\0" * 10), CUT),
    "no end of an item": (lambda: bad.dicom_element((9, 0x1010), b"UN", 0xFFFFFFFF, b"\0" * 10), CUT),
    "a text that claims too much": (lambda: bad.dicom_element((0x10, 0x4000), b"LT", 60_000, b"a" * 10), CUT),
    "an unknown representation": (lambda: bad.dicom_element((0x10, 0x4000), b"??", 4, b"aaaa"), CUT),
    "two billion frames": (lambda: make.dicom(NumberOfFrames=2**31 - 1), CUT),
    "no rows": (lambda: make.dicom(claim=(0, 0)), ["no_image"]),
    "64 bits": (lambda: make.dicom(BitsAllocated=64, BitsStored=64), CUT),
    "four samples": (lambda: make.dicom(SamplesPerPixel=4), CUT),
    "a window without width": (lambda: make.dicom(WindowWidth="0", WindowCenter="1e308"), []),
    "an endless slope": (lambda: make.dicom(RescaleSlope="1e308", RescaleIntercept="-1e308"), []),
    "meta group claims 4 GB": (lambda: make.dicom()[:140] + b"\xff\xff\xff\xff" + make.dicom()[144:], []),
    "unknown transfer syntax": (lambda: make.dicom().replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.9.9\0"), CUT),
    "only the word": (lambda: b"\0" * 128 + b"DICM", CUT),
    **{name: (maker, CUT) for name, maker in bad.IMAGING.items()},
}


@pytest.mark.parametrize("name", sorted(IMAGING))
def test_imaging_files(name):
    maker, codes = IMAGING[name]
    assert judged(maker()) == ("dicom", codes)


BAD_PDFS = {
    "page is its own child": PDF, "pages in a ring": PDF, "root is no catalog": PDF, "root missing": PDF,
    "half a dictionary": PDF, "table points at itself": [], "claims a billion pages": [], "claims minus one page": [],
    "page of no size": [], "page of endless size": [], "page of negative size": [], "page as a thread": [],
    "content bomb": [], "image bomb": [], "arrays in arrays": [], "length lies": [], "font of noise": [],
    "jbig2 of noise": [], "filters in a row": [], "action on opening": [],
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(BAD_PDFS))
def test_pdfs(name):
    assert judged(bad.PDFS[name]()) == ("pdf", BAD_PDFS[name])


def test_a_drawing_that_draws_itself_is_stopped():
    assert judged(bad.PDFS["drawing that draws itself"](), seconds=2.0) in (("pdf", ["timed_out"]), ("pdf", PDF))


# -- two things at once: the first bytes decide, a program before all ---------------------------------
POLYGLOTS = {
    "pdf with a zip behind": (lambda: make.pdf() + make.zipped([("a.txt", b"a")]), "pdf"),
    "zip with a pdf behind": (lambda: make.zipped([("a.txt", b"a")]) + make.pdf(), "zip"),
    "jpeg with a zip behind": (lambda: make.picture("JPEG") + make.zipped([("a.exe", b"MZ")]), "jpeg"),
    "png with a page behind": (lambda: make.picture("PNG") + b"<html><script>alert(1)</script>", "png"),
    "pdf in a dicom preamble": (lambda: b"%PDF-1.4\n%".ljust(128, b"\0") + make.dicom()[128:], "dicom"),
    "tiff in a dicom preamble": (lambda: b"II*\0\x08\0\0\0".ljust(128, b"\0") + make.dicom()[128:], "dicom"),
    "program in a dicom preamble": (lambda: make.windows_program()[:128] + make.dicom()[128:], "executable"),
    "dicom in a tar": (lambda: pack.tarred([("a.dcm", make.dicom())]), "tar"),
    "tar behind a gif": (lambda: bad.gif_claiming(2, 2) + pack.tarred([("a", b"a")]), "gif"),
    "page that says it is a pdf late": (lambda: b"<html>" + b" " * 2000 + b"%PDF-1.4", "html"),
    "pdf that says it is a page": (lambda: b"<html>%PDF-1.4\n" + make.pdf(), "pdf"),
    "script with a json tail": (lambda: b'#!/bin/sh\n{"resourceType": "Bundle"}', "executable"),
    "json with a script tail": (lambda: b'{"resourceType": "Bundle"}\n#!/bin/sh', "fhir-json"),
    "xml that is a web page too": (lambda: b"<?xml version='1.0'?><html><body>x</body></html>", "html"),
    "cda with a page inside": (
        lambda: b"<ClinicalDocument xmlns='urn:hl7-org:v3'><html></html></ClinicalDocument>", "ccda-xml"
    ),
    "zip named as an app": (
        lambda: make.zipped([("AndroidManifest.xml", b"x"), ("classes.dex", b"dex\n")]), "executable"
    ),
    "iso with a pdf in front": (lambda: b"%PDF-1.4".ljust(32769, b"\0") + b"CD001" + b"\0" * 99, "archive"),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(POLYGLOTS))
def test_polyglots(name):
    maker, kind = POLYGLOTS[name]
    data = maker()
    assert sniff(data[:65536], data[-65536:]) is Kind(kind)
    if kind not in ("zip", "tar"):
        assert not [page for page in extract([data]).text if "alert" in page]


TEXTS = {
    "rtf groups": (b"{\\rtf1" + b"{" * 100_000, "rtf", []),
    "rtf that skips two billion": (b"{\\rtf1\\bin2147483647 x}", "rtf", []),
    "rtf of letters out of range": (b"{\\rtf1\\u99999999?\\u-99999?x}", "rtf", []),
    "a page of 60,000 tags": (b"<html>" + b"<b>" * 60_000, "html", ["web_page"]),
    "a page of one endless tag": (b"<html><" + b"a" * 1_000_000, "html", ["web_page"]),
    "one endless line": (b"Befund " * 300_000, "text", ["many_pages"]),
    "half a letter in utf-16": (b"\xff\xfeB\0e\0f\0u\0n\0d", "text", []),
    "noise after a mark": (b"\xff\xfe" + bytes(range(256)) * 9, "text", []),
    "hl7 of 20,000 rows": (
        b"MSH|^~\\&|a|b|c|d|20260101||ORU^R01|1|P|2.5\rPID|1||1||A^B\r" + b"OBX|1|ST|x||y\r" * 20_000, "hl7v2", []
    ),
    "hl7 of separators": (b"MSH|^~\\&|" + b"|^~\\&" * 100_000, "hl7v2", ["damaged_text"]),
    "json numbers of 5,000 digits": (
        b'{"resourceType": "Observation", "valueInteger": ' + b"9" * 5000 + b"}", "fhir-json", ["damaged_text"]
    ),
    "json that ends early": (b'{"resourceType": "Patient", "name": [{"family": "', "fhir-json", ["damaged_text"]),
    "cda of a million attributes": (
        b"<ClinicalDocument xmlns='urn:hl7-org:v3' " + b"".join(b"a%d='1' " % n for n in range(50_000)) + b"/>",
        "ccda-xml", None,
    ),
    "cda in an unknown encoding": (
        b"<?xml version='1.0' encoding='utf-99'?><ClinicalDocument >", "ccda-xml", ["damaged_text"]
    ),
    "cda with two roots": (b"<ClinicalDocument xmlns='urn:hl7-org:v3'/><b/>", "ccda-xml", ["damaged_text"]),
    "odt without words": (
        make.zipped([("mimetype", b"application/vnd.oasis.opendocument.text")], method=0), "odt", ["damaged_text"]
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(TEXTS))
def test_texts(name):
    data, kind, codes = TEXTS[name]
    found = judged(data)
    assert found[0] == kind
    assert codes is None or found[1] == codes
