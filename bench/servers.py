"""The three servers that are measured: Orthanc, Consilium, and a sink that only writes what it receives.

All listen on 127.0.0.1 on a port of their own, with data in a temporary folder on the same disk.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from bench.client import Connection, Headers
from bench.processes import cpu_seconds
from consilium.ops.serve import MEMORY
from e2e.tour.installation import ROOT, Installation, free_port, wait_for

DICOMWEB_PLUGIN = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")


class Server:
    """What a row needs of a server: where it listens, its DICOMweb root, an empty store, rest, and its CPU time."""

    name = ""
    headers: Headers = ()
    root = ""
    port = 0
    process: "subprocess.Popen[bytes] | None" = None

    def renew(self) -> None:
        """Give the next round an empty store."""

    def settle(self) -> None:
        """Wait until nothing of the last round is still being worked on."""

    def ask(self, method: str, path: str, headers: Headers = (), body: bytes = b"") -> Any:
        """One request outside of what is timed; the answer with its body."""
        connection = Connection(self.port)
        try:
            return connection.ask(method, path, [*self.headers, *headers], body, keep=True)
        finally:
            connection.close()

    def cpu(self) -> float:
        """CPU seconds used so far by all its processes."""
        assert self.process is not None
        return cpu_seconds(self.process.pid)

    def answers(self, path: str) -> bool:
        """Whether it serves already; an error when it has ended instead."""
        if self.process is not None and self.process.poll() is not None:
            raise RuntimeError(f"{self.name} ended with status {self.process.returncode}.")
        try:
            return bool(self.ask("GET", path).status == 200)
        except OSError:
            return False

    def stop(self) -> None:
        """End the process."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(20)
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


class Orthanc(Server):
    """Debian's Orthanc with its DICOMweb plugin: default settings but for folders and ports. It encrypts nothing."""

    name = "Orthanc"
    root = "/dicom-web"

    def __init__(self) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="consilium-bench-orthanc-"))
        self.port = free_port()
        settings = {
            "StorageDirectory": str(self.home / "storage"),
            "IndexDirectory": str(self.home / "storage"),
            "HttpPort": self.port,
            "DicomPort": free_port(),
            "Plugins": [str(DICOMWEB_PLUGIN)],
        }
        (self.home / "orthanc.json").write_text(json.dumps(settings))
        self.process = None

    def __enter__(self) -> "Orthanc":
        program = shutil.which("Orthanc") or "/usr/sbin/Orthanc"
        with (self.home / "log").open("wb") as log:
            self.process = subprocess.Popen([program, str(self.home / "orthanc.json")], stdout=log, stderr=log)
        wait_for(lambda: self.answers("/system"), "Orthanc to answer", seconds=60)
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop()
        shutil.rmtree(self.home, ignore_errors=True)

    def renew(self) -> None:
        """Delete every study."""
        for study in json.loads(self.ask("GET", "/studies").body):
            self.ask("DELETE", f"/studies/{study}")

    def versions(self) -> str:
        """Versions of the server and its plugin."""
        system = json.loads(self.ask("GET", "/system").body)
        plugin = json.loads(self.ask("GET", "/plugins/dicom-web").body)
        return f"Orthanc {system['Version']} with DICOMweb plugin {plugin['Version']} (SQLite, files on disk)"


class _Rooms(Installation):
    """An installation without the cast of the tour: keys and tables; people come from inside.py."""

    def __init__(self, log: Path, extra: dict[str, str]) -> None:
        super().__init__(log)
        self.environment["CONSILIUM_STEP_UP_MINUTES"] = "600"
        self.environment["CONSILIUM_IDLE_MINUTES"] = "600"
        self.environment.pop("PYTEST_VERSION", None)
        self.environment |= extra

    def _install(self) -> None:
        self.command("migrate", "--init-keys")


class Consilium(Server):
    """`consilium serve` as it ships, with directories of its own. Every round gets a new case and a new token.

    plain: the cipher of all its processes is replaced by a copy (bench/plain/sitecustomize.py), to learn what
    the cipher costs. Such an installation cannot read what a real one wrote, nor the other way round.
    """

    name = "Consilium"

    def __init__(self, *, plain: bool = False) -> None:
        self.log = Path(tempfile.mkstemp(prefix="consilium-bench-", suffix=".log")[1])
        extra = {"PYTHONPATH": str(Path(__file__).with_name("plain"))} if plain else {}
        self.rooms = _Rooms(self.log, extra)
        self.port = self.rooms.port
        self.case = ""
        self.cookie = ""
        self._inside: subprocess.Popen[str] | None = None

    def __enter__(self) -> "Consilium":
        self.rooms.__enter__()
        self.process = self.rooms.process
        self._inside = subprocess.Popen(
            [sys.executable, "-m", "bench.inside"],
            cwd=ROOT,
            env=self.rooms.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.renew()
        return self

    def __exit__(self, *_error: object) -> None:
        if self._inside is not None and self._inside.stdin is not None:
            self._inside.stdin.close()
            self._inside.wait(20)
        self.rooms.__exit__()
        if "BENCH_KEEP_LOG" not in os.environ:
            self.log.unlink(missing_ok=True)

    def renew(self) -> None:
        """A new case, and a bearer token for it."""
        made = self.inside("new_case")
        self.case, self.cookie = made["case"], made["cookie"]
        self.root = f"/data/cases/{self.case}/dicomweb"
        self.headers = [("Authorization", f"Bearer {made['token']}")]

    def settle(self) -> None:
        """Wait until the job workers have nothing to do."""
        self.inside("settle")

    def inside(self, verb: str, **arguments: Any) -> Any:
        """Do something inside the installation that no HTTP request does; inside.py has the verbs."""
        assert self._inside is not None and self._inside.stdin is not None and self._inside.stdout is not None
        self._inside.stdin.write(json.dumps([verb, arguments]) + "\n")
        self._inside.stdin.flush()
        line = self._inside.stdout.readline()
        if not line:
            raise RuntimeError(f"bench.inside ended while it was to do {verb}.")
        answer = json.loads(line)
        if "error" in answer:
            raise RuntimeError(f"{verb}: {answer['error']}")
        return answer["result"]


class Sink(Server):
    """A bare ASGI application under the same server (sink.py): receives, writes, fdatasyncs, answers 200."""

    name = "sink"
    root = "/sink"

    def __init__(self) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="consilium-bench-sink-"))
        self.port = free_port()

    def __enter__(self) -> "Sink":
        command = [sys.executable, "-m", "granian", "--interface", "asgi", "--host", "127.0.0.1"]
        command += ["--port", str(self.port), "--http", "1", "--workers", "1", "--loop", "uvloop"]
        command += ["--log-level", "warning", "--no-access-log", "bench.sink:application"]
        environment = {**os.environ, **MEMORY, "BENCH_SINK": str(self.home)}
        self.process = subprocess.Popen(command, cwd=ROOT, env=environment)
        wait_for(lambda: self.answers("/"), "the sink to answer", seconds=60)
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop()
        shutil.rmtree(self.home, ignore_errors=True)

    def renew(self) -> None:
        """Forget what was written."""
        for path in self.home.iterdir():
            path.unlink()


def rest() -> None:
    """Write out what is dirty and take breath, so that one measurement does not pay for the last one's pages."""
    os.sync()
    time.sleep(0.05)
