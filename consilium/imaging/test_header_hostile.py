"""Broken and hostile headers: never another exception than NotFast, never a value pydicom would not give."""

from __future__ import annotations

import contextlib
import io
import json
import random
import struct
import time
import zlib
from functools import cache
from itertools import islice

import pydicom
import pytest
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from bench import data
from consilium.imaging import header as module
from consilium.imaging.header import Header, NotFast, Seen, scan
from consilium.imaging.header_frames import frames_of
from consilium.imaging.header_json import dicom_json
from consilium.imaging.header_slow import scan_slow
from consilium.imaging.test_header import PYDICOM, assert_same_tags, example, of_element, read, write

pytestmark = pytest.mark.filterwarnings("ignore")
MUTANTS = 2000


@cache
def seeds() -> list[bytes]:
    """Small files of every shape: both encodings, sequences of both kinds, private, encapsulated, deep reports."""
    found = example()
    files = [write(found, ExplicitVRLittleEndian), write(found, ImplicitVRLittleEndian)]
    names = ("reportsi.dcm", "rtplan.dcm", "nested_priv_SQ.dcm", "SC_rgb_rle_2frame.dcm", "UN_sequence.dcm",
             "priv_SQ.dcm", "test-SR.dcm", "MR_small_RLE.dcm")  # fmt: skip
    files += [(PYDICOM / "test_files" / name).read_bytes() for name in names]
    return [one if len(one) < 40_000 else one[:40_000] for one in files]


def mutant(chance: random.Random) -> bytes:
    one = bytearray(chance.choice(seeds()))
    header = min(len(one), 6000)
    for _times in range(chance.randint(1, 3)):
        at = chance.randrange(128, header)
        kind = chance.randrange(6)
        if kind == 0:
            one[at] ^= 1 << chance.randrange(8)
        elif kind == 1:
            one[at : at + 4] = chance.choice((b"\xff\xff\xff\xff", b"\0\0\0\0", b"\xfe\xff\0\xe0", b"\xfe\xff\r\xe0"))
        elif kind == 2:
            one[at : at + 2] = chance.randrange(65536).to_bytes(2, "little")
        elif kind == 3:
            del one[at : at + chance.randint(1, 12)]
        elif kind == 4:
            one[at:at] = one[chance.randrange(header) :][: chance.randint(1, 60)]
        else:
            del one[at:]
            header = len(one)
        if len(one) <= 130 or header <= 130:
            break
        header = min(header, len(one))
    return bytes(one)


def follow_up(one: bytes, found: Header) -> None:
    """What works on a header refuses what it cannot read by NotFast only."""
    with contextlib.suppress(NotFast):
        frames_of(lambda at, length: one[at : at + length], found)
    with contextlib.suppress(NotFast):
        dicom_json(one, found, bulk=str)


def test_mutants_are_read_as_pydicom_does_or_left_to_it():
    chance, read_fast = random.Random(20260314), 0
    for number in range(MUTANTS):
        one = mutant(chance)
        try:
            found = scan(one, size=len(one))
        except NotFast:
            continue
        read_fast += 1
        try:
            assert_same_tags(one, found)
            follow_up(one, found)
        except Exception as failure:
            failure.add_note(f"mutant {number}")
            raise
    assert 0.1 < read_fast / MUTANTS < 0.9


def test_what_was_seen_before_changes_nothing():
    chance, seen, alike = random.Random(815), Seen(), 0
    for number in range(MUTANTS):
        one = mutant(chance)
        given = one[: chance.choice([len(one), 2000, 400])]
        alone, among = read_with(given, len(one), None), read_with(given, len(one), seen)
        assert alone == among, number
        alike += isinstance(alone, Header)
    assert alike > 50


def read_with(given: bytes, size: int, seen: Seen | None) -> Header | str:
    try:
        return scan(given, size=size, seen=seen)
    except NotFast as no:
        return no.reason


def test_the_json_of_mutants_is_pydicoms_too():
    chance, same = random.Random(4711), 0
    for number in range(500):
        one = mutant(chance)
        try:
            found = scan(one, size=len(one))
            ours = dicom_json(one, found, bulk=lambda _path: "")
        except NotFast:
            continue
        same += 1
        theirs = {
            f"{element.tag:08X}": of_element(element) for element in read(one, pixels=True) if element.tag & 0xFFFF
        }
        assert ours == theirs, number
    assert same > 50


def test_every_beginning_of_a_file_gives_the_header_or_asks_for_more():
    for whole in seeds():
        try:
            full = scan(whole, size=len(whole))
        except NotFast:
            continue
        end = full.pixels[0] if full.pixels else len(whole)
        for cut in range(0, min(end + 20, len(whole)), 41):
            try:
                assert scan(whole[:cut], size=len(whole)) == full
            except NotFast as no:
                assert no.reason == "short"
                assert cut < no.needed <= len(whole)
        assert scan(whole[:end], size=len(whole)) == full
        assert Header.restored(json.loads(json.dumps(full.stored()))) == full


def test_random_bytes_are_refused():
    chance = random.Random(1)
    for _number in range(300):
        one = b"\0" * 128 + b"DICM" * chance.randrange(2) + chance.randbytes(chance.randrange(2000))
        with pytest.raises(NotFast):
            scan(one, size=len(one))


