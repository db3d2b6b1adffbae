"""DICOMweb of one case: routes, who may, and refusals. Bare ASGI, mounted at /data/cases/<case>/dicomweb.

The grant (data/grants.py) is asked once and holds for half a minute; after that a request touches the index in memory
and the vault. What is absent and what is not theirs to see get the same 404 as in the rest of the data plane.
"""

import asyncio
import logging
import re
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

from django.db import close_old_connections, connection, connections

from consilium.gateways.data.app import UUID_PATTERN, Truncated, cookies_of
from consilium.gateways.data.app import _refuse as not_here
from consilium.gateways.data.grants import LIFE, Grant, Grants, bearer_of, same_origin
from consilium.gateways.dicomweb import qido, rendered, reply, stow, wado
from consilium.gateways.dicomweb.exchange import Exchange
from consilium.gateways.dicomweb.index import Indexes
from consilium.gateways.dicomweb.metadata import Products
from consilium.gateways.dicomweb.reply import JSON_TYPE, NotHere, Receive, Refused, Scope, Send
from consilium.vault import keys
from consilium.vault.errors import KeyDestroyed, KeyMissing

log = logging.getLogger("consilium.dicomweb")

ROOT = re.compile(rf"/data/cases/(?P<case>{UUID_PATTERN})/dicomweb(?P<rest>/.*)?")
_UID = "[^/]{1,128}"  # also what is none (PS3.5 §9.1): discs hold letters, leading zeros, and too many digits
_STUDY = rf"/studies/(?P<study>{_UID})"
_SERIES = rf"{_STUDY}/series/(?P<series>{_UID})"
_INSTANCE = rf"{_SERIES}/instances/(?P<instance>{_UID})"
_VALUE = "(?P<value>[0-9A-F]{8}(?:/[0-9]{1,6}/[0-9A-F]{8}){0,32})"
_FRAMES = "(?P<frames>[0-9,]{1,60000})"
_FOREST = {"studies": "/studies", "series": "/series", "instances": "/instances"}
AGAIN = 1.0  # seconds after which a miss is worth asking the gate anew

Verb = Callable[[Exchange], Awaitable[None]]


async def _search(asked: Exchange) -> None:
    """QIDO-RS (§10.6)."""
    asked.require_json()
    level = qido.NAMES[asked.path["what"]]
    search = qido.read(level, len({"study", "series"} & asked.path.keys()), asked.query)
    if "study" in asked.path:
        asked.series()
    found = qido.run(search, asked.tree, asked.path, asked.root)
    if level != qido.STUDY or search.everything:
        await asked.open(found.instances)
    more = f'299 {asked.root}: "There are {found.remaining} additional results that can be requested"'
    await asked.whole(JSON_TYPE, found.body, *([(b"warning", more.encode())] if found.remaining else []))


# Most used first. PS3.18 §10.4.1, §10.5.1 and §10.6.1.
READING: list[tuple[re.Pattern[str], Verb]] = [
    (re.compile(pattern), verb)
    for pattern, verb in [
        (rf"{_INSTANCE}/frames/{_FRAMES}", wado.frames),
        (rf"{_INSTANCE}/metadata", wado.metadata),
        (rf"{_SERIES}/metadata", wado.metadata),
        (rf"{_STUDY}/metadata", wado.metadata),
        (r"/(?P<what>studies|series|instances)", _search),
        (rf"{_STUDY}/(?P<what>series|instances)", _search),
        (rf"{_SERIES}/(?P<what>instances)", _search),
        (rf"{_STUDY}", wado.instances),
        (rf"{_SERIES}", wado.instances),
        (rf"{_INSTANCE}", wado.instances),
        (rf"{_INSTANCE}/bulkdata/{_VALUE}", wado.bulkdata),
        (rf"{_INSTANCE}/pixeldata", wado.bulkdata),
        (rf"{_INSTANCE}/frames/{_FRAMES}/(?P<form>rendered|thumbnail)", rendered.show),
        (rf"{_INSTANCE}/(?P<form>rendered|thumbnail)", rendered.show),
        (rf"{_SERIES}/(?P<form>rendered|thumbnail)", rendered.show),
        (rf"{_STUDY}/(?P<form>rendered|thumbnail)", rendered.show),
    ]
]
STORING = re.compile(rf"/studies(?:/(?P<study>{_UID}))?")


