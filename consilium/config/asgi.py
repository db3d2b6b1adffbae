"""The one ASGI entry: /data/ on bare ASGI, everything else to Django's WSGI application through the bridge."""

import ctypes
import logging
import multiprocessing
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import Any
from uuid import UUID

from consilium.config.wsgi import application as pages  # sets Django up; must come first

from django.conf import settings  # isort: skip
from django.urls import get_resolver  # isort: skip

from consilium.config.bridge import Bridge, Receive, Send, plain
from consilium.config.environ import Scope
from consilium.config.origin import origin_of
from consilium.config.warm import warm_up
from consilium.gateways.data.app import DataPlane, Grant
from consilium.gateways.data.grants import Grant as CaseGrant
from consilium.gateways.data.grants import Grants
from consilium.gateways.data.slides import Slides, is_slide
from consilium.gateways.dicomweb.app import ROOT as DICOMWEB_ROOT
from consilium.gateways.dicomweb.app import DicomWeb
from consilium.gateways.tus.app import Tus
from consilium.gateways.tus.protocol import place_of

log = logging.getLogger("consilium.request")


def _gate(cookies: dict[str, str], record: UUID, part: str) -> Grant | None:
    from consilium.web.bytes_gate import open_record

    return open_record(cookies, record, part)


def _case_gate(cookies: dict[str, str], bearer: str, case: UUID) -> CaseGrant | None:
    from consilium.web.case_gate import ask

    return ask(cookies, bearer, case)


bridge = Bridge(pages, proxies=settings.TRUSTED_PROXIES)
data_plane = DataPlane(_gate)
grants = Grants(_case_gate, data_plane.pool)
tus = Tus(grants)
slides = Slides(grants)
dicomweb = DicomWeb(grants, origin=lambda scope: origin_of(scope, bridge.proxies))
# Who serves a path below /data/: the first that knows it. Every route of theirs has a row in web/routes.py.
GATEWAYS: tuple[tuple[Callable[[str], object], Callable[..., Awaitable[None]]], ...] = (
    (place_of, tus),
    (is_slide, slides),
    (DICOMWEB_ROOT.fullmatch, dicomweb),
    (lambda path: path.startswith("/data/"), data_plane),
)


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Route by scope type and path; log one line per request without path, query or names."""
    if scope["type"] == "lifespan":
        await _lifespan(receive, send)
        return
    if scope["type"] != "http":
        await receive()
        await send({"type": "websocket.close", "code": 1008})
        return
    started, status = time.monotonic(), 0

    async def noting(message: dict[str, Any]) -> None:
        nonlocal status
        status = message.get("status", status)
        await send(message)

    try:
        if scope["path"] == "/healthz":
            await plain(200, "ok").send(noting)
        else:
            await gateway_of(scope["path"])(scope, receive, noting)
    finally:
        fields = {"method": scope["method"], "route": _area(scope["path"]), "status": status}
        log.info("request", extra={**fields, "duration_ms": round((time.monotonic() - started) * 1000)})


def gateway_of(path: str) -> Callable[..., Awaitable[None]]:
    """The application that serves a path: a gateway of the data plane, or the pages."""
    return next((app for knows, app in GATEWAYS if knows(path)), bridge)


def _areas(entries: Iterable[Any]) -> Iterator[str]:
    """First path segments of the URL configuration; a log may name these and nothing a visitor typed."""
    for entry in entries:
        prefix = str(entry.pattern)
        if prefix == "" and hasattr(entry, "url_patterns"):
            yield from _areas(entry.url_patterns)
        first = prefix.split("/", 1)[0]
        if first and first.replace("-", "").replace("_", "").isalnum():
            yield first


_known_areas = {"data", "static", "healthz"}


def _area(path: str) -> str:
    first = path.strip("/").split("/", 1)[0]
    return f"/{first}" if first in _known_areas or first == "" else "/…"


def _end_with_server() -> None:
    """Linux: this process dies with the server's main process, however that ends, so that no orphan keeps the port."""
    if sys.platform == "linux" and multiprocessing.parent_process() is not None:
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            _end_with_server()
            _known_areas.update(_areas(get_resolver().url_patterns))
            warm_up()
            await send({"type": "lifespan.startup.complete"})
        else:
            await bridge.close()
            await send({"type": "lifespan.shutdown.complete"})
            return
