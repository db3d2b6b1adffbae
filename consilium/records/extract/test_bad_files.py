"""Bad files on purpose: each is named, flagged with a sentence, and never more than that."""

import io
import random
import time
import zipfile

import pytest
from PIL import Image

from consilium.records.extract import Limits, extract, open_archive
from consilium.records.extract import testing_files as make
from consilium.records.extract.archive import ArchiveLimits
from consilium.records.problems import TABLE
from consilium.records.sniff import Kind, sniff

ELF = b"\x7fELF\x02\x01\x01" + b"\0" * 60


def codes(found):
    return [one.code for one in found.problems]


def members(data, **limits):
    found = []
    for member in open_archive([data], limits=ArchiveLimits(**limits)):
        body = b"".join(member.chunks())
        found.append((member.name, body, [one.code for one in member.problems]))
    return found


SNIFFED = [
    (b"", "empty"), (ELF, "executable"), (make.windows_program(), "executable"), (b"#!/bin/sh\nrm -rf /", "executable"),
    (b"\xcf\xfa\xed\xfe" + b"\0" * 40, "executable"), (b"\xca\xfe\xba\xbe\0\0\0\x34", "executable"),
    (b"@echo off\r\ndel *", "executable"), (b"<?php system($_GET[1]);", "executable"),
    (make.zipped([("META-INF/MANIFEST.MF", b"x"), ("A.class", b"\xca\xfe\xba\xbe")]), "executable"),
    (make.windows_program()[:128].ljust(128, b"\0") + make.dicom()[128:], "executable"),  # CVE-2019-11687
    (b"<!DOCTYPE html><html><script>alert(1)</script>", "html"), (b"<svg onload=alert(1)>", "html"),
    (b"GIF89a<script>alert(1)</script>", "gif"), (b"junk\n%PDF-1.4\n", "pdf"), (b"{\\rtf1 hi}", "rtf"),
    (b"\x00\x01\x02\x03" * 20, "unknown"),
    (b"MZ is how this letter begins, dear colleague, and it goes on and on.", "text"),
    (b"MSH|^~\\&|a|b\rPID|1", "hl7v2"), (b'\xef\xbb\xbf{"resourceType":"Patient"}', "fhir-json"),
    (make.dicom()[132:], "dicom"), (b"\xff\xfeH\0i\0", "text"), (b"PK\x05\x06" + b"\0" * 18, "zip"),
    (make.zipped([("mimetype", b"application/vnd.oasis.opendocument.text")], method=0), "odt"),
]  # fmt: skip


@pytest.mark.parametrize(("data", "kind"), SNIFFED)
def test_content_decides_what_a_file_is(data, kind):
    assert sniff(data[:65536], data[-65536:]) == Kind(kind)


