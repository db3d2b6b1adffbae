"""Sealed blobs: streamed in, fsynced before return, read by range. Nothing plaintext touches a disk."""

import hashlib
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from uuid import UUID, uuid4

from consilium.vault import backends, keys
from consilium.vault.derive import SALT_BYTES
from consilium.vault.errors import BlobMissing
from consilium.vault.format import CHUNK_BYTES, Opener, Place, Sealer


@dataclass(frozen=True, slots=True)
class BlobInfo:
    """A stored blob: `size` in bytes and `sha256` in hex are those of the plaintext."""

    id: UUID
    size: int
    sha256: str


def put(chunks: Iterable[bytes], *, space: UUID, tenant: UUID) -> BlobInfo:
    """Seal and store a stream of byte strings (any lengths). When it returns, the blob is durable."""
    with writer(space=space, tenant=tenant) as out:
        for chunk in chunks:
            out.write(chunk)
        return out.finish()


def writer(*, space: UUID, tenant: UUID) -> "BlobWriter":
    """A writer: `.write(bytes)` … `.finish()` → BlobInfo, or `.abort()` (leaving the block aborts).

    Raises KeyDestroyed or KeyMissing, and ValueError when the space belongs to another tenant.
    """
    key = keys.space_key(space)
    if key.tenant != tenant:
        raise ValueError("This space belongs to another organisation.")
    return BlobWriter(key)


class BlobWriter:
    """Collects plaintext into chunks in memory and hands sealed chunks to the backend."""

    def __init__(self, key: keys.SpaceKey) -> None:
        self.id = uuid4()
        self._space = key.space
        place = Place(key.tenant, key.space, self.id)
        self._sealer = Sealer(key.secret, place, salt=secrets.token_bytes(SALT_BYTES))
        self._sha256 = hashlib.sha256()
        self._pending = bytearray()
        self._size = 0
        self._done = False
        self._upload = backends.current().create(self.id.hex)
        self._upload.write(self._sealer.header)

    def write(self, data: bytes | bytearray | memoryview) -> int:
        """Take plaintext; returns its length. Raises KeyDestroyed when the space was erased meanwhile."""
        if self._done:
            raise ValueError("This blob is finished.")
        view = memoryview(data).cast("B")
        self._sha256.update(view)
        self._size += len(view)
        if self._pending:
            missing = CHUNK_BYTES - len(self._pending)
            self._pending += view[:missing]
            view = view[missing:]
            if len(self._pending) == CHUNK_BYTES:
                self._seal(self._pending)
                self._pending = bytearray()
        while len(view) >= CHUNK_BYTES:
            self._seal(view[:CHUNK_BYTES])
            view = view[CHUNK_BYTES:]
        self._pending += view
        return memoryview(data).nbytes

    def finish(self) -> BlobInfo:
        """Seal the end and make the blob durable."""
        if self._done:
            raise ValueError("This blob is finished.")
        if self._pending:
            self._seal(self._pending)
        keys.require_alive(self._space)
        self._upload.write(self._sealer.final())
        self._upload.commit()
        self._done = True
        return BlobInfo(self.id, self._size, self._sha256.hexdigest())

    def abort(self) -> None:
        """Forget everything written; harmless after `finish`."""
        if not self._done:
            self._done = True
            self._upload.abort()

    def __enter__(self) -> "BlobWriter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.abort()

    def _seal(self, plaintext: bytearray | memoryview) -> None:
        keys.require_alive(self._space)
        self._upload.write(self._sealer.chunk(plaintext))


class BlobReader:
    """An iterator over the plaintext of a range.

    The blob is opened and its length authenticated at once, so errors come before the first byte of an
    answer is sent. Each chunk checks that the space still lives.
    """

    def __init__(self, blob: UUID, *, space: UUID, start: int = 0, end: int | None = None) -> None:
        self._space = space
        self._source, opener = _open(blob, space)
        self.size = opener.size
        self._chunks = opener.range(start, end)

    def __iter__(self) -> "BlobReader":
        return self

    def __next__(self) -> bytes:
        try:
            keys.require_alive(self._space)
            return next(self._chunks)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Release the stored object; Django calls this at the end of a streamed response."""
        self._source.close()


def read(blob: UUID, *, space: UUID, start: int = 0, end: int | None = None) -> BlobReader:
    """Plaintext bytes start…end (exclusive, clamped to the size), in pieces of at most 256 KiB.

    Raises BlobMissing, KeyDestroyed, KeyMissing, Tampered, and ValueError for an impossible range.
    """
    if start < 0 or (end is not None and end < start):
        raise ValueError("A range starts at 0 or later and does not end before its start.")
    return BlobReader(blob, space=space, start=start, end=end)


def read_all(blob: UUID, *, space: UUID) -> bytes:
    """The whole plaintext; for small blobs."""
    return b"".join(read(blob, space=space))


def size(blob: UUID, *, space: UUID) -> int:
    """Bytes of plaintext, authenticated."""
    source, opener = _open(blob, space)
    source.close()
    return opener.size


def exists(blob: UUID) -> bool:
    """Whether ciphertext is stored under this id (nothing is authenticated)."""
    return backends.current().exists(blob.hex)


def delete(blob: UUID, *, space: UUID | None = None) -> bool:
    """Delete the ciphertext durably; False when it was absent. Works after the key is destroyed.

    `space` is accepted for symmetry and not needed: an orphan collector knows only ids.
    """
    return backends.current().delete(blob.hex)


def ids(*, before: datetime | None = None) -> Iterator[UUID]:
    """Ids of all stored blobs; with `before`, only those committed earlier (an orphan collector must
    spare the young ones, whose row is not committed yet)."""
    for stored in backends.current().iterate():
        if before is None or stored.modified < before:
            yield UUID(hex=stored.name)


def sweep(before: datetime) -> int:
    """Remove remains of uploads begun before `before` that never finished; returns how many."""
    return backends.current().sweep(before)


def _open(blob: UUID, space: UUID) -> tuple[backends.Source, Opener]:
    key = keys.space_key(space)
    try:
        source = backends.current().open(blob.hex)
    except FileNotFoundError:
        raise BlobMissing(blob) from None
    try:
        return source, Opener(key.secret, Place(key.tenant, space, blob), source.read_at, source.size)
    except BaseException:
        source.close()
        raise
