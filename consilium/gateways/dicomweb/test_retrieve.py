"""WADO-RS: the same pixels and attributes as in the file, in the form that was asked for."""

import gzip
import io
import json
import urllib.parse
from typing import Any
from uuid import uuid4

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.encaps import encapsulate
from pydicom.uid import JPEGBaseline8Bit

from consilium.cases.models import Case
from consilium.core.models import AuditEvent
from consilium.gateways.dicomweb import bulk
from consilium.gateways.dicomweb.app import DicomWeb
from consilium.gateways.dicomweb.conftest import SAMPLES, ClientOf
from consilium.gateways.dicomweb.metadata import Product
from consilium.gateways.dicomweb.testing_client import Client
from consilium.gateways.dicomweb.testing_files import image, path, uid, written
from consilium.imaging.header import Header, NotFast
from consilium.records.models import Record, SeriesMetadata
from consilium.testing.cast import Cast
from consilium.vault import blobs, keys

pytestmark = pytest.mark.django_db(transaction=True)
ANY = 'multipart/related; type="application/octet-stream"; transfer-syntax=*'
OCTETS = 'multipart/related; type="application/octet-stream"'
NATIVE = "1.2.840.10008.1.2.1"
needs_samples = pytest.mark.skipif(not SAMPLES.is_dir(), reason="no sample files")
SYNTAXES = [  # (file, transfer syntax, media type of a frame)
    ("JPEG-lossy.dcm", "1.2.840.10008.1.2.4.51", "image/jpeg"),
    ("SC_rgb_jpeg_dcmtk.dcm", "1.2.840.10008.1.2.4.50", "image/jpeg"),
    ("sm_image_jpegls.dcm", "1.2.840.10008.1.2.4.80", "image/jls"),
    ("US1_J2KR.dcm", "1.2.840.10008.1.2.4.90", "image/jp2"),
    ("OBXXXX1A_rle_2frame.dcm", "1.2.840.10008.1.2.5", "image/dicom-rle"),
    ("emri_small_jpeg_2k_lossless.dcm", "1.2.840.10008.1.2.4.90", "image/jp2"),
    ("MR_small_implicit.dcm", NATIVE, "application/octet-stream"),
    ("image_dfl.dcm", "1.2.840.10008.1.2.1.99", "application/octet-stream"),
    ("seg_image_ct_binary.dcm", NATIVE, "application/octet-stream"),
]


def place_of(found: pydicom.Dataset) -> str:
    return f"/studies/{found.StudyInstanceUID}/series/{found.SeriesInstanceUID}/instances/{found.SOPInstanceUID}"


def sample(name: str) -> bytes:
    return next(SAMPLES.rglob(name)).read_bytes()


def test_metadata_says_what_pydicom_says(anna: Client) -> None:
    blob = bytes(range(256)) * 8
    files = [image(number, ICCProfile=blob if number == 2 else b"\1\2") for number in (1, 2)]
    assert anna.post("/studies", files).status == 200
    series = path(1).partition("/instances")[0]
    found = {one["00080018"]["Value"][0]: one for one in anna.get(series + "/metadata").json}
    for number, data in zip((1, 2), files, strict=True):
        expected = pydicom.dcmread(io.BytesIO(data)).to_json_dict(
            bulk_data_threshold=1024, bulk_data_element_handler=lambda _e: "x"
        )
        mine = found[uid("instance", "a", "1", number)]
        assert {tag: one for tag, one in mine.items() if "BulkDataURI" not in one} == {
            tag: one for tag, one in expected.items() if tag in mine and "BulkDataURI" not in mine[tag]
        }
        assert mine.keys() == expected.keys()
        for tag, value in (("7FE00010", pydicom.dcmread(io.BytesIO(data)).PixelData), ("00282000", blob)):
            if "BulkDataURI" in mine[tag]:
                at = urllib.parse.urlsplit(mine[tag]["BulkDataURI"]).path.removeprefix(anna.root)
                assert anna.get(at, "application/octet-stream").body == value
                assert [part for _kind, part in anna.get(at, OCTETS).parts] == [value]
                assert anna.get(at).body == value
                piece = anna.get(at, range="bytes=2-5")
                assert (piece.status, piece.body) == (206, value[2:6])
    assert "BulkDataURI" in found[uid("instance", "a", "1", 2)]["00282000"]
    assert anna.get(path(1) + "/bulkdata/00282000").status == 404  # short enough to stand in the metadata
    assert anna.get(path(1) + "/bulkdata/00283000").status == 404