FLAGGED = {
    "empty": (b"", "empty", ["empty"]),
    "program": (ELF, "executable", ["executable"]),
    "program before dicom": (make.windows_program()[:128] + make.dicom()[128:], "executable", ["executable"]),
    "noise": (random.Random(1).randbytes(5000), "unknown", ["unsupported"]),
    "encrypted pdf": (make.pdf(password="x"), "pdf", ["encrypted_pdf"]),
    "pdf header only": (b"%PDF-1.7\n", "pdf", ["damaged_pdf"]),
    "pdf and noise": (b"%PDF-1.7\n" + random.Random(2).randbytes(9000), "pdf", ["damaged_pdf"]),
    "pdf script": (make.pdf(script="app.alert(1)"), "pdf", ["active_content"]),
    "pdf attachment": (make.pdf(attachment=make.windows_program()), "pdf", ["active_content"]),
    "pdf many pages": (make.pdf(70), "pdf", ["many_pages"]),
    "giant png": (make.png_claiming(60_000, 60_000), "png", ["too_large"]),
    "lying png": (make.png_claiming(500, 500), "png", ["damaged_image"]),
    "zero png": (make.png_claiming(0, 0), "png", ["damaged_image"]),
    "jpeg head only": (b"\xff\xd8\xff\xe0", "jpeg", ["damaged_image"]),
    "heic head only": (b"\0\0\0\x18ftypheic" + b"\0" * 50, "heic", ["damaged_image"]),
    "webp head only": (b"RIFF\x10\0\0\0WEBPVP8 ", "webp", ["damaged_image"]),
    "tiff loop": (b"II*\0\x08\0\0\0" + b"\0\0\x08\0\0\0", "tiff", ["damaged_image"]),
    "deflated bomb": (make.deflated_dicom_bomb(300 << 20), "dicom", ["too_large"]),
    "dicom claims giant": (make.dicom(claim=(65535, 65535)), "dicom", ["truncated_dicom"]),
    "dicom no pixels": (make.dicom()[:132], "dicom", ["truncated_dicom"]),
    "dicom noise": (b"\0" * 128 + b"DICM" + random.Random(3).randbytes(4000), "dicom", ["truncated_dicom"]),
    "billion laughs": (make.billion_laughs(), "ccda-xml", ["damaged_text"]),
    "external entity": (make.external_entity("/etc/passwd"), "ccda-xml", ["damaged_text"]),
    "deep xml": (b"<ClinicalDocument xmlns='urn:hl7-org:v3'>" + b"<a>" * 100_000, "ccda-xml", ["damaged_text"]),
    "deep json": (make.deep_json(200_000), "fhir-json", ["damaged_text"]),
    "cut json": (b'{"resourceType": "Bundle", "entry": [', "fhir-json", ["damaged_text"]),
    "odd json": (b'{"resourceType": "Bundle", "entry": {"x": [1, null]}, "a": NaN}', "fhir-json", []),
    "hl7 without patient": (b"MSH|^~\\&|a|b|c|d|20260101||ORU^R01|1|P|2.5\rOBX|1|ST|x||y", "hl7v2", ["damaged_text"]),
    "web page": (b"<html><script>alert(1)</script><p>Befund</p></html>", "html", ["web_page"]),
    "docx that is none": (make.zipped([("[Content_Types].xml", b"x"), ("word/x.xml", b"x")]), "docx", ["damaged_text"]),
    "docx with entities": (
        make.zipped([("[Content_Types].xml", b"x"), ("word/document.xml", make.billion_laughs())]),
        "docx",
        ["damaged_text"],
    ),
    "docx bomb": (
        make.zipped([("[Content_Types].xml", b"x"), ("word/document.xml", b" " * (40 << 20))]),
        "docx",
        ["too_large"],
    ),
}


@pytest.mark.parametrize("name", sorted(FLAGGED))
def test_bad_files_are_flagged_with_a_sentence(name):
    data, kind, wanted = FLAGGED[name]
    began = time.monotonic()
    found = extract([data])
    assert (found.kind, codes(found)) == (Kind(kind), wanted)
    assert found.refused == (kind in ("empty", "executable"))
    assert time.monotonic() - began < 10
    assert not [page for page in found.text if "root:" in page or "alert" in page]


TRUNCATED = [
    (maker, share)
    for maker in ("pdf", "png", "jpeg", "tiff", "heic", "dicom", "deflated")
    for share in (0.1, 0.35, 0.6, 0.9)
]


@pytest.mark.parametrize(("maker", "share"), TRUNCATED)
def test_cut_files_are_flagged(maker, share):
    whole = {
        "pdf": lambda: make.pdf(3),
        "png": lambda: make.picture("PNG", (200, 150)),
        "jpeg": lambda: make.picture("JPEG", (200, 150)),
        "tiff": lambda: make.picture("TIFF", (200, 150)),
        "heic": _heic,
        "dicom": lambda: make.dicom(rows=64, columns=64),
        "deflated": lambda: make.dicom(rows=64, columns=64, deflated=True),
    }[maker]()
    assert codes(extract([whole])) == []
    found = extract([whole[: int(len(whole) * share)]])
    wanted = {"pdf": "damaged_pdf", "dicom": "truncated_dicom", "deflated": "truncated_dicom"}
    assert wanted.get(maker, "damaged_image") in codes(found)
    assert not found.refused


def _heic():
    import pillow_heif

    out = io.BytesIO()
    pillow_heif.from_pillow(Image.open(io.BytesIO(make.picture("PNG", (128, 96))))).save(out, quality=60)
    return out.getvalue()


def test_mutated_files_never_raise():
    dice = random.Random(7)
    seeds = [make.pdf(2), make.picture("PNG"), make.picture("JPEG"), make.dicom(), make.zipped([("a.txt", b"a" * 99)])]
    for number in range(60):
        data = bytearray(seeds[number % len(seeds)])
        for _ in range(dice.randrange(1, 12)):
            data[dice.randrange(len(data))] = dice.randrange(256)
        found = extract([bytes(data)])
        assert all(one.code in TABLE for one in found.problems)
        for name, _body, _problems in members(bytes(data)) if found.kind is Kind.ZIP else ():
            assert ".." not in name.split("/")


