"""Bytes of large files for a reader in the jail: asked for range by range, never held as a whole.

A slide of several gigabytes does not fit the memory of a reading process. The jail's "memory file" is here one end
of a socket; whoever started the job answers at the other end (records/slide_feed.py) with bytes from the vault.
"""

from __future__ import annotations

import io
import os
import struct
from collections import OrderedDict

REQUEST = struct.Struct(">HQI")  # number of the file, offset, length
MOST = 32 * 2**20  # bytes of one request
PAGE = 64 * 1024
PAGES = 128


class Damaged(Exception):  # noqa: N818 - a named outcome
    """The file promises bytes it does not have, or contradicts itself."""


class Unsupported(Exception):  # noqa: N818 - a named outcome
    """A sound file of a kind that is not read here."""


class Files:
    """Positioned reads from files 0…n-1 whose sizes are known. Raises Damaged beyond their ends."""

    def __init__(self, fd: int, sizes: list[int]) -> None:
        self._fd = fd
        self.sizes = sizes
        self._pages: OrderedDict[tuple[int, int], bytes] = OrderedDict()

    def read(self, file: int, offset: int, length: int) -> bytes:
        """Exactly `length` bytes."""
        if not 0 <= length <= MOST or offset < 0 or offset + length > self.sizes[file]:
            raise Damaged("range")
        if length == 0:
            return b""
        first, last = offset // PAGE, (offset + length - 1) // PAGE
        if last - first > 1:
            return self._ask(file, offset, length)
        data = b"".join(self._page(file, page) for page in range(first, last + 1))
        return data[offset - first * PAGE :][:length]

    def _page(self, file: int, page: int) -> bytes:
        """Small reads lie close together (directories, neighbouring tiles): a page serves many."""
        found = self._pages.get((file, page))
        if found is None:
            start = page * PAGE
            found = self._ask(file, start, min(PAGE, self.sizes[file] - start))
            self._pages[file, page] = found
            if len(self._pages) > PAGES:
                self._pages.popitem(last=False)
        else:
            self._pages.move_to_end((file, page))
        return found

    def _ask(self, file: int, offset: int, length: int) -> bytes:
        os.write(self._fd, REQUEST.pack(file, offset, length))
        got = bytearray()
        while len(got) < length:
            piece = os.read(self._fd, length - len(got))
            if not piece:
                raise Damaged("the bytes stopped")
            got += piece
        return bytes(got)

    def open(self, file: int) -> io.BufferedReader:
        """File number `file` as a seekable binary file, for parsers."""
        return io.BufferedReader(_Window(self, file), buffer_size=PAGE)


class _Window(io.RawIOBase):
    name = "slide"  # pydicom wants to know

    def __init__(self, files: Files, file: int) -> None:
        self._files, self._file, self._position = files, file, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._files.sizes[self._file]}[whence]
        self._position = max(0, base + offset)
        return self._position

    def tell(self) -> int:
        return self._position

    def readinto(self, buffer: memoryview | bytearray) -> int:  # pyright: ignore[reportIncompatibleMethodOverride]
        room = self._files.sizes[self._file] - self._position
        length = max(0, min(len(buffer), room, MOST))
        piece = self._files.read(self._file, self._position, length)
        buffer[:length] = piece
        self._position += length
        return length
