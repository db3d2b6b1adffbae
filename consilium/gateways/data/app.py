"""The data plane: record bytes straight from the vault, authorised once per request, outside Django.

A route's handler gets one answer from the gate (session → principal → scope → visibility → audit, in that
order, before the first byte) and then touches no database. What is absent and what is not theirs to see get the
same 404, byte for byte.
"""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import chain
from typing import Any, Protocol
from urllib.parse import quote
from uuid import UUID

from django.db import close_old_connections
from django.http.cookie import parse_cookie

from consilium.gateways.data.ranges import Unsatisfiable, wanted_range
from consilium.records import content

log = logging.getLogger("consilium.data")

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

PIECE = 512 * 1024  # bytes gathered per hop to a thread
CLIENT_PATIENCE = 60.0
ALWAYS = [
    (b"x-content-type-options", b"nosniff"),
    (
        b"content-security-policy",
        b"sandbox; default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'",
    ),
    (b"cache-control", b"private, no-store"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"referrer-policy", b"no-referrer"),
]


class Grant(Protocol):
    """What the gate hands out: which blob, in which space, and how to call it."""

    @property
    def blob(self) -> UUID: ...
    @property
    def space(self) -> UUID: ...
    @property
    def offset(self) -> int: ...
    @property
    def more(self) -> list[list[Any]]: ...
    @property
    def media_type(self) -> str: ...
    @property
    def size(self) -> int: ...
    @property
    def filename(self) -> str: ...
    @property
    def disposition(self) -> str:
        """ "inline" or "attachment"."""
        ...

    @property
    def blank(self) -> int:
        """Leading bytes that are sent as zeros (a DICOM preamble may hide an executable)."""
        ...


Gate = Callable[[dict[str, str], UUID, str], Grant | None]

UUID_PATTERN = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
ROUTES = [
    # path, the part of the thing it names (a DICOMweb route is one more row); `thing` is always a UUID
    (rf"/data/files/(?P<thing>{UUID_PATTERN})/original", "file:original"),
    (rf"/data/files/(?P<thing>{UUID_PATTERN})/thumbnail", "file:thumbnail"),
    (rf"/data/files/(?P<thing>{UUID_PATTERN})/page/(?P<index>[0-9]{{1,5}})", "file:page:{index}"),
    (rf"/data/files/(?P<thing>{UUID_PATTERN})/frame/(?P<index>[0-9]{{1,5}})", "file:frame:{index}"),
    (rf"/data/reports/(?P<thing>{UUID_PATTERN})/clinical\.pdf", "report:clinical"),
    (rf"/data/reports/(?P<thing>{UUID_PATTERN})/patient\.pdf", "report:patient"),
    (rf"/data/reports/(?P<thing>{UUID_PATTERN})/fhir\.json", "report:fhir"),
]
_routes = [(re.compile(pattern), part) for pattern, part in ROUTES]


