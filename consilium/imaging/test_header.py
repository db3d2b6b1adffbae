"""The fast header scanner against pydicom, which is the oracle: on real files, generated ones and broken ones."""

from __future__ import annotations

import io
import itertools
import os
import warnings
from functools import lru_cache
from pathlib import Path
from typing import Any

import pydicom
import pytest
from pydicom.dataelem import DataElement
from pydicom.dataset import FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from bench import data
from consilium.imaging.header import MAX_SEQUENCE, Header, NotFast, scan
from consilium.imaging.header_frames import frames_of
from consilium.imaging.header_json import PIXELS, bulk_range, dicom_json
from consilium.imaging.header_slow import scan_slow
from consilium.imaging.header_tags import WANTED
from consilium.imaging.header_values import attribute
from consilium.records.extract.testing_images import dicom_of

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = Path(os.environ.get("CONSILIUM_SAMPLES", ROOT.parent / "shared" / "samples")) / "dicom"
PYDICOM = Path(pydicom.__file__).parent / "data"
pytestmark = pytest.mark.filterwarnings("ignore")


def dicom_files() -> list[Path]:
    found = [path for root in (PYDICOM, SAMPLES) if root.exists() for path in sorted(root.rglob("*")) if path.is_file()]
    return [path for path in found if path.suffix not in (".py", ".pyc", ".json", ".txt", ".md", ".zip", ".tif")]


def read(data: bytes, *, pixels: bool = False) -> pydicom.FileDataset:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pydicom.dcmread(io.BytesIO(data), force=True, stop_before_pixels=not pixels)


@lru_cache(maxsize=2)
def oracle_of(data: bytes, *, pixels: bool) -> pydicom.FileDataset:
    return read(data, pixels=pixels)


def normal(found: dict[str, Any]) -> dict[str, Any]:
    """pydicom's JSON where the standard wants it else (PS3.18 §F.2): no group lengths, no empty names, null for ""."""
    out: dict[str, Any] = {}
    for key, one in found.items():
        if key.endswith("0000"):
            continue
        one = dict(one)
        values = one.get("Value")
        if values is not None:
            if one["vr"] == "SQ":
                values = [normal(item) for item in values]
            elif one["vr"] == "PN":
                values = [{name: part for name, part in value.items() if part} or None for value in values]
            else:
                values = [None if value == "" or value != value else value for value in values]
            one["Value"] = values
            if not values:
                del one["Value"]
        if int(key, 16) in PIXELS and len(one) > 1:
            one = {"vr": one["vr"], "BulkDataURI": ""}
        if "BulkDataURI" in one:
            one["BulkDataURI"] = ""
        out[key] = one
    return out


def of_element(element: DataElement) -> dict[str, Any]:
    try:
        found = element.to_json_dict(lambda _element: "", 1364)
    except ValueError:  # pydicom cannot turn the empty value among numbers into JSON
        assert element.VR in ("DS", "IS")
        kind = float if element.VR == "DS" else int
        found = {"vr": element.VR, "Value": [None if one == "" else kind(one) for one in element.value]}
    key = f"{element.tag:08X}"
    return normal({key: found})[key]


def assert_same_tags(data: bytes, found: Header) -> None:
    oracle = oracle_of(data, pixels=False)
    for tag, key in WANTED.items():
        if tag not in oracle:
            assert key not in found.tags, key
        elif oracle[tag].VR == "SQ" and key not in found.tags:
            assert len(pickled(oracle, tag)) > MAX_SEQUENCE
        else:
            vr, values = found.tags[key]
            ours = {"vr": "SQ", "Value": values} if vr == "SQ" and values else attribute(vr, values)
            assert normal({key: ours})[key] == of_element(oracle[tag]), key
    assert set(found.tags) <= set(WANTED.values())
    assert_same_place(data, found)


def pickled(oracle: pydicom.Dataset, tag: int) -> bytes:
    """The sequence, written again: about as long as it is in the file."""
    alone = pydicom.Dataset({tag: oracle[tag]})
    out = io.BytesIO()
    alone.is_little_endian, alone.is_implicit_VR = True, True
    pydicom.dcmwrite(out, alone, implicit_vr=True, little_endian=True)
    return out.getvalue() + b"\0" * 1024


def assert_same_place(data: bytes, found: Header) -> None:
    """Native pixels are exactly pydicom's; encapsulated ones start where pydicom's do."""
    whole = oracle_of(data, pixels=True)
    present = [tag for tag in sorted(PIXELS) if tag in whole]
    if found.pixels is None:
        assert not present
        return
    raw = whole.get_item(int(found.pixels_tag, 16))
    if raw is None:  # fragments without end, which pydicom drops: a matter for `frames_of`
        with pytest.raises(NotFast):
            frames_of(lambda at, length: data[at : at + length], found)
        return
    start, length = found.pixels
    assert raw.value_tell == start
    assert length == (-1 if found.encapsulated else len(raw.value))
    if found.encapsulated:
        assert data[start : start + 4] == b"\xfe\xff\x00\xe0"


