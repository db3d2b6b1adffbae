"""The blob format, version 1: a seekable, key-committing, chunked AEAD (docs/reference/vault-format.md).

header ‖ data chunk 0 ‖ … ‖ data chunk n-1 ‖ final chunk

Every data chunk holds 256 KiB of plaintext (the last one may be shorter, none is empty); the final chunk
holds the total plaintext length and carries the last flag. Opening a blob authenticates header and
final chunk, hence the exact length, before any content: a truncated or extended blob opens for nobody.
No function in here touches a disk.
"""

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from consilium.vault.derive import COMMITMENT_BYTES, SALT_BYTES, identifiers, object_key, u64
from consilium.vault.errors import Tampered

MAGIC = b"CSLMBLOB"
VERSION = 1
CHUNK_BYTES = 256 * 1024
TAG_BYTES = 16
SEALED_CHUNK_BYTES = CHUNK_BYTES + TAG_BYTES
FINAL_BYTES = 8 + TAG_BYTES
_PREFIX = struct.pack(">8sII", MAGIC, VERSION, CHUNK_BYTES)
HEADER_BYTES = len(_PREFIX) + SALT_BYTES + COMMITMENT_BYTES

ReadAt = Callable[[int, int], bytes]  # (offset, length) → bytes of the stored blob


@dataclass(frozen=True, slots=True)
class Place:
    """What a blob is bound to: it opens nowhere else."""

    tenant: UUID
    space: UUID
    object: UUID

    def context(self) -> bytes:
        """The bytes that enter key derivation and every chunk's associated data."""
        return b"consilium/blob\x00" + _PREFIX + identifiers(self.tenant, self.space, self.object)


def sealed_size(size: int) -> int:
    """Stored bytes of a blob with `size` bytes of plaintext."""
    return HEADER_BYTES + size + _chunk_count(size) * TAG_BYTES + FINAL_BYTES


def stored_offset(position: int) -> int:
    """Where in the stored blob the chunk begins that holds this position of the plaintext."""
    return HEADER_BYTES + position // CHUNK_BYTES * SEALED_CHUNK_BYTES


class Sealer:
    """Seals one object front to back. One instance seals one object, once: its salt is never used again."""

    def __init__(self, secret: bytes, place: Place, *, salt: bytes) -> None:
        self._context = place.context()
        derived = object_key(secret, salt, self._context)
        self._aead = AESGCM(derived.key)
        self._index = 0
        self._size = 0
        self._ended = False
        self.header = _PREFIX + salt + derived.commitment

    def chunk(self, plaintext: bytes | bytearray | memoryview) -> bytes:
        """Seal the next data chunk: CHUNK_BYTES long, or shorter for the very last one."""
        if self._ended or not 0 < len(plaintext) <= CHUNK_BYTES:
            raise ValueError("Data chunks are full except the last one, and never empty.")
        self._ended = len(plaintext) < CHUNK_BYTES
        self._size += len(plaintext)
        self._index += 1
        return _encrypt(self._aead, self._context, self._index - 1, plaintext, last=False)

    def final(self) -> bytes:
        """Seal the final chunk; nothing may follow."""
        self._ended = True
        return _encrypt(self._aead, self._context, self._index, u64(self._size), last=True)


class Opener:
    """Opens one stored object through `read_at`; raises Tampered here when header or length is wrong.

    stored_size: bytes of the stored blob. `size`: bytes of plaintext, authenticated.
    """

    def __init__(self, secret: bytes, place: Place, read_at: ReadAt, stored_size: int) -> None:
        self._read_at = read_at
        self._context = place.context()
        self.size = _plaintext_size(stored_size)
        header = _read_exactly(read_at, 0, HEADER_BYTES)
        salt, commitment = header[16 : 16 + SALT_BYTES], header[16 + SALT_BYTES :]
        if header[:16] != _PREFIX:
            raise Tampered("This is not a blob of a known format version.")
        derived = object_key(secret, salt, self._context)
        if not derived.matches(commitment):
            raise Tampered("The blob belongs to another object, space, organisation or key.")
        self._aead = AESGCM(derived.key)
        self._check_final(stored_size)

    def _check_final(self, stored_size: int) -> None:
        sealed = _read_exactly(self._read_at, stored_size - FINAL_BYTES, FINAL_BYTES)
        if self._decrypt(_chunk_count(self.size), sealed, last=True) != u64(self.size):
            raise Tampered("The blob's length is not the one that was sealed.")

    def chunk(self, index: int) -> bytes:
        """The plaintext of data chunk `index`, whole or not at all."""
        length = min(CHUNK_BYTES, self.size - index * CHUNK_BYTES)
        if index < 0 or length <= 0:
            raise ValueError("There is no such chunk.")
        offset = HEADER_BYTES + index * SEALED_CHUNK_BYTES
        return self._decrypt(index, _read_exactly(self._read_at, offset, length + TAG_BYTES), last=False)

    def range(self, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """Plaintext bytes start…end (exclusive, clamped to the size), a chunk at a time."""
        stop = self.size if end is None else min(end, self.size)
        if start < 0 or (end is not None and end < start):
            raise ValueError("A range starts at 0 or later and does not end before its start.")
        while start < stop:
            index, skip = divmod(start, CHUNK_BYTES)
            plaintext = self.chunk(index)
            if skip or stop - start + skip < len(plaintext):
                plaintext = plaintext[skip : stop - index * CHUNK_BYTES]
            yield plaintext
            start += len(plaintext)

    def _decrypt(self, index: int, sealed: bytes, *, last: bool) -> bytes:
        nonce, bound = _nonce_and_bound(self._context, index, last=last)
        try:
            return self._aead.decrypt(nonce, sealed, bound)
        except InvalidTag:
            raise Tampered(f"Chunk {index} of the blob does not authenticate.") from None


def _encrypt(aead: AESGCM, context: bytes, index: int, data: bytes | bytearray | memoryview, *, last: bool) -> bytes:
    nonce, bound = _nonce_and_bound(context, index, last=last)
    return aead.encrypt(nonce, data, bound)


def _nonce_and_bound(context: bytes, index: int, *, last: bool) -> tuple[bytes, bytes]:
    # nonce: 3 zero bytes ‖ index (8) ‖ last flag (1), the STREAM construction of Hoang et al. 2015.
    position = u64(index) + (b"\x01" if last else b"\x00")
    return b"\x00\x00\x00" + position, context + position


def _chunk_count(size: int) -> int:
    return -(-size // CHUNK_BYTES)


def _plaintext_size(stored_size: int) -> int:
    body = stored_size - HEADER_BYTES - FINAL_BYTES
    full, rest = divmod(body, SEALED_CHUNK_BYTES)
    if body < 0 or 0 < rest <= TAG_BYTES:
        raise Tampered("The blob is cut short or extended.")
    return full * CHUNK_BYTES + (rest - TAG_BYTES if rest else 0)


def _read_exactly(read_at: ReadAt, offset: int, length: int) -> bytes:
    data = read_at(offset, length)
    if len(data) != length:
        raise Tampered("The blob is cut short.")
    return data
