"""Uploads whose line breaks, that two send to, that somebody may not send, and what becomes of complete ones."""

import asyncio
import hashlib
import random
from collections.abc import AsyncIterator, Callable
from threading import current_thread, main_thread
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings, strategies

from consilium.cases.actions import records as verbs
from consilium.cases.models import Case, CaseRole
from consilium.core import clock, jobs
from consilium.core.errors import NotAllowed
from consilium.gateways.tus import arrival, locks
from consilium.gateways.tus.conftest import KeyOf
from consilium.gateways.tus.protocol import BODY_TYPE
from consilium.gateways.tus.testing_client import TusClient, transfer_at, upload_at
from consilium.records import content, transfers
from consilium.records.models import RecordFile, Upload
from consilium.testing.cast import Cast
from consilium.vault import blobs, keys

pytestmark = pytest.mark.django_db(transaction=True)
LETTER = b"Letter of the surgeon, 3 May 2026. " * 300


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
    data = random.Random(3).randbytes(60)
    before = set(blobs.ids())
    path = tus.create(len(data) + 1)
    for at in range(len(data)):
        assert tus.patch(path, at, data[at : at + 1]).status == 204
        assert len(transfer_at(path).parts) < transfers.JOIN
    assert len(set(blobs.ids()) - before) < transfers.JOIN
    tus.patch(path, len(data), b"!")
    assert content.read_all(upload_at(path)) == data + b"!"


def test_steps_bound_the_number_of_parts(tus: TusClient, case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfers, "STEPS", (64, 512, 2048))
    data = random.Random(4).randbytes(16_000)
    path, at, chance = tus.create(len(data)), 0, random.Random(5)
    while at < len(data) - 700:
        size = chance.randrange(1, 700)
        at = tus.patch(path, at, data[at : at + size]).offset
        assert len(transfer_at(path).parts) <= at / 2048 + 24
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
            seen.append(await asyncio.get_running_loop().run_in_executor(tus.pool, lambda: transfer_at(path).offset))

    known = {"content_type": BODY_TYPE, "upload_offset": "0"}
    asyncio.run(tus.streamed("PATCH", path, body(), cut=True, **known))
    assert {0, 300_000, 600_000} <= set(seen), seen
    assert [size for _blob, _start, size in transfer_at(path).parts] == [300_000] * 3 + [50_000]
    assert tus.patch(path, 950_000, data[950_000:]).status == 204
    assert content.read_all(upload_at(path)) == data


def test_a_slow_disk_makes_its_own_request_wait_in_a_thread(tus: TusClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrival, "PATIENCE", -1.0)  # every write counts as slow
    monkeypatch.setattr(arrival, "PIECE", 100_000)
    written, add = [], arrival.Stretch.add
    monkeypatch.setattr(
        arrival.Stretch, "add", lambda self, pieces: written.append(current_thread()) or add(self, pieces)
    )
    data = random.Random(7).randbytes(1_000_000)
    path = tus.create(len(data))
    pieces = [data[at : at + 30_000] for at in range(0, 700_000, 30_000)]
    tus.patch(path, 0, pieces, cut=True)
    at = tus.stands_at(path)
    assert at == sum(map(len, pieces))
    first, *rest = written
    assert first is main_thread(), "the one that was found to be slow"
    assert 6 <= len(rest) <= 9, "helpings of four messages"
    assert main_thread() not in rest
    assert tus.patch(path, at, data[at:]).status == 204
    assert content.read_all(upload_at(path)) == data


def test_two_clients_on_one_upload(tus: TusClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "STALLED", 0.5)
    path = tus.create(10)
    known: dict[str, Any] = {"content_type": BODY_TYPE, "upload_offset": "0"}

    async def both() -> tuple[int, int]:
        going = asyncio.Event()

        async def slow() -> AsyncIterator[bytes]:
            for n in range(10):
                yield str(n).encode()
                going.set()
                await asyncio.sleep(0.1)

        first = asyncio.create_task(tus.streamed("PATCH", path, slow(), **known))
        await going.wait()
        second = await tus.asked("PATCH", path, [b"xxxxxxxxxx"], **known)
        return (await first).status, second.status

    assert asyncio.run(both()) == (204, 423)
    assert content.read_all(upload_at(path)) == b"0123456789"


