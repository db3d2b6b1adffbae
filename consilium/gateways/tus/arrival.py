"""The body of one request, sealed while it arrives and made durable stretch by stretch.

A stretch is up to 64 MiB, in segments that become durable one after the other while the next one fills. Without a
checksum each full stretch counts as soon as it is durable, and what a broken line brought counts, too. With a checksum
nothing counts until the whole body has arrived and matches.

Bytes are sealed where they were received: handing them to a thread costs more than the cipher does. Only when a write
had to wait for the disk, the rest of the request goes through a thread, so that nobody else waits: two pieces of 1 MiB
in memory, and the next bytes are asked for when the piece before the last is written, so a slow disk slows the sender.
"""

import asyncio
import hashlib
import logging
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from typing import Any
from uuid import UUID

from consilium.gateways.tus.locks import Hold
from consilium.gateways.tus.protocol import Checksum, No, Receive
from consilium.records.transfers import PART_BYTES
from consilium.vault.segments import SEGMENT_BYTES, SegmentWriter, Slice, joined

log = logging.getLogger("consilium.data")

PIECE = 1024 * 1024  # bytes handed to a thread at once
PATIENCE = 0.02  # seconds that a write may take from everybody else in this process
SILENCE = 30.0  # seconds without a byte until the line counts as broken
EARLY_BYTES, EARLY_SECONDS = 8 * 2**20, 30.0  # on slow lines a stretch ends sooner, so that a crash costs little

Keep = Callable[["Stretch"], Awaitable[None]]  # makes a stretch count; raises No


class Stretch:
    """Bytes in a row on their way into the vault; its methods run one at a time, those that wait in threads."""

    def __init__(self, space: UUID, tenant: UUID, checksum: Checksum | None, now: float) -> None:
        self.size = 0
        self.begun = now
        self._out = SegmentWriter(space=space, tenant=tenant, segment_bytes=min(SEGMENT_BYTES, PART_BYTES))
        self._slices: list[Slice] = []
        self._wanted = checksum.digest if checksum else b""
        self._digest = hashlib.new(checksum.algorithm, usedforsecurity=False) if checksum else None

    def add(self, pieces: list[memoryview]) -> None:
        for piece in pieces:
            if self._digest:
                self._digest.update(piece)
            self._slices += self._out.add(piece)

    def matches(self) -> bool:
        return self._digest is None or self._digest.digest() == self._wanted

    def finish(self) -> list[Slice]:
        """Make it durable; where it lies."""
        self._out.finish()
        return joined(self._slices)

    def abort(self) -> None:
        self._out.abort()


class Arrival:
    """Reads one body into stretches. `take` returns whether it came completely; counting is `keep`'s business."""

    def __init__(self, begin: Callable[[float], Stretch], keep: Keep, pool: Executor, *, whole: bool) -> None:
        self._begin, self._keep, self._pool = begin, keep, pool
        self._whole = whole  # a checksum was promised: all or nothing
        self._loop = asyncio.get_running_loop()
        self._stretch: Stretch | None = None
        self._waiting: list[memoryview] = []
        self._held = 0  # bytes in `_waiting`
        self._writing: asyncio.Future[Any] | None = None
        self._keeping: asyncio.Task[None] | None = None
        self._slow = False  # a write had to wait

    async def take(self, receive: Receive, hold: Hold, room: int) -> bool:
        """Read to the end of the body, at most `room` bytes. Raises No (413, 460, and what `keep` raises)."""
        try:
            complete = await self._read(receive, hold, room)
            await self._settle(complete)
        except asyncio.CancelledError:
            try:  # the server stops: what arrived stays
                await asyncio.shield(self._settle(complete=False))
            except Exception:  # nobody is left to be told
                log.exception("what arrived of an upload could not be kept")
            raise
        except BaseException:
            await self._abort()
            raise
        return complete

    async def _read(self, receive: Receive, hold: Hold, room: int) -> bool:
        while True:
            message = await self._next(receive, hold)
            if message is None:
                return False
            body = memoryview(message.get("body", b""))
            room -= len(body)
            if room < 0:
                raise No(413, "More bytes came than Upload-Length promised.", close=True)
            while body:
                body = await self._take(body)
            if not message.get("more_body", False):
                return True

    async def _next(self, receive: Receive, hold: Hold) -> dict[str, Any] | None:
        """The next part of the body; None when the client is gone, silent, or somebody else asks for the upload."""
        if hold.ended:
            return None
        try:
            async with asyncio.timeout(SILENCE) as hold.timeout:
                message = await receive()
        except TimeoutError:
            return None
        finally:
            hold.timeout = None
        hold.hear()
        return message if message["type"] == "http.request" else None

    async def _take(self, body: memoryview) -> memoryview:
        """Put aside what fits into the stretch; what is left over."""
        if self._keeping is not None and self._keeping.done():
            await self._kept()  # a refusal ends the reading
        if self._stretch is None:
            self._stretch = self._begin(self._loop.time())
        fits = len(body) if self._whole else min(len(body), PART_BYTES - self._stretch.size)
        self._stretch.size += fits
        if self._slow:
            self._waiting.append(body[:fits])
            self._held += fits
        else:
            before = self._loop.time()
            self._stretch.add([body[:fits]])
            self._slow = self._loop.time() - before > PATIENCE
        if self._held >= PIECE:
            await self._write()
        if not self._whole and self._is_full(self._stretch):
            await self._close()
        return body[fits:]

    def _is_full(self, stretch: Stretch) -> bool:
        late = self._loop.time() - stretch.begun > EARLY_SECONDS
        return stretch.size >= PART_BYTES or (late and stretch.size >= EARLY_BYTES)

    async def _write(self) -> None:
        """Hand what waits to a thread, once the thread is done with what it had."""
        pieces, self._waiting, self._held = self._waiting, [], 0
        await self._written()
        if pieces and self._stretch is not None:
            self._writing = self._loop.run_in_executor(self._pool, self._stretch.add, pieces)

    async def _written(self) -> None:
        if self._writing is not None:
            writing, self._writing = self._writing, None
            await writing

    async def _close(self) -> None:
        """Let a full stretch become durable while the next one fills; they count in their order."""
        await self._write()
        await self._written()
        await self._kept()
        stretch, self._stretch = self._stretch, None
        if stretch is not None:
            self._keeping = self._loop.create_task(self._count(stretch))

    async def _kept(self) -> None:
        if self._keeping is not None:
            keeping, self._keeping = self._keeping, None
            await keeping

    async def _count(self, stretch: Stretch) -> None:
        try:
            await self._keep(stretch)
        except BaseException:
            await self._loop.run_in_executor(self._pool, stretch.abort)
            raise

    async def _settle(self, complete: bool) -> None:
        """Count what is left at the end of the body."""
        await self._write()
        await self._written()
        stretch = self._stretch
        if stretch is not None and self._whole:
            if not complete:
                await self._abort()
            elif not stretch.matches():
                raise No(460, "The bytes do not match Upload-Checksum; nothing of this request was kept.")
        await self._close()
        await self._kept()

    async def _abort(self) -> None:
        stretch, self._stretch = self._stretch, None
        self._waiting = []
        for ending in (self._written, self._kept):
            try:
                await ending()
            except Exception:  # what went wrong first is raised already; this went down with it
                log.warning("a part of an upload was given up", exc_info=True)
        if stretch is not None:
            await self._loop.run_in_executor(self._pool, stretch.abort)
