"""One request at a time may write to an upload. Offsets are guarded by the database; this keeps the peace before.

A client whose line broke comes back while its old request still waits for bytes that will never come. So a holder
that has heard nothing for a moment is asked to end: it keeps what arrived and lets go. One that is busy is left in
peace, and whoever comes gets 423. Other processes know nothing of this; there the offset decides (409).
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

STALLED = 2.0  # seconds without a byte after which a holder may be asked to end
PATIENCE = 10.0  # seconds to wait for it


class Hold:
    """What a writing request holds; `timeout` is the one its next read of the body runs under."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.heard = loop.time()
        self.timeout: asyncio.Timeout | None = None
        self.ended = False
        self.free = asyncio.Event()

    @property
    def stalled(self) -> bool:
        return self._loop.time() - self.heard > STALLED

    def hear(self) -> None:
        """Bytes arrived."""
        self.heard = self._loop.time()

    def end(self) -> None:
        """Ask the holder to read no further."""
        self.ended = True
        if self.timeout is not None:
            self.timeout.reschedule(self._loop.time())


class Locks:
    """The uploads of this process that are being written to."""

    def __init__(self) -> None:
        self._held: dict[UUID, Hold] = {}

    def __contains__(self, upload: UUID) -> bool:
        return upload in self._held

    async def settle(self, upload: UUID, *, insist: bool = False) -> bool:
        """Whether the upload is free, waiting a moment for it. `insist`: also a busy holder is asked to end."""
        held = self._held.get(upload)
        if held is None:
            return True
        if insist:
            held.end()
        if await _freed(held, STALLED + 0.1):
            return upload not in self._held
        if not (held.stalled or held.ended):
            return False
        held.end()
        return await _freed(held, PATIENCE) and upload not in self._held

    @asynccontextmanager
    async def holding(self, upload: UUID) -> AsyncIterator[Hold]:
        """Hold an upload that `settle` called free."""
        hold = self._held[upload] = Hold(asyncio.get_running_loop())
        try:
            yield hold
        finally:
            del self._held[upload]
            hold.free.set()


async def _freed(held: Hold, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await held.free.wait()
    except TimeoutError:
        return False
    return True