def test_who_comes_back_takes_over_from_a_dead_line(tus: TusClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "STALLED", 0.3)
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


def test_a_stranger_disturbs_nobody(tus: TusClient, cast: Cast, key_of: KeyOf) -> None:
    path = tus.create(4)
    other = TusClient(UUID(path.split("/")[3]), key_of(cast.dora))
    other.app = tus.app
    known: dict[str, Any] = {"content_type": BODY_TYPE, "upload_offset": "0"}

    async def both() -> tuple[int, int]:
        going = asyncio.Event()

        async def slow() -> AsyncIterator[bytes]:
            yield b"01"
            going.set()
            await asyncio.sleep(0.5)
            yield b"23"

        first = asyncio.create_task(tus.streamed("PATCH", path, slow(), **known))
        await going.wait()
        second = await other.asked("DELETE", path)
        return (await first).status, second.status

    assert asyncio.run(both()) == (204, 404)
    assert content.read_all(upload_at(path)) == b"0123"


def test_another_process_that_was_faster_wins(tus: TusClient, cast: Cast) -> None:
    path = tus.create(10)
    transfer = transfer_at(path)
    tus.patch(path, 0, b"1234")
    with pytest.raises(transfers.Moved):
        transfers.extend(transfer, [], cast.anna.person.organisation_id)
    assert tus.stands_at(path) == 4


# --- who --------------------------------------------------------------------------------------------------


def test_strangers_and_readers_find_nothing(
    tus: TusClient, case: Case, cast: Cast, key_of: KeyOf, as_: Callable[..., Client]
) -> None:
    path = tus.create(10)
    cookie = {name: as_(cast.eve).cookies[name].value for name in ("consilium",)}
    strangers = [{"cookie": f"consilium={cookie['consilium']}"}, key_of(cast.anna, add=False), {}]
    strangers.append(key_of(cast.dora))
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


def test_a_right_withdrawn_meanwhile_refuses_the_upload(case: Case, cast: Cast, key_of: KeyOf) -> None:
    CaseRole.objects.create(
        case=case, user=cast.ben.user, role="proxy_act", granted_by=cast.anna.user.ref, confirmed_at=clock.now()
    )
    tus = TusClient(case.pk, key_of(cast.ben))
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


def test_the_sweep_does_not_stumble_over_an_erased_case(tus: TusClient, case: Case) -> None:
    path = tus.create(10)
    tus.patch(path, 0, b"1234")
    held = {UUID(hex=blob) for blob, _start, _size in transfer_at(path).parts}
    keys.destroy_space(case.pk)
    assert tus.ask("HEAD", path).status == 404
    assert transfers.sweep(clock.now() + transfers.LIFE * 2) == 1
    assert not held & set(blobs.ids())


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


def test_the_same_bytes_by_the_plain_form_are_kept_once(tus: TusClient, case: Case, cast: Cast) -> None:
    path = tus.create(len(LETTER), "letter.txt")
    tus.patch(path, 0, LETTER)
    assert upload_at(path).sha256 == "", "nobody needed it so far"
    info = blobs.put([LETTER], space=case.pk, tenant=case.organisation_id)
    assert verbs.add_upload(case, info, "again.txt", by=cast.anna.by) == upload_at(path)
    other = blobs.put([LETTER[::-1]], space=case.pk, tenant=case.organisation_id)
    assert verbs.add_upload(case, other, "other.txt", by=cast.anna.by) != upload_at(path)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(strategies.lists(strategies.tuples(strategies.binary(max_size=400), strategies.booleans()), max_size=6))
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
