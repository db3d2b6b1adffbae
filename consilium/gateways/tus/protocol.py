"""The words of tus 1.0 (https://tus.io/protocols/resumable-upload): heads of requests and answers. Pure."""

import base64
import binascii
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from typing import Any

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

VERSION = "1.0.0"
EXTENSIONS = "creation,creation-with-upload,checksum,termination,expiration"
ALGORITHMS = {"sha256": 32, "sha1": 20, "md5": 16}  # name → bytes of a digest
METHODS = "OPTIONS, POST, HEAD, PATCH, DELETE"
BODY_TYPE = "application/offset+octet-stream"
MOST_METADATA = 8 * 1024
ALWAYS: Headers = [
    (b"tus-resumable", VERSION.encode()),
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
]
_NUMBER = re.compile(r"[0-9]{1,18}")
_PATH = re.compile(
    r"/data/cases/(?P<case>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/uploads"
    r"(?:/(?P<upload>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}))?/?"
)


class No(Exception):  # noqa: N818
    """A refusal: status, one sentence, further headers. `close` cuts the connection after the answer."""

    def __init__(self, status: int, sentence: str, *headers: tuple[bytes, bytes], close: bool = False) -> None:
        super().__init__(sentence)
        self.status, self.sentence, self.headers, self.close = status, sentence, list(headers), close


@dataclass(frozen=True)
class Checksum:
    """What the body of a request must hash to."""

    algorithm: str
    digest: bytes


@dataclass(frozen=True)
class Head:
    """The head of a request, read strictly: a header that matters and comes twice is refused."""

    method: str
    headers: dict[str, str]

    def number(self, name: str) -> int | None:
        """A header that holds a non-negative whole number; None when it is absent."""
        text = self.headers.get(name.lower())
        if text is None:
            return None
        if not _NUMBER.fullmatch(text):
            raise No(400, f"{name} must be a whole number that is not negative.")
        return int(text)

    @property
    def chunked(self) -> bool:
        return "transfer-encoding" in self.headers

    @property
    def has_body(self) -> bool:
        return self.chunked or self.headers.get("content-length", "0") != "0"


ONCE = frozenset(
    {"tus-resumable", "upload-offset", "upload-length", "upload-metadata", "upload-checksum", "upload-defer-length"}
    | {"upload-concat", "content-type", "content-length", "x-http-method-override", "authorization", "host"}
)


def head_of(scope: Scope) -> Head:
    """Method (also from X-HTTP-Method-Override, "Headers") and headers of a request."""
    found: dict[str, str] = {}
    for raw, value in scope["headers"]:
        name = raw.decode("latin-1").lower()
        if name in found and name in ONCE:
            raise No(400, f"The header {name} came twice.", close=True)
        found[name] = value.decode("latin-1").strip()
    override = found.get("x-http-method-override", "").upper()
    return Head(override or scope["method"], found)


def place_of(path: str) -> tuple[str, str | None] | None:
    """(case, upload or None) as the address names them, or None when it is none of ours."""
    found = _PATH.fullmatch(path)
    return (found["case"], found["upload"]) if found else None


def require_version(head: Head) -> None:
    """Every request but OPTIONS names the version it speaks ("Tus-Resumable")."""
    if head.headers.get("tus-resumable") != VERSION:
        sentence = f"This server speaks tus {VERSION}; please send Tus-Resumable: {VERSION}."
        raise No(412, sentence, (b"tus-version", VERSION.encode()))


def length_of(head: Head, most: int) -> int:
    """Upload-Length of a creation, within what this site takes."""
    if "upload-concat" in head.headers:
        raise No(400, "Concatenation is not offered here; please send one upload.")
    length = head.number("Upload-Length")
    if length is None:
        raise No(400, "Please send Upload-Length: the size must be known when an upload begins.")
    if "upload-defer-length" in head.headers:
        raise No(400, "Upload-Defer-Length is not offered here; please send Upload-Length alone.")
    if length > most:
        raise No(413, f"This is more than the {most} bytes that one upload may have.")
    return length


def metadata_of(head: Head) -> dict[str, str]:
    """Upload-Metadata as {"raw", key: value, …}; values that are not UTF-8 are kept out of the readable part."""
    raw = head.headers.get("upload-metadata", "")
    if len(raw) > MOST_METADATA:
        raise No(400, f"Upload-Metadata may have {MOST_METADATA} characters.")
    found: dict[str, str] = {}
    for pair in filter(None, (one.strip() for one in raw.split(","))):
        key, _space, value = pair.partition(" ")
        if not key.isascii() or not key.isprintable() or key in found:
            raise No(400, "Upload-Metadata is a list of different ASCII keys, each with a Base64 value.")
        try:
            found[key] = base64.b64decode(value.strip(), validate=True).decode("utf-8", "replace")
        except (binascii.Error, ValueError):
            raise No(400, "The values of Upload-Metadata must be Base64.") from None
    return found | {"raw": raw}


def checksum_of(head: Head) -> Checksum | None:
    """Upload-Checksum, or None when the client trusts the line."""
    text = head.headers.get("upload-checksum")
    if text is None:
        return None
    algorithm, _space, encoded = text.partition(" ")
    if algorithm not in ALGORITHMS:
        raise No(400, f"Checksums may be {', '.join(ALGORITHMS)}.")
    try:
        digest = base64.b64decode(encoded.strip(), validate=True)
    except (binascii.Error, ValueError):
        digest = b""
    if len(digest) != ALGORITHMS[algorithm]:
        raise No(400, "Upload-Checksum holds the name of the algorithm, a space, and the digest in Base64.")
    return Checksum(algorithm, digest)


def require_body_type(head: Head) -> None:
    """Bytes of an upload have one media type ("PATCH")."""
    if head.headers.get("content-type", "").partition(";")[0].strip().lower() != BODY_TYPE:
        raise No(415, f"Please send bytes as {BODY_TYPE}.")


def expires(at: datetime) -> tuple[bytes, bytes]:
    """The header Upload-Expires (RFC 9110 §5.6.7)."""
    return b"upload-expires", format_datetime(at, usegmt=True).encode()


def offset(at: int) -> tuple[bytes, bytes]:
    """The header Upload-Offset."""
    return b"upload-offset", str(at).encode()


async def answer(send: Send, status: int, *headers: tuple[bytes, bytes]) -> None:
    """An answer without a body."""
    length: Headers = [] if status == 204 else [(b"content-length", b"0")]
    await send({"type": "http.response.start", "status": status, "headers": [*ALWAYS, *length, *headers]})
    await send({"type": "http.response.body", "body": b""})


async def refuse(send: Send, no: No, *, bodyless: bool = False) -> None:
    """The refusal with its sentence as plain text (none for HEAD)."""
    body = no.sentence.encode()
    headers = [*ALWAYS, *no.headers, (b"content-type", b"text/plain; charset=utf-8")]
    headers.append((b"content-length", str(len(body)).encode()))
    if no.close:
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": no.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if bodyless else body})
