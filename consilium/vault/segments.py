"""Segments: many objects in few blobs, made durable together.

An fsync costs as much as writing several images. A segment is an ordinary blob (format.py) into which a writer
appends one object after the other; when `finish` returns, all of them are on disk. An object is a `Slice` of a
segment, or several where it fell on the border between two. Readers keep segments open, so that a frame costs
one positioned read and the decryption of the chunks it touches.
"""

import os
import secrets
from collections import OrderedDict
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock
from types import TracebackType
from typing import Any, NamedTuple
from uuid import UUID

from django.conf import settings

from consilium.vault import backends, keys
from consilium.vault.derive import SALT_BYTES
from consilium.vault.errors import BlobMissing
from consilium.vault.format import CHUNK_BYTES, Opener, Place, Sealer, stored_offset

SEGMENT_BYTES = 16 * 2**20
OPEN_LIMIT = 256  # segments kept open for reading, each one file descriptor
ENDS_LIMIT = 8  # chunks of 256 KiB


class Slice(NamedTuple):
    """`size` bytes of plaintext from `offset` of a blob."""

    blob: UUID
    offset: int
    size: int


class SegmentWriter:
    """Appends objects; a full segment is made durable in the background while the next one fills.

    Raises KeyDestroyed or KeyMissing, and ValueError when the space belongs to another tenant.
    """

    def __init__(self, *, space: UUID, tenant: UUID, segment_bytes: int = SEGMENT_BYTES) -> None:
        self._key = keys.space_key(space)
        if self._key.tenant != tenant:
            raise ValueError("This space belongs to another organisation.")
        self._limit = segment_bytes
        self._current: _Segment | None = None
        self._closing: list[Future[None]] = []
        self.blobs: list[UUID] = []  # every segment that was begun

    def add(self, data: bytes | bytearray | memoryview) -> list[Slice]:
        """Append one object, or the next piece of one (see `joined`); durable only after `finish`."""
        view = memoryview(data).cast("B")
        found: list[Slice] = []
        while view:
            segment = self._room()
            piece = view[: self._limit - segment.size]
            found.append(Slice(segment.id, segment.size, len(piece)))
            segment.write(piece)
            view = view[len(piece) :]
        return found

    def close(self) -> None:
        """Begin to make everything durable, in the background; nothing may follow but `finish`."""
        self._close(background=True)

    def finish(self) -> None:
        """Make everything durable; nothing may follow. Twice is as good as once."""
        self._close()
        for waiting in self._closing:
            waiting.result()
        keys.require_alive(self._key.space)

    def abort(self) -> None:
        """Forget everything written, also what is durable already; for a request that failed as a whole."""
        if self._current is not None:
            self._current.abort()
            self._current = None
        for waiting in self._closing:
            waiting.exception()
        for blob in self.blobs:
            backends.current().delete(blob.hex)

    def _room(self) -> "_Segment":
        if self._current is not None and self._current.size >= self._limit:
            self._close(background=True)
        if self._current is None:
            self._current = _Segment(self._key)
            self.blobs.append(self._current.id)
        return self._current

    def _close(self, *, background: bool = False) -> None:
        segment, self._current = self._current, None
        if segment is None:
            return
        if background:
            self._closing.append(_pool().submit(segment.finish))
        else:
            segment.finish()

    def __enter__(self) -> "SegmentWriter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self.abort()


def joined(pieces: list[Slice]) -> list[Slice]:
    """Neighbouring slices as one: an object that was added in several pieces."""
    found: list[Slice] = []
    for one in pieces:
        last = found[-1] if found else None
        if last and last.blob == one.blob and last.offset + last.size == one.offset:
            found[-1] = Slice(last.blob, last.offset, last.size + one.size)
        else:
            found.append(one)
    return found


class _Segment:
    """One blob being written. Full chunks are sealed straight from the caller's buffer."""

    def __init__(self, key: keys.SpaceKey) -> None:
        self.id = _next_id()
        self.size = 0
        place = Place(key.tenant, key.space, self.id)
        self._sealer = Sealer(key.secret, place, salt=secrets.token_bytes(SALT_BYTES))
        self._pending = bytearray()
        self._upload = backends.current().create(self.id.hex)
        self._upload.write(self._sealer.header)

    def write(self, view: memoryview) -> None:
        self.size += len(view)
        if self._pending:
            missing = CHUNK_BYTES - len(self._pending)
            self._pending += view[:missing]
            view = view[missing:]
            if len(self._pending) < CHUNK_BYTES:
                return
            self._upload.write(self._sealer.chunk(self._pending))
            self._pending = bytearray()
        while len(view) >= CHUNK_BYTES:
            self._upload.write(self._sealer.chunk(view[:CHUNK_BYTES]))
            view = view[CHUNK_BYTES:]
        self._pending += view

    def finish(self) -> None:
        if self._pending:
            self._upload.write(self._sealer.chunk(self._pending))
            self._pending = bytearray()
        self._upload.write(self._sealer.final())
        self._upload.commit()

    def abort(self) -> None:
        self._upload.abort()


