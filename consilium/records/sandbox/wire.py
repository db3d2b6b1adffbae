"""Frames between the jailed child and its parent: 4-byte length, JSON header, then the binary parts it names.

The reader treats the writer as hostile: every length is bounded before anything is read, a header is JSON and
nothing else, and what is inside is validated by the caller.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from typing import Any

HEADER_MAX = 8 * 2**20
PART_MAX = 16 * 2**20
PARTS_MAX = 64
FRAMES_MAX = 200_000

Frame = tuple[dict[str, Any], list[bytes]]


class WireError(Exception):
    """The child broke the protocol: too much, too long (`flood`), or not JSON."""

    def __init__(self, what: str, *, flood: bool = False) -> None:
        super().__init__(what)
        self.flood = flood


class OutOfTime(Exception):  # noqa: N818 - a named outcome
    """The deadline passed before the next frame was complete."""


def pack(header: dict[str, Any], *parts: bytes) -> list[bytes]:
    head = json.dumps({**header, "parts": [len(part) for part in parts]}, ensure_ascii=True).encode()
    return [len(head).to_bytes(4, "big"), head, *parts]


def write(fd: int, header: dict[str, Any], *parts: bytes) -> None:
    """Write one frame to a stream socket or pipe. Raises OSError when nobody reads any more."""
    for piece in pack(header, *parts):
        view = memoryview(piece)
        while view:
            view = view[os.write(fd, view) :]


class Reader:
    """Reads frames with a total bound. `receive(n, seconds)` returns up to n bytes, b"" at the end."""

    def __init__(self, receive: Callable[[int, float], bytes], *, max_output: int) -> None:
        self._receive = receive
        self._left = max_output
        self.deadline = float("inf")

    def frames(self) -> Iterator[Frame]:
        """Frames until the stream ends. Raises WireError, OutOfTime."""
        for _count in range(FRAMES_MAX):
            prefix = self._exactly(4, may_end=True)
            if prefix is None:
                return
            yield self._frame(int.from_bytes(prefix, "big"))
        raise WireError("too many frames", flood=True)

    def _frame(self, length: int) -> Frame:
        self._spend(length, HEADER_MAX)
        try:
            header = json.loads(self._exactly(length) or b"")
        except (ValueError, RecursionError):
            raise WireError("not a JSON header") from None
        sizes = header.pop("parts", None) if isinstance(header, dict) else None
        if not isinstance(sizes, list) or len(sizes) > PARTS_MAX or not all(type(n) is int for n in sizes):
            raise WireError("no list of parts")
        parts = []
        for size in sizes:
            self._spend(size, PART_MAX)
            parts.append(self._exactly(size) or b"")
        return header, parts

    def _spend(self, size: int, most: int) -> None:
        self._left -= size
        if not 0 <= size <= most or self._left < 0:
            raise WireError("more output than allowed", flood=True)

    def _exactly(self, size: int, *, may_end: bool = False) -> bytes | None:
        got = bytearray()
        while len(got) < size:
            seconds = self.deadline - time.monotonic()
            if seconds <= 0:
                raise OutOfTime
            piece = self._receive(min(size - len(got), 1 << 20), seconds)
            if not piece:
                if may_end and not got:
                    return None
                raise WireError("stopped in the middle of a frame")
            got += piece
        return bytes(got)
