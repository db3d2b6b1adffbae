"""Key derivation (HKDF-SHA256, RFC 5869) shared by blobs and sealed values."""

import hmac
import struct
from typing import NamedTuple
from uuid import UUID

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

SALT_BYTES = 32
COMMITMENT_BYTES = 32


class ObjectKey(NamedTuple):
    """A key for one object only, and the public value that commits to it."""

    key: bytes
    commitment: bytes

    def matches(self, commitment: bytes) -> bool:
        """Whether a stored commitment belongs to this key (constant time)."""
        return hmac.compare_digest(self.commitment, commitment)


def object_key(secret: bytes, salt: bytes, context: bytes) -> ObjectKey:
    """Derive the 32-byte key and the 32-byte commitment of one object from a space's secret.

    AES-GCM alone does not commit to its key: one ciphertext can be made to open under two keys. The
    commitment, a separate HKDF output over the same context, closes that.
    """
    # RFC 5869 §2.2 and the first block of §2.3: one HMAC each, five times faster than building HKDF objects
    prk = hmac.digest(salt, secret, "sha256")
    return ObjectKey(_expand(prk, b"key\x00" + context), _expand(prk, b"commitment\x00" + context))


def subkey(secret: bytes, purpose: bytes) -> bytes:
    """A 32-byte key for another purpose, independent of `secret` itself."""
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose).derive(secret)


def identifiers(*ids: UUID) -> bytes:
    """UUIDs as 16 bytes each, in network order: fixed length, so nothing can be shifted between them."""
    return b"".join(one.bytes for one in ids)


def u64(number: int) -> bytes:
    """An unsigned 64-bit big-endian number."""
    return struct.pack(">Q", number)


def _expand(prk: bytes, info: bytes) -> bytes:
    return hmac.digest(prk, info + b"\x01", "sha256")
