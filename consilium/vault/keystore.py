"""Where wrapped keys are kept: small records apart from the data, with their own, shorter-lived backups.

The interface is what a shared keystore (several hosts) must offer; the directory below `KEY_DIR/keystore`
is the default. Records hold wrapped keys only, so the directory alone opens nothing.
"""

import fcntl
import os
from collections.abc import Generator, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import Protocol
from uuid import UUID

from django.conf import settings

from consilium.core import secretfile

TENANTS = "tenants"
SPACES = "spaces"


class Keystore(Protocol):
    """Records by kind ("tenants", "spaces") and id. `stamp` changes whenever the record does."""

    def stamp(self, kind: str, key: UUID) -> str | None:
        """A cheap fingerprint of the record's present version; None when there is none."""
        ...

    def read(self, kind: str, key: UUID) -> bytes | None:
        """The record, or None."""
        ...

    def create(self, kind: str, key: UUID, record: bytes) -> bool:
        """Store a new record durably; False (and no change) when one exists."""
        ...

    def replace(self, kind: str, key: UUID, record: bytes) -> None:
        """Replace a record durably; no copy of the former one stays readable."""
        ...

    def ids(self, kind: str) -> Iterator[UUID]:
        """All ids of a kind."""
        ...

    def lock(self) -> AbstractContextManager[None]:
        """One writer at a time, over all processes, for read-change-write sequences."""
        ...


class DirectoryKeystore:
    """Records as files: `<root>/<kind>/<first two hex digits>/<uuid>.json`, 0600."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def _path(self, kind: str, key: UUID) -> str:
        return f"{self.root}/{kind}/{key.hex[:2]}/{key}.json"

    def stamp(self, kind: str, key: UUID) -> str | None:
        try:
            status = os.stat(self._path(kind, key))  # noqa: PTH116 - the hot path: half the cost of Path.stat
        except FileNotFoundError:
            return None
        return f"{status.st_ino}.{status.st_ctime_ns}.{status.st_size}"

    def read(self, kind: str, key: UUID) -> bytes | None:
        try:
            return Path(self._path(kind, key)).read_bytes()
        except FileNotFoundError:
            return None

    def create(self, kind: str, key: UUID, record: bytes) -> bool:
        return secretfile.write_atomic(self._prepared(kind, key), record, replace=False)

    def replace(self, kind: str, key: UUID, record: bytes) -> None:
        path = self._prepared(kind, key)
        former = os.open(path, os.O_RDWR) if path.exists() else None
        try:
            secretfile.write_atomic(path, record)
            if former is not None:
                _overwrite(former)
            _remove_remains(path)
        finally:
            if former is not None:
                os.close(former)

    def ids(self, kind: str) -> Iterator[UUID]:
        for path in sorted((self.root / kind).glob("??/*.json")):
            with suppress(ValueError):
                yield UUID(path.stem)

    @contextmanager
    def lock(self) -> Generator[None]:
        self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(self.root / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _prepared(self, kind: str, key: UUID) -> Path:
        path = Path(self._path(kind, key))
        if not path.parent.is_dir():
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            for directory in (path.parent.parent, self.root, self.root.parent):
                secretfile.fsync_directory(directory)
        return path


def _overwrite(descriptor: int) -> None:
    """Zero the former record's blocks. Best effort: flash storage may keep old cells until it trims them."""
    length = os.fstat(descriptor).st_size
    os.pwrite(descriptor, b"\x00" * length, 0)
    os.fsync(descriptor)


def _remove_remains(path: Path) -> None:
    """Clear what a killed writer may have left of this record: it could hold a key that is destroyed now."""
    for remains in path.parent.glob(f".{path.name}.*.tmp"):
        descriptor = os.open(remains, os.O_RDWR)
        try:
            _overwrite(descriptor)
        finally:
            os.close(descriptor)
        remains.unlink()
        secretfile.fsync_directory(path.parent)


def current() -> Keystore:
    """The keystore of this installation."""
    return _in(str(settings.KEY_DIR))


@lru_cache(maxsize=4)
def _in(directory: str) -> Keystore:
    return DirectoryKeystore(Path(directory) / "keystore")
