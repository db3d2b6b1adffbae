"""Ingest: the same STOW-RS requests to both, to the sink, and to ourselves without the cipher."""

from collections.abc import Callable

from bench.client import Connection, together
from bench.corpus import Corpus
from bench.rounds import TABLE, Measured, Used, Values, alternate, compared, timed
from bench.servers import Orthanc, Server
from bench.stage import Stage, stow

PEER, OURS, SINK = "Orthanc", "Consilium", "sink"
FEWER = 3  # rounds of further figures


def ingest(
    stage: Stage, servers: list[Server], what: Corpus, *, streams: int = 1, rounds: int = 0
) -> tuple[Values, Used]:
    """Seconds, and CPU seconds of the servers, to store a corpus into an empty store; by server and round."""
    used = Used()

    def once(server: Server) -> float:
        server.renew()
        server.settle()
        seconds = used.during(server, lambda: timed(lambda: together(what.bodies, streams, _sender(server))))
        verify(server, what)
        server.settle()
        return seconds

    warm(servers, what)
    return alternate(rounds or stage.rounds, servers, once), used


def _sender(server: Server) -> Callable[[list[bytes]], None]:
    def send(bodies: list[bytes]) -> None:
        connection = Connection(server.port)
        for body in bodies:
            stow(connection, server, body)
        connection.close()

    return send


def warm(servers: list[Server], what: Corpus) -> None:
    """One request before anything is timed: modules loaded, pools started, caches filled."""
    for server in servers:
        server.renew()
        _sender(server)(what.bodies[:1])
        server.settle()


def verify(server: Server, what: Corpus) -> None:
    """The store holds every instance, and one of them comes back byte by byte (the sink keeps nothing to ask for)."""
    if server.name == SINK:
        return
    last = what.instances[-1]
    path = f"{server.root}/studies/{last.study}/series/{last.series}/instances/{last.sop}"
    accept = ("Accept", 'multipart/related; type="application/dicom"; transfer-syntax=*')
    answer = server.ask("GET", path, [accept])
    if answer.status != 200 or last.data[132:] not in answer.body:
        raise RuntimeError(f"{server.name} does not give back the instance it has taken ({answer.status}).")


def stow_row(stage: Stage, what: Corpus, streams: int, *, rounds: int = 0) -> Measured:
    """Instances a second of both; the ratio above 1 when we are faster."""
    found, used = ingest(stage, [stage.orthanc, stage.consilium], what, streams=streams, rounds=rounds)
    count = len(what.instances)
    return compared(found, PEER, OURS, work=count, unit="instances/s", notes=[used.note(count, "instance")])


@TABLE.row("stow_1_stream", "STOW-RS ingest, CT, 1 stream", 2.5)
def stow_1_stream(stage: Stage) -> Measured:
    return stow_row(stage, stage.ct, 1)


@TABLE.row("stow_4_streams", "STOW-RS ingest, CT, 4 streams", 1.8)
def stow_4_streams(stage: Stage) -> Measured:
    return stow_row(stage, stage.ct, 4)


@TABLE.row("single_post", "one instance a request, 1 stream", 1.2)
def single_post(stage: Stage) -> Measured:
    """Orthanc by its own POST /instances, which is its fastest way in; we by STOW-RS with one part."""
    chosen = stage.ct.instances[: stage.some(200)]
    bodies = stage.ct.single_bodies[: len(chosen)]

    def send(server: Server) -> None:
        connection = Connection(server.port)
        for instance, body in zip(chosen, bodies, strict=True):
            if isinstance(server, Orthanc):
                answer = connection.ask("POST", "/instances", (), instance.data, keep=True)
                assert answer.status == 200, answer
            else:
                stow(connection, server, body)
        connection.close()

    def once(server: Server) -> float:
        server.renew()
        server.settle()
        seconds = timed(lambda: send(server))
        server.settle()
        return seconds

    servers: list[Server] = [stage.orthanc, stage.consilium]
    warm(servers, stage.ct)
    notes = ["Orthanc by POST /instances (its fastest way in), we by STOW-RS with one part."]
    found = alternate(stage.rounds, servers, once)
    return compared(found, PEER, OURS, work=len(chosen), unit="instances/s", notes=notes)


@TABLE.row("sink_share", "our ingest as a share of a bare receive + write + fdatasync", 0.5)
def sink_share(stage: Stage) -> Measured:
    found, used = ingest(stage, [stage.sink, stage.consilium], stage.ct)
    count = len(stage.ct.instances)
    return compared(found, SINK, OURS, work=count, unit="instances/s", notes=[used.note(count, "instance")])


@TABLE.row("encryption_cost", "cost of encryption in ingest (0.06 = 6 %)", 0.10, at_most=True, shown="")
def encryption_cost(stage: Stage) -> Measured:
    """Our ingest against itself with the cipher replaced by a copy; more and shorter rounds, as they differ little."""
    sealed, plain = stage.consilium, stage.plain
    plain.name = "without cipher"
    some = Corpus("CT", stage.ct.instances[: stage.some(200)])
    found, used = ingest(stage, [plain, sealed], some, rounds=3 * stage.rounds)
    count = len(some.instances)
    measured = compared(found, OURS, plain.name, work=count, unit="instances/s", notes=[used.note(count, "instance")])
    measured.ratios = [ratio - 1 for ratio in measured.ratios]
    measured.value -= 1
    return measured


def _other(stage: Stage, what: Corpus) -> Measured:
    return stow_row(stage, what, 4, rounds=min(stage.rounds, FEWER))


@TABLE.row("stow_mr", "STOW-RS ingest, MR (300 × 256²), 4 streams", None, extra=True)
def stow_mr(stage: Stage) -> Measured:
    return _other(stage, stage.mr)


@TABLE.row("stow_dx", "STOW-RS ingest, DX (20 × 2500 × 2048), 4 streams", None, extra=True)
def stow_dx(stage: Stage) -> Measured:
    return _other(stage, stage.dx)


@TABLE.row("stow_small_studies", "STOW-RS ingest, small studies of 2 instances, 2 streams", None, extra=True)
def stow_small_studies(stage: Stage) -> Measured:
    return stow_row(stage, stage.studies, 2, rounds=min(stage.rounds, FEWER))
