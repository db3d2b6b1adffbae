"""STOW-RS, the store transaction (PS3.18 §10.5): files in, sealed as they arrive, filed together, answered one by one.

Up to TOGETHER instances of a request are filed in one transaction, when all their bytes are on disk. A request that
breaks off leaves nothing of what was not filed yet.
"""

import asyncio
import errno
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError

from consilium.cases.actions import inbox as cases
from consilium.gateways.data.app import CLIENT_PATIENCE
from consilium.gateways.dicomweb import intake, multipart, negotiate, reply, stow_answer
from consilium.gateways.dicomweb.exchange import Exchange
from consilium.gateways.dicomweb.index import Instance, kept_header
from consilium.gateways.dicomweb.intake import OUT_OF_RESOURCES, PROCESSING_FAILURE, Intake, Item
from consilium.gateways.dicomweb.reply import Refused, Thread
from consilium.records import content, instances, returning
from consilium.records.instances import Filed, NewInstance, Origin

log = logging.getLogger("consilium.dicomweb")

GATHERED = 256 * 1024  # bytes handed to the parser at once, at least
TOGETHER = 1000  # instances filed in one transaction
BROKEN_OFF = "The connection broke off before everything had arrived; nothing of this request's rest was kept."
FULL = {errno.ENOSPC, errno.EDQUOT, errno.ENOMEM}


async def store(asked: Exchange) -> None:
    """Take the body in, file what can be filed, and say what became of every instance."""
    asked.require_json()
    seen = asked.app.indexes.seen(asked.grant.space)
    taking = Intake(asked.index, asked.path.get("study", ""), asked.grant.tenant, seen)
    feed = _reader(asked, taking)
    _refuse_large(asked.headers.get(b"content-length", b""))
    items: list[Item] = []
    try:
        new = await _pump(asked, taking, feed, items)
        items += await _settle(asked, taking, new)
    except BaseException:
        await asyncio.shield(asked.disk(taking.abort))
        raise
    if any(one.new is not None and not one.failure for one in items) and cases.news(asked.grant.space):
        await asked.app.filing.thread(cases.arrived_soon, asked.grant.space)
    status, body = stow_answer.response(items, asked.root)
    await reply.send_json(asked.send, status, body)


def _reader(asked: Exchange, taking: Intake) -> "Reader":
    """What reads the body. Raises Refused (415, 400)."""
    kind = asked.headers.get(b"content-type", b"").decode("latin-1")
    media_type = kind.partition(";")[0].strip().lower()
    if asked.headers.get(b"content-encoding", b"identity") != b"identity":
        raise Refused(415, "Please send the body as it is, without Content-Encoding.")
    if media_type == "application/dicom":
        return _Single(taking.part({}))
    if media_type != "multipart/related":
        raise Refused(415, 'Please send multipart/related; type="application/dicom", or one application/dicom file.')
    inner = negotiate.parameter(kind, "type").lower()
    if inner not in ("", "application/dicom"):
        raise Refused(415, "Images are taken as application/dicom; metadata apart from its pixels is not.")
    boundary = negotiate.parameter(kind, "boundary")
    if not 1 <= len(boundary) <= 200:
        raise Refused(400, "The Content-Type names no boundary between the parts.")
    return multipart.Parser(boundary.encode("latin-1"), taking.part)


class Reader(Protocol):
    """What `_pump` asks of multipart.Parser and _Single."""

    wanted: int

    def feed(self, pieces: Sequence[bytes], *, last: bool = False) -> None: ...


class _Single:
    """A body that is one file: an extension for clients that cannot make a multipart."""

    def __init__(self, sink: multipart.Sink) -> None:
        self._sink, self._held, self._size, self._begun, self._streaming = sink, [b""], 0, False, False
        self.wanted = multipart.FIRST

    def feed(self, pieces: Sequence[bytes], *, last: bool = False) -> None:
        self._held += pieces
        self._size += sum(map(len, pieces))
        if not last and not self._streaming and self._size <= multipart.BUFFERED:
            self.wanted = multipart.STEP
            return
        data = memoryview(b"".join(self._held))
        self._held = []
        if not self._begun:
            self._begun = True
            self._sink.begin(data[: multipart.FIRST])
        if last and not self._streaming:
            self._sink.whole(data)
            return
        self._streaming = True
        self._sink.feed(data)
        if last:
            self._sink.close()