def assert_same_json(data: bytes, found: Header) -> None:
    paths: list[str] = []
    ours = dicom_json(data, found, bulk=lambda path: paths.append(path) or "")  # type: ignore[func-returns-value]
    oracle = oracle_of(data, pixels=True)
    theirs = {f"{element.tag:08X}": of_element(element) for element in oracle if element.tag & 0xFFFF}
    assert ours == theirs
    assert list(ours) == sorted(ours)
    for path in paths:
        start, length = bulk_range(data, found, path) or (0, 0)
        value: Any = oracle
        for step in path.split("/"):
            value = value[int(step)] if isinstance(value, pydicom.Sequence) else value[int(step, 16)].value
        if not (found.encapsulated and path == found.pixels_tag):
            assert data[start : start + length] == value, path


def fast(data: bytes, *, first: int | None = None) -> Header | str:
    """The header, or why not."""
    try:
        return scan(data[:first], size=len(data))
    except NotFast as no:
        return no.reason


def test_every_real_file_is_read_as_pydicom_does_or_left_to_it():
    read_fast, seen, left = 0, set(), []
    for path in dicom_files():
        data = path.read_bytes()
        if (digest := hash(data)) in seen:
            continue
        seen.add(digest)
        found = fast(data)
        if isinstance(found, str):
            left.append(path.name)
            continue
        read_fast += 1
        try:
            assert_same_tags(data, found)
            assert_same_json(data, found)
        except (AssertionError, NotFast) as failure:
            failure.add_note(str(path))
            raise
    assert read_fast >= 90, left
    assert not set(left) & {"CT_small.dcm", "MR_small.dcm", "693_J2KR.dcm", "MR_small_implicit.dcm", "reportsi.dcm"}


@pytest.mark.parametrize("make", [data.ct_series, data.mr_series, data.small_studies])
def test_the_generated_series_are_read_from_their_first_64_kilobytes(make):
    for whole in itertools.islice(make(2), 2):
        found = fast(whole, first=65536)
        assert isinstance(found, Header)
        assert len(found.tags) > 50
        assert found.study
        assert found.series
        assert found.instance != found.series
        assert_same_tags(whole, found)
        assert_same_json(whole, found)


def test_the_header_alone_gives_the_same_json_but_for_what_follows_the_pixels():
    whole = next(data.ct_series(1, edge=64))
    found = scan(whole[:30_000], size=len(whole))
    assert dicom_json(whole[: found.pixels[0] + 10], found, bulk=str) == dicom_json(whole, found, bulk=str)


def test_elements_behind_the_pixels_are_in_the_json_when_given():
    whole = next(data.small_studies(1)) + b"\xfc\xff\xfc\xffOB\0\0\4\0\0\0\1\2\3\4"
    found = scan(whole, size=len(whole))
    assert dicom_json(whole, found, bulk=str)["FFFCFFFC"] == {"vr": "OB", "InlineBinary": "AQIDBA=="}
    assert_same_json(whole, found)


def test_too_few_bytes_say_how_many_are_needed():
    whole = next(data.ct_series(1, edge=64))
    full, given = scan(whole, size=len(whole)), 100
    for _round in range(8):
        try:
            found = scan(whole[:given], size=len(whole))
        except NotFast as no:
            assert no.reason == "short"
            assert given < no.needed <= full.pixels[0] + 5000
            given = no.needed
        else:
            break
    assert found == full
    with pytest.raises(NotFast, match="truncated"):
        scan(whole[:-1], size=len(whole) - 1)


def test_a_memoryview_and_a_receive_buffer_do_as_well_as_bytes():
    whole = next(data.ct_series(1))
    assert scan(memoryview(bytearray(whole)), size=len(whole)) == scan(whole, size=len(whole))


def write(found: pydicom.Dataset, syntax: str, *, preamble: bool = True) -> bytes:
    out = io.BytesIO()
    found.file_meta = FileMetaDataset()
    found.file_meta.TransferSyntaxUID = UID(syntax)
    found.file_meta.MediaStorageSOPClassUID = found.SOPClassUID
    found.file_meta.MediaStorageSOPInstanceUID = found.SOPInstanceUID
    pydicom.dcmwrite(out, found, enforce_file_format=preamble)
    return out.getvalue()


def example() -> pydicom.Dataset:
    found = read(next(data.small_studies(1)), pixels=True)
    for element in found.iterall():
        if element.VR == "SQ" and element.tag == 0x00081140:
            element.is_undefined_length = True
            for item in element.value:
                item.is_undefined_length_sequence_item = True
    return found


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRLittleEndian])
def test_implicit_and_explicit_data_with_items_of_undefined_length(syntax):
    found = example()
    found.PixelPaddingValue = -2000
    found["PixelPaddingValue"].VR = "SS"
    whole = write(found, syntax)
    result = fast(whole)
    assert isinstance(result, Header), result
    assert result.transfer_syntax == syntax
    assert_same_tags(whole, result)
    assert_same_json(whole, result)
    bare = whole[result.dataset_start :]  # no preamble, no meta information
    without = fast(bare)
    assert isinstance(without, Header), without
    assert without.tags == result.tags
    assert without.transfer_syntax == syntax
    assert_same_tags(bare, without)