def test_series_metadata_is_kept_and_renewed(anna: Client, app: DicomWeb) -> None:
    series = path(1).partition("/instances")[0]
    anna.post("/studies", [image(1)])
    first = anna.get(series + "/metadata", accept_encoding="gzip, br")
    assert first.headers["content-encoding"] == "gzip"
    assert [one["00200013"]["Value"] for one in json.loads(gzip.decompress(first.body))] == [[1]]
    kept = SeriesMetadata.objects.get()
    product = Product.from_bytes(blobs.read_all(kept.blob, space=kept.space))
    assert product is not None and product.gzip() == first.body
    app.products._kept.clear()
    assert anna.get(series + "/metadata", accept_encoding="gzip").body == first.body
    anna.post("/studies", [image(2)])
    second = anna.get(series + "/metadata", accept_encoding="gzip").body
    assert second.startswith(first.body[:-14])  # appended, not made anew (the bracket and the trailer apart)
    assert [one["00200013"]["Value"] for one in json.loads(gzip.decompress(second))] == [[1], [2]]
    assert SeriesMetadata.objects.get().instances == 2
    assert not blobs.exists(kept.blob)
    app.products._kept.clear()
    app.origin = lambda _scope: "https://elsewhere.example"
    moved = anna.get(series + "/metadata").json
    assert all(one["7FE00010"]["BulkDataURI"].startswith("https://elsewhere.example/data/") for one in moved)
    assert len(anna.get("/studies/" + uid("study", "a") + "/metadata").json) == 2
    assert anna.get(series + "/metadata", "application/dicom+xml").status == 406


def test_products_grow_and_move() -> None:
    product = Product('https://a.example/"x')
    said = []
    for piece in range(3):
        said_now = [{"at": product.root + f"/studies/{piece}.{n}"} for n in range(piece + 1)]
        product.add((uuid4(), json.dumps(one).encode()) for one in said_now)
        said += said_now
    assert json.loads(gzip.decompress(product.gzip())) == said
    again = Product.from_bytes(product.to_bytes())
    assert again == product and again is not None
    moved = again.moved("https://b.example")
    assert moved.files == product.files
    assert [one["at"] for one in json.loads(gzip.decompress(moved.gzip()))] == [
        one["at"].replace(product.root, "https://b.example") for one in said
    ]
    assert Product.from_bytes(b"https://a.example\n\x1f\x8b") is None


def test_forms_of_an_instance(anna: Client) -> None:
    data = image(1)
    anna.post("/studies", [data, image(2)])
    single = anna.get(path(1), "application/dicom")
    assert (single.headers["content-type"], single.body) == ("application/dicom", data)
    ((kind, part),) = anna.get(path(1), f'multipart/related; type="application/dicom"; transfer-syntax={NATIVE}').parts
    assert (kind, part) == (f"application/dicom; transfer-syntax={NATIVE}", data)
    assert anna.get(path(1), 'multipart/related; type="application/dicom"; transfer-syntax=1.2.3').status == 406
    assert anna.get(path(1), "image/gif").status == 406
    assert anna.get(path(1) + "?accept=application/dicom", "image/gif").body == data
    series = path(1).partition("/instances")[0]
    assert anna.get(series, "application/dicom").status == 406  # two do not fit into one
    answer = anna.get(series)
    assert len(answer.parts) == 2
    assert int(answer.headers["content-length"]) == len(answer.body)
    head = anna.get(series, method="HEAD")
    assert (head.status, head.body, head.headers["content-length"]) == (200, b"", answer.headers["content-length"])


