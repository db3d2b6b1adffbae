"""Tiles of a slide: /data/cases/<case>/slides/<file>/info.json and …/<level>/<x>_<y>.jpg.

Authorised by the case's grant; where the tiles lie is read from the database once and kept, so that a tile costs
one positioned read and its decryption. Level 0 fits into one tile; the last one is the full resolution.
"""

import json
import logging
import re
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from consilium.gateways.data.app import ALWAYS, UUID_PATTERN, Receive, Scope, Send, _refuse, cookies_of
from consilium.gateways.data.grants import Grant, Grants, bearer_of
from consilium.records import slide_tiles
from consilium.records.slide_tiles import Layout
from consilium.vault.errors import BlobMissing, VaultError

log = logging.getLogger("consilium.data")

ROUTES = {  # name → what follows the slide (web/routes.py has a row for each)
    "slides:info": r"info\.json",
    "slides:tile": r"(?P<level>[0-9]{1,2})/(?P<x>[0-9]{1,5})_(?P<y>[0-9]{1,5})\.jpg",
}
PATH = re.compile(
    rf"/data/cases/(?P<case>{UUID_PATTERN})/slides/(?P<file>{UUID_PATTERN})/(?:{'|'.join(ROUTES.values())})"
)
# A prepared slide does not change unless a further file joins it; one in preparation grows every few seconds.
LIFE_READY, LIFE_WORKING, KEPT = 60.0, 2.0, 64


def is_slide(path: str) -> bool:
    """Whether the path lies below a case's slides."""
    return bool(re.match(rf"/data/cases/{UUID_PATTERN}/slides/", path))


@dataclass
class _Kept:
    layout: Layout
    ends: float


class Slides:
    """Bare ASGI application for the paths above."""

    def __init__(self, grants: Grants) -> None:
        self.grants = grants
        self._kept: OrderedDict[UUID, _Kept] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] not in ("GET", "HEAD"):
            await _refuse(send, 405, (b"allow", b"GET, HEAD"))
            return
        named = PATH.fullmatch(scope["path"])
        found = await self._open(scope, named) if named else None
        if named is None or found is None:
            await _refuse(send, 404)
            return
        try:
            await self._answer(found, named, scope["method"] == "HEAD", send)
        except BlobMissing:  # cut anew meanwhile: the next look finds the new tiles
            self._kept.pop(found.file, None)
            await _refuse(send, 404)
        except VaultError:  # erased, or damaged on disk
            log.exception("a tile could not be read")
            self._kept.pop(found.file, None)
            await _refuse(send, 404)

    async def _open(self, scope: Scope, named: re.Match[str]) -> Layout | None:
        """The layout when the holder of the key may see its record; the first look is audited."""
        case, file = UUID(named["case"]), UUID(named["file"])
        cookies, bearer = cookies_of(scope), bearer_of(scope["headers"])
        grant: Grant | None = await self.grants.of(cookies, bearer, case)
        if grant is None or not grant.may_read:
            return None
        found = await self._layout(file)
        if found is None or found.space != grant.space:
            return None
        if found.record not in grant.records:
            grant = await self.grants.of(cookies, bearer, case, fresh=True)
            if grant is None or found.record not in grant.records:
                return None
        await self.grants.open(grant, found.record)
        return found

    async def _layout(self, file: UUID) -> Layout | None:
        kept = self._kept.get(file)
        if kept is not None and kept.ends > time.monotonic():
            self._kept.move_to_end(file)
            return kept.layout
        found: Layout | None = await self.grants.thread(_read_layout, file)
        if found is None:
            self._kept.pop(file, None)
            return None
        life = LIFE_READY if found.status == "ready" else LIFE_WORKING
        self._kept[file] = _Kept(found, time.monotonic() + life)
        self._kept.move_to_end(file)
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return found

    async def _answer(self, found: Layout, named: re.Match[str], head_only: bool, send: Send) -> None:
        if named["level"] is None:
            body, media_type = json.dumps(described(found)).encode(), b"application/json"
        else:
            place = (int(named["level"]), int(named["x"]), int(named["y"]))
            tile = await self.grants.thread(found.tile, *place)
            if tile is None:
                await _refuse(send, 404)
                return
            body, media_type = tile, b"image/jpeg"
        headers = [*ALWAYS, (b"content-type", media_type), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if head_only else body})


def described(found: Layout) -> dict[str, Any]:
    """What a viewer needs: sizes in pixels, micrometres a pixel, and how many levels are there already."""
    return {
        "width": found.width, "height": found.height, "tile": slide_tiles.TILE, "levels": len(found.levels),
        "ready": found.ready, "mpp": found.mpp, "status": found.status, "done": found.done, "total": found.total,
    }  # fmt: skip


def _read_layout(file: UUID) -> Layout | None:
    try:
        return slide_tiles.layout(file)
    except VaultError:  # the case was erased
        return None
