"""Where frames lie: against pydicom's own splitting, with and without offset tables; and the jail's way."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from itertools import islice

import pydicom
import pytest
from pydicom.encaps import encapsulate, encapsulate_extended, generate_frames
from pydicom.uid import UID, ExplicitVRLittleEndian, JPEG2000Lossless

from bench import data
from consilium.imaging.header import Header, NotFast, scan
from consilium.imaging.header_frames import frames_of
from consilium.imaging.header_json import dicom_json
from consilium.imaging.header_slow import json_jailed, scan_jailed, scan_slow
from consilium.imaging.test_header import PYDICOM, dicom_files, example, read, write

pytestmark = pytest.mark.filterwarnings("ignore")


def reader(whole: bytes) -> tuple[Callable[[int, int], bytes], list[int]]:
    asked: list[int] = []

    def read_at(start: int, length: int) -> bytes:
        asked.append(length)
        return whole[start : start + length]

    return read_at, asked


def frames(whole: bytes, header: Header | None = None) -> list[bytes]:
    found = header or scan(whole, size=len(whole))
    return [
        b"".join(whole[start : start + length] for start, length in ranges)
        for ranges in frames_of(reader(whole)[0], found)
    ]


def test_frames_of_every_real_file_are_pydicoms():
    compared = 0
    for path in dicom_files():
        if path.parts[-2] == "dicomdir" or path.stat().st_size > 400_000:
            continue
        whole = path.read_bytes()
        try:
            found = scan(whole, size=len(whole))
            ours = frames(whole, found)
        except NotFast:
            continue
        if not found.encapsulated:
            continue
        oracle = read(whole, pixels=True)
        theirs = list(generate_frames(oracle.PixelData, number_of_frames=int(oracle.get("NumberOfFrames") or 1)))
        assert ours == theirs, path
        compared += 1
    assert compared > 20


def encapsulated(pixels: bytes, count: int, tables: tuple[bytes, bytes] | None = None) -> bytes:
    found = example()
    del found.PixelData
    found.NumberOfFrames = count
    if tables:
        found.ExtendedOffsetTable, found.ExtendedOffsetTableLengths = tables
    found.PixelData = pixels
    found["PixelData"].VR = "OB"
    found["PixelData"].is_undefined_length = True
    return write(found, JPEG2000Lossless)


IMAGES = [b"\xff\x4f" + bytes([number]) * (100 + 2 * number) + b"\xff\xd9" for number in range(1, 6)]


@pytest.mark.parametrize("fragments", [1, 3])
@pytest.mark.parametrize("table", [True, False])
def test_basic_offset_table_and_end_markers(fragments, table):
    whole = encapsulated(encapsulate(IMAGES, fragments_per_frame=fragments, has_bot=table), 5)
    assert [one.rstrip(b"\0") for one in frames(whole)] == IMAGES
    whole = encapsulated(encapsulate(IMAGES[:1], fragments_per_frame=fragments, has_bot=table), 1)
    assert [one.rstrip(b"\0") for one in frames(whole)] == IMAGES[:1]


def test_an_extended_offset_table_needs_no_walk():
    images = [one[:-2] + b"\0" * 10_000 + b"\xff\xd9" for one in IMAGES] * 40
    pixels, *tables = encapsulate_extended(images)
    whole = encapsulated(pixels, 200, tuple(tables))
    found = scan(whole, size=len(whole))
    read_at, asked = reader(whole)
    ranges = frames_of(read_at, found)
    assert [whole[one[0][0] : sum(one[0])] for one in ranges] == images
    assert sum(asked) < 4000
    lying = whole.replace(tables[0][8:24], struct.pack("<QQ", 2**40, 7))
    with pytest.raises(NotFast, match="offset table"):
        frames(lying)


def test_frames_that_cannot_be_told_apart_or_lie_outside_are_refused():
    pixels = encapsulate(IMAGES, has_bot=False)
    for whole, reason in (
        (encapsulated(pixels, 3), "frames"),
        (encapsulated(pixels, 5)[:-8], "truncated"),
        (encapsulated(encapsulate(IMAGES), 4), "frames"),
        (encapsulated(pixels, 5).replace(b"\xfe\xff\0\xe0\x6e\0\0\0", b"\xfe\xff\0\xe0\xff\xff\xff\xff"), "fragments"),
    ):
        with pytest.raises(NotFast, match=reason):
            frames(whole)


def test_native_frames_are_arithmetic():
    found = example()
    found.NumberOfFrames = 2
    found.PixelData += found.PixelData[::-1]
    whole = write(found, ExplicitVRLittleEndian)
    half = 16 * 16 * 2
    assert frames(whole) == [found.PixelData[:half], found.PixelData[half:]]
    rows = struct.Struct("<HH2sHH").pack
    missing = whole.replace(rows(0x28, 0x10, b"US", 2, 16), rows(0x28, 0x10, b"US", 2, 99))
    with pytest.raises(NotFast, match="truncated"):
        frames(missing)
    bits = whole.replace(rows(0x28, 0x100, b"US", 2, 16), rows(0x28, 0x100, b"US", 2, 1))
    assert [len(one) for one in frames(bits)] == [32, 32]
    odd = bits.replace(rows(0x28, 0x10, b"US", 2, 16), rows(0x28, 0x10, b"US", 2, 15))
    odd = odd.replace(rows(0x28, 0x11, b"US", 2, 16), rows(0x28, 0x11, b"US", 2, 15))
    with pytest.raises(NotFast, match="frames"):
        frames(odd)


def test_what_is_not_fast_is_read_in_the_jail():
    whole = (PYDICOM / "test_files" / "image_dfl.dcm").read_bytes()
    found = scan_jailed([whole[:1000], whole[1000:]])
    assert found == scan_slow(whole)
    assert found.instance
    assert found.pixels is None
    ours = json_jailed([whole], bulk=lambda path: f"bulk/{path}")
    assert ours["7FE00010"] == {"vr": "OB", "BulkDataURI": "bulk/7FE00010"}
    for bad in (b"", b"no picture at all " * 100, whole[:300]):
        with pytest.raises(NotFast):
            scan_jailed([bad])


def test_the_slow_json_is_the_fast_one():
    for whole in islice(data.ct_series(1, edge=32), 1):
        found = scan(whole, size=len(whole))
        assert json_jailed([whole], bulk=str) == dicom_json(whole, found, bulk=str)


def test_big_endian_numbers_come_out_right():
    whole = (PYDICOM / "test_files" / "MR_small_bigendian.dcm").read_bytes()
    found, oracle = scan_slow(whole), pydicom.dcmread(io.BytesIO(whole))
    assert found.number("00280010") == oracle.Rows == 64
    assert whole[found.pixels[0] : sum(found.pixels)] == oracle.PixelData
    assert found.transfer_syntax != UID(ExplicitVRLittleEndian)