@needs_samples
def test_frames_of_every_syntax(anna: Client) -> None:
    assert anna.post("/studies", [sample(name) for name, _syntax, _kind in SYNTAXES]).status == 200
    for name, syntax, kind in SYNTAXES:
        data = sample(name)
        found = pydicom.dcmread(io.BytesIO(data))
        at = place_of(found)
        count = int(found.get("NumberOfFrames") or 1)
        ((stored_kind, stored),) = anna.get(f"{at}/frames/{count}", ANY).parts
        if syntax in ("1.2.840.10008.1.2.1.99", NATIVE):
            assert stored_kind == f"application/octet-stream; transfer-syntax={NATIVE}", name
        else:
            assert stored_kind == f"application/octet-stream; transfer-syntax={syntax}", name
            expected = pydicom.encaps.get_frame(found.PixelData, count - 1, number_of_frames=count)
            assert stored.rstrip(b"\0") == expected.rstrip(b"\0"), name
            assert anna.get(f"{at}/frames/1").parts[0][0] == f"{kind}; transfer-syntax={syntax}"
            assert len(anna.get(f"{at}/frames/{','.join(map(str, range(1, count + 1)))}").parts) == count
        assert anna.get(f"{at}/frames/{count + 1}").status == 404
        assert anna.get(f"{at}/frames/0").status == 400
        native = anna.get(f"{at}/frames/{count}", OCTETS)
        if syntax.endswith("4.51"):  # 12 bit: no decoder
            assert native.status == 406
            continue
        pixels = np.frombuffer(native.parts[0][1], np.uint16 if found.BitsAllocated == 16 else np.uint8)
        expected = found.pixel_array if count == 1 else found.pixel_array[-1]
        if found.BitsAllocated == 1:
            pixels = np.unpackbits(pixels, bitorder="little")
        if syntax != "1.2.840.10008.1.2.4.50":  # colours as the header names them there
            assert np.array_equal(pixels.view(expected.dtype)[: expected.size], expected.ravel()), name


@needs_samples
def test_old_encodings_in_explicit_little_endian(anna: Client) -> None:
    anna.post("/studies", [sample("MR_small_bigendian.dcm"), sample("image_dfl.dcm")])
    for name in ("MR_small_bigendian.dcm", "image_dfl.dcm"):
        found = pydicom.dcmread(io.BytesIO(sample(name)))
        ((kind, part),) = anna.get(
            place_of(found), f'multipart/related; type="application/dicom"; transfer-syntax={NATIVE}'
        ).parts
        assert kind.endswith(NATIVE)
        again = pydicom.dcmread(io.BytesIO(part))
        assert np.array_equal(again.pixel_array, found.pixel_array)
        (metadata,) = anna.get(place_of(found) + "/metadata").json
        assert metadata["00280010"]["Value"] == [found.Rows]
        value = anna.get(place_of(found) + "/pixeldata", "application/octet-stream")
        assert len(value.body) >= found.pixel_array.nbytes


