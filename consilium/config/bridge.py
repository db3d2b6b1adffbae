"""Django's WSGI application behind an ASGI server, in small thread pools.

Django's own ASGI handler costs several times more per request (docs/adr), so pages run as WSGI. Bodies and
answers stream with back-pressure: the next part is fetched when the application asks for it, and nothing is
ever spooled to disk. Threads never wait without an end: on a client that is gone, slow beyond the limits, or
at shutdown they get `ClientGone`.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from io import BytesIO
from typing import Any, BinaryIO

from consilium.config.environ import AmbiguousRequest, Scope, TrustedProxies, wsgi_environ

log = logging.getLogger("consilium.web")

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

SMALL_BODY = 64 * 1024  # read before a thread is taken, so that slow small requests hold none
WHOLE_ANSWER = 1024 * 1024  # answers of known size up to this leave in one piece
FILE_BLOCK = 256 * 1024
CLIENT_PATIENCE = 60.0  # seconds without a byte moving in either direction
SMALL_BODY_PATIENCE = 30.0  # seconds for the whole of a small body
DRAIN_SECONDS = 8.0


class ClientGone(OSError):  # noqa: N818
    """The client went away or stalled. An OSError, as Django expects from a broken request stream."""


class ConnectionAborted(Exception):  # noqa: N818
    """Raised towards the server to cut a connection whose answer cannot be completed; carries no words."""


class Answer:
    """Status, headers and body of one response; `rest` is None when `body` is all of it."""

    def __init__(self, status: int, headers: list[tuple[bytes, bytes]], body: bytes = b"") -> None:
        self.status, self.headers, self.body = status, headers, body

    async def send(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status, "headers": self.headers})
        await send({"type": "http.response.body", "body": self.body})


def plain(status: int, sentence: str, *extra: tuple[bytes, bytes]) -> Answer:
    """A refusal below Django: one plain sentence."""
    body = sentence.encode()
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode())]
    return Answer(status, [*headers, (b"cache-control", b"no-store"), *extra], body)


class FileBlocks:
    """`wsgi.file_wrapper`: Django's own reads files 4 KiB at a time."""

    def __init__(self, file: BinaryIO, _size: int = 0) -> None:
        self.file = file
        self.close = getattr(file, "close", lambda: None)

    def __iter__(self) -> Iterable[bytes]:
        return iter(lambda: self.file.read(FILE_BLOCK), b"")


