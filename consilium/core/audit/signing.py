"""The key that signs checkpoints: Ed25519, in KEY_DIR/audit.key (0600), its public half in audit.pub.

It lies apart from the database, so whoever can rewrite the log cannot re-sign it.
"""

import hashlib
import json
import os
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from django.conf import settings

from consilium.core import secretfile


def init_key() -> bool:
    """Create the signing key on a new installation; True when it was created now."""
    created = secretfile.create(_private_path())
    public = public_key().hex()
    if public not in public_keys():
        known = "\n".join([*public_keys(), public]) + "\n"
        secretfile.write_atomic(_public_path(), known.encode())
    return created


def public_key() -> bytes:
    """The 32 bytes of the present public key."""
    return _private().public_key().public_bytes_raw()


def public_keys() -> list[str]:
    """All public keys this log was ever signed with, in hex (former ones stay in the file)."""
    try:
        lines = _public_path().read_text().split()
    except FileNotFoundError:
        return []
    return [line for line in lines if len(line) == 64]


def key_id(public: bytes) -> str:
    """The short name of a public key: the first 16 hex digits of its SHA-256."""
    return hashlib.sha256(public).hexdigest()[:16]


def sign(statement: str) -> str:
    """The signature (128 hex digits) of a statement. Raises SecretFileError without a key."""
    return _private().sign(statement.encode()).hex()


def signed(statement: str, signature: str, publics: list[str]) -> bool:
    """Whether one of the public keys made this signature."""
    for public in publics:
        try:
            key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public))
            key.verify(bytes.fromhex(signature), statement.encode())
        except (InvalidSignature, ValueError):
            continue
        return True
    return False


def witness(line: dict[str, Any]) -> None:
    """Append a checkpoint to KEY_DIR/audit-checkpoints.jsonl: a memory the database cannot change.

    Send copies of this file elsewhere (mail, print, another host): the further away, the better the witness.
    """
    descriptor = os.open(witness_path(), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(descriptor, (json.dumps(line, sort_keys=True) + "\n").encode())
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def witnessed() -> list[dict[str, Any]]:
    """The checkpoints this host remembers outside the database."""
    try:
        lines = witness_path().read_text().splitlines()
    except FileNotFoundError:
        return []
    return [said for line in lines if (said := _line(line))]


def _line(text: str) -> dict[str, Any]:
    try:
        said: dict[str, Any] = json.loads(text)
    except ValueError:
        return {}  # the end of a line that a crash cut off
    return said if "statement" in said and "signature" in said else {}


def witness_path() -> Path:
    return Path(settings.KEY_DIR) / "audit-checkpoints.jsonl"


def _private_path() -> Path:
    return Path(settings.KEY_DIR) / "audit.key"


def _public_path() -> Path:
    return Path(settings.KEY_DIR) / "audit.pub"


def _private() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(secretfile.read(_private_path()))