class DataPlane:
    """Bare ASGI application for /data/. `gate` runs in a thread: it may use the database."""

    def __init__(self, gate: Gate, *, threads: int = 4) -> None:
        self.gate = gate
        self.pool = ThreadPoolExecutor(threads, thread_name_prefix="data")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] not in ("GET", "HEAD"):
            await _refuse(send, 405, (b"allow", b"GET, HEAD"))
            return
        named = match(scope["path"])
        grant = await self._ask(cookies_of(scope), *named) if named else None
        if grant is None:
            await _refuse(send, 404)
            return
        await self._deliver(grant, scope, receive, send)

    async def _ask(self, cookies: dict[str, str], record: UUID, part: str) -> Grant | None:
        def ask() -> Grant | None:
            close_old_connections()
            try:
                return self.gate(cookies, record, part)
            finally:
                close_old_connections()

        return await asyncio.get_running_loop().run_in_executor(self.pool, ask)

    async def _deliver(self, grant: Grant, scope: Scope, receive: Receive, send: Send) -> None:
        tag = f'"{grant.blob.hex}-{grant.offset:x}"'.encode()
        headers = [*ALWAYS, *describe(grant), (b"accept-ranges", b"bytes"), (b"etag", tag)]
        start, end, status = 0, grant.size, 200
        try:
            chosen = wanted_range(scope["headers"], grant.size, tag, scope["method"])
        except Unsatisfiable:
            await _refuse(send, 416, (b"content-range", f"bytes */{grant.size}".encode()))
            return
        if chosen is not None:
            start, end, status = *chosen, 206
            headers.append((b"content-range", f"bytes {start}-{end - 1}/{grant.size}".encode()))
        headers.append((b"content-length", str(end - start).encode()))
        if scope["method"] == "HEAD" or start == end:
            await send({"type": "http.response.start", "status": status, "headers": headers})
            await send({"type": "http.response.body", "body": b""})
            return
        await self._stream(grant, start, end, (status, headers), receive, send)

    async def _stream(
        self, grant: Grant, start: int, end: int, head: tuple[int, Any], receive: Receive, send: Send
    ) -> None:
        """Decrypt and send piece by piece; the first piece before the head, so that damage gives a clean 500."""
        loop = asyncio.get_running_loop()
        watcher = loop.create_task(_until_gone(receive))
        source: Iterator[bytes] = iter(())
        started, sent = False, start
        try:
            opening = partial(_opened, grant, start, end)
            source = await loop.run_in_executor(self.pool, opening)
            while piece := await loop.run_in_executor(self.pool, gather, source):
                if not started:
                    await send({"type": "http.response.start", "status": head[0], "headers": head[1]})
                    started = True
                if watcher.done():
                    return
                if sent < grant.blank:
                    covered = min(grant.blank - sent, len(piece))
                    piece = bytes(covered) + piece[covered:]
                sent += len(piece)
                async with asyncio.timeout(CLIENT_PATIENCE):
                    await send({"type": "http.response.body", "body": piece, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        except Exception:  # the vault, the disk or the line: logged, and answered or cut
            log.exception("record bytes could not be delivered")
            if started:
                raise Truncated from None
            await _refuse(send, 500)
        finally:
            watcher.cancel()
            close = getattr(source, "close", None)
            if close:
                close()


class Truncated(Exception):  # noqa: N818
    """Raised towards the server to cut the connection: a short answer must not look complete. No words."""


def _opened(grant: Grant, start: int, end: int) -> Iterator[bytes]:
    """The bytes, with the first piece read already: errors come before the head is sent."""
    pieces = content.chunks(grant, start, end)
    return chain([next(pieces)], pieces)


def match(path: str) -> tuple[UUID, str] | None:
    """The record and part a path names, by the table above."""
    for pattern, part in _routes:
        found = pattern.fullmatch(path)
        if found:
            return UUID(found["thing"]), part.format(**found.groupdict())
    return None


def cookies_of(scope: Scope) -> dict[str, str]:
    """The request's cookies, read as the pages read them: what another site's script left beside them does no harm."""
    lines = [value.decode("latin-1") for name, value in scope["headers"] if name == b"cookie"]
    return parse_cookie("; ".join(lines))


def describe(grant: Grant) -> list[tuple[bytes, bytes]]:
    """Content-Type and Content-Disposition (RFC 6266; the name percent-encoded as in RFC 8187)."""
    kind = "inline" if grant.disposition == "inline" else "attachment"
    name = quote(grant.filename.replace("/", "_").replace("\\", "_"), safe="")
    media_type = grant.media_type if re.fullmatch(r"[\w.+-]+/[\w.+-]+(; ?charset=[\w-]+)?", grant.media_type) else ""
    return [
        (b"content-type", (media_type or "application/octet-stream").encode("latin-1")),
        (b"content-disposition", f"{kind}; filename*=UTF-8''{name}".encode("ascii")),
    ]


def gather(source: Iterator[bytes]) -> bytes:
    """Up to about PIECE bytes of the blob; b"" at its end. Runs in a thread."""
    parts: list[bytes] = []
    size = 0
    for chunk in source:
        parts.append(chunk)
        size += len(chunk)
        if size >= PIECE:
            break
    return parts[0] if len(parts) == 1 else b"".join(parts)


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _refuse(send: Send, status: int, *extra: tuple[bytes, bytes]) -> None:
    sentences = {
        404: b"There is nothing here for you.",
        405: b"Only reading is possible here.",
        416: b"The requested range lies outside the file.",
        500: b"This file could not be read; the people who run this site have been told.",
    }
    body = sentences[status]
    headers = [
        *ALWAYS,
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
    ]
    await send({"type": "http.response.start", "status": status, "headers": [*headers, *extra]})
    await send({"type": "http.response.body", "body": body})
