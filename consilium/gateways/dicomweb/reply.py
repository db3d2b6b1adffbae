"""What every answer shares: headers, refusals in one sentence, bodies that are sent in pieces."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import Any

from consilium.gateways.data.app import ALWAYS, CLIENT_PATIENCE, Receive, Scope, Send, Truncated

log = logging.getLogger("consilium.dicomweb")

Header = tuple[bytes, bytes]
Thread = Callable[..., Awaitable[Any]]
JSON_TYPE = b"application/dicom+json"
GONE = object()

__all__ = ["ALWAYS", "JSON_TYPE", "Receive", "Refused", "Scope", "Send", "Thread", "json_body", "refuse", "send_json"]


class Refused(Exception):  # noqa: N818 - a named outcome
    """The request ends here: a status and one sentence for the person behind the program."""

    def __init__(self, status: int, sentence: str, *headers: Header) -> None:
        super().__init__(sentence)
        self.status, self.sentence, self.headers = status, sentence, headers


class NotHere(Exception):  # noqa: N818 - a named outcome
    """Absent or not theirs to see: the same 404 for both."""


def folded(lines: Iterable[Header]) -> dict[bytes, bytes]:
    """Header fields by name; the lines of one that came in several are one list (RFC 9110 §5.3)."""
    found: dict[bytes, bytes] = {}
    for name, value in lines:
        found[name] = found[name] + b", " + value if name in found else value
    return found


def json_body(value: Any) -> bytes:
    """JSON as PS3.18 Annex F wants it: UTF-8, no spaces."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


async def whole(send: Send, status: int, media_type: bytes, body: bytes, *headers: Header) -> None:
    """An answer in one piece."""
    head = [*ALWAYS, (b"content-type", media_type), (b"content-length", str(len(body)).encode()), *headers]
    await send({"type": "http.response.start", "status": status, "headers": head})
    await send({"type": "http.response.body", "body": body})


async def send_json(send: Send, status: int, value: Any, *headers: Header) -> None:
    """A DICOM JSON answer."""
    await whole(send, status, JSON_TYPE, json_body(value), *headers)


async def refuse(send: Send, refused: Refused, *, as_json: bool) -> None:
    """A refusal: Error Comment (0000,0902) in the DICOM JSON model for programs, plain text for who asks for text."""
    if as_json:
        found = {"00000902": {"vr": "LO", "Value": [refused.sentence]}}
        await send_json(send, refused.status, found, *refused.headers)
        return
    text = refused.sentence.encode()
    await whole(send, refused.status, b"text/plain; charset=utf-8", text, *refused.headers)


async def stream(
    send: Send, receive: Receive, thread: Thread, head: tuple[int, list[Header]], batches: Iterator[list[bytes]]
) -> None:
    """A body in batches of pieces that a thread makes; the next batch is made while one is sent.

    The first batch is made before the head leaves, so that damage is an honest 500; later damage cuts the
    connection (Truncated).
    """
    watcher = asyncio.ensure_future(until_gone(receive))
    coming: Awaitable[list[bytes] | None] = asyncio.ensure_future(thread(next, batches, None))
    started = False
    try:
        while (batch := await coming) is not None:
            coming = asyncio.ensure_future(thread(next, batches, None))
            if not started:
                await send({"type": "http.response.start", "status": head[0], "headers": [*ALWAYS, *head[1]]})
                started = True
            if watcher.done():
                return
            async with asyncio.timeout(CLIENT_PATIENCE):
                for piece in batch:
                    await send({"type": "http.response.body", "body": piece, "more_body": True})
        if not started:  # a value without a byte
            await send({"type": "http.response.start", "status": head[0], "headers": [*ALWAYS, *head[1]]})
            started = True
        await send({"type": "http.response.body", "body": b""})
    except Exception:  # the vault, the disk or the line: an answer that was begun can only be cut
        if not started:
            raise
        log.exception("an answer could not be completed")
        raise Truncated from None
    finally:
        watcher.cancel()
        await asyncio.wait([asyncio.ensure_future(coming)])
        close = getattr(batches, "close", None)
        if close:
            close()


async def until_gone(receive: Receive) -> None:
    """Ends when the client has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass
