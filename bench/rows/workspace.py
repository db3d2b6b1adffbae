"""Further figures: a whole disc, a very large upload, pages of large cases, the first image of a disc."""

import io
import json
import os
import statistics
import tarfile
import time
from collections.abc import Callable
from typing import Any

from bench import data, tus
from bench.client import Connection, together
from bench.corpus import Corpus
from bench.processes import Peak, memory, started_as
from bench.rounds import TABLE, Measured, Values, alternate, ratios, timed
from bench.rows.reading import FRAME, JSON
from bench.servers import Consilium, Server
from bench.stage import Stage, stow

STREAMS = 4
MIB = 2**20
PAGES = ("Accept", "text/html")


def uploads(server: Server) -> str:
    """Where uploads are created: below the case, or anywhere at the sink."""
    return f"/data/cases/{server.case}/uploads" if isinstance(server, Consilium) else "/sink/uploads"


# -- a disc


def bundle(stage: Stage) -> bytes:
    """A disc of 3,000 MR images as the browser sends a folder: one tar."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for number, one in enumerate(data.mr_series(stage.some(3000))):
            member = tarfile.TarInfo(f"DICOM/ST{number // 500:03}/IM{number:06}")
            member.size = len(one)
            archive.addfile(member, io.BytesIO(one))
    return out.getvalue()


def disc(stage: Stage) -> tuple[Values, Values, int]:
    """Seconds until a disc was sent, by server; ours until it was filed and until everything was looked at; bytes."""
    tar = bundle(stage)
    later: Values = {"filed": [], "looked at": []}

    def once(server: Server) -> float:
        server.renew()
        server.settle()
        seconds = timed(lambda: tus.upload(server, [("disc.tar", tar)], uploads(server)))
        if isinstance(server, Consilium):
            started = time.perf_counter()
            server.inside("filed", case=server.case, files=stage.some(3000))
            later["filed"].append(seconds + time.perf_counter() - started)
            server.settle()
            later["looked at"].append(seconds + time.perf_counter() - started)
        return seconds

    return alternate(min(stage.rounds, 3), [stage.sink, stage.consilium], once), later, len(tar)


@TABLE.row(
    "disc_3000", "disc of 3,000 files, sent and filed, ÷ the plain copy of its bytes", 1.3, at_most=True, extra=True
)
def disc_3000(stage: Stage) -> Measured:
    """One tus upload; the plain copy sends the same requests to the sink. Filed: a row for every image, shown."""
    found, later, size = disc(stage)
    each = ratios(later["filed"], found["sink"])
    sent = statistics.median(ratios(found["Consilium"], found["sink"]))
    looked = statistics.median(later["looked at"])
    notes = [
        f"{size / 1e6:.0f} MB. Sent (acknowledged, durable): {sent:.2f} × the plain copy.",
        f"Until every hash was computed and the first pictures were made: {looked:.1f} s (median).",
    ]
    raw = {"plain copy": found["sink"], "sent": found["Consilium"], "filed": later["filed"]}
    return Measured(statistics.median(each), raw, "s", each, notes)


# -- a very large upload


@TABLE.row(
    "upload_3gb_memory",
    "memory of the web server above idle during a 3 GB upload",
    256,
    at_most=True,
    extra=True,
    shown=" MiB",
)
def upload_3gb_memory(stage: Stage) -> Measured:
    """A server that has done nothing yet gets random bytes (nothing that could be read) in pieces of 64 MiB.

    Proportional set size of all web processes. A server that has worked keeps memory and would show no growth.
    """
    size = stage.some(3 * 10**9)
    piece = os.urandom(tus.PIECE)
    with Consilium() as server:
        tus.upload(server, [("first.bin", piece[:1000])], uploads(server))
        server.settle()
        pid = server.process.pid if server.process else 0
        web_pid = started_as(pid, "granian")
        idle, all_idle = memory(web_pid), memory(pid)
        with Peak(web_pid) as web, Peak(pid) as everything:
            seconds = _send_large(server, piece, size)
            server.settle()
    raw = {"web idle": [idle / MIB], "web peak": [web.most / MIB]}
    above = (everything.most - all_idle) / MIB
    notes = [f"{size / 1e9:.1f} GB in {seconds:.1f} s.", f"With job workers, until it is filed: {above:.0f} MiB above."]
    return Measured((web.most - idle) / MIB, raw, "MiB", [], notes)


def _send_large(server: Consilium, piece: bytes, size: int) -> float:
    """Seconds for an upload of `size` bytes made of one piece again and again."""
    started = time.perf_counter()
    connection = Connection(server.port)
    path = tus.create(connection, uploads(server), server.headers, size=size, name="large.bin")
    whole, rest = divmod(size, len(piece))
    sent = tus.send(connection, path, server.headers, [piece] * whole + ([piece[:rest]] if rest else []))
    connection.close()
    if sent != size:
        raise RuntimeError(f"Only {sent} of {size} bytes arrived.")
    return time.perf_counter() - started


# -- pages


class Visitor:
    """A signed-in browser, reduced to its cookies."""

    def __init__(self, server: Consilium) -> None:
        self.name = server.name
        self.connection = Connection(server.port)
        self.cookies = {"consilium": server.cookie}

    def ask(self, method: str, path: str, body: bytes = b"") -> tuple[float, str]:
        """Milliseconds, and the page, which must be a 200."""
        headers = [("Cookie", "; ".join(f"{name}={value}" for name, value in self.cookies.items())), PAGES]
        headers += [("Content-Type", "application/x-www-form-urlencoded")] if body else []
        started = time.perf_counter()
        answer = self.connection.ask(method, path, headers, body, keep=True)
        passed = (time.perf_counter() - started) * 1000
        if answer.status != 200:
            raise RuntimeError(f"{method} of a page was answered with {answer.status}.")
        for line in answer.headers.get("set-cookie", "").splitlines():
            name, _, value = line.partition(";")[0].partition("=")
            self.cookies[name] = value
        return passed, answer.body.decode()


def repeated(times: int, once: Callable[[int], tuple[float, str]], check: str) -> list[float]:
    """Milliseconds of `times` requests after a few that load templates; every page holds `check`."""
    found = []
    for number in range(times + 3):
        passed, page = once(number)
        if check not in page:
            raise RuntimeError(f"A page does not show “{check}”.")
        found.append(passed)
    return found[3:]


def _p95(values: list[float], notes: list[str]) -> Measured:
    p95 = statistics.quantiles(values, n=20)[-1]
    return Measured(p95, {"all requests": values}, "ms", [], notes)


@TABLE.row("timeline_500", "timeline page of a case with 500 records, p95", 100, at_most=True, extra=True, shown=" ms")
def timeline_500(stage: Stage) -> Measured:
    server = stage.consilium
    server.renew()
    count = stage.some(500)
    server.inside("many_records", case=server.case, count=count, pages=1)
    path, visitor = server.inside("page", name="timeline", case=server.case), Visitor(server)
    values = repeated(60, lambda _number: visitor.ask("GET", path), "Document 1")
    return _p95(values, [f"{count} records; seen by the patient, from the client's side, on one connection."])


@TABLE.row("search_500", "search in a case with 500 pages, p95", 200, at_most=True, extra=True, shown=" ms")
def search_500(stage: Stage) -> Measured:
    server = stage.consilium
    server.renew()
    count = stage.some(500) // 5
    server.inside("many_records", case=server.case, count=count, pages=5)
    path, visitor = server.inside("page", name="search", case=server.case), Visitor(server)
    form = visitor.ask("GET", path)[1]
    token = form.split('name="csrfmiddlewaretoken" value="', 1)[1].split('"', 1)[0]
    words = ("spondylolisthesis", "creatinine", "nerve+root")

    def once(number: int) -> tuple[float, str]:
        return visitor.ask("POST", path, f"csrfmiddlewaretoken={token}&q={words[number % 3]}".encode())

    values = repeated(60, once, "Document")
    return _p95(values, [f"{count * 5} pages in {count} records; one rare word, one common word, two words."])


# -- disc → first image


@TABLE.row(
    "first_image", "first image in the viewer's hands, ÷ the time of the whole upload", 1.3, at_most=True, extra=True
)
def first_image(stage: Stage) -> Measured:
    """While the CT is stored, another connection asks for the study, its series and one frame until it has them."""
    server = stage.consilium
    found: Values = {"first image": [], "upload": []}
    for _ in range(min(stage.rounds, 3)):
        server.renew()
        server.settle()
        first, whole = _race(server, stage.ct)
        found["first image"].append(first)
        found["upload"].append(whole)
        server.settle()
    each = ratios(found["first image"], found["upload"])
    return Measured(statistics.median(each), found, "s", each, ["The viewer can open before the rest has arrived."])


def _race(server: Server, what: Corpus) -> tuple[float, float]:
    """Seconds until one frame was there, and until everything was stored."""
    started = time.perf_counter()
    ends: dict[str, float] = {}

    def send() -> None:
        connection = Connection(server.port)
        for body in what.bodies:
            stow(connection, server, body)
        connection.close()
        ends["upload"] = time.perf_counter() - started

    def look() -> None:
        while not _has_frame(server, what):
            if time.perf_counter() - started > 300:
                raise TimeoutError("No image came.")
            time.sleep(0.02)
        ends["first"] = time.perf_counter() - started

    together([send, look], 2, lambda share: [do() for do in share])
    return ends["first"], ends["upload"]


def _has_frame(server: Server, what: Corpus) -> bool:
    studies = _json(server, "/studies")
    instances = _json(server, f"{what.series}/instances?limit=1") if studies else []
    if not instances:
        return False
    sop = instances[0]["00080018"]["Value"][0]
    answer = server.ask("GET", f"{server.root}{what.series}/instances/{sop}/frames/1", [FRAME])
    return bool(answer.status == 200 and answer.size > 1000)


def _json(server: Server, path: str) -> list[dict[str, Any]]:
    answer = server.ask("GET", server.root + path, [JSON])
    return list(json.loads(answer.body)) if answer.status == 200 and answer.body else []
