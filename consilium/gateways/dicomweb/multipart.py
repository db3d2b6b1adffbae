"""Reading multipart/related bodies (RFC 2046 §5.1, PS3.18 §8.6) as they arrive, in bounded memory.

Synchronous: `feed` takes what has arrived and calls sinks. A part whose length is known from its header is not searched
for the boundary: it is looked for where the part should end, and searched for only when it is not there.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

FIRST = 64 * 1024  # bytes of a part that show how long it will be
BUFFERED = 12 * 2**20  # a part up to this long is handed over in one piece
MAX_HEAD = 16 * 1024
MAX_LINE = 1024
STEP = 1024 * 1024


class Malformed(Exception):  # noqa: N818 - a named outcome
    """The body is not the multipart it was said to be. The text is a sentence for people."""


class Sink(Protocol):
    """Takes one part: `whole`, or `feed`… and `close`. `begin` sees its first bytes before."""

    def begin(self, first: memoryview) -> int:
        """How many bytes the part should have, 0 when unknown."""
        ...

    def whole(self, part: memoryview) -> None: ...
    def feed(self, piece: memoryview) -> None: ...
    def close(self) -> None: ...


class Parser:
    """`wanted`: with fewer further bytes than this nothing can be done."""

    def __init__(self, boundary: bytes, sink: Callable[[dict[str, str]], Sink]) -> None:
        self._delimiter = b"\r\n--" + boundary
        self._sink_for = sink
        self._data = b"\r\n"  # so that the first boundary is found like the others
        self._at = 0
        self._searched = 0  # no delimiter begins before
        self._sink: Sink | None = None
        self._expected = -1  # length of the part; -1 not asked yet, 0 unknown
        self._streaming = False
        self._step: Callable[[bool], bool] = self._preamble
        self.wanted = 1
        self.ended = False

    def feed(self, pieces: Sequence[bytes], *, last: bool = False) -> None:
        """Take what has arrived; `last` when nothing more will. Raises Malformed."""
        if self.ended:
            return  # an epilogue, or the empty last message of a server, says nothing
        kept = min(self._at, 2)  # the line break that ends a head is also the one before the boundary of an empty part
        gone = self._at - kept
        self._data = b"".join([memoryview(self._data)[gone:], *pieces])
        self._at, self._searched, self.wanted = kept, max(0, self._searched - gone), 1
        while not self.ended and self._step(last):
            pass
        if last and not self.ended:
            raise Malformed("The body ends before its closing boundary.")

    def _need(self, upto: int) -> bool:
        """Wait for the data to reach this position."""
        self.wanted = max(1, upto - len(self._data))
        return False

    # -- between parts
    def _preamble(self, last: bool) -> bool:
        found = self._data.find(self._delimiter, self._at)
        if found < 0:
            if len(self._data) - self._at > MAX_HEAD:
                raise Malformed("The body does not begin with its boundary.")
            return self._need(len(self._data) + 1)
        self._at = found + len(self._delimiter)
        self._step = self._after_boundary
        return True

    def _after_boundary(self, last: bool) -> bool:
        if self._data[self._at : self._at + 2] == b"--":
            self.ended, self._data, self._at = True, b"", 0
            return False
        end = self._data.find(b"\r\n", self._at, self._at + MAX_LINE)
        if end < 0:
            if len(self._data) - self._at > MAX_LINE:
                raise Malformed("A boundary is not followed by a line break.")
            return self._need(len(self._data) + 1)
        if self._data[self._at : end].strip(b" \t"):
            raise Malformed("A boundary is followed by something else on its line.")
        self._at = end
        self._step = self._head
        return True

    def _head(self, last: bool) -> bool:
        end = self._data.find(b"\r\n\r\n", self._at, self._at + MAX_HEAD)
        if end < 0:
            if len(self._data) - self._at >= MAX_HEAD:
                raise Malformed("The header of a part is too long.")
            return self._need(len(self._data) + 1)
        self._sink = self._sink_for(_fields(self._data[self._at : end]))
        self._at = end + 4
        # a part may be empty: then the line break before its boundary is the one that ends the header
        self._searched = end + 2
        self._expected, self._streaming = -1, False
        self._step = self._body
        return True

    # -- inside a part
    def _body(self, last: bool) -> bool:
        have = len(self._data) - self._at
        if self._expected < 0:
            if have < FIRST:
                found = self._find()
                return self._finish(found) if found >= 0 else self._need(self._at + FIRST)
            self._begin(have)
        if 0 < self._expected <= BUFFERED and not self._streaming:
            end = self._at + self._expected
            if end + len(self._delimiter) > len(self._data) and not last:
                return self._need(end + len(self._delimiter))
            if self._data.startswith(self._delimiter, end):
                return self._finish(end)
            self._expected = 0  # something follows the pixels, or the header does not tell the truth
        found = self._find()
        if found >= 0:
            return self._finish(found)
        if self._streaming or have > BUFFERED or self._expected > BUFFERED:
            self._hand_over(max(self._at, self._searched))
        return self._need(len(self._data) + STEP)

    def _begin(self, have: int) -> None:
        assert self._sink is not None
        self._expected = self._sink.begin(memoryview(self._data)[self._at : self._at + min(have, FIRST)])

    def _find(self) -> int:
        found = self._data.find(self._delimiter, self._searched)
        if found < 0:
            self._searched = max(self._searched, len(self._data) - len(self._delimiter) + 1)
        return found

    def _hand_over(self, end: int) -> None:
        """Give away what surely belongs to the part."""
        assert self._sink is not None
        self._streaming = True
        if end > self._at:
            self._sink.feed(memoryview(self._data)[self._at : end])
            self._at = end

    def _finish(self, end: int) -> bool:
        assert self._sink is not None
        end = max(end, self._at)
        part = memoryview(self._data)[self._at : end]
        if self._streaming:
            self._sink.feed(part)
            self._sink.close()
        else:
            if self._expected < 0:
                self._sink.begin(part)
            self._sink.whole(part)
        part.release()
        self._at = self._data.index(self._delimiter, max(0, end - 2)) + len(self._delimiter)
        self._step = self._after_boundary
        return True


def _fields(head: bytes) -> dict[str, str]:
    """The header fields of a part, names in lower case."""
    found = {}
    for line in head.split(b"\r\n"):
        name, colon, value = line.partition(b":")
        if colon:
            found[name.strip().lower().decode("latin-1")] = value.strip().decode("latin-1")
    return found