def element(group: int, number: int, vr: bytes, value: bytes, length: int | None = None) -> bytes:
    length = len(value) if length is None else length
    if vr in (b"SQ", b"OB", b"UN", b"OW"):
        return struct.pack("<HH2sHL", group, number, vr, 0, length) + value
    return struct.pack("<HH2sH", group, number, vr, length) + value


START = b"\0" * 128 + b"DICM" + element(2, 0x10, b"UI", b"1.2.840.10008.1.2.1\0")
START += element(8, 0x16, b"UI", b"1.2.840.10008.5.1.4.1.1.2\0") + element(8, 0x18, b"UI", b"1.2.3\0")
ITEM = b"\xfe\xff\0\xe0\xff\xff\xff\xff"


def test_deep_nesting_ends_soon():
    for vr in (b"SQ", b"UN"):
        bomb = START + (element(8, 0x1140, vr, b"", 0xFFFFFFFF) + ITEM) * 50_000
        before = time.process_time()
        with pytest.raises(NotFast, match=r"deep|short|truncated"):
            scan(bomb, size=len(bomb))
        assert time.process_time() - before < 0.2
    defined = b""
    for _depth in range(200):  # of defined length: jumped over by the scan, refused by the JSON
        item = struct.pack("<HHL", 0xFFFE, 0xE000, len(defined)) + defined
        defined = element(0x40, 0xA730, b"SQ", item)
    whole = START + defined
    found = scan(whole, size=len(whole))
    with pytest.raises(NotFast, match="deep"):
        dicom_json(whole, found, bulk=str)


def test_lengths_that_lie():
    for length in (0xFFFFFFFE, 0x80000000, 0x7FFFFFFF, 100_000):
        for tail in (element(9, 0x10, b"OB", b"", length), element(8, 0x1140, b"SQ", b"", length),
                     element(0x7FE0, 0x10, b"OW", b"", length)):  # fmt: skip
            with pytest.raises(NotFast, match="truncated"):
                scan(START + tail, size=len(START + tail))
    huge = START + element(9, 0x10, b"OB", b"", 0xFFFFFFF0)
    with pytest.raises(NotFast, match="long"):
        scan(huge, size=2**40)
    endless = START + element(9, 0x10, b"OB", b"\xfe\xff\0\xe0", 0xFFFFFFFF)
    with pytest.raises(NotFast):
        scan(endless, size=len(endless))


def test_many_elements_take_bounded_time_and_memory():
    filler = [element(0x0021, number, b"SH", b"") for number in range(0x1001, 0xFFFF)]
    whole = START + b"".join(filler[:40_000])
    before = time.process_time()
    assert scan(whole, size=len(whole)).tags.keys() == {"00080016", "00080018"}
    assert time.process_time() - before < 2
    assert len(module._EXPLICIT_STEPS) <= module._MAX_STEPS
    with pytest.raises(NotFast, match="elements"):
        scan(START + b"".join(filler), size=len(START) + 8 * len(filler))
    items = START + element(8, 0x1140, b"SQ", (ITEM + b"\xfe\xff\r\xe0\0\0\0\0") * 300_000, 0xFFFFFFFF)
    with pytest.raises(NotFast):
        scan(items, size=len(items))


def test_a_tag_given_twice_is_left_to_pydicom():
    twice = START + element(8, 0x18, b"UI", b"1.2.4\0")
    with pytest.raises(NotFast, match="order"):
        scan(twice, size=len(twice))


def test_an_inflation_bomb_is_refused_and_deflated_data_read():
    found = example()
    found.remove_private_tags()
    whole = write(found, "1.2.840.10008.1.2.1.99")
    with pytest.raises(NotFast, match="transfer syntax"):
        scan(whole, size=len(whole))
    slow = scan_slow(whole)
    assert slow.pixels is None
    plain = write(found, ExplicitVRLittleEndian)
    assert slow.tags == scan(plain, size=len(plain)).tags
    meta = len(whole) - len(whole[pydicom_start(whole) :])
    packed = zlib.compressobj(9, zlib.DEFLATED, -15)
    bomb = whole[:meta] + packed.compress(bytes(80 * 2**20)) + packed.flush()
    with pytest.raises(NotFast, match="too large"):
        scan_slow(bomb)


def pydicom_start(whole: bytes) -> int:
    handle = io.BytesIO(whole[132:])
    pydicom.filereader._read_file_meta_info(handle)
    return 132 + handle.tell()


def test_the_slow_header_is_the_fast_one_where_both_read():
    for whole in [*islice(data.small_studies(1), 1), *seeds()]:
        try:
            found = scan(whole, size=len(whole))
            slow = scan_slow(whole)
        except NotFast:
            continue
        assert slow.slow
        slow.slow = False
        for key, (vr, values) in slow.tags.items():
            if vr != "SQ" or key in found.tags:
                assert found.tags[key] == [vr, values]
        assert (slow.pixels, slow.dataset_start, slow.transfer_syntax) == (
            found.pixels, found.dataset_start, found.transfer_syntax,
        )  # fmt: skip