def test_rendered(anna: Client) -> None:
    data = image(500, edge=64, WindowCenter="500", WindowWidth="100")
    anna.post("/studies", [data])
    at = path(500)
    picture = Image.open(io.BytesIO(anna.get(at + "/rendered").body))
    assert (picture.format, picture.size) == ("JPEG", (64, 64))
    assert abs(picture.getpixel((3, 3)) - 128) < 4
    darker = anna.get(at + "/frames/1/rendered?window=600,100,linear", "image/png")
    shown = Image.open(io.BytesIO(darker.body))
    assert (darker.headers["content-type"], shown.getpixel((3, 3))) == ("image/png", 0)
    assert Image.open(io.BytesIO(anna.get(at + "/rendered?viewport=30,20").body)).size == (20, 20)
    part = anna.get(at + "/rendered?viewport=100,100,0,0,32,16")
    assert Image.open(io.BytesIO(part.body)).size == (100, 50)
    assert Image.open(io.BytesIO(anna.get(path(1).partition("/series")[0] + "/thumbnail").body)).size == (128, 128)
    for wrong in (
        "viewport=1",
        "viewport=0,0",
        "window=a,b",
        "window=1,0",
        "window=1,2,sigmoid",
        "quality=101",
        "quality=0001" + "0" * 5000,
    ):
        assert anna.get(f"{at}/rendered?{wrong}").status == 400, wrong
    assert anna.get(at + "/rendered", "image/gif").status == 406
    assert anna.get(at + "/frames/2/rendered").status == 404


def test_nobody_reads_another_case(cast: Cast, case: Case, anna: Client, client_of: ClientOf) -> None:
    from consilium.testing import factories

    anna.post("/studies", [image(1)])
    other = factories.draft(cast)
    hers = client_of(cast.anna, other)
    hers.post("/studies", [image(5, study="b")])
    stolen = Client(anna.app, case.pk, hers.headers["authorization"].removeprefix("Bearer "))
    eve = Client(anna.app, case.pk)
    nothing = anna.get("/studies/1.2.3")
    assert (nothing.status, nothing.body) == (404, b"There is nothing here for you.")
    for at in ("/studies", path(1), path(1) + "/frames/1", path(1) + "/metadata", path(1) + "/rendered"):
        for who in (stolen, eve):
            answer = who.get(at)
            assert (answer.status, answer.headers, answer.body) == (404, nothing.headers, nothing.body)
        assert anna.get(at).status == 200
    for who in (stolen, eve):
        assert who.post("/studies", [image(2)]).status == 404
    assert hers.get(path(1)).status == 404
    assert [one["0020000D"]["Value"] for one in hers.get("/studies").json] == [[uid("study", "b")]]


def test_what_a_key_may(cast: Cast, case: Case, anna: Client, client_of: ClientOf) -> None:
    adds, reads = client_of(cast.anna, case, read=False), client_of(cast.anna, case, add=False)
    assert adds.post("/studies", [image(1)]).status == 200
    assert adds.get("/studies").status == 403
    assert reads.post("/studies", [image(2)]).status == 403
    assert len(reads.get("/studies").json) == 1
    assert anna.send("DELETE", path(1), [], {}).status == 405


def test_what_is_withheld_does_not_exist(cast: Cast, case: Case, anna: Client, client_of: ClientOf) -> None:
    anna.post("/studies", [image(1), image(1, study="b")])
    reads = client_of(cast.anna, case, add=False)
    assert len(reads.get("/studies").json) == 2
    record = Record.objects.filter(space=case.pk, kind="imaging").first()
    grant = next(one for one in reads.app.grants._kept.values() if one.space == case.pk and not one.may_add)
    grant.records -= {record.pk}
    left = reads.get("/studies").json
    (study,) = {uid("study", "a"), uid("study", "b")} - {one["0020000D"]["Value"][0] for one in left}
    grant.ends += 3600  # made just now: a miss does not ask the gate again
    for at in ("", "/metadata", "/series", "/instances", "/thumbnail"):
        assert reads.get(f"/studies/{study}{at}").status == 404
    assert anna.get(f"/studies/{study}/metadata").status == 200


def test_a_decision_shows_at_once(cast: Cast, case: Case, anna: Client, client_of: ClientOf) -> None:
    reads = client_of(cast.anna, case, add=False)
    assert reads.get("/studies").json == []
    anna.post("/studies", [image(1)])
    assert len(reads.get("/studies").json) == 1  # the gate is asked again for a record that came after it was asked


