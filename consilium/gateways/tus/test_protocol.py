"""tus 1.0 against the application itself: every answer of the specification, and what is kept of what arrived."""

import base64
import hashlib
from datetime import timedelta

import pytest

from consilium.cases.models import Case
from consilium.core import clock, jobs
from consilium.gateways.tus.protocol import BODY_TYPE
from consilium.gateways.tus.testing_client import TusClient, encoded, transfer_at, upload_at
from consilium.records import content, transfers
from consilium.records.models import RecordFile, Transfer, Upload
from consilium.vault import blobs

pytestmark = pytest.mark.django_db(transaction=True)
LETTER = b"Letter of the surgeon, 3 May 2026. " * 300


def checksum(data: bytes, algorithm: str = "sha256") -> str:
    return f"{algorithm} {base64.b64encode(hashlib.new(algorithm, data).digest()).decode()}"


# --- core -------------------------------------------------------------------------------------------------


def test_options_tell_what_is_spoken(tus: TusClient) -> None:
    answer = tus.ask("OPTIONS", tus_resumable="", authorization="")
    assert answer.status == 204
    assert answer.headers["tus-version"] == "1.0.0"
    assert set(answer.headers["tus-extension"].split(",")) == {
        *("creation", "creation-with-upload", "checksum", "termination", "expiration")
    }
    assert answer.headers["tus-max-size"] == str(4 * 1024**3)
    assert set(answer.headers["tus-checksum-algorithm"].split(",")) == {"sha1", "sha256", "md5"}


def test_an_upload_in_pieces_becomes_a_record(tus: TusClient, case: Case) -> None:
    path = tus.create(len(LETTER), "Arztbrief Müller.txt")
    at = 0
    for size in (1, 4000, len(LETTER) - 4001):
        answer = tus.patch(path, at, LETTER[at : at + size])
        at += size
        assert (answer.status, answer.offset) == (204, at)
        assert "upload-expires" in answer.headers
        assert answer.headers["tus-resumable"] == "1.0.0"
    upload = upload_at(path)
    assert content.read_all(upload) == LETTER
    assert upload.name == "Arztbrief Müller.txt"
    jobs.drain()
    upload.refresh_from_db()
    assert upload.status == Upload.Status.DONE
    assert upload.sha256 == hashlib.sha256(LETTER).hexdigest()
    assert content.read_all(RecordFile.objects.get(space=case.pk, record__upload=upload)) == LETTER


def test_head_tells_offset_length_metadata_and_end(tus: TusClient) -> None:
    path = tus.create(100, "a.txt")
    tus.patch(path, 0, b"x" * 40)
    answer = tus.ask("HEAD", path)
    assert answer.status == 200
    assert (answer.offset, answer.headers["upload-length"]) == (40, "100")
    assert answer.headers["upload-metadata"] == encoded(filename="a.txt")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["upload-expires"].endswith("GMT")
    assert answer.body == b""


BAD_CREATIONS: list[tuple[str, dict[str, str], int, str]] = [
    ("POST", {"tus_resumable": "0.2.2"}, 412, "This server speaks tus 1.0.0"),
    ("POST", {"tus_resumable": ""}, 412, "This server speaks tus 1.0.0"),
    ("POST", {}, 400, "Please send Upload-Length"),
    ("POST", {"upload_length": "-1"}, 400, "whole number"),
    ("POST", {"upload_length": "1e3"}, 400, "whole number"),
    ("POST", {"upload_defer_length": "1"}, 400, "Please send Upload-Length"),
    ("POST", {"upload_length": "9", "upload_defer_length": "1"}, 400, "not offered"),
    ("POST", {"upload_length": "9", "upload_concat": "partial"}, 400, "Concatenation"),
    ("POST", {"upload_length": str(4 * 1024**3 + 1)}, 413, "more than the 4294967296 bytes"),
    ("POST", {"upload_length": "9", "upload_metadata": "name !!!"}, 400, "Base64"),
    ("POST", {"upload_length": "9", "upload_metadata": "a YQ==,a YQ=="}, 400, "different ASCII keys"),
    ("POST", {"upload_length": "9", "upload_metadata": "a " + "A" * 9000}, 400, "8192 characters"),
    ("GET", {}, 405, "not possible"),
    ("PATCH", {}, 405, "not possible"),
    ("POST", {"upload_length": "9", "authorization": "Bearer nonsense"}, 404, "nothing here"),
    ("POST", {"upload_length": "9", "authorization": ""}, 404, "nothing here"),
]


