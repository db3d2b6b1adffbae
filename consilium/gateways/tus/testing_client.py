"""A small tus client that calls the ASGI application itself; for tests."""

import asyncio
import base64
from collections.abc import AsyncIterator, Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import connections

from consilium.gateways.data.grants import Grants
from consilium.gateways.tus.app import Tus
from consilium.gateways.tus.protocol import BODY_TYPE, VERSION
from consilium.records.models import Transfer, Upload
from consilium.web import case_gate


class Closing(ThreadPoolExecutor):
    """Threads that leave no connection behind: on PostgreSQL they would keep the test's database in use."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        def run() -> Any:
            try:
                return fn(*args, **kwargs)
            finally:
                connections.close_all()

        return super().submit(run)


@dataclass
class Answer:
    """What came back; without a status nothing did (the client was gone)."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def offset(self) -> int:
        return int(self.headers["upload-offset"])

    @property
    def text(self) -> str:
        return self.body.decode()


def encoded(**metadata: str) -> str:
    """Upload-Metadata."""
    return ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in metadata.items())


class TusClient:
    """Speaks tus to one case; `key` are the headers that say who asks."""

    def __init__(self, case: UUID, key: dict[str, str]) -> None:
        self.pool = Closing(4)
        self.app = Tus(Grants(case_gate.ask, self.pool))
        self.app.pool = self.pool
        self.root = f"/data/cases/{case}/uploads"
        self.key = key

    def ask(
        self, method: str, path: str = "", body: Iterable[bytes] = (), *, cut: bool = False, **headers: str
    ) -> Answer:
        """One request; `cut` breaks the line after the body's pieces. Header names with _ for -."""
        return asyncio.run(self.asked(method, path, body, cut=cut, **headers))

    async def asked(
        self, method: str, path: str = "", body: Iterable[bytes] = (), *, cut: bool = False, **headers: str
    ) -> Answer:
        """The same, inside a running loop."""

        async def pieces() -> AsyncIterator[bytes]:
            for one in body:
                yield one

        return await self.streamed(method, path, pieces(), cut=cut, **headers)

    async def streamed(
        self, method: str, path: str, body: AsyncIterator[bytes], *, cut: bool = False, **headers: str
    ) -> Answer:
        answer = Answer()

        async def receive() -> dict[str, Any]:
            async for piece in body:
                return {"type": "http.request", "body": piece, "more_body": True}
            return {"type": "http.disconnect"} if cut else {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                answer.status = message["status"]
                answer.headers = {name.decode(): value.decode() for name, value in message["headers"]}
            else:
                answer.body += message.get("body", b"")

        named = {"tus_resumable": VERSION, **self.key, **headers}
        scope = {
            "type": "http",
            "method": method,
            "path": path or self.root,
            "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in named.items() if value],
        }
        await self.app(scope, receive, send)
        return answer

    def create(self, length: int, name: str = "disc.tar", **headers: str) -> str:
        """The address of a new upload."""
        known = {"upload_length": str(length), "upload_metadata": encoded(filename=name)} | headers
        answer = self.ask("POST", "", (), cut=False, **known)
        assert answer.status == 201, answer
        return answer.headers["location"]

    def patch(self, path: str, offset: int, data: bytes | list[bytes], *, cut: bool = False, **headers: str) -> Answer:
        """Send bytes at an offset."""
        pieces = [data] if isinstance(data, bytes) else data
        length = {} if cut else {"content_length": str(sum(map(len, pieces)))}
        known = {"content_type": BODY_TYPE, "upload_offset": str(offset)} | length
        return self.ask("PATCH", path, pieces, cut=cut, **known | headers)

    def stands_at(self, path: str) -> int:
        """The offset that HEAD gives."""
        answer = self.ask("HEAD", path)
        assert answer.status == 200, answer
        return answer.offset


def transfer_at(path: str) -> Transfer:
    """The row behind an address."""
    return Transfer.objects.get(pk=path.rsplit("/", 1)[-1])


def upload_at(path: str) -> Upload:
    """What a complete upload became."""
    found = transfer_at(path).upload
    assert found is not None
    return found
