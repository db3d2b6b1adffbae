"""tus 1.0 against the application itself: every answer of the specification, and what is kept of what arrived."""

import asyncio
import base64
import hashlib
import random
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings, strategies

from consilium.cases.actions import records as verbs
from consilium.cases.models import Case, CaseRole
from consilium.cases.states import State
from consilium.core import clock, jobs
from consilium.core.errors import NotAllowed
from consilium.gateways.tus.protocol import BODY_TYPE
from consilium.gateways.tus.testing_client import TusClient, encoded
from consilium.records import content, tokens, transfers
from consilium.records.models import RecordFile, Transfer, Upload
from consilium.testing import factories
from consilium.testing.cast import Cast
from consilium.vault import blobs

pytestmark = pytest.mark.django_db(transaction=True)
LETTER = b"Letter of the surgeon, 3 May 2026. " * 300


@pytest.fixture
def case(cast: Cast) -> Case:
    return factories.case_in(State.COLLECTING, cast)


def key_of(case: Case, cast: Cast, who: str = "anna", **allowed: bool) -> dict[str, str]:
    _token, text = tokens.issue(case.pk, by=getattr(cast, who).by, **{"add": True} | allowed)
    return {"authorization": f"Bearer {text}"}


@pytest.fixture
def tus(case: Case, cast: Cast) -> TusClient:
    return TusClient(case.pk, key_of(case, cast))


def checksum(data: bytes, algorithm: str = "sha256") -> str:
    return f"{algorithm} {base64.b64encode(hashlib.new(algorithm, data).digest()).decode()}"


def transfer_at(path: str) -> Transfer:
    return Transfer.objects.get(pk=path.rsplit("/", 1)[-1])


def upload_at(path: str) -> Upload:
    found = transfer_at(path).upload
    assert found is not None
    return found


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


@pytest.mark.parametrize(
    ("method", "headers", "status", "words"),
    [
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
    ],
)
def test_bad_creations(tus: TusClient, method: str, headers: dict[str, str], status: int, words: str) -> None:
    answer = tus.ask(method, **headers)
    assert (answer.status, words in answer.text) == (status, True), answer
    assert answer.headers["tus-resumable"] == "1.0.0"
    assert not Transfer.objects.exists()
    assert status != 412 or answer.headers["tus-version"] == "1.0.0"


@pytest.mark.parametrize(
    ("headers", "status", "words"),
    [
        ({"content_type": "application/octet-stream"}, 415, BODY_TYPE),
        ({"upload_offset": ""}, 400, "Please send Upload-Offset"),
        ({"upload_offset": "4x"}, 400, "whole number"),
        ({"upload_offset": "3"}, 409, "stands at 4"),
        ({"upload_offset": "5"}, 409, "stands at 4"),
        ({"upload_checksum": "crc32 AAAA"}, 400, "sha256"),
        ({"upload_checksum": "sha1 AAAA"}, 400, "digest in Base64"),
        ({"upload_checksum": "sha1 ???"}, 400, "digest in Base64"),
    ],
)
def test_bad_pieces_change_nothing(tus: TusClient, headers: dict[str, str], status: int, words: str) -> None:
    path = tus.create(10)
    tus.patch(path, 0, b"1234")
    before = set(blobs.ids())
    answer = tus.patch(path, 4, b"56", **headers)
    assert (answer.status, words in answer.text) == (status, True), answer
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


@pytest.mark.parametrize("algorithm", ["sha1", "sha256", "md5"])
def test_checksums(tus: TusClient, algorithm: str) -> None:
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


# --- breaks -----------------------------------------------------------------------------------------------


def test_what_came_before_the_line_broke_is_kept(tus: TusClient) -> None:
    data = random.Random(1).randbytes(3_000_000)
    path, at, chance = tus.create(len(data)), 0, random.Random(2)
    for _cut in range(10):
        size = chance.randrange(1, 250_000)
        piece = data[at : at + size]
        answer = tus.patch(path, at, [piece[n : n + 50_000] for n in range(0, size, 50_000)], cut=True)
        assert answer.status in (0, 408)
        at += size
        assert tus.stands_at(path) == at
    assert tus.patch(path, at, data[at:]).status == 204
    assert content.read_all(upload_at(path)) == data