async def _pump(asked: Exchange, taking: Intake, reader: "Reader", items: list[Item]) -> list[Item]:
    """Receive while a thread parses and seals what came before; never more than two helpings in memory.

    Returns what is to be filed of the last batch; batches before it have been settled, and are in `items`.
    """
    new: list[Item] = []
    gathered: list[bytes] = []
    size = total = 0
    working: Awaitable[Any] | None = None
    more = True
    try:
        while more:
            body, more = await _next(asked)
            total += len(body)
            _refuse_large(str(total).encode())
            gathered.append(body)
            size += len(body)
            if more and size < max(GATHERED, 0 if working else reader.wanted):
                continue
            if working is not None:
                helping, working = working, None
                await helping
                if len(taking.items) >= TOGETHER:
                    items += await _settle(asked, taking, await asked.disk(taking.close))
                if more and size < reader.wanted:
                    continue
            working = asyncio.ensure_future(asked.disk(_take, reader, gathered, None if more else taking))
            gathered, size = [], 0
        if working is not None:
            helping, working = working, None
            new = await helping
    except multipart.Malformed as problem:
        raise Refused(400, str(problem)) from None
    except OSError as error:
        if error.errno in FULL:
            raise Refused(507, "There is no room for these images; please tell the people who run this site.") from None
        raise
    finally:
        if working is not None:  # it uses the writer that is about to be taken away
            await asyncio.wait([asyncio.ensure_future(working)])
    return new


def _take(reader: "Reader", pieces: list[bytes], last_of: Intake | None) -> list[Item]:
    """Parse and seal; after the last helping, what is to be filed."""
    reader.feed(pieces, last=last_of is not None)
    return last_of.close() if last_of is not None else []


async def _next(asked: Exchange) -> tuple[bytes, bool]:
    """(bytes, whether more will come). Raises Refused when the client is gone or stalls."""
    try:
        async with asyncio.timeout(CLIENT_PATIENCE):
            message = await asked.receive()
    except TimeoutError:
        raise Refused(408, BROKEN_OFF) from None
    if message["type"] != "http.request":
        raise Refused(400, BROKEN_OFF)
    return message.get("body", b""), bool(message.get("more_body", False))


def _refuse_large(length: bytes) -> None:
    if length.isdigit() and int(length) > settings.MAX_UPLOAD_BYTES:
        raise Refused(413, f"One request may bring {settings.MAX_UPLOAD_BYTES // 2**20} MiB; please send several.")


# --- filing ----------------------------------------------------------------------------------------------------


async def _settle(asked: Exchange, taking: Intake, new: list[Item]) -> list[Item]:
    """File, and compare what was there already."""
    origin = Origin(asked.grant.space, asked.grant.owner, asked.grant.principal.ref)
    try:
        joined = _joined(asked, {one.study for one in new})
        filed = (
            await asked.app.filing.add(origin, _Order([one.new for one in new], joined, taking.durable)) if new else []
        )
    except Exception as error:  # whatever it is, the sender is told of each image that it was not stored
        log.exception("images could not be filed")
        code = OUT_OF_RESOURCES if isinstance(error, OSError) and error.errno in FULL else PROCESSING_FAILURE
        for one in new:
            one.failure = code
        items = taking.items
        await asked.disk(taking.abort)
        taking.begin_again()
        return items
    if any(done.file in asked.index.files for done in filed):  # a whole copy took the place of a damaged one
        asked.index.mark = None
        await asked.app.indexes.of(asked.grant.space, fresh=True)
    asked.app.indexes.filed(
        asked.index,
        [_instance(asked.grant.space, one.new, done) for one, done in zip(new, filed, strict=True) if done.record],
    )
    late = [one for one, done in zip(new, filed, strict=True) if done.code != "stored"]
    if late:
        index = await asked.app.indexes.of(asked.grant.space, fresh=True)
        await asked.disk(intake.compare_late, index, late)
    if late or any(one.held for one in taking.items):
        await _bring_back(asked, taking.items)
    items = taking.items
    unused = taking.unused([one for one, done in zip(new, filed, strict=True) if done.code == "stored"])
    if unused:
        await asked.disk(taking.delete, unused)
    taking.begin_again()
    return items