def test_bad_creations(tus: TusClient) -> None:
    for method, headers, status, words in BAD_CREATIONS:
        answer = tus.ask(method, **headers)
        assert (answer.status, words in answer.text) == (status, True), (method, headers, answer)
        assert answer.headers["tus-resumable"] == "1.0.0"
        assert status != 412 or answer.headers["tus-version"] == "1.0.0"
    assert not Transfer.objects.exists()


BAD_PIECES: list[tuple[dict[str, str], int, str]] = [
    ({"content_type": "application/octet-stream"}, 415, BODY_TYPE),
    ({"upload_offset": ""}, 400, "Please send Upload-Offset"),
    ({"upload_offset": "4x"}, 400, "whole number"),
    ({"upload_offset": "3"}, 409, "stands at 4"),
    ({"upload_offset": "5"}, 409, "stands at 4"),
    ({"upload_checksum": "crc32 AAAA"}, 400, "sha256"),
    ({"upload_checksum": "sha1 AAAA"}, 400, "digest in Base64"),
    ({"upload_checksum": "sha1 ???"}, 400, "digest in Base64"),
]


def test_bad_pieces_change_nothing(tus: TusClient) -> None:
    path = tus.create(10)
    tus.patch(path, 0, b"1234")
    before = set(blobs.ids())
    for headers, status, words in BAD_PIECES:
        answer = tus.patch(path, 4, b"56", **headers)
        assert (answer.status, words in answer.text) == (status, True), (headers, answer)
        assert tus.stands_at(path) == 4
    assert set(blobs.ids()) == before


def test_a_header_that_matters_comes_once(tus: TusClient) -> None:
    answer = tus.ask("POST", **{"upload_length": "9", "Upload-Length": "10"})
    assert (answer.status, "came twice" in answer.text) == (400, True)


def test_more_than_was_promised_is_refused(tus: TusClient) -> None:
    path = tus.create(10)
    assert tus.patch(path, 0, b"x" * 11).status == 413
    assert tus.patch(path, 0, [b"x" * 6, b"x" * 6], content_length="", transfer_encoding="chunked").status == 413
    assert tus.stands_at(path) == 0
    assert tus.patch(path, 0, b"x" * 10).status == 204
    assert tus.patch(path, 10, b"x").status == 413
    assert tus.patch(path, 10, b"").status == 204, "nothing more of a complete upload is no mistake"


def test_an_empty_upload_is_complete_at_once(tus: TusClient) -> None:
    path = tus.create(0, "empty.txt")
    assert tus.stands_at(path) == 0
    jobs.drain()
    assert upload_at(path).status == Upload.Status.REFUSED


def test_methods_behind_strict_proxies(tus: TusClient) -> None:
    path = tus.create(4)
    known = {"content_type": BODY_TYPE, "upload_offset": "0", "content_length": "4"}
    assert tus.ask("POST", path, [b"1234"], x_http_method_override="PATCH", **known).status == 204
    assert upload_at(path).size == 4


# --- extensions -------------------------------------------------------------------------------------------


def test_creation_with_the_first_bytes(tus: TusClient) -> None:
    known = {"upload_length": "10", "content_type": BODY_TYPE, "content_length": "4"}
    answer = tus.ask("POST", body=[b"1234"], **known)
    assert (answer.status, answer.offset) == (201, 4)
    assert tus.patch(answer.headers["location"], 4, b"567890").status == 204
    assert content.read_all(upload_at(answer.headers["location"])) == b"1234567890"
    whole = tus.ask("POST", body=[b"12"], **known | {"upload_length": "2", "content_length": "2"})
    assert upload_at(whole.headers["location"]).size == 2
    refused = tus.ask("POST", body=[b"1234"], upload_checksum=checksum(b"other"), **known)
    assert refused.status == 460
    assert Transfer.objects.count() == 2, "nobody knows the address of the third"
    assert tus.ask("POST", body=[b"1234"], **known | {"content_type": "text/plain"}).status == 415


