"""A DICOMweb client for tests that speaks to the ASGI application directly."""

import asyncio
import json
import secrets
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple
from uuid import UUID

from consilium.gateways.data.grants import Grants
from consilium.gateways.dicomweb.app import DicomWeb


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def parts(self) -> list[tuple[str, bytes]]:
        """(content type, body) of each part of a multipart answer."""
        boundary = b"--" + self.headers["content-type"].split("boundary=")[1].encode()
        found = []
        for piece in self.body.split(boundary)[1:-1]:
            head, _, body = piece.removeprefix(b"\r\n").partition(b"\r\n\r\n")
            found.append((head.decode().partition(": ")[2], body.removesuffix(b"\r\n")))
        return found


class Client:
    """Requests of one case, with a bearer token or none."""

    def __init__(self, app: DicomWeb, case: UUID | str, token: str = "", **headers: str) -> None:
        self.app, self.root, self.headers = app, f"/data/cases/{case}/dicomweb", headers
        if token:
            self.headers["authorization"] = f"Bearer {token}"

    def get(self, path: str, accept: str = "", method: str = "GET", **headers: str) -> Answer:
        given = headers | ({"accept": accept} if accept else {})
        return self.send(method, path, [], given)

    def post(self, path: str, files: Iterable[bytes], *, step: int = 100_000, **headers: str) -> Answer:
        """STOW-RS of files, the body in messages of `step` bytes, with an empty last one as servers send it."""
        boundary = secrets.token_hex(8)
        body = b"".join(
            b"--%s\r\nContent-Type: application/dicom\r\n\r\n%s\r\n" % (boundary.encode(), one) for one in files
        )
        body += b"--%s--\r\n" % boundary.encode()
        given = {"content-type": f'multipart/related; type="application/dicom"; boundary={boundary}'} | headers
        return self.send("POST", path, [body[at : at + step] for at in range(0, len(body), step)] + [b""], given)

    def send(
        self, method: str, path: str, pieces: list[bytes], headers: dict[str, str], *, gone: bool = False
    ) -> Answer:
        """One request; `gone`: the client leaves after the pieces instead of ending the body."""
        return asyncio.run(self.ask(method, path, pieces, headers, gone=gone))

    async def ask(
        self, method: str, path: str, pieces: list[bytes], headers: dict[str, str], *, gone: bool = False
    ) -> Answer:
        path, _, query = path.partition("?")
        listed = [(name.replace("_", "-").encode(), value.encode()) for name, value in (self.headers | headers).items()]
        messages: list[dict[str, Any]] = [
            {"type": "http.request", "body": piece, "more_body": gone or number < len(pieces) - 1}
            for number, piece in enumerate(pieces)
        ]
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            await asyncio.sleep(0)
            if messages:
                return messages.pop(0)
            if not gone:
                await asyncio.Event().wait()
            return {"type": "http.disconnect"}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)
            await asyncio.sleep(0)

        scope = {
            "type": "http",
            "method": method,
            "path": self.root + path,
            "query_string": query.encode(),
            "headers": listed,
        }
        await asyncio.wait_for(self.app(scope, receive, send), 60)
        head = {name.decode().lower(): value.decode() for name, value in sent[0]["headers"]}
        return Answer(sent[0]["status"], head, b"".join(one.get("body", b"") for one in sent[1:]))


def application(ask: Callable[..., Any], pool: Any) -> DicomWeb:
    """The application with a gate of the test's own."""
    return DicomWeb(Grants(ask, pool), origin=lambda _scope: "http://testserver")
