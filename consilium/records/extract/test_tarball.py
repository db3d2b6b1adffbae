"""Bundles of a browser or of a person: every file at its true place, and nothing that a header can say does harm."""

import io
import random
import tarfile
import time

import pytest

from consilium.records.extract import Kind, extract, sniff
from consilium.records.extract import testing_archives as pack
from consilium.records.extract import testing_files as make
from consilium.records.extract.tarball import members
from consilium.records.problems import TABLE

FORMS = [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT]
LETTER = b"Dear colleague, this is a letter."


def walk(data, **options):
    """[(name, bytes, codes)]"""
    found = members(io.BytesIO(data), len(data), **options)
    return [(m.name, data[m.offset : m.offset + m.size], [p.code for p in m.problems]) for m in found]


def codes(data, **options):
    return [code for _name, _body, found in walk(data, **options) for code in found]


@pytest.mark.parametrize("form", FORMS)
def test_every_file_lies_where_the_walker_says(form):
    long = "/".join(["folder" * 3] * 5) + "/letter.txt"
    files = [
        ("a/1.txt", b"one"),
        ("empty.txt", b""),
        (long, LETTER),
        ("block.bin", b"\x01" * 512),
        ("z.pdf", make.pdf()),
    ]
    assert walk(pack.tarred(files, form=form)) == [(name, body, []) for name, body in files]