# -- archives ------------------------------------------------------------------------------------
def test_members_stream_out_in_order():
    data = make.zipped([("a/1.txt", b"one"), ("a/2.pdf", make.pdf()), ("empty.txt", b"")])
    found = members(data)
    assert [name for name, _body, _problems in found] == ["a/1.txt", "a/2.pdf", "empty.txt"]
    assert not [problem for _name, _body, problems in found for problem in problems]
    assert (found[0][1], found[1][1], found[2][1]) == (b"one", make.pdf(), b"")


@pytest.mark.parametrize(
    ("raw", "name", "flagged"),
    [
        ("../../etc/cron.d/x", "etc/cron.d/x", True), ("/etc/passwd", "etc/passwd", True),
        ("..\\..\\windows\\x.txt", "windows/x.txt", True), ("C:\\x.txt", "C_/x.txt", True),
        ("a/../../b.txt", "a/b.txt", True), ("ok/letter.txt", "ok/letter.txt", False),
        ("evil\u202etxt.pdf", "evil_txt.pdf", True), ("..", "file", True), ("a/./b.txt", "a/b.txt", False),
    ],
)  # fmt: skip
def test_unsafe_names_are_neutralised(raw, name, flagged):
    [(found, body, problems)] = members(make.zipped([(raw, b"x")]))
    assert (found, body) == (name, b"x")
    assert problems == (["archive_path"] if flagged else [])


@pytest.mark.parametrize(
    ("data", "wanted"),
    [
        (make.zipped([]), "archive_empty"),
        (b"PK\x03\x04" + b"\0" * 10, "archive_damaged"),
        (make.zipped([("a", b"x" * 500)])[:60], "archive_damaged"),
        (make.zip_encrypted(), "archive_encrypted"),
        (make.zip_with_link(), "archive_link"),
        (make.nested_zip(3), "archive_nested"),
    ],
)
def test_bad_archives(data, wanted):
    found = members(data)
    assert [problem for _name, _body, problems in found for problem in problems] == [wanted]
    assert TABLE[wanted].severity == "refuse"
    assert not [body for _name, body, _problems in found if body]


def test_a_zip_in_a_zip_is_opened():
    assert members(make.nested_zip(2)) == [("level0.zip/letter.txt", b"deep inside", [])]


def test_a_letter_in_a_zip_is_not_unpacked():
    letter = make.zipped([("_rels/.rels", b"r" * 90), ("word/document.xml", b"<x/>"), ("[Content_Types].xml", b"x")])
    [(name, body, problems)] = members(make.zipped([("letter.docx", letter)]))
    assert (name, body, problems) == ("letter.docx", letter, [])


@pytest.mark.parametrize("maker", [make.zip_bomb, make.zip_lying_about_sizes])
def test_a_bomb_is_stopped_by_what_comes_out(maker):
    found = members(maker(100 << 20))
    assert found[0] == ("small.txt", b"ok", [])
    assert len(found[1][1]) < 30 << 20
    assert found[1][2] == (["archive_bomb"] if maker is make.zip_bomb else ["archive_damaged"])
    assert found[2] == ("later.txt", b"late", [])


def test_total_member_and_count_are_bounded():
    three = make.zipped([(f"{n}.bin", random.Random(n).randbytes(400_000)) for n in range(3)])
    assert members(three, max_total=1_000_000)[-1][2] == ["archive_bomb"]
    assert members(three, max_member=300_000)[0][2] == ["archive_bomb"]
    assert [m[2] for m in members(three, max_files=2)] == [[], [], ["too_many_files"]]
    assert members(three, max_input=1000)[0][2] == ["too_large"]


def test_viewers_and_clutter_of_a_disc_are_left_out():
    names = ["__MACOSX/._a.dcm", ".DS_Store", "Thumbs.db", "AUTORUN.INF", "VIEWER/view.exe", "VIEWER/x.dll",
             "Viewer.app/Contents/MacOS/Viewer"]  # fmt: skip
    data = make.zipped([*((name, b"x") for name in names), ("DICOM/IM1", make.dicom())])
    found = members(data)
    assert [(name, problems) for name, _b, problems in found[:-1]] == [(name, ["left_out"]) for name in names]
    assert (found[-1][0], found[-1][2]) == ("DICOM/IM1", [])
    assert extract([found[-1][1]]).facts["patient_name"] == "Müller^Anna"


