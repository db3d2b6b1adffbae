"""The interface of a blob backend; an S3-compatible store fills it without touching callers.

Names are 32 lower-case hex digits. A name is written once and never overwritten.
"""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple, Protocol

NAME = re.compile(r"[0-9a-f]{32}\Z")


class Stored(NamedTuple):
    """A stored object in a listing: its name and when it was committed (aware UTC)."""

    name: str
    modified: datetime


class Upload(Protocol):
    """An object being written; invisible until `commit` returns (a multipart upload on S3)."""

    def write(self, data: bytes) -> None:
        """Append bytes."""
        ...

    def commit(self) -> None:
        """Make the object visible and durable. Raises FileExistsError when the name is taken."""
        ...

    def abort(self) -> None:
        """Forget the object; harmless after commit."""
        ...


class Source(Protocol):
    """A stored object opened for ranged reads."""

    @property
    def size(self) -> int:
        """Stored bytes."""
        ...

    def read_at(self, offset: int, length: int) -> bytes:
        """At most `length` bytes from `offset`; fewer only at the end."""
        ...

    def at_hand(self, offset: int, length: int) -> bool:
        """Whether these bytes are in memory, as far as that can be told at once; False when it is not known."""
        ...

    def close(self) -> None: ...


class Backend(Protocol):
    """A store of named, immutable objects. Absent names raise FileNotFoundError."""

    def create(self, name: str) -> Upload: ...

    def open(self, name: str) -> Source: ...

    def size(self, name: str) -> int: ...

    def exists(self, name: str) -> bool: ...

    def delete(self, name: str) -> bool:
        """Remove durably; False when it was absent."""
        ...

    def iterate(self) -> Iterator[Stored]:
        """All committed objects, in no particular order."""
        ...

    def sweep(self, before: datetime) -> int:
        """Remove uploads begun before `before` and never committed; returns how many."""
        ...


def checked(name: str) -> str:
    """The name, or ValueError: nothing but hex digits ever reaches a path or a URL."""
    if not NAME.match(name):
        raise ValueError("Blob names are 32 lower-case hex digits.")
    return name
