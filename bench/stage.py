"""The servers and the test data, each started or made when the first row asks for it."""

import sys
from contextlib import ExitStack
from functools import cached_property

from bench import data
from bench.client import Connection
from bench.corpus import STOW_HEADERS, Corpus, Instance, corpus
from bench.servers import Consilium, Orthanc, Server, Sink


class Stage:
    """`rounds`: paired rounds a row; `small`: a tenth of the data, for development."""

    def __init__(self, *, rounds: int, small: bool) -> None:
        self.rounds, self.small = rounds, small
        self._open = ExitStack()
        self._loaded: dict[str, str] = {}

    def __enter__(self) -> "Stage":
        return self

    def __exit__(self, *_error: object) -> None:
        self._open.close()

    def some(self, count: int) -> int:
        """`count`, or a tenth of it in small runs."""
        return max(count // 10, 2) if self.small else count

    # -- servers
    @cached_property
    def orthanc(self) -> Orthanc:
        return self._open.enter_context(Orthanc())

    @cached_property
    def consilium(self) -> Consilium:
        return self._open.enter_context(Consilium())

    @cached_property
    def plain(self) -> Consilium:
        """Consilium without its cipher."""
        return self._open.enter_context(Consilium(plain=True))

    @cached_property
    def sink(self) -> Sink:
        return self._open.enter_context(Sink())

    # -- data
    @cached_property
    def _series(self) -> Corpus:
        return corpus("CT", data.ct_series(self.some(600) + self.rounds + 1))

    @cached_property
    def ct(self) -> Corpus:
        return Corpus("CT", self._series.instances[: self.some(600)])

    @cached_property
    def late(self) -> list[Instance]:
        """Further slices of the same series: one a round and one more."""
        return self._series.instances[self.some(600) :]

    @cached_property
    def mr(self) -> Corpus:
        return corpus("MR", data.mr_series(self.some(300)))

    @cached_property
    def dx(self) -> Corpus:
        return corpus("DX", data.dx(self.some(20)))

    @cached_property
    def studies(self) -> Corpus:
        return corpus("small studies", data.small_studies(self.some(300)))

    def loaded(self, server: Server) -> Server:
        """The server with the CT series, and nothing else, in its store; keeps what an earlier row loaded."""
        if self._loaded.get(server.name) != server.root or not self._holds(server):
            server.renew()
            store(server, self.ct)
            server.settle()
            self._loaded[server.name] = server.root
        return server

    def unload(self) -> None:
        """Forget what is loaded: a row has added to it."""
        self._loaded.clear()

    def _holds(self, server: Server) -> bool:
        answer = server.ask("GET", f"{server.root}/studies/{self.ct.study}/series")
        return bool(answer.status == 200)


def store(server: Server, what: Corpus) -> None:
    """STOW-RS of a corpus over one connection; an error unless everything was taken."""
    connection = Connection(server.port)
    for body in what.bodies:
        stow(connection, server, body)
    connection.close()


def stow(connection: Connection, server: Server, body: bytes) -> None:
    """One STOW-RS request; anything but complete success is an error (PS3.18 §10.5.3)."""
    headers = [*STOW_HEADERS, *server.headers]
    answer = connection.ask("POST", f"{server.root}/studies", headers, body, keep=True)
    failed = b"00081198" in answer.body and b'"00081197"' in answer.body
    if answer.status != 200 or failed:
        raise RuntimeError(f"{server.name} answered a STOW-RS request with {answer.status}: {answer.body[:300]!r}")


def say(text: str) -> None:
    """One line for the person who waits."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()
