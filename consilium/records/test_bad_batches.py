"""Bad files among good ones: every good one is kept, every bad one gets its sentence, and nobody falls over."""

import io
import random
import resource
import struct
import zipfile

import pytest

from consilium.records import content, ingest, sandbox
from consilium.records.extract import open_archive
from consilium.records.extract import testing_archives as pack
from consilium.records.extract import testing_files as make
from consilium.records.extract import testing_images as bad
from consilium.records.extract.archive import ArchiveLimits
from consilium.records.models import RecordFile, Upload
from consilium.records.problems import TABLE
from consilium.testing import factories


def members(data, **limits):
    """[(name, how many bytes came out, codes)]"""
    found = []
    for member in open_archive([data], limits=ArchiveLimits(**limits)):
        size = sum(len(chunk) for chunk in member.chunks())
        found.append((member.name, size, [one.code for one in member.problems]))
    return found


def packed(method: int) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        archive.writestr("small.txt", b"ok")
        archive.writestr("zeros.bin", b"\0" * (24 << 20))
        archive.writestr("later.txt", b"late")
    return out.getvalue()


ONE = make.zipped([("a.txt", b"hello" * 50)])
KEPT, DAMAGED = [("a.txt", 250, [])], [("a.txt", 0, ["archive_damaged"])]
GOOD = ("b.txt", 1, [])
BOMBED = [("small.txt", 2, []), ("zeros.bin", 16 << 20, ["archive_bomb"]), ("later.txt", 4, [])]