def test_long_names_beyond_ustar_and_other_scripts():
    name = "Ärztliche Unterlagen/" + "検査" * 50 + ".txt"
    for form in (tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        [(found, body, problems)] = walk(pack.tarred([(name, b"x")], form=form))
        assert (found, body, problems) == (name, b"x", [])


def test_it_reads_by_position_too_and_only_a_little():
    data = pack.tarred([(f"{n}.bin", random.Random(n).randbytes(2 << 20)) for n in range(8)])
    asked = []

    def read_at(start, length):
        asked.append(length)
        return data[start : start + length]

    assert [m.size for m in members(read_at, len(data))] == [2 << 20] * 8
    assert sum(asked) < len(data) // 20


def test_folders_say_nothing():
    data = pack.header(b"d/", sort=b"5") + pack.header(b"e/", sort=b"0") + pack.header(b"f") + pack.END
    assert walk(data) == [("f", b"", [])]


@pytest.mark.parametrize("sort", [b"1", b"2", b"3", b"4", b"6"])
def test_links_and_devices_are_refused(sort):
    data = pack.tar_of("letter.pdf", sort)[:512] + pack.tarred([("b.txt", b"b")])
    assert walk(data) == [("letter.pdf", b"", ["archive_link"]), ("b.txt", b"b", [])]


@pytest.mark.parametrize("sort", [b"S", b"D", b"M", b"V", b"Z"])
def test_unusual_parts_are_refused_and_their_bytes_jumped_over(sort):
    data = pack.header(b"odd", 600, sort) + b"\x07" * 1024 + pack.tarred([("b.txt", b"b")])
    assert walk(data) == [("odd", b"", ["archive_part"]), ("b.txt", b"b", [])]


def test_sparse_files_of_pax_are_refused():
    data = pack.pax(pack.record("GNU.sparse.major", b"1")) + pack.header(b"s", 3) + pack.padded(b"abc") + pack.END
    assert walk(data) == [("s", b"", ["archive_part"])]


GOOD = pack.header(b"good.txt", 4) + pack.padded(b"good")
DAMAGED = {
    "cut in a file": GOOD + pack.header(b"b", 5000) + b"b" * 100,
    "cut in a header": GOOD + pack.header(b"b", 5)[:300],
    "no end": GOOD,
    "wrong checksum": GOOD + pack.header(b"b", 0).replace(b"b\0", b"c\0", 1) + pack.END,
    "noise": GOOD + random.Random(1).randbytes(4096),
    "not octal": GOOD + pack.header(b"b", b"9999999999z\0") + pack.END,
    "giant": GOOD + pack.header(b"b", b"\x80" + b"\xff" * 11) + pack.END,
    "negative": GOOD + pack.header(b"b", b"\xff" * 12) + pack.END,
    "pax size too long": GOOD + pack.pax(pack.record("size", b"99999999999")) + pack.header(b"b", 3) + pack.END,
    "pax size of letters": GOOD + pack.pax(pack.record("size", b"many")) + pack.header(b"b", 3) + pack.END,
    "pax size of 5000 digits": GOOD + pack.pax(pack.record("size", b"9" * 5000)) + pack.header(b"b", 3) + pack.END,
    "pax negative": GOOD + pack.pax(pack.record("size", b"-1")) + pack.header(b"b", 3) + pack.END,
    "pax length lies long": GOOD + pack.pax(b"999 path=x\n") + pack.header(b"b") + pack.END,
    "pax length lies short": GOOD + pack.pax(b"3 path=x\n") + pack.header(b"b") + pack.END,
    "pax length zero": GOOD + pack.pax(b"0 path=x\n") + pack.header(b"b") + pack.END,
    "pax length of letters": GOOD + pack.pax(b"xx path=x\n") + pack.header(b"b") + pack.END,
    "pax without equals": GOOD + pack.pax(b"8 path!\n") + pack.header(b"b") + pack.END,
    "pax too long": GOOD + pack.pax(pack.record("path", b"x" * 70_000)) + pack.header(b"b") + pack.END,
    "long name too long": GOOD + pack.header(b"L", 70_000, b"L") + b"x" * 70_144 + pack.header() + pack.END,
    "long name cut": GOOD + pack.header(b"L", 900, b"L") + b"x" * 20,
    "one name for all": GOOD + pack.pax(pack.record("path", b"x"), sort=b"g") + pack.header(b"b") + pack.END,
    "second bundle behind": GOOD + pack.END + pack.tarred([("hidden", b"h")]),
    "noise behind": GOOD + pack.END + b"\x01" * 512,
    "old tar without magic": GOOD + pack.header(b"b", 0, magic=b"") + pack.END,
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(DAMAGED))
def test_what_came_before_the_damage_stays(name):
    assert walk(DAMAGED[name]) == [("good.txt", b"good", []), ("", b"", ["archive_damaged"])]


def test_a_size_that_lies_short_damages_what_follows():
    data = GOOD + pack.header(b"b", 3) + b"b" * 1024 + pack.END
    assert walk(data) == [("good.txt", b"good", []), ("b", b"bbb", []), ("", b"", ["archive_damaged"])]


def test_every_cut_of_a_bundle_keeps_what_is_whole():
    files = [(f"{n}.txt", bytes([65 + n]) * 700) for n in range(4)]
    data = b"".join(pack.header(name.encode(), 700) + pack.padded(body) for name, body in files) + pack.END
    for at in range(1, len(data) - 512, 97):
        found = walk(data[:at])
        assert found[:-1] == [(name, body, []) for name, body in files][: at // 1536 + (at % 1536 >= 1212)]
        assert found[-1] == ("", b"", ["archive_damaged"])


def test_a_changed_byte_never_raises_and_never_points_outside():
    dice = random.Random(5)
    seed = pack.tarred([("a.txt", b"a" * 600), ("ü" * 80, b"b"), ("c", b"")])
    for _ in range(400):
        data = bytearray(seed)
        for _change in range(dice.randrange(1, 6)):
            data[dice.randrange(4096)] = dice.randrange(256)
        for member in members(io.BytesIO(data), len(data)):
            assert 0 <= member.offset <= member.offset + member.size <= len(data)
            assert ".." not in member.name.split("/")


@pytest.mark.parametrize(
    ("raw", "name", "flagged"),
    [
        (b"../../etc/cron.d/x", "etc/cron.d/x", True), (b"/etc/passwd", "etc/passwd", True),
        (b"C:\\x.txt", "C_/x.txt", True), (b"a\x01b", "a_b", True), (b"..", "file", True), (b"", "file", False),
        (b"M\x81ller.txt", "Müller.txt", False), ("Größe.txt".encode(), "Größe.txt", False),
        (b"r\xe9sum\xe9.txt", "résumé.txt", False), (b"\xff\xfe\xfd", "ÿþý", False),
        ("病理".encode("gb18030"), "病理", False), ("検査".encode("shift_jis"), "検査", False),
    ],
)  # fmt: skip
def test_names_are_read_and_made_safe(raw, name, flagged):
    data = pack.header(raw, 1) + pack.padded(b"x") + pack.END
    assert walk(data) == [(name, b"x", ["archive_path"] if flagged else [])]


def test_a_pax_path_is_made_safe_too_and_wins_over_the_header():
    data = (
        pack.pax(pack.record("path", b"../../root/.ssh/key")) + pack.header(b"nice", 1) + pack.padded(b"x") + pack.END
    )
    assert walk(data) == [("root/.ssh/key", b"x", ["archive_path"])]


def test_the_number_of_files_is_bounded():
    assert codes(pack.tar_of_many(5), most_files=3) == ["too_many_files"]
    began = time.monotonic()
    found = walk(pack.tar_of_many(100_001))
    assert (len(found), found[-1][2]) == (100_001, ["too_many_files"])
    assert time.monotonic() - began < 20
    endless = pack.header(b"d/", sort=b"5") * 60 + pack.END
    assert codes(endless, most_files=3) == ["too_many_files"]


def test_empty_bundles():
    assert codes(pack.END) == ["archive_empty"]
    assert codes(b"") == ["archive_damaged"]
    assert codes(pack.header(b"d/", sort=b"5") + pack.END) == ["archive_empty"]


def test_a_bundle_is_known_by_its_checksum_whatever_it_begins_with():
    for name in ("MZ001.dcm", "GIF89a", "%PDF-1.4", "BM1", "#!run", "PKzip", "II*letter"):
        assert sniff(pack.tarred([(name, make.pdf())])[:65536]) is Kind.TAR
    assert sniff(make.dicom()[:257] + b"ustar" + b"\0" * 600) is Kind.DICOM
    assert sniff((b"letter about a ustar " * 40)[:600]) is Kind.TEXT


@pytest.mark.parametrize(
    "data",
    [
        b"7z\xbc\xaf\x27\x1c\0\4", b"Rar!\x1a\x07\0", b"Rar!\x1a\x07\1\0", b"\x1f\x8b\x08\0" + b"\0" * 20,
        b"BZh91AY&SY", b"\xfd7zXZ\0\0\4", b"\x28\xb5\x2f\xfd\0\0", b"MSCF\0\0\0\0\1\2",
        b"\0" * 32769 + b"CD001" + b"\0" * 100,
        b"\0" * 1024 + b"koly" + b"\0" * 508,
    ],
)  # fmt: skip
def test_other_packers_get_one_clear_sentence(data):
    found = extract([data])
    assert (found.kind, [one.code for one in found.problems], found.refused) == (Kind.ARCHIVE, ["archive_other"], True)


# -- what a disc holds beside medical data -----------------------------------------------------------
DISC = [
    ("DICOMDIR", make.dicom()[:132] + b"\x02\0\2\0UI\x14\0" + b"1.2.840.10008.1.3.10\0" * 4, "left_out"),
    ("AUTORUN.INF", b"[autorun]\nopen=viewer.exe", "left_out"),
    ("README.TXT", b"How to use this disc", "left_out"),
    ("INDEX.HTM", b"<html><body>Start the viewer</body></html>", "left_out"),
    ("viewer.exe", b"MZ" + b"\x90\0" * 40, "left_out"),
    ("VIEWER/Thumbs.db", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "left_out"),
    ("VIEWER/lib/codec.dll", make.windows_program(), "left_out"),
    ("VIEWER/lib/strings_de.txt", b"Datei oeffnen", "left_out"),
    ("VIEWER/splash.png", make.picture("PNG"), "left_out"),
    ("VIEWER/help/manual.pdf", make.pdf(), "left_out"),
    ("VIEWER/License.rtf", b"{\\rtf1 You may}", "left_out"),
    ("VIEWER/jre/rt.jar", b"PK\x03\x04" + b"\0" * 40, "left_out"),
    ("Viewer.app/Contents/Info.plist", b"<plist/>", "left_out"),
    ("__MACOSX/DICOM/._IM1", make.dicom(), "left_out"),
    (".Spotlight-V100/store.db", b"x", "left_out"),
    ("tool_without_suffix", b"\x7fELF" + b"\0" * 60, "left_out"),
    ("DICOM/IM1", make.dicom(), ""),
    ("VIEWER/IM2.DLL", make.dicom(), ""),  # content wins: an image that calls itself a library
    ("VIEWER/report.pdf", make.pdf(), ""),
    ("REPORT/befund.txt", b"Befund vom 3.2.2026", ""),
    ("photo.jpg", make.picture("JPEG"), ""),
    ("letter.pdf", make.windows_program(), "executable"),  # not a disc's program: one in disguise
]


def test_programs_and_bookkeeping_of_a_disc_are_left_out_by_content_then_by_name():
    found = {name: codes for name, _body, codes in walk(pack.tarred([(name, body) for name, body, _code in DISC]))}
    assert found == {name: [code] if code else [] for name, _body, code in DISC}


def test_a_zip_of_the_same_disc_is_judged_the_same():
    from consilium.records.extract import open_archive

    data = make.zipped([(name, body) for name, body, _code in DISC])
    found = {m.name: [one.code for one in m.problems] for m in open_archive([data])}
    assert found == {name: [code] if code else [] for name, _body, code in DISC}


def test_the_same_names_beside_letters_are_letters():
    files = [("case/index.html", b"<html><body>Befund</body></html>"), ("case/readme.txt", b"please read this first"),
             ("case/setup.exe", make.windows_program()), ("case/photo.jpg", make.picture("JPEG"))]  # fmt: skip
    assert [c for _n, _b, c in walk(pack.tarred(files))] == [[], [], ["left_out"], []]


@pytest.mark.parametrize(
    "code", ["archive_empty", "archive_damaged", "archive_bomb", "archive_path", "archive_link", "too_many_files"]
)
def test_nobody_who_sent_a_folder_is_told_of_a_zip_file(code: str) -> None:
    assert "zip file" not in str(TABLE[code].sentence)
