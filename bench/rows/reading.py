"""Reading the stored CT series back: frames, metadata, searches, whole study, zip. Both hold the same 600 instances."""

import io
import json
import zipfile
from collections.abc import Callable, Sequence
from typing import Any

from bench.client import Connection, Headers, parts, together
from bench.corpus import multipart
from bench.rounds import TABLE, Measured, Used, alternate, compared, latencies, timed
from bench.servers import Consilium, Orthanc, Server
from bench.stage import Stage, stow

PEER, OURS = "Orthanc", "Consilium"
JSON = ("Accept", "application/dicom+json")
GZIP = ("Accept-Encoding", "gzip")
FRAME = ("Accept", 'multipart/related; type="application/octet-stream"')
DICOM = ("Accept", 'multipart/related; type="application/dicom"')


def both(stage: Stage) -> list[Server]:
    """The two servers with the CT series in their stores."""
    return [stage.loaded(stage.orthanc), stage.loaded(stage.consilium)]


def fetch(server: Server, paths: Sequence[str], headers: Headers, *, least: int = 1) -> None:
    """Ask for every path over one connection, without keeping the answers; each is at least `least` bytes."""
    connection = Connection(server.port)
    wanted = [*server.headers, *headers]
    for path in paths:
        answer = connection.ask("GET", path, wanted)
        if answer.status != 200 or answer.size < least:
            connection.close()
            raise RuntimeError(f"{server.name} answered {path} with {answer.status} and {answer.size} bytes.")
    connection.close()


# -- frames


def frames(stage: Stage, streams: int) -> Measured:
    """One frame of each instance, every one another; the first of each server is compared with the pixel data."""
    servers = both(stage)
    instances = stage.ct.instances
    pixels = instances[0].dataset().PixelData
    paths = [f"{stage.ct.series}/instances/{one.sop}/frames/1" for one in instances]
    for server in servers:
        answer = server.ask("GET", server.root + paths[0], [FRAME])
        got = parts(answer.headers.get("content-type", ""), answer.body) if answer.status == 200 else []
        if got != [pixels]:
            raise RuntimeError(f"{server.name} sends another frame than was stored ({answer.status}).")

    def once(server: Server) -> float:
        def send(share: Sequence[str]) -> None:
            fetch(server, [server.root + path for path in share], [FRAME], least=len(pixels))

        return used.during(server, lambda: timed(lambda: together(paths, streams, send)))

    used = Used()
    found = alternate(stage.rounds, servers, once)
    notes = [used.note(len(paths), "frame")]
    return compared(found, PEER, OURS, work=len(paths), unit="frames/s", notes=notes)


@TABLE.row("frames_c1", "WADO-RS frames of 512 KiB, all different, 1 connection", 5)
def frames_c1(stage: Stage) -> Measured:
    return frames(stage, 1)


@TABLE.row("frames_c8", "WADO-RS frames of 512 KiB, all different, 8 connections", 2.5)
def frames_c8(stage: Stage) -> Measured:
    return frames(stage, 8)


# -- metadata


def _metadata_same(servers: list[Server], path: str, count: int) -> str:
    """Both describe every instance; a sentence on how many attributes each gives."""
    told = []
    for server in servers:
        found = json.loads(server.ask("GET", server.root + path, [JSON, GZIP]).body)
        if len(found) != count or len({one["00080018"]["Value"][0] for one in found}) != count:
            raise RuntimeError(f"{server.name} describes {len(found)} of {count} instances.")
        told.append(f"{server.name} {max(len(one) for one in found)}")
    return f"Attributes of the first level an instance: {', '.join(told)}."


def repeated(server: Server, path: str, headers: Headers, times: int) -> float:
    """Seconds for one of `times` requests one after the other."""
    return timed(lambda: fetch(server, [server.root + path] * times, headers)) / times


@TABLE.row("series_metadata_warm", "series metadata of 600 instances, again", 50)
def series_metadata_warm(stage: Stage) -> Measured:
    """Gzip is offered to both, as browsers do. Orthanc makes it anew each time and has no warm answer."""
    servers, path = both(stage), stage.ct.series + "/metadata"
    notes = [_metadata_same(servers, path, len(stage.ct.instances))]

    def once(server: Server) -> float:
        return repeated(server, path, [JSON, GZIP], 20 if isinstance(server, Consilium) else 2)

    return latencies(alternate(stage.rounds, servers, once), PEER, OURS, requests=1, notes=notes)