class DicomWeb:
    """The ASGI application. `origin` gives scheme and host of a request, such as https://example.org, or ""."""

    def __init__(self, grants: Grants, *, origin: Callable[[Scope], str], threads: int = 4) -> None:
        self.grants = grants
        self.origin = origin
        self.indexes = Indexes(grants.thread)
        self.products = Products()
        self.filing = stow.Filing(self._file)
        self._disk = ThreadPoolExecutor(threads, thread_name_prefix="dicomweb")
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="dicomweb-filing")

    async def disk(self, call: Callable[..., Any], *args: Any) -> Any:
        """Run something that uses the vault and no database in a thread."""
        return await asyncio.get_running_loop().run_in_executor(self._disk, call, *args)

    async def _file(self, call: Callable[..., Any], *args: Any) -> Any:
        """Run something that writes rows, in the one thread that does: its connection to SQLite stays open."""

        def run() -> Any:
            if connection.vendor != "sqlite":
                close_old_connections()
            return call(*args)

        return await asyncio.get_running_loop().run_in_executor(self._writer, run)

    def close(self) -> None:
        """Let go of threads and the connection."""
        self._writer.submit(connections.close_all).result()
        self._writer.shutdown()
        self._disk.shutdown()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = reply.folded(scope["headers"])
        try:
            await self._answer(scope, receive, send, headers)
        except NotHere:
            await not_here(send, 404)
        except (KeyDestroyed, KeyMissing):  # the case was erased while we looked
            await not_here(send, 404)
        except Refused as refused:
            await reply.refuse(send, refused, as_json=b"text/" not in headers.get(b"accept", b""))
        except Truncated:
            raise
        except Exception:  # the boundary: whatever it is, it is logged and answered
            log.exception("a DICOMweb request failed")
            await not_here(send, 500)

    async def _answer(self, scope: Scope, receive: Receive, send: Send, headers: dict[bytes, bytes]) -> None:
        place = ROOT.fullmatch(scope["path"])
        if place is None:
            raise NotHere
        case, rest = UUID(place["case"]), (place["rest"] or "").rstrip("/")
        if scope["method"] in ("GET", "HEAD"):
            await self._read(scope, receive, send, headers, case, rest)
        elif scope["method"] == "POST":
            await self._store(scope, receive, send, headers, case, rest)
        else:
            raise Refused(405, "Here images are added (POST), searched and read (GET).", (b"allow", b"GET, HEAD, POST"))

    async def _grant(self, scope: Scope, case: UUID, *, fresh: bool = False) -> Grant:
        bearer = bearer_of(scope["headers"])
        grant = await self.grants.of({} if bearer else cookies_of(scope), bearer, case, fresh=fresh)
        if grant is None:
            raise NotHere
        return grant

    # -- reading
    async def _read(
        self, scope: Scope, receive: Receive, send: Send, headers: dict[bytes, bytes], case: UUID, rest: str
    ) -> None:
        verb, path = _route(rest)
        grant = await self._grant(scope, case)
        keys.require_alive(case)
        index = await self.indexes.of(case)
        if index.grew_at > grant.ends - LIFE:  # a record came after the gate was asked
            grant = await self._grant(scope, case, fresh=True)
        for attempt in range(2):
            if not grant.may_read:
                raise Refused(403, "This key adds images; it does not open them.")
            asked = Exchange(self, scope, receive, send, headers, path, grant, index)
            try:
                await verb(asked)
                return
            except NotHere:
                older = time.monotonic() - (grant.ends - LIFE) > AGAIN
                if attempt or not older:
                    raise
            # It may have come a moment ago: by another process, or a person has just decided about it.
            grant = await self._grant(scope, case, fresh=True)
            index = await self.indexes.of(case, fresh=True)

    # -- storing
    async def _store(
        self, scope: Scope, receive: Receive, send: Send, headers: dict[bytes, bytes], case: UUID, rest: str
    ) -> None:
        route = STORING.fullmatch(rest)
        if route is None:
            raise NotHere
        grant = await self._grant(scope, case)
        if not grant.may_add:
            raise Refused(403, "This key opens images; it does not add any.")
        if not bearer_of(scope["headers"]) and not same_origin(scope["headers"]):
            raise Refused(403, "A signed-in browser adds images from this site's own pages only.")
        keys.require_alive(case)
        index = await self.indexes.of(case)
        path = {key: value for key, value in route.groupdict().items() if value}
        await stow.store(Exchange(self, scope, receive, send, headers, path, grant, index))


def _route(rest: str) -> tuple[Verb, dict[str, str]]:
    for pattern, verb in READING:
        found = pattern.fullmatch(rest)
        if found:
            return verb, {key: value for key, value in found.groupdict().items() if value is not None}
    raise NotHere
