"""A tus 1.0 client over the raw sockets of client.py: create, then send in pieces."""

import base64
from collections.abc import Iterable

from bench.client import Connection, Headers
from bench.servers import Server

VERSION = ("Tus-Resumable", "1.0.0")
PIECE = 64 * 2**20


def create(connection: Connection, root: str, headers: Headers, *, size: int, name: str) -> str:
    """The path of a new upload."""
    named = base64.b64encode(name.encode()).decode()
    wanted = [*headers, VERSION, ("Upload-Length", str(size)), ("Upload-Metadata", f"filename {named}")]
    answer = connection.ask("POST", root, wanted, keep=True)
    if answer.status != 201:
        raise RuntimeError(f"The creation of an upload was answered with {answer.status}: {answer.body[:200]!r}")
    place = answer.headers["location"]
    return "/" + place.split("/", 3)[3] if place.startswith("http") else place


def send(connection: Connection, path: str, headers: Headers, pieces: Iterable[bytes | memoryview]) -> int:
    """PATCH every piece at its offset; the offset at the end."""
    offset = 0
    for piece in pieces:
        wanted = [
            *headers,
            VERSION,
            ("Upload-Offset", str(offset)),
            ("Content-Type", "application/offset+octet-stream"),
        ]
        answer = connection.ask("PATCH", path, wanted, piece, keep=True)
        if answer.status != 204:
            raise RuntimeError(f"A piece at {offset} was answered with {answer.status}: {answer.body[:200]!r}")
        offset = int(answer.headers["upload-offset"])
    return offset


def upload(server: Server, files: Iterable[tuple[str, bytes]], root: str) -> None:
    """Each file as an upload of its own, over one connection."""
    connection = Connection(server.port)
    for name, data in files:
        path = create(connection, root, server.headers, size=len(data), name=name)
        view = memoryview(data)
        send(connection, path, server.headers, (view[at : at + PIECE] for at in range(0, len(data), PIECE)))
    connection.close()