@TABLE.row("series_metadata_rebuilt", "series metadata of 600 instances, made anew", 3)
def series_metadata_rebuilt(stage: Stage) -> Measured:
    """Before each request another slice is stored into the series of both, so that nothing kept is good any more."""
    servers, path = both(stage), stage.ct.series + "/metadata"
    stored = dict.fromkeys((PEER, OURS), 0)

    def once(server: Server) -> float:
        connection = Connection(server.port)
        stow(connection, server, multipart([stage.late[stored[server.name]].data]))
        connection.close()
        stored[server.name] += 1
        server.settle()
        return repeated(server, path, [JSON, GZIP], 1)

    for server in servers:
        once(server)
    found = alternate(stage.rounds, servers, once)
    notes = [_metadata_same(servers, path, len(stage.ct.instances) + stage.rounds + 1)]
    stage.unload()
    return latencies(found, PEER, OURS, requests=1, notes=notes)


# -- searches (QIDO-RS)


def search(stage: Stage, path: str, *, ours: int, peers: int) -> Measured:
    """The same search with the same attributes: what the peer gives by default is asked of both by includefield."""
    servers = both(stage)
    peer, us = servers
    given = {tag for one in _found(peer, path) for tag in one}
    asked = f"{path}?" + "&".join(f"includefield={tag}" for tag in sorted(given))
    theirs, own = _found(peer, asked), _found(us, asked)
    lacking = sorted({tag for one in theirs for tag in one} - {tag for one in own for tag in one})
    if len(theirs) != len(own) or lacking:
        raise RuntimeError(f"Not the same work: {len(theirs)} and {len(own)} results, lacking {lacking}.")
    notes = [f"Attributes a result: {PEER} {len(theirs[0])}, {OURS} {len(own[0])}; results: {len(own)}."]

    def once(server: Server) -> float:
        return repeated(server, asked, [JSON], ours if isinstance(server, Consilium) else peers)

    return latencies(alternate(stage.rounds, servers, once), PEER, OURS, requests=1, notes=notes)


def _found(server: Server, path: str) -> list[dict[str, Any]]:
    answer = server.ask("GET", server.root + path, [JSON])
    if answer.status != 200:
        raise RuntimeError(f"{server.name} answered {path} with {answer.status}: {answer.body[:200]!r}")
    return list(json.loads(answer.body))


@TABLE.row("qido_studies", "QIDO-RS studies, 1 study in the store", 10)
def qido_studies(stage: Stage) -> Measured:
    return search(stage, "/studies", ours=200, peers=50)


@TABLE.row("qido_instances", "QIDO-RS instances of a series of 600", 50)
def qido_instances(stage: Stage) -> Measured:
    return search(stage, f"{stage.ct.series}/instances", ours=20, peers=2)


# -- everything at once


def once_each(stage: Stage, ask: Callable[[Server], tuple[str, Headers]], *, unit: str = "MB/s") -> Measured:
    """One large answer of each; raw values in megabytes of stored files a second."""

    def once(server: Server) -> float:
        path, headers = ask(server)
        return used.during(server, lambda: timed(lambda: fetch(server, [path], headers, least=1000)))

    used = Used()
    found = alternate(stage.rounds, both(stage), once)
    return compared(found, PEER, OURS, work=stage.ct.size / 1e6, unit=unit, notes=[used.note(1, "retrieve")])


@TABLE.row("whole_study", "WADO-RS retrieve of the whole study", 1)
def whole_study(stage: Stage) -> Measured:
    path = f"/studies/{stage.ct.study}"
    for server in both(stage):
        answer = server.ask("GET", server.root + path, [DICOM])
        got = len(parts(answer.headers.get("content-type", ""), answer.body)) if answer.status == 200 else 0
        if got < len(stage.ct.instances):
            raise RuntimeError(f"{server.name} sends {got} of {len(stage.ct.instances)} instances ({answer.status}).")
    return once_each(stage, lambda server: (server.root + path, [DICOM]))


def _zip(server: Server) -> tuple[str, Headers]:
    """Path and headers of the archive; ours is a page for the patient, so with the cookie of the session."""
    if isinstance(server, Orthanc):
        study = json.loads(server.ask("GET", "/studies").body)[0]
        return f"/studies/{study}/archive", ()
    assert isinstance(server, Consilium)
    return server.inside("page", name="download", case=server.case), [("Cookie", f"consilium={server.cookie}")]


@TABLE.row("zip", "zip of the study (Orthanc deflates, we store)", 10)
def zip_of_study(stage: Stage) -> Measured:
    """Each archive is opened once before: every image must be in it, unchanged."""
    wanted = {one.data[132:] for one in stage.ct.instances}  # Orthanc may write another preamble
    for server in both(stage):
        answer = server.ask("GET", *_zip(server))
        if answer.status != 200:
            raise RuntimeError(f"{server.name} answered with {answer.status} instead of a zip.")
        archive = zipfile.ZipFile(io.BytesIO(answer.body))
        lacking = wanted - {archive.read(name)[132:] for name in archive.namelist()}
        if lacking:
            raise RuntimeError(f"The zip of {server.name} lacks {len(lacking)} of {len(wanted)} images.")
    return once_each(stage, _zip)