def test_crumbs_do_not_become_thousands_of_blobs(tus: TusClient) -> None:
    data = random.Random(3).randbytes(300)
    before = set(blobs.ids())
    path = tus.create(len(data) + 1)
    for at in range(len(data)):
        assert tus.patch(path, at, data[at : at + 1]).status == 204
        assert len(transfer_at(path).parts) < transfers.JOIN
    assert len(set(blobs.ids()) - before) < transfers.JOIN
    tus.patch(path, len(data), b"!")
    assert content.read_all(upload_at(path)) == data + b"!"


def test_steps_bound_the_number_of_parts(tus: TusClient, case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfers, "STEPS", (64, 512, 4096))
    data = random.Random(4).randbytes(60_000)
    path, at, chance = tus.create(len(data)), 0, random.Random(5)
    while at < len(data) - 700:
        size = chance.randrange(1, 700)
        at = tus.patch(path, at, data[at : at + size]).offset
        assert len(transfer_at(path).parts) <= at / 4096 + 24
    tus.patch(path, at, data[at:])
    assert content.read_all(upload_at(path)) == data


def test_full_stretches_count_while_the_body_still_comes(tus: TusClient, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("consilium.gateways.tus.arrival", "consilium.records.transfers"):
        monkeypatch.setattr(f"{module}.PART_BYTES", 300_000)
    data = random.Random(6).randbytes(1_000_000)
    path = tus.create(len(data))
    seen: list[int] = []

    async def body() -> AsyncIterator[bytes]:
        for start in range(0, 950_000, 50_000):
            yield data[start : start + 50_000]
            await asyncio.sleep(0.02)
            seen.append(await asyncio.to_thread(lambda: transfer_at(path).offset))

    known = {"content_type": BODY_TYPE, "upload_offset": "0"}
    asyncio.run(tus.streamed("PATCH", path, body(), cut=True, **known))
    assert {0, 300_000, 600_000} <= set(seen), seen
    assert [size for _blob, _start, size in transfer_at(path).parts] == [300_000] * 3 + [50_000]
    assert tus.patch(path, 950_000, data[950_000:]).status == 204
    assert content.read_all(upload_at(path)) == data


def test_two_clients_on_one_upload(tus: TusClient) -> None:
    path = tus.create(10)
    known: dict[str, Any] = {"content_type": BODY_TYPE, "upload_offset": "0"}

    async def both() -> tuple[int, int]:
        going = asyncio.Event()

        async def slow() -> AsyncIterator[bytes]:
            for n in range(10):
                yield str(n).encode()
                going.set()
                await asyncio.sleep(0.35)

        first = asyncio.create_task(tus.streamed("PATCH", path, slow(), **known))
        await going.wait()
        second = await tus.asked("PATCH", path, [b"xxxxxxxxxx"], **known)
        return (await first).status, second.status

    assert asyncio.run(both()) == (204, 423)
    assert content.read_all(upload_at(path)) == b"0123456789"


def test_who_comes_back_takes_over_from_a_dead_line(tus: TusClient) -> None:
    path = tus.create(10)
    known: dict[str, Any] = {"content_type": BODY_TYPE, "upload_offset": "0"}

    async def both() -> tuple[int, int]:
        going = asyncio.Event()

        async def dead() -> AsyncIterator[bytes]:
            yield b"0123"
            going.set()
            await asyncio.sleep(60)

        first = asyncio.create_task(tus.streamed("PATCH", path, dead(), **known))
        await going.wait()
        stands = (await tus.asked("HEAD", path)).offset
        return stands, (await first).status

    assert asyncio.run(both()) == (4, 408)
    assert tus.patch(path, 4, b"456789").status == 204
    assert content.read_all(upload_at(path)) == b"0123456789"


def test_another_process_that_was_faster_wins(tus: TusClient, cast: Cast) -> None:
    path = tus.create(10)
    transfer = transfer_at(path)
    tus.patch(path, 0, b"1234")
    with pytest.raises(transfers.Moved):
        transfers.extend(transfer, [], cast.anna.person.organisation_id)
    assert tus.stands_at(path) == 4


# --- who --------------------------------------------------------------------------------------------------


def test_strangers_and_readers_find_nothing(tus: TusClient, case: Case, cast: Cast, as_: Callable[..., Client]) -> None:
    path = tus.create(10)
    cookie = {name: as_(cast.eve).cookies[name].value for name in ("consilium",)}
    strangers = [{"cookie": f"consilium={cookie['consilium']}"}, key_of(case, cast, add=False, read=True), {}]
    strangers.append(key_of(case, cast, "dora"))
    for key in strangers:
        for method in ("HEAD", "DELETE"):
            assert TusClient(case.pk, key).ask(method, path).status == 404
        assert TusClient(case.pk, key).patch(path, 0, b"1234").status == 404
    elsewhere = TusClient(uuid4(), tus.key)
    assert elsewhere.ask("POST", upload_length="3").status == 404
    assert tus.stands_at(path) == 0


def test_a_session_cookie_counts_from_our_own_pages_only(case: Case, cast: Cast, as_: Callable[..., Client]) -> None:
    cookie = as_(cast.anna).cookies["consilium"].value
    tus = TusClient(case.pk, {"cookie": f"consilium={cookie}"})
    assert tus.ask("POST", upload_length="3", sec_fetch_site="cross-site").status == 403
    assert tus.ask("POST", upload_length="3", sec_fetch_site="same-site").status == 403
    path = tus.create(3, sec_fetch_site="same-origin")
    assert tus.patch(path, 0, b"abc", sec_fetch_site="cross-site").status == 403
    assert tus.patch(path, 0, b"abc", sec_fetch_site="same-origin").status == 204


def test_a_right_withdrawn_meanwhile_refuses_the_upload(case: Case, cast: Cast) -> None:
    CaseRole.objects.create(
        case=case, user=cast.ben.user, role="proxy_act", granted_by=cast.anna.user.ref, confirmed_at=clock.now()
    )
    tus = TusClient(case.pk, key_of(case, cast, "ben"))
    path = tus.create(10)
    assert tus.patch(path, 0, b"1234").status == 204
    before = set(blobs.ids())
    CaseRole.objects.filter(case=case, user=cast.ben.user).update(ended_at=clock.now())
    answer = tus.patch(path, 4, b"567890")
    assert (answer.status, "may no longer add" in answer.text) == (403, True)
    assert transfer_at(path).offset == 4
    assert set(blobs.ids()) == before
    assert not Upload.objects.filter(uploaded_by=cast.ben.user.ref).exists()
    with pytest.raises(NotAllowed):
        verbs.add_transfer(case, transfer_at(path), by=cast.ben.by)


def test_too_many_unfinished_uploads(tus: TusClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfers, "MOST_OPEN", 2)
    for _ in range(2):
        tus.create(10)
    answer = tus.ask("POST", upload_length="10")
    assert (answer.status, "discard some" in answer.text) == (400, True)


# --- the verb ---------------------------------------------------------------------------------------------


def test_completion_happens_once(tus: TusClient, case: Case, cast: Cast) -> None:
    path = tus.create(len(LETTER), "letter.txt")
    tus.patch(path, 0, LETTER)
    again = verbs.add_transfer(case, transfer_at(path), by=cast.anna.by)
    assert again == upload_at(path)
    assert Upload.objects.filter(name__isnull=False, uploaded_by=cast.anna.user.ref).count() == 1


def test_the_same_bytes_again_are_kept_once(tus: TusClient, case: Case) -> None:
    first = tus.create(len(LETTER), "letter.txt")
    tus.patch(first, 0, LETTER)
    jobs.drain()
    before = set(blobs.ids())
    second = tus.create(len(LETTER), "again.txt")
    tus.patch(second, 0, LETTER[:5000])
    tus.patch(second, 5000, LETTER[5000:])
    jobs.drain()
    again = upload_at(second)
    assert again.notes == [{"name": "again.txt", "code": "duplicate"}]
    assert set(blobs.ids()) == before
    assert content.read_all(again) == LETTER
    assert RecordFile.objects.filter(space=case.pk, sha256=hashlib.sha256(LETTER).hexdigest()).count() == 1


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(strategies.lists(strategies.tuples(strategies.binary(max_size=400), strategies.booleans()), max_size=12))
def test_what_arrives_is_what_was_sent(tus: TusClient, pieces: list[tuple[bytes, bool]]) -> None:
    """Whatever the pieces are and wherever the line breaks."""
    data = b"".join(piece for piece, _cut in pieces)
    path = tus.create(len(data))
    at = 0
    for piece, cut in pieces:
        tus.patch(path, at, [piece[:7], piece[7:]], cut=cut)
        at += len(piece)
        assert tus.stands_at(path) == at
    assert content.read_all(upload_at(path)) == data
    assert {UUID(int=blob.int) for blob in content.blob_ids(upload_at(path))} <= set(blobs.ids())
