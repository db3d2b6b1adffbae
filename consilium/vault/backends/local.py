"""Blobs in a local directory: `<root>/objects/ab/cd/<name>`, uploads in `<root>/uploads/`.

Commit order: temporary file → link → fsync of the file → fsync of the directory → acknowledge.
"""

import os
import secrets
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings

from consilium.core.secretfile import fsync_directory
from consilium.vault.backends.base import Stored, checked


class LocalBackend:
    """One directory on one host (or on a shared file system that honours fsync and link)."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._objects = root / "objects"
        self._uploads = root / "uploads"

    def create(self, name: str) -> "LocalUpload":
        target = self._path(name)
        self._uploads.mkdir(parents=True, exist_ok=True, mode=0o700)
        return LocalUpload(target, self._uploads / f"{name}.{secrets.token_hex(4)}.part", self._objects)

    def open(self, name: str) -> "LocalSource":
        return LocalSource(self._path(name))

    def size(self, name: str) -> int:
        return self._path(name).stat().st_size

    def exists(self, name: str) -> bool:
        return self._path(name).is_file()

    def delete(self, name: str) -> bool:
        path = self._path(name)
        try:
            path.unlink()
        except FileNotFoundError:
            return False
        fsync_directory(path.parent)
        return True

    def iterate(self) -> Iterator[Stored]:
        for path in self._objects.glob("??/??/*"):
            with suppress(FileNotFoundError):
                yield Stored(path.name, _modified(path))

    def sweep(self, before: datetime) -> int:
        removed = 0
        for path in self._uploads.glob("*.part"):
            with suppress(FileNotFoundError):
                if _modified(path) < before:
                    path.unlink()
                    removed += 1
        return removed

    def _path(self, name: str) -> Path:
        return self._objects / checked(name)[:2] / name[2:4] / name


class LocalUpload:
    """A temporary file that becomes the object at `commit`."""

    def __init__(self, target: Path, temporary: Path, objects: Path) -> None:
        self._target = target
        self._temporary = temporary
        self._objects = objects
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        self._file = os.fdopen(descriptor, "wb", buffering=0)

    def write(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[self._file.write(view) :]

    def commit(self) -> None:
        """The name comes before the fsync: one commit of the file system's journal holds both, not two in a row.

        After a loss of power in between, an incomplete object may bear its name: no row speaks of it, its length does
        not authenticate, and the collector of orphans takes it away.
        """
        try:
            created = _make_directories(self._target.parent, self._objects)
            try:
                # link, not rename: an object that exists already is never replaced
                os.link(self._temporary, self._target)
            finally:
                self._temporary.unlink(missing_ok=True)
            try:
                os.fsync(self._file.fileno())
                for directory in [self._target.parent, *created]:
                    fsync_directory(directory)
            except BaseException:
                self._target.unlink(missing_ok=True)
                raise
        finally:
            self._file.close()

    def abort(self) -> None:
        self._file.close()
        self._temporary.unlink(missing_ok=True)


class LocalSource:
    """An open file read by position, so that threads may share it."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_RDONLY)
        self._size = os.fstat(self._descriptor).st_size

    @property
    def size(self) -> int:
        return self._size

    def read_at(self, offset: int, length: int) -> bytes:
        data = os.pread(self._descriptor, length, offset)
        while 0 < len(data) < length:
            more = os.pread(self._descriptor, length - len(data), offset + len(data))
            if not more:
                break
            data += more
        return data

    def at_hand(self, offset: int, length: int) -> bool:
        """Asks for the first and the last byte without waiting (Linux)."""
        try:
            ends = (offset, max(offset, min(offset + length, self._size) - 1))
            return all(os.preadv(self._descriptor, [bytearray(1)], end, os.RWF_NOWAIT) for end in ends)
        except (OSError, AttributeError):  # not in memory; not Linux
            return False

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __del__(self) -> None:
        if getattr(self, "_descriptor", -1) >= 0:
            self.close()


def from_settings() -> LocalBackend:
    """The backend below the data directory."""
    return LocalBackend(Path(settings.DATA_DIR) / "blobs")


def _modified(path: Path) -> datetime:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)


def _make_directories(directory: Path, top: Path) -> list[Path]:
    """Create the fan-out directories; returns the parents whose entries must be synced too."""
    if directory.is_dir():
        return []
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    return [directory.parent, top, top.parent]