def test_the_first_look_at_a_record_is_noted_once(anna: Client, case: Case) -> None:
    def looks() -> int:
        record = Record.objects.get(space=case.pk, kind="imaging")
        return AuditEvent.objects.filter(thing=f"record:{record.pk}", action__contains="read").count()

    anna.post("/studies", [image(1), image(2)])
    anna.get("/studies")
    assert looks() == 0
    for _again in range(2):
        assert anna.get(path(1) + "/frames/1").status == 200
        assert anna.get(path(2) + "/metadata").status == 200
    assert looks() == 1


def test_an_erased_case_is_gone(anna: Client, case: Case) -> None:
    anna.post("/studies", [image(1)])
    assert anna.get(path(1) + "/frames/1").status == 200
    keys.destroy_space(case.pk)
    for at in ("/studies", path(1) + "/frames/1", path(1) + "/metadata"):
        assert anna.get(at).status == 404
    assert anna.post("/studies", [image(2)]).status == 404


def test_pixel_data_that_lies_is_refused_with_a_sentence_and_an_empty_one_is_empty(anna: Client) -> None:
    found = pydicom.dcmread(io.BytesIO(image(1)))
    found.NumberOfFrames = 3
    found.PixelData = encapsulate([b"\xff\xd8" + bytes(50) + b"\xff\xd9"] * 2, has_bot=False)
    found["PixelData"].is_undefined_length, found["PixelData"].VR = True, "OB"
    assert anna.post("/studies", [written(found, JPEGBaseline8Bit), image(2, PixelData=b"")]).status == 200
    for accept in (ANY, "application/octet-stream", 'multipart/related; type="*/*"'):
        answer = anna.get(path(1) + "/pixeldata", accept=accept)
        assert (answer.status, b"cannot be told apart" in answer.body) == (406, True)
    empty = anna.get(path(2) + "/pixeldata", accept="application/octet-stream")
    assert (empty.status, empty.body) == (200, b"")


def test_an_image_whose_attributes_nobody_can_read_spoils_no_series(
    anna: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As of a million empty items in a sequence: the header is found, but the jail's time is over before the end."""
    assert anna.post("/studies", [image(1), image(2)]).status == 200
    fast = bulk.header_json.dicom_json

    def read(data: bytes, known: Header, **how: Any) -> dict[str, Any]:
        if known.instance == uid("instance", "a", "1", 2):
            raise NotFast("value")
        return fast(data, known, **how)

    def late(*_args: Any, **_how: Any) -> None:
        raise NotFast("unreadable")

    monkeypatch.setattr(bulk.header_json, "dicom_json", read)
    monkeypatch.setattr(bulk.header_slow, "json_jailed", late)
    for place in (path(1).partition("/instances")[0], path(1).partition("/series")[0], path(2)):
        found = anna.get(place + "/metadata")
        assert found.status == 200
        shown = {one["00200013"]["Value"][0]: one["00280010"]["Value"] for one in found.json}
        assert shown == ({2: [16]} if place == path(2) else {1: [16], 2: [16]})


@pytest.mark.parametrize("odd", ["1.2.03.ABC.4", "1.2." + "3" * 80])
def test_an_image_whose_uid_is_none_is_shown(anna: Client, odd: str) -> None:
    """Discs hold them (PS3.5 §9.1 allows digits without leading zeros, 64 characters at most)."""
    assert anna.post("/studies", [image(5, SOPInstanceUID=odd)]).status == 200
    (found,) = anna.get("/studies/" + uid("study", "a") + "/instances").json
    where = urllib.parse.urlsplit(found["00081190"]["Value"][0]).path.removeprefix(anna.root)
    assert where.endswith(odd)
    assert [part for _kind, part in anna.get(where + "/frames/1", ANY).parts] == [b"\5\0" * 256]
    assert anna.get(where + "/rendered", "image/png").status == 200
    assert anna.get(where + "/metadata").json[0]["00080018"]["Value"] == [odd]