def _next_id() -> UUID:
    """A random id whose first two bytes stay the same for a while: blobs lie in directories named after them, and a
    new directory costs three more waits for the disk than a file in one that is there."""
    if not _shelf["left"]:
        _shelf.update(left=BLOBS_A_SHELF, prefix=secrets.token_bytes(2))
    _shelf["left"] -= 1
    return UUID(bytes=_shelf["prefix"] + secrets.token_bytes(14), version=4)


BLOBS_A_SHELF = 500
_shelf: dict[str, Any] = {"left": 0, "prefix": b""}


# --- reading ---------------------------------------------------------------------------------------------


class _Opened(NamedTuple):
    stamp: bytes  # identifies the key it was opened with
    source: backends.Source
    opener: Opener


_opened: "OrderedDict[tuple[str, UUID, UUID], _Opened]" = OrderedDict()
_ends: "OrderedDict[Opener, tuple[int, bytes]]" = OrderedDict()  # chunks of which a part was read last
_NO_END = (-1, b"")
_lock = Lock()
_background: dict[int, ThreadPoolExecutor] = {}


def read(blob: UUID, *, space: UUID, start: int, size: int) -> bytes:
    """`size` bytes from `start` of a blob's plaintext; every chunk authenticated. Safe in threads.

    Raises BlobMissing, KeyDestroyed, KeyMissing, Tampered, and ValueError for a stretch outside the blob.
    """
    found = pieces(blob, space=space, start=start, size=size)
    return bytes(found[0]) if len(found) == 1 else b"".join(found)


def pieces(blob: UUID, *, space: UUID, start: int, size: int) -> list[memoryview]:
    """`read` without putting together what lies in several chunks."""
    opened = _open(blob, space)
    opener = opened.opener
    if start < 0 or size < 0 or start + size > opener.size:
        raise ValueError("This stretch lies outside the blob.")
    found: list[memoryview] = []
    end = start + size
    last, chunk = _ends.get(opener, _NO_END)
    while start < end:
        index, skip = divmod(start, CHUNK_BYTES)
        if index != last:
            last, chunk = index, opener.chunk(index)
        found.append(memoryview(chunk)[skip : skip + end - start])
        start += len(found[-1])
    if end % CHUNK_BYTES:
        _remember_end(opener, last, chunk)
    return found


def _remember_end(opener: Opener, index: int, chunk: bytes) -> None:
    """Somebody who pages through images goes on in the chunk in which the last one ended."""
    with _lock:
        _ends[opener] = (index, chunk)
        _ends.move_to_end(opener)
        if len(_ends) > ENDS_LIMIT:
            _ends.popitem(last=False)


def at_hand(blob: UUID, *, space: UUID, start: int, size: int) -> bool:
    """Whether `read` would wait for no disk: the segment is open and its bytes are in memory."""
    found = _opened.get((str(settings.DATA_DIR), space, blob))
    return found is not None and found.source.at_hand(stored_offset(start), size)


class Run:
    """Reads stretches that lie one behind the other: a chunk in which one ends and the next begins is opened once."""

    def __init__(self, space: UUID) -> None:
        self._space = space
        self._last: tuple[UUID, int] | None = None
        self._chunk = b""

    def read(self, blob: UUID, start: int, size: int) -> Iterator[bytes]:
        """As `read`, in pieces of at most 256 KiB; each checks that the space still lives."""
        end = start + size
        while start < end:
            opener = _open(blob, self._space).opener
            if end > opener.size:
                raise ValueError("This stretch lies outside the blob.")
            index, skip = divmod(start, CHUNK_BYTES)
            if self._last != (blob, index):
                self._last, self._chunk = None, opener.chunk(index)
                self._last = (blob, index)
            piece = self._chunk[skip : skip + end - start]
            start += len(piece)
            yield piece


def _open(blob: UUID, space: UUID) -> _Opened:
    key = keys.space_key(space)  # first: a destroyed key bites although the segment is open
    name = (str(settings.DATA_DIR), space, blob)
    with _lock:
        found = _opened.get(name)
        if found is not None and found.stamp == key.secret:
            _opened.move_to_end(name)
            return found
    try:
        source = backends.current().open(blob.hex)
    except FileNotFoundError:
        raise BlobMissing(blob) from None
    try:
        opener = Opener(key.secret, Place(key.tenant, space, blob), source.read_at, source.size)
    except BaseException:
        source.close()
        raise
    fresh = _Opened(key.secret, source, opener)
    with _lock:
        _opened[name] = fresh
        while len(_opened) > OPEN_LIMIT:
            _opened.popitem(last=False)  # closed when the last reader lets go of it
    return fresh


def _pool() -> ThreadPoolExecutor:
    """Threads that wait for the disk; one pool a process (a pool does not survive a fork)."""
    pool = _background.get(os.getpid())
    if pool is None:
        pool = _background.setdefault(os.getpid(), ThreadPoolExecutor(4, thread_name_prefix="segments"))
    return pool
