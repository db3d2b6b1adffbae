"""For tests only: a second decoder, written from docs/reference/vault-format.md alone.

It shares no code with the package on purpose, down to its own HKDF: two readings of the same page
must agree, or the page is wrong.
"""

import base64
import hashlib
import hmac
import json
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

CHUNK = 262144


class BadBlobError(Exception):
    """The bytes are not a whole, genuine object."""


def hkdf_extract(salt: bytes, secret: bytes) -> bytes:
    return hmac.new(salt or b"\x00" * 32, secret, hashlib.sha256).digest()


def hkdf_expand(prk: bytes, info: bytes) -> bytes:
    return hmac.new(prk, info + b"\x01", hashlib.sha256).digest()  # 32 bytes: one block is enough


def open_blob(space_key: bytes, tenant: UUID, space: UUID, blob: UUID, stored: bytes) -> bytes:
    if len(stored) < 104 or stored[:16] != b"CSLMBLOB" + (1).to_bytes(4, "big") + CHUNK.to_bytes(4, "big"):
        raise BadBlobError("header")
    context = b"consilium/blob\x00" + stored[:16] + tenant.bytes + space.bytes + blob.bytes
    prk = hkdf_extract(stored[16:48], space_key)
    if hkdf_expand(prk, b"commitment\x00" + context) != stored[48:80]:
        raise BadBlobError("commitment")
    aead = AESGCM(hkdf_expand(prk, b"key\x00" + context))
    pieces: list[bytes] = []
    body = stored[80:-24]
    sealed = [body[at : at + CHUNK + 16] for at in range(0, len(body), CHUNK + 16)]
    for number, chunk in enumerate([*sealed, stored[-24:]]):
        place = number.to_bytes(8, "big") + (b"\x01" if number == len(sealed) else b"\x00")
        pieces.append(aead.decrypt(b"\x00" * 3 + place, chunk, context + place))
    content = b"".join(pieces[:-1])
    if int.from_bytes(pieces[-1], "big") != len(content) or b"" in pieces:
        raise BadBlobError("length")
    return content


def open_sealed(space_key: bytes, tenant: UUID, space: UUID, where: str, stored: bytes) -> bytes:
    context = b"consilium/seal/v1\x00" + tenant.bytes + space.bytes + where.encode()
    prk = hkdf_extract(stored[1:33], space_key)
    if stored[0] != 1 or hkdf_expand(prk, b"commitment\x00" + context) != stored[33:65]:
        raise BadBlobError("commitment")
    return AESGCM(hkdf_expand(prk, b"key\x00" + context)).decrypt(b"\x00" * 12, stored[65:], context)


def open_space_key(root: bytes, tenant_record: dict[str, Any], space_record: dict[str, Any]) -> bytes:
    tenant, space = UUID(tenant_record["tenant"]), UUID(space_record["space"])
    version = int(space_record["version"])
    wrapped = tenant_record["versions"][str(version)]
    name = hkdf_expand(hkdf_extract(b"", root), b"consilium/root-key/id/v1").hex()[:16]
    if wrapped["root"] != name or space_record["tenant"] != tenant_record["tenant"]:
        raise BadBlobError("another root key or tenant")
    number = version.to_bytes(8, "big")
    kek = _unwrap(root, wrapped["key"], b"consilium/tenant-key/v1\x00" + tenant.bytes + number)
    return _unwrap(kek, space_record["key"], b"consilium/space-key/v1\x00" + tenant.bytes + space.bytes + number)


def unpad(padded: bytes) -> bytes:
    content, mark, zeros = padded.rpartition(b"\x80")
    if mark != b"\x80" or zeros.strip(b"\x00") or len(padded) % 32:
        raise BadBlobError("padding")
    return content


def load(path: str) -> dict[str, Any]:
    with open(path, encoding="utf-8") as file:  # noqa: PTH123
        return json.load(file)


def _unwrap(key: bytes, wrapped: str, bound: bytes) -> bytes:
    raw = base64.b64decode(wrapped)
    return AESGCM(key).decrypt(raw[:12], raw[12:], bound)