async def _bring_back(asked: Exchange, items: list[Item]) -> None:
    """What is here already and was taken out comes back: success means that it can be seen."""
    held = {one.held for one in items if one.held and not one.failure}
    back = await asked.thread(returning.bring_back, asked.grant.space, held, asked.grant.principal.ref)
    for one in items:
        if one.held and back.get(one.held) == returning.MALWARE:
            one.failure = PROCESSING_FAILURE
    if held - asked.grant.records or back:
        asked.index.grew_at = time.monotonic()  # a grant from before does not know of it


def _joined(asked: Exchange, studies: set[str]) -> dict[str, UUID]:
    """The record that the images of a study belong to, as far as the index knows."""
    known = asked.index.tree.studies
    found = {}
    for uid in studies & known.keys():
        images = known[uid].records
        mine = next((record for record in images if record in asked.grant.records), next(iter(images), None))
        if mine is not None:
            found[uid] = mine
    return found


def _instance(space: UUID, new: NewInstance, done: Filed) -> Instance:
    place = content.placed(new.slices)
    header = kept_header(new.header, new.size)
    assert done.file is not None and done.record is not None
    return Instance(space, done.file, done.record, place["blob"], place["offset"], place["size"], place["more"], header)


class Filing:
    """Requests of one sender for one case that come while others are being filed share the next transaction."""

    def __init__(self, thread: Thread) -> None:
        self.thread = thread
        self._waiting: dict[tuple[UUID, str], list[_Order]] = {}
        self._working: dict[tuple[UUID, str], asyncio.Task[None]] = {}

    async def add(self, origin: Origin, order: "_Order") -> list[Filed]:
        """instances.add, perhaps together with others."""
        key = (origin.space, origin.by)
        order.done = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(key, []).append(order)
        if key not in self._working or self._working[key].done():
            self._working[key] = asyncio.create_task(self._work(key, origin))
        return await order.done

    async def _work(self, key: tuple[UUID, str], origin: Origin) -> None:
        while waiting := self._waiting.pop(key, None):
            try:
                answers = await self.thread(_add, waiting, origin)
            except Exception as error:  # whatever it is, each request gets its own answer
                await self._one_by_one(waiting, origin, error)
                continue
            for order in waiting:
                mine, answers = answers[: len(order.new)], answers[len(order.new) :]
                if not order.done.done():
                    order.done.set_result(mine)
        self._working.pop(key, None)

    async def _one_by_one(self, waiting: "list[_Order]", origin: Origin, error: Exception) -> None:
        """One bad request must not spoil the others."""
        for order in waiting:
            try:
                if len(waiting) == 1:
                    raise error
                found = await self.thread(_add, [order], origin)
            except Exception as problem:  # handed to the request that waits for it
                if not order.done.done():
                    order.done.set_exception(problem)
            else:
                if not order.done.done():
                    order.done.set_result(found)


@dataclass
class _Order:
    """What one request asks to be filed, as instances.add takes it, and where it waits for the answer."""

    new: list[NewInstance]
    joined: dict[str, UUID]
    durable: Callable[[], None]
    done: "asyncio.Future[list[Filed]]" = field(init=False)


def _add(orders: list[_Order], origin: Origin) -> list[Filed]:
    """File; once more when another process filed one of them at the same moment."""
    new = [one for order in orders for one in order.new]
    joined = {study: record for order in orders for study, record in order.joined.items()}

    def durable() -> None:
        for order in orders:
            order.durable()

    try:
        return instances.add(new, origin, joined=joined, durable=durable)
    except IntegrityError:
        return instances.add(new, origin)
