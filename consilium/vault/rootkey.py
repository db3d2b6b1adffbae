"""The root key: one file outside the data directory, 0600, 32 bytes in base64."""

from pathlib import Path
from typing import NamedTuple

from django.conf import settings

from consilium.core import secretfile
from consilium.vault.derive import subkey
from consilium.vault.errors import KeysNotReady


class RootKey(NamedTuple):
    """The root secret and its public short name, which wrapped keys carry."""

    id: str
    secret: bytes


def path() -> Path:
    return Path(settings.KEY_DIR) / "root.key"


def next_path() -> Path:
    """Where the new root key waits while a rotation is under way."""
    return path().with_name("root.key.next")


def current() -> RootKey:
    """The root key. Raises KeysNotReady with a sentence that says what to do."""
    problem = misplaced()
    if problem:
        raise KeysNotReady(problem)
    return _read(path())


def by_id(wanted: str) -> RootKey:
    """The root key with this short name: the current one or, during a rotation, the next."""
    # The second look at the current file covers the moment when a rotation renames next → current.
    for source in (path(), next_path(), path()):
        if source == next_path() and not source.exists():
            continue
        key = current() if source == path() else _read(source)
        if key.id == wanted:
            return key
    raise KeysNotReady(
        f"The keystore was wrapped by another root key than {path()}. Restore the root key that belongs to it."
    )


def prepare_next() -> RootKey:
    """Create (or, after an interruption, find) the new root key of a rotation."""
    secretfile.create(next_path())
    return _read(next_path())


def promote_next() -> None:
    """Make the next root key the current one, durably."""
    next_path().replace(path())
    secretfile.fsync_directory(path().parent)


def misplaced() -> str:
    """Why the key directory's place is unsafe, or an empty string."""
    keys, data = Path(settings.KEY_DIR).resolve(), Path(settings.DATA_DIR).resolve()
    if keys == data or keys.is_relative_to(data):
        return (
            f"The key directory {keys} lies inside the data directory {data}: a copy of the data would carry "
            "its own keys. Set CONSILIUM_KEY_DIR to a place outside."
        )
    return ""


def _read(source: Path) -> RootKey:
    try:
        secret = secretfile.read(source)
    except secretfile.SecretFileError as error:
        raise KeysNotReady(str(error)) from None
    return RootKey(subkey(secret, b"consilium/root-key/id/v1").hex()[:16], secret)
