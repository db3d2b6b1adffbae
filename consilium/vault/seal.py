"""Sealed values: short secrets bound to a space and a context (docs/reference/vault-format.md).

version (1) ‖ salt (32) ‖ commitment (32) ‖ AES-256-GCM ciphertext and tag
"""

import secrets
from collections.abc import Callable
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from consilium.vault import keys
from consilium.vault.derive import COMMITMENT_BYTES, SALT_BYTES, ObjectKey, identifiers, object_key
from consilium.vault.errors import Tampered

VERSION = b"\x01"
SALT_AT = 1
OVERHEAD = 1 + SALT_BYTES + COMMITMENT_BYTES + 16
_HEADER = 1 + SALT_BYTES + COMMITMENT_BYTES
# Every value has its own key (fresh salt), so a constant nonce is used exactly once per key.
_NONCE = b"\x00" * 12


def seal(space: UUID, context: str, plaintext: bytes) -> bytes:
    """Encrypt `plaintext` for this space and context only. Raises KeyDestroyed, KeyMissing."""
    return sealer(space)(context, plaintext)


def sealer(space: UUID) -> Callable[[str, bytes], bytes]:
    """`seal` for a batch of values of one space: the keystore is asked once, now. Not to be kept."""
    key = keys.space_key(space)
    return lambda context, plaintext: seal_with(key, context, plaintext, salt=secrets.token_bytes(SALT_BYTES))


def unseal(space: UUID, context: str, sealed: bytes) -> bytes:
    """The plaintext. Raises Tampered when changed or sealed for another place; KeyDestroyed, KeyMissing."""
    return _decrypted(*_opened_with(keys.space_key(space), context, sealed))


def unsealer(space: UUID) -> Callable[[str, bytes], bytes]:
    """`unseal` for a batch of values of one space: the keystore is asked once, now. Not to be kept."""
    key = keys.space_key(space)
    return lambda context, sealed: _decrypted(*_opened_with(key, context, sealed))


def salt_of(sealed: bytes) -> bytes:
    """What tells one sealing from every other: a value that is sealed again gets another."""
    return sealed[SALT_AT : SALT_AT + SALT_BYTES]


def belongs(space: UUID, context: str, sealed: bytes) -> bool:
    """Whether a sealed value was made for this space and context (without decrypting it)."""
    try:
        _opened_with(keys.space_key(space), context, sealed)
    except Tampered:
        return False
    return True


def seal_with(key: keys.SpaceKey, context: str, plaintext: bytes, *, salt: bytes) -> bytes:
    """`seal` with everything given; only the frozen test vectors choose their own salt."""
    bound = _bound(key, context)
    derived = object_key(key.secret, salt, bound)
    return VERSION + salt + derived.commitment + AESGCM(derived.key).encrypt(_NONCE, plaintext, bound)


def _decrypted(key: ObjectKey, bound: bytes, body: bytes) -> bytes:
    try:
        return AESGCM(key.key).decrypt(_NONCE, body, bound)
    except InvalidTag:
        raise Tampered("A sealed value does not authenticate.") from None


def _opened_with(key: keys.SpaceKey, context: str, sealed: bytes) -> tuple[ObjectKey, bytes, bytes]:
    if len(sealed) < OVERHEAD or sealed[:1] != VERSION:
        raise Tampered("A sealed value is cut short or of an unknown version.")
    bound = _bound(key, context)
    derived = object_key(key.secret, sealed[1 : 1 + SALT_BYTES], bound)
    if not derived.matches(sealed[1 + SALT_BYTES : _HEADER]):
        raise Tampered("A sealed value belongs to another place or key.")
    return derived, bound, sealed[_HEADER:]


def _bound(key: keys.SpaceKey, context: str) -> bytes:
    return b"consilium/seal/v1\x00" + identifiers(key.tenant, key.space) + context.encode()