def test_checksums(tus: TusClient) -> None:
    for algorithm in ("sha1", "sha256", "md5"):
        check_sums(tus, algorithm)


def check_sums(tus: TusClient, algorithm: str) -> None:
    path = tus.create(10)
    assert tus.patch(path, 0, [b"12", b"34"], upload_checksum=checksum(b"1234", algorithm)).status == 204
    before = set(blobs.ids())
    answer = tus.patch(path, 4, b"567890", upload_checksum=checksum(b"567899", algorithm))
    assert (answer.status, "nothing of this request was kept" in answer.text) == (460, True)
    assert (tus.stands_at(path), set(blobs.ids())) == (4, before)
    tus.patch(path, 4, b"56", cut=True, upload_checksum=checksum(b"567890", algorithm))
    assert (tus.stands_at(path), set(blobs.ids())) == (4, before), "half of it cannot be checked"
    assert tus.patch(path, 4, b"567890", upload_checksum=checksum(b"567890", algorithm)).status == 204
    assert content.read_all(upload_at(path)) == b"1234567890"


def test_termination_frees_what_arrived(tus: TusClient) -> None:
    before = set(blobs.ids())
    path = tus.create(10)
    tus.patch(path, 0, b"1234")
    assert set(blobs.ids()) != before
    assert tus.ask("DELETE", path).status == 204
    assert set(blobs.ids()) == before
    assert tus.ask("HEAD", path).status == 404
    assert tus.ask("DELETE", path).status == 404
    assert tus.patch(path, 4, b"5").status == 404
    done = tus.create(2)
    tus.patch(done, 0, b"12")
    assert tus.ask("DELETE", done).status == 403, "a record is taken out on its page"
    assert content.read_all(upload_at(done)) == b"12"


def test_expiry_is_told_moved_on_and_swept(tus: TusClient) -> None:
    before = set(blobs.ids())
    path, done = tus.create(10), tus.create(2)
    tus.patch(done, 0, b"12")
    kept = content.blob_ids(upload_at(done))
    begun = transfer_at(path).expires_at
    assert timedelta(days=6, hours=23) < begun - clock.now() <= transfers.LIFE
    tus.patch(path, 0, b"1234")
    assert transfer_at(path).expires_at > begun
    assert transfers.sweep(clock.now() + timedelta(days=6)) == 0
    Transfer.objects.update(expires_at=clock.now() - timedelta(seconds=1))
    assert tus.ask("HEAD", path).status == 410
    assert tus.patch(path, 4, b"5").status == 410
    assert tus.stands_at(done) == 2, "what has arrived is not gone"
    jobs.drain()
    from consilium.records.jobs import sweep_transfers

    jobs.enqueue(sweep_transfers)
    jobs.drain()
    assert not Transfer.objects.exists()
    assert set(blobs.ids()) - before >= kept
    assert content.read_all(Upload.objects.get(pk=Upload.objects.latest("uploaded_at").pk)) == b"12"
    assert tus.ask("HEAD", path).status == 404


@pytest.mark.parametrize(
    ("accepted", "word"),
    [
        ("de-AT,de;q=0.9,en;q=0.5", "Übertragungen"),
        ("xx,de;q=0.1", "Übertragungen"),
        *((accepted, "uploads") for accepted in ("en", "*", "", "x" * 9000)),
    ],
)
def test_people_are_answered_in_their_language(
    tus: TusClient, accepted: str, word: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transfers, "MOST_OPEN", 0)
    answer = tus.ask("POST", upload_length="5", accept_language=accepted)
    assert answer.status == 400
    assert word in answer.body.decode()