CHARSETS = {
    "ISO_IR 6": "Adams^John", "ISO_IR 100": "Buc^Jérôme", "ISO_IR 101": "Wałęsa^Lech", "ISO_IR 109": "Ĉapek^Ĝis",
    "ISO_IR 110": "Bērziņš^Āris", "ISO_IR 126": "Διονυσιος", "ISO_IR 127": "قباني^لنزار",
    "ISO_IR 138": "שרון^דבורה", "ISO_IR 144": "Люкceмбypг", "ISO_IR 148": "Çavuşoğlu", "ISO_IR 166": "นามสกุล",
    "ISO_IR 13": "ﾔﾏﾀﾞ^ﾀﾛｳ", "ISO_IR 192": "Wang^XiaoDong=王^小東=山田", "GB18030": "Wang^XiaoDong=王^小东",
    "GBK": "Wang^XiaoDong=王^小东", "\\ISO 2022 IR 100": "Buc^Jérôme", "\\ISO 2022 IR 144": "Люкceмбypг",
    "\\ISO 2022 IR 87": "Yamada^Tarou=山田^太郎=やまだ^たろう",
    "ISO 2022 IR 6\\ISO 2022 IR 149": "Hong^Gildong=洪^吉洞",
    "ISO 2022 IR 13\\ISO 2022 IR 87": "ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎", "\\ISO 2022 IR 159": "Yamada^Tarou=丂丄^丅",
    "ISO 2022 IR 100\\ISO 2022 IR 126\\ISO 2022 IR 166": "Buc^Jérôme=Διονυσιος", "ISO_IR 203": "Cœur^Jérôme",
    "ISO 2022 IR 6\\ISO 2022 IR 203": "Cœur^Jérôme",
}  # fmt: skip


@pytest.mark.parametrize("terms", CHARSETS)
def test_every_character_set(terms):
    found = example()
    found.remove_private_tags()
    for keyword in ("InstitutionName", "ReferringPhysicianName"):
        delattr(found, keyword)
    found.SpecificCharacterSet = terms.split("\\")
    found.PatientName = CHARSETS[terms]
    found.StudyDescription = CHARSETS[terms].split("=")[-1].replace("^", " ")
    found.RequestAttributesSequence[0].RequestedProcedureDescription = found.StudyDescription
    whole = write(found, ExplicitVRLittleEndian)
    result = fast(whole)
    assert isinstance(result, Header), result
    assert result.text("00100010") == CHARSETS[terms]
    assert_same_tags(whole, result)
    assert_same_json(whole, result)


@pytest.mark.parametrize("last", [b"53", b"99"])  # retired; unheard of
def test_fragments_are_known_as_such_whatever_the_transfer_syntax(last):
    jpeg = dicom_of("1.2.840.10008.1.2.4.70", b"\xff\xd8\xff\xd9")
    found = scan_slow(jpeg.replace(b"1.2.840.10008.1.2.4.70", b"1.2.840.10008.1.2.4." + last))
    assert found.encapsulated
    assert found.pixels == (scan_slow(jpeg).pixels[0], -1)


def test_simplified_chinese_with_code_extensions_is_read_better_than_by_pydicom():
    found = example()
    found.SpecificCharacterSet = ["", "ISO 2022 IR 58"]
    delattr(found, "InstitutionName")
    delattr(found, "ReferringPhysicianName")
    found.PatientName = "Zhang^XiaoDong=XXXXXX^XXXXXXXX"  # PS3.5 Annex K
    chinese = b"Zhang^XiaoDong=\x1b$)A\xd5\xc5^\x1b$)A\xd0\xa1\xb6\xab"
    whole = write(found, ExplicitVRLittleEndian).replace(b"Zhang^XiaoDong=XXXXXX^XXXXXXXX", chinese)
    assert scan(whole, size=len(whole)).text("00100010") == "Zhang^XiaoDong=张^小东"


@pytest.mark.parametrize(
    ("keyword", "value"),
    [("PatientName", b"\xff\xfe"), ("PatientID", b"\x1b$Xabc "), ("StudyInstanceUID", b"1.2 .3"),
     ("SliceThickness", b"1,5 "), ("InstanceNumber", b"1A"), ("WindowCenter", b"nan "), ("Rows", b"\1\2\3\4\5\6")],
)  # fmt: skip
def test_doubtful_values_are_left_to_pydicom(keyword, value):
    found = example()
    found.SpecificCharacterSet = "ISO_IR 192"
    delattr(found, "InstitutionName")
    delattr(found, "ReferringPhysicianName")
    found.PatientName = "Eva"
    whole = write(found, ExplicitVRLittleEndian)
    raw = read(whole).get_item(keyword)
    at = raw.value_tell
    broken = whole[: at - 2] + len(value).to_bytes(2, "little") + value + whole[at + raw.length :]
    if keyword == "Rows":
        assert scan(broken, size=len(broken)).tags["00280010"] == ["US", [513, 1027, 1541]]
        return
    assert fast(broken) in ("value", "text")
    assert scan_slow(broken).instance == found.SOPInstanceUID