class Exchange:
    """One request and its answer, as seen from the thread that runs the application."""

    def __init__(self, bridge: "Bridge", receive: Receive, send: Send) -> None:
        self.bridge, self.receive, self.send = bridge, receive, send
        self.loop = asyncio.get_running_loop()
        self.body_complete = True
        self.gone = False
        self.started = False
        self.watcher: asyncio.Task[None] | None = None

    def wait(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Run a coroutine on the loop from this thread; gives up on a lost client or at shutdown."""
        future: Future[Any] = asyncio.run_coroutine_threadsafe(work, self.loop)
        deadline = time.monotonic() + CLIENT_PATIENCE
        while True:
            try:
                return future.result(timeout=1.0)
            except FutureTimeout:
                if self.gone or self.bridge.closed or time.monotonic() > deadline:
                    future.cancel()
                    self.gone = True
                    raise ClientGone from None

    async def next_part(self) -> dict[str, Any]:
        return await self.receive()

    def receive_part(self) -> bytes:
        """The next part of the request body; b"" at its end (a server may send an empty last part)."""
        while not self.body_complete:
            message = self.wait(self.next_part())
            if message["type"] != "http.request":
                self.gone = True
                raise ClientGone
            self.body_complete = not message.get("more_body", False)
            if message.get("body"):
                return message["body"]
        return b""

    def send_part(self, message: dict[str, Any]) -> None:
        if self.gone:
            raise ClientGone
        self.wait(self.bridge.forward(self.send, message))

    def start(self, head: list[Any]) -> None:
        """Send status and headers of a streamed answer, once."""
        if not self.started:
            self.started = True
            self.send_part({"type": "http.response.start", "status": head[0], "headers": head[1]})
            if self.body_complete:
                self.loop.call_soon_threadsafe(self._begin_watch)

    def _begin_watch(self) -> None:
        self.watcher = self.loop.create_task(self._watch())

    async def _watch(self) -> None:
        """Notice a client that leaves while an answer streams: sending to it raises nothing."""
        with contextlib.suppress(asyncio.CancelledError):
            while not self.gone:
                message = await self.receive()
                self.gone = message["type"] == "http.disconnect"


class StreamedBody:
    """`wsgi.input` of a large request: each read pulls from the client, so a slow reader slows the sender."""

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.kept = b""
        exchange.body_complete = False

    def read(self, size: int | None = -1) -> bytes:
        if size is None or size < 0:
            parts = [self.kept, *iter(self.exchange.receive_part, b"")]
            self.kept = b""
            return b"".join(parts)
        if not self.kept:
            self.kept = self.exchange.receive_part()
        taken, self.kept = self.kept[:size], self.kept[size:]
        return taken

    def readline(self, size: int | None = -1) -> bytes:
        line = bytearray()
        limit = size if size is not None and size >= 0 else None
        while limit is None or len(line) < limit:
            if not self.kept:
                self.kept = self.exchange.receive_part()
                if not self.kept:
                    break
            end = self.kept.find(b"\n") + 1 or len(self.kept)
            end = end if limit is None else min(end, limit - len(line))
            line += self.kept[:end]
            self.kept = self.kept[end:]
            if line.endswith(b"\n"):
                break
        return bytes(line)

    def readlines(self, _hint: int = -1) -> list[bytes]:
        return list(self)

    def __iter__(self) -> Any:
        return iter(self.readline, b"")


class Bridge:
    """ASGI application that hands every HTTP request to a WSGI one.

    Pages and uploads have their own threads, so that slow uploads cannot keep pages waiting; beyond
    `waiting` queued requests the answer is 503 with Retry-After.
    """

    def __init__(
        self,
        application: Application,
        *,
        proxies: Iterable[str] = (),
        threads: int = 8,
        upload_threads: int = 16,
        waiting: int = 128,
    ) -> None:
        self.application = application
        self.proxies = TrustedProxies(proxies)
        self.pages = ThreadPoolExecutor(threads, thread_name_prefix="page")
        self.uploads = ThreadPoolExecutor(upload_threads, thread_name_prefix="upload")
        self.most = threads + upload_threads + waiting
        self.active = 0
        self.closed = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.active >= self.most:
            await plain(503, "Too busy just now; please try again in a few seconds.", (b"retry-after", b"5")).send(send)
            return
        self.active += 1
        if any(name.lower() == b"transfer-encoding" for name, _ in scope["headers"]):
            send = closing(send)
        try:
            await self._exchange(scope, receive, send)
        finally:
            self.active -= 1

    async def close(self) -> None:
        """Let running requests finish (at most DRAIN_SECONDS), then release every waiting thread."""
        deadline = time.monotonic() + DRAIN_SECONDS
        while self.active and time.monotonic() < deadline:
            await asyncio.sleep(0.05)
        self.closed = True
        for pool in (self.pages, self.uploads):
            pool.shutdown(wait=False, cancel_futures=True)

    @staticmethod
    async def forward(send: Send, message: dict[str, Any]) -> None:
        await send(message)

    async def _exchange(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            environ = wsgi_environ(scope, self.proxies)
        except AmbiguousRequest:
            await plain(400, "The request is ambiguous and was not processed.", (b"connection", b"close")).send(send)
            return
        exchange = Exchange(self, receive, send)
        try:
            refusal = await self._body(environ, exchange)
        except (ClientGone, TimeoutError):
            return
        if refusal:
            await refusal.send(send)
            return
        environ["wsgi.file_wrapper"] = FileBlocks
        pool = self.pages if exchange.body_complete else self.uploads
        await self._answer(pool, environ, exchange)

    async def _body(self, environ: dict[str, Any], exchange: Exchange) -> Answer | None:
        """Give small bodies whole and large ones as a stream; 411 for a large one of unknown length."""
        chunked = "HTTP_TRANSFER_ENCODING" in environ
        length = int(environ.get("CONTENT_LENGTH") or 0)
        if length > SMALL_BODY:
            environ["wsgi.input"] = StreamedBody(exchange)
        elif length or chunked:
            async with asyncio.timeout(SMALL_BODY_PATIENCE):
                body = await _small_body(exchange.receive)
            if body is None:
                return plain(411, "Please send the length of the request (RFC 9110 §15.5.12).")
            environ["wsgi.input"] = BytesIO(body)
            environ["CONTENT_LENGTH"] = str(len(body))
        return None

    async def _answer(self, pool: ThreadPoolExecutor, environ: dict[str, Any], exchange: Exchange) -> None:
        try:
            answer = await exchange.loop.run_in_executor(pool, self._run, environ, exchange)
        except ClientGone:
            if exchange.started and not exchange.gone:
                raise ConnectionAborted from None
            return
        finally:
            if exchange.watcher:
                exchange.watcher.cancel()
        if answer is not None and not exchange.gone:
            await answer.send(exchange.send)

    def _run(self, environ: dict[str, Any], exchange: Exchange) -> Answer | None:
        """In a pool thread: the whole answer when small, else None after streaming it from here."""
        head: list[Any] = []

        def start_response(status: str, headers: list[tuple[str, str]], _error: Any = None) -> None:
            encoded = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
            head[:] = [int(status.split(" ", 1)[0]), encoded]

        result: Iterable[bytes] = ()
        try:
            result = self.application(environ, start_response)
            return self._collect(environ, result, head, exchange)
        except ClientGone:
            raise
        except Exception:
            log.exception("the application failed below its own error pages")
            if exchange.started:
                raise ClientGone from None  # cut the connection: a short answer must not look complete
            return plain(500, "Something went wrong on our side; please try again later.")
        finally:
            close = getattr(result, "close", None)
            if close:
                close()

    def _collect(
        self, environ: dict[str, Any], result: Iterable[bytes], head: list[Any], exchange: Exchange
    ) -> Answer | None:
        if environ["REQUEST_METHOD"] == "HEAD":
            return Answer(head[0], head[1])
        length = dict(head[1]).get(b"content-length", b"")
        small = length.isdigit() and int(length) <= WHOLE_ANSWER
        if small or getattr(result, "streaming", True) is False:
            return Answer(head[0], head[1], b"".join(result))
        for part in result:
            if not part:
                continue
            exchange.start(head)
            exchange.send_part({"type": "http.response.body", "body": bytes(part), "more_body": True})
        exchange.start(head)
        exchange.send_part({"type": "http.response.body", "body": b""})
        return None


def closing(send: Send) -> Send:
    """Close the connection after the answer: a chunked request may have carried a Content-Length that a proxy
    in front believed (RFC 9112 §6.3); what follows it must not be taken for a request."""

    async def sending(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message["headers"], (b"connection", b"close")]}
        await send(message)

    return sending


async def _small_body(receive: Receive) -> bytes | None:
    """The whole body, or None when it is longer than SMALL_BODY."""
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise ClientGone
        body += message.get("body", b"")
        if len(body) > SMALL_BODY:
            return None
        if not message.get("more_body", False):
            return bytes(body)
