"""One request: what was asked for, by whom, and how it is answered."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from consilium.gateways.data.app import ALWAYS
from consilium.gateways.data.grants import Grant
from consilium.gateways.dicomweb import negotiate, reply
from consilium.gateways.dicomweb.index import CaseIndex, Instance, Series, Tree
from consilium.gateways.dicomweb.negotiate import Range
from consilium.gateways.dicomweb.reply import Header, NotHere, Receive, Refused, Scope, Send

if TYPE_CHECKING:
    from consilium.gateways.dicomweb.app import DicomWeb

JSON_TYPES = ("application/dicom+json", "application/json")


@dataclass
class Exchange:
    """`path`: the named parts of the path. What not every request needs is worked out when it is asked for."""

    app: "DicomWeb"
    scope: Scope
    receive: Receive
    send: Send
    headers: dict[bytes, bytes]
    path: dict[str, str]
    grant: Grant
    index: CaseIndex

    @cached_property
    def query(self) -> dict[str, list[str]]:
        """Raises Refused (400) for more parameters than any search needs."""
        text = self.scope.get("query_string", b"").decode("latin-1")
        try:
            return parse_qs(text, keep_blank_values=True, max_num_fields=500) if text else {}
        except ValueError:
            raise Refused(400, "The query has more parameters than a search can use; please shorten it.") from None

    @cached_property
    def root(self) -> str:
        """The absolute URL of the case's DICOMweb."""
        return f"{self.app.origin(self.scope)}/data/cases/{self.grant.space}/dicomweb"

    @cached_property
    def tree(self) -> Tree:
        """What the holder of the grant sees."""
        return self.index.seen_by(self.grant.records)

    @cached_property
    def accept(self) -> tuple[Range, ...]:
        """What the client accepts. Raises Refused (400)."""
        return negotiate.wanted(self.headers, self.query)

    # -- what it is about
    def instances(self) -> list[Instance]:
        """All instances of the resource in the path. Raises NotHere."""
        return [one for series in self.series() for one in series.instances if self._named(one)]

    def series(self) -> list[Series]:
        """All series of the resource in the path, in order. Raises NotHere."""
        study = self.tree.studies.get(self.path["study"])
        wanted = self.path.get("series")
        found = [one for one in study.series.values() if wanted in (None, one.uid)] if study else []
        if not found or ("instance" in self.path and self.path["instance"] not in found[0].members):
            raise NotHere
        return sorted(found, key=lambda one: (one.first.header.number("00200011"), one.uid))

    def instance(self) -> Instance:
        """The instance that the path names. Raises NotHere."""
        one = self.tree.by_uid.get(self.path["instance"])
        if one is None or one.study != self.path["study"] or one.series != self.path["series"]:
            raise NotHere
        return one

    def _named(self, one: Instance) -> bool:
        return self.path.get("instance", one.uid) == one.uid

    # -- doing
    async def open(self, instances: Iterable[Instance]) -> None:
        """Note the look at each record, before anything of it leaves."""
        for record in {one.record for one in instances}:
            await self.app.grants.open(self.grant, record)

    async def thread(self, call: Any, *args: Any) -> Any:
        """Run something that uses the database in a thread."""
        return await self.app.grants.thread(call, *args)

    async def disk(self, call: Any, *args: Any) -> Any:
        """Run something that uses the vault and no database in a thread."""
        return await self.app.disk(call, *args)

    # -- answering
    def takes_gzip(self) -> bool:
        """Whether the client takes Content-Encoding: gzip (RFC 9110 §12.5.3)."""
        codings = self.headers.get(b"accept-encoding", b"").lower().replace(b" ", b"").split(b",")
        return any(one.partition(b";")[0] in (b"gzip", b"*") and one[-3:] != b"q=0" for one in codings)

    def require_json(self) -> None:
        """Raises Refused (406) when the client takes no JSON; XML is not made here."""
        if not any(one.covers(kind) for one in self.accept for kind in JSON_TYPES) and self.accept:
            raise Refused(406, "Attributes can be had as application/dicom+json only; XML is not made here.")

    async def whole(self, media_type: bytes, body: bytes, *headers: Header) -> None:
        """An answer in one piece."""
        if self.scope["method"] == "HEAD":
            length = (b"content-length", str(len(body)).encode())
            await self._head([(b"content-type", media_type), length, *headers], 200)
            return
        await reply.whole(self.send, 200, media_type, body, *headers)

    async def stream(self, head: list[Header], batches: Iterator[list[bytes]], status: int = 200) -> None:
        """An answer in batches of pieces that a thread makes."""
        if self.scope["method"] == "HEAD":
            await self._head(head, status)
            return
        await reply.stream(self.send, self.receive, self.disk, (status, head), batches)

    async def _head(self, head: list[Header], status: int) -> None:
        await self.send({"type": "http.response.start", "status": status, "headers": [*ALWAYS, *head]})
        await self.send({"type": "http.response.body", "body": b""})
