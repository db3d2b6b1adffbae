"""A client that costs little: raw sockets kept alive, bodies made beforehand, answers read into one buffer.

It shares two cores with the servers it measures, so everything it does is taken from them.
"""

import gzip
import socket
import zlib
from collections.abc import Sequence
from threading import Thread
from typing import Any, NamedTuple

Headers = Sequence[tuple[str, str]]
BUFFER = 1 << 20


class Answer(NamedTuple):
    """`size`: bytes of the body as sent; `body` only when it was asked for, decompressed. A field sent twice: lines."""

    status: int
    headers: dict[str, str]
    size: int
    body: bytes


class Connection:
    """One keep-alive connection; opens itself again when the server has closed it."""

    def __init__(self, port: int, *, timeout: float = 600.0) -> None:
        self.port, self.timeout = port, timeout
        self._socket: socket.socket | None = None
        self._buffer = bytearray(BUFFER)
        self._view = memoryview(self._buffer)
        self._start = self._end = 0

    def ask(
        self, method: str, path: str, headers: Headers = (), body: bytes | memoryview = b"", *, keep: bool = False
    ) -> Answer:
        """Send one request and read its whole answer. The path is sent as it is."""
        lines = [f"{method} {path} HTTP/1.1", f"Host: localhost:{self.port}"]
        lines += [f"{name}: {value}" for name, value in headers]
        if body or method in ("POST", "PUT", "PATCH"):
            lines.append(f"Content-Length: {len(body)}")
        self._send("\r\n".join([*lines, "", ""]).encode(), body)
        return self._read(head_only=method == "HEAD", keep=keep)

    def close(self) -> None:
        """Let go of the connection."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _send(self, head: bytes, body: bytes | memoryview) -> None:
        if self._socket is None:
            self._socket = socket.create_connection(("127.0.0.1", self.port), self.timeout)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._start = self._end = 0
        self._socket.sendall(head)
        if body:
            self._socket.sendall(body)

    def _read(self, *, head_only: bool, keep: bool) -> Answer:
        status, headers = self._head()
        while status == 100:
            status, headers = self._head()
        kept: list[bytes] | None = [] if keep else None
        if head_only or status in (204, 304):
            size = 0
        elif "chunked" in headers.get("transfer-encoding", ""):
            size = self._chunks(kept)
        elif "content-length" in headers:
            size = self._take(int(headers["content-length"]), kept)
        else:
            size = self._rest(kept)
            self.close()
        if headers.get("connection", "").lower() == "close":
            self.close()
        body = b"".join(kept or [])
        coding = headers.get("content-encoding", "")
        if body and coding in ("gzip", "deflate"):
            body = gzip.decompress(body) if coding == "gzip" else zlib.decompress(body)
        return Answer(status, headers, size, body)

    def _head(self) -> tuple[int, dict[str, str]]:
        first = self._line().split(b" ", 2)
        headers: dict[str, str] = {}
        while line := self._line():
            name, _, value = line.partition(b":")
            field, text = name.decode("latin-1").strip().lower(), value.decode("latin-1").strip()
            headers[field] = f"{headers[field]}\n{text}" if field in headers else text
        return int(first[1]), headers

    def _fill(self) -> int:
        """Receive what is there behind what is still unread; 0 at the end."""
        assert self._socket is not None
        if self._start == self._end:
            self._start = self._end = 0
        elif self._end == BUFFER:
            rest = bytes(self._view[self._start : self._end])
            self._view[: len(rest)] = rest
            self._start, self._end = 0, len(rest)
        got = self._socket.recv_into(self._view[self._end :])
        self._end += got
        return got

    def _line(self) -> bytes:
        while (found := self._buffer.find(b"\r\n", self._start, self._end)) < 0:
            if not self._fill():
                self.close()
                raise ConnectionError("The server closed the connection inside an answer.")
        line = bytes(self._view[self._start : found])
        self._start = found + 2
        return line

    def _take(self, length: int, kept: list[bytes] | None) -> int:
        missing = length
        while missing:
            if self._start == self._end and not self._fill():
                self.close()
                raise ConnectionError(f"The server closed the connection {missing} bytes before the end of its answer.")
            some = min(missing, self._end - self._start)
            if kept is not None:
                kept.append(bytes(self._view[self._start : self._start + some]))
            self._start += some
            missing -= some
        return length

    def _chunks(self, kept: list[bytes] | None) -> int:
        size = 0
        while length := int(self._line().split(b";")[0], 16):
            size += self._take(length, kept)
            self._line()
        while self._line():
            pass
        return size

    def _rest(self, kept: list[bytes] | None) -> int:
        size = 0
        while self._start < self._end or self._fill():
            size += self._take(self._end - self._start, kept)
        return size


def together(work: Sequence[Any], streams: int, do: Any) -> None:
    """Share the items of `work` between `streams` threads, each calling `do(its_items)`; raise the first error."""
    errors: list[BaseException] = []

    def one(share: Sequence[Any]) -> None:
        try:
            do(share)
        except BaseException as error:
            errors.append(error)

    threads = [Thread(target=one, args=(work[number::streams],)) for number in range(streams)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def parts(content_type: str, body: bytes) -> list[bytes]:
    """The contents of the parts of a multipart answer (RFC 2046 §5.1), for checking what was sent."""
    boundary = content_type.split("boundary=", 1)[1].split(";", maxsplit=1)[0].strip().strip('"').encode()
    found = []
    for piece in body.split(b"--" + boundary)[1:-1]:
        found.append(piece.split(b"\r\n\r\n", 1)[1].removesuffix(b"\r\n"))
    return found