def test_unread_members_are_skipped():
    data = make.zipped([(f"{n}.bin", random.Random(n).randbytes(700_000)) for n in range(4)])
    assert [member.name for member in open_archive([data])] == ["0.bin", "1.bin", "2.bin", "3.bin"]


def test_an_abandoned_archive_does_not_block_others():
    data = make.zipped([("a.bin", random.Random(1).randbytes(3 << 20)), ("b.txt", b"b")])
    for _ in range(6):
        archive = open_archive([data])
        next(archive)
        archive.close()
    assert len(members(data)) == 2


# -- what good files must give ------------------------------------------------------------------
def test_what_is_too_large_is_still_named():
    found = extract([make.dicom(rows=256, columns=256)], limits=Limits(max_input=20_000))
    assert codes(found) == ["too_large"]
    assert found.size == len(make.dicom(rows=256, columns=256))
    assert found.facts["patient_name"] == "Müller^Anna"
    assert found.previews == []


def test_a_slow_file_keeps_what_was_read_before_the_deadline():
    found = extract([make.pdf(60)], limits=Limits(seconds=1.0, page_width=3000))
    assert codes(found) == ["timed_out"]
    assert found.page_count == 60
    assert 0 < len([p for p in found.previews if p.kind == "page"]) < 60


def test_photos_stand_upright_and_keep_no_place():
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90°
    exif[0x0132] = "2026:03:04 10:00:00"
    exif.get_ifd(0x8825)[1] = "N"
    found = extract([make.picture("JPEG", (400, 200), exif=exif)])
    page, thumbnail = found.previews
    assert (page.width, page.height, thumbnail.width) == (200, 400, 160)
    assert found.facts == {"width": 400, "height": 200, "taken": "2026-03-04"}
    assert found.suggested_type == "photo"
    assert all(b"Exif" not in p.data and not Image.open(io.BytesIO(p.data)).getexif() for p in found.previews)


def test_a_fax_of_several_pages():
    pages = [Image.new("1", (800, 1000), n % 2) for n in range(3)]
    out = io.BytesIO()
    pages[0].save(out, "TIFF", save_all=True, append_images=pages[1:], compression="group4")
    found = extract([out.getvalue()])
    assert (found.page_count, [p.index for p in found.previews if p.kind == "page"]) == (3, [0, 1, 2])


def test_text_of_letters():
    german = "Sehr geehrte Frau Kollegin, wir berichten über die Patientin, geb. 17.05.1962. Datum: 03.02.2026\n"
    german += "Die Patientin wurde von uns am Knie und an der Hüfte untersucht, es ist nicht entzündet.\n"
    found = extract([german.encode("cp1252")])
    assert (found.suggested_type, found.suggested_date, found.language) == ("letter", "2026-02-03", "de")
    assert "über" in found.text[0]
    rtf = extract([rb"{\rtf1\ansi{\fonttbl{\f0 Arial;}}Gr\'fc\'dfe \u8364? 5\par next}"])
    assert rtf.text == ["Grüße € 5\nnext"]
    page = extract([b"<html><body><p>Befund</p><script>evil()</script></body></html>"])
    assert page.text == ["Befund"]


def test_office_letters():
    word = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    xml = f'<w:document xmlns:w="{word}"><w:p><w:r><w:t>Dear colleague</w:t></w:r></w:p></w:document>'
    found = extract([make.zipped([("[Content_Types].xml", b"x"), ("word/document.xml", xml.encode())])])
    assert (found.kind, found.text, codes(found)) == ("docx", ["Dear colleague"], [])


def test_wide_input_is_bounded():
    found = extract([make.wide_fhir()])
    assert (codes(found), found.facts["resources"]) == ([], {"Observation": 20_000})
    assert sum(map(len, found.text)) < 20_000


def test_the_table_of_problems_is_complete():
    for code, row in TABLE.items():
        assert row.code == code
        assert str(row.sentence).endswith(".")
        assert row.severity in ("flag", "refuse")
        assert len(str(row.sentence)) < 130


def test_zip_module_agrees_with_what_we_made():
    assert zipfile.ZipFile(io.BytesIO(make.zip_bomb(1000))).testzip() is None