ZIPS = {
    "checksum lies": (pack.zip_patched(ONE, central={16: b"\1\2\3\4"}, local={14: b"\1\2\3\4"}), DAMAGED),
    "unknown method": (pack.zip_patched(ONE, central={10: b"\x63\0"}, local={8: b"\x63\0"}), DAMAGED),
    "stored that is not": (pack.zip_patched(ONE, central={10: b"\0\0"}, local={8: b"\0\0"}), DAMAGED),
    "two names": (pack.zip_patched(ONE, local={30: b"b.exe"}), DAMAGED),
    "lies beyond the end": (pack.zip_patched(ONE, central={42: b"\xff\xff\xff\x7f"}), DAMAGED),
    "lies nowhere": (pack.zip_patched(ONE, central={42: b"\xff\xff\xff\xff"}), DAMAGED),
    "claims 2 GB": (pack.zip_patched(ONE, central={20: b"\xf0\xff\xff\x7f", 24: b"\xf0\xff\xff\x7f"}), KEPT),
    "claims one byte": (pack.zip_patched(ONE, central={24: b"\1\0\0\0"}), DAMAGED),
    "claims a little more": (pack.zip_patched(ONE, central={24: b"\xff\xff\0\0"}), KEPT),
    "extra field lies": (pack.zip_patched(ONE, local={28: b"\xff\xff"}), DAMAGED),
    "strong encryption": (pack.zip_patched(ONE, central={8: b"\x41\0"}), [("a.txt", 0, ["archive_encrypted"])]),
    "patch of another": (pack.zip_patched(ONE, central={8: b"\x20\0"}, local={6: b"\x20\0"}), DAMAGED),
    "one name three times": (
        make.zipped([("a.txt", b"1"), ("b.txt", b"2"), ("A.TXT", b"3")]).replace(b"b.txt", b"a.txt"),
        [("a.txt", 1, []), ("a.txt", 1, []), ("A.TXT", 1, [])],
    ),
    "something in front": (b"PK\3\4junk" * 10 + ONE, KEPT),
    "comment that lies": (ONE[:-2] + struct.pack("<H", 30_000) + b"c" * 100, KEPT),
    "table cut": (ONE[:-40], [("", 0, ["archive_damaged"])]),
    "start cut": (ONE[20:], DAMAGED),
    "folder with data": (make.zipped([("dir/", b"data")]), [("", 0, ["archive_empty"])]),
    "zero in a name": (pack.zip_with_raw_name(b"a.txt\0.exe"), [("a.txt_.exe", 0, ["archive_path", "left_out"])]),
    "no name": (pack.zip_with_raw_name(b""), [("", 0, ["archive_damaged"])]),
    "bzip2 bomb": (packed(zipfile.ZIP_BZIP2), BOMBED),
    "lzma bomb": (packed(zipfile.ZIP_LZMA), BOMBED),
    "zips five deep": (make.nested_zip(5), [("level3.zip/level2.zip", 0, ["archive_nested"])]),
    "bomb in a zip": (
        make.zipped([("in.zip", make.zip_bomb(40 << 20)), ("b.txt", b"b")]),
        [("in.zip/small.txt", 2, []), ("in.zip/zeros.bin", None, ["archive_bomb"]), ("in.zip/later.txt", 4, []), GOOD],
    ),
    "damage in a zip": (
        make.zipped([("in.zip", ONE[:40]), ("b.txt", b"b")]), [("in.zip", 0, ["archive_damaged"]), GOOD]
    ),
    "secret in a zip": (
        make.zipped([("in.zip", make.zip_encrypted()), ("b.txt", b"b")]),
        [("in.zip/letter.txt", 0, ["archive_encrypted"]), GOOD],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(ZIPS))
def test_zips_that_lie(name):
    data, wanted = ZIPS[name]
    found = members(data)
    assert [(n, s if w[1] is not None else None, c) for (n, s, c), w in zip(found, wanted, strict=False)] == wanted
    assert len(found) == len(wanted)


def test_many_entries_over_one_another_are_stopped():
    found = members(pack.zip_overlapping(1 << 20, 30))
    assert sum(size for _name, size, _codes in found) <= 2 << 20
    assert all(codes == ["archive_damaged"] for _name, _size, codes in found[1:])


def test_a_zip_of_100_000_entries():
    found = members(pack.zip_of_many(100_000), max_files=1000)
    assert (len(found), found[-1]) == (1001, ("", 0, ["too_many_files"]))


NAMES = [
    (b"M\x81ller.txt", "Müller.txt"), ("Röntgen Übersicht.txt".encode("cp850"), "Röntgen Übersicht.txt"),
    ("Ávila coração.txt".encode("cp850"), "Ávila coração.txt"), ("Hüfte ä ß.txt".encode("latin-1"), "Hüfte ä ß.txt"),
    ("Größe.txt".encode(), "Größe.txt"), ("検査結果.txt".encode("shift_jis"), "検査結果.txt"),
    ("佐々木.txt".encode("shift_jis"), "佐々木.txt"), ("病理报告.txt".encode("gb18030"), "病理报告.txt"),
    ("تقرير.txt".encode(), "تقرير.txt"), (b"a\nb\tc.txt", "a_b_c.txt"),
]  # fmt: skip


@pytest.mark.parametrize(("raw", "name"), NAMES)
def test_names_in_every_encoding(raw, name):
    [(found, size, _codes)] = members(pack.zip_with_raw_name(raw))
    assert (found, size) == (name, 1)


# -- whole uploads -----------------------------------------------------------------------------------
NOISE = random.Random(3).randbytes(3000)
BAD = [
    ("cut.pdf", make.pdf(3)[:400]), ("locked.pdf", make.pdf(password="x")), ("loop.pdf", bad.PDFS["pages in a ring"]()),
    ("cut.png", make.picture("PNG")[:300]), ("giant.png", make.png_claiming(60_000, 60_000)),
    ("giant.gif", bad.gif_claiming(65535, 65535)), ("giant.tif", bad.tiff_claiming(100_000, 100_000)),
    ("cut.dcm", make.dicom(rows=64, columns=64)[:900]), ("nested.dcm", bad.dicom_nested(3000)),
    ("jpeg2000.dcm", bad.IMAGING["jpeg2000 claims giant"]()), ("rle.dcm", bad.IMAGING["rle bomb"]()),
    ("inflates.dcm", make.deflated_dicom_bomb(300 << 20)), ("laughs.xml", make.billion_laughs()),
    ("entity.xml", make.external_entity("/etc/passwd")), ("deep.json", make.deep_json(200_000)),
    ("noise.bin", NOISE), ("tool.pdf", make.windows_program()), ("empty.txt", b""),
    ("packed.7z", b"7z\xbc\xaf\x27\x1c\0\4" + b"\0" * 40), ("inner.tar", pack.tarred([("x.txt", b"x")])),
    ("bomb.zip", make.zip_bomb(40 << 20)), ("cut.zip", ONE[:60]), ("locked.zip", make.zip_encrypted()),
    ("../../../etc/cron.d/x", b"a letter with a bad name"),
]  # fmt: skip
IMAGE = make.dicom(SOPInstanceUID="1.2.3.1", SeriesInstanceUID="1.2.3.2", StudyInstanceUID="1.2.3.3")
GOOD_FILES = [
    ("first.txt", b"Dear colleague, the first"),
    ("IM1", IMAGE),
    ("last.txt", b"Dear colleague, the last"),
]
MIXED = [GOOD_FILES[0], *BAD[:12], GOOD_FILES[1], *BAD[12:], GOOD_FILES[2]]


@pytest.mark.parametrize("form", ["bundle", "cut bundle", "zip"])
def test_good_files_of_a_bad_batch_are_kept(cast, form):
    data = make.zipped(MIXED) if form == "zip" else pack.tarred(MIXED)
    data = data[:-11_000] if form == "cut bundle" else data  # the end, and the start of the last file
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    case = factories.draft(cast)
    upload = factories.upload(case, data, "disc", by=cast.anna)
    assert upload.status == Upload.Status.DONE
    kept = {file.name: file for file in RecordFile.objects.filter(space=case.pk)}
    for name, body in GOOD_FILES if form != "cut bundle" else GOOD_FILES[:2]:
        assert content.read_all(kept[name]) == body
    noted = {note["name"]: note["code"] for note in upload.notes}
    assert all(code in TABLE or code == "duplicate" for code in noted.values())
    assert {"tool.pdf": "executable", "empty.txt": "empty", "packed.7z": "archive_other"}.items() <= noted.items()
    assert noted["inner.tar"] == "archive_nested"
    assert noted["bomb.zip/zeros.bin"] == "archive_bomb"
    assert ("archive_damaged" in noted.values()) == (form != "zip") or noted["cut.zip"] == "archive_damaged"
    assert {"small.txt", "x", "noise.bin", "locked.pdf"} <= set(kept)
    # What was read, sealed and written here, never what a file unpacks to or claims to be.
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200 * 1024
    assert sandbox.warm_up() is not None


def test_more_documents_than_any_case_has_are_left_with_one_sentence(cast, monkeypatch):
    monkeypatch.setattr(ingest, "MOST_DOCUMENTS", 3)
    letters = [(f"{number}.txt", b"Dear colleague, letter %d" % number) for number in range(8)]
    case = factories.draft(cast)
    upload = factories.upload(case, pack.tarred([*letters, ("IM1", IMAGE)]), "disc", by=cast.anna)
    assert upload.status == Upload.Status.DONE
    kept = {file.name for file in RecordFile.objects.filter(space=case.pk)}
    assert kept == {"0.txt", "1.txt", "2.txt", "IM1"}
    assert upload.notes == [{"name": "", "code": "too_many_files"}]
