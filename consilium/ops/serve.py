"""`consilium serve`: one command, one port, one supervised group of processes.

The supervisor stays small: it loads neither Django nor a model. It checks once (`preflight`, in a child),
starts the web server and the job workers, starts again what dies, and stops everything on SIGTERM or SIGINT.
"""

import ctypes
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
import uuid
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from urllib.error import URLError

from consilium.ops.command import Problem, say
from consilium.ops.preflight import is_loopback, split

GRACE_SECONDS = 9.0  # for requests and jobs in hand; then the rest is killed, and leases bring jobs back
WEB_DRAIN_SECONDS = 7
CALM_SECONDS = 60.0  # a child that lived this long starts again without a pause
LONGEST_PAUSE = 30.0
SLOW = "ocr"  # the queue of what may take its time: it has a worker of its own, so that nobody waits behind it
LOG_CONFIG = Path(__file__).with_name("granian_logs.json")

# glibc maps blocks of 128 KiB and more afresh each time; keeping them makes large buffers several times faster.
MEMORY = {"MALLOC_MMAP_THRESHOLD_": "268435456", "MALLOC_TRIM_THRESHOLD_": "1073741824", "MALLOC_ARENA_MAX": "2"}


class Child:
    """One supervised process in a process group of its own."""

    def __init__(self, name: str, command: Callable[[], list[str]]) -> None:
        self.name, self.command = name, command
        self.process: subprocess.Popen[bytes] | None = None
        self.started_at = 0.0
        self.start_at = 0.0
        self.deaths = 0

    def start(self) -> None:
        self.started_at = time.monotonic()
        self.process = subprocess.Popen(
            self.command(),
            env={**os.environ, **MEMORY},
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=_end_with_supervisor,  # noqa: PLW1509 - the supervisor has one thread
        )
        event("child started", child=self.name, pid=self.process.pid)

    def look_after(self) -> None:
        """Start it when due; notice its death and plan the next start."""
        now = time.monotonic()
        if self.process is None:
            if now >= self.start_at:
                self.start()
            return
        code = self.process.poll()
        if code is None:
            return
        self.kill_group()
        self.deaths = 1 if now - self.started_at > CALM_SECONDS else self.deaths + 1
        pause = min(LONGEST_PAUSE, 0.25 * 2 ** (self.deaths - 1))
        event("child died", child=self.name, status=code, count=self.deaths)
        self.process, self.start_at = None, now + pause

    def ask_to_stop(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)

    def kill_group(self) -> None:
        """End what the process may have left behind, its own children included."""
        if self.process:
            try:
                os.killpg(self.process.pid, signal.SIGKILL)
            except ProcessLookupError:
                return
            self.process.wait()

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None


class Supervisor:
    """Keeps the children alive until told to stop."""

    def __init__(self, children: list[Child]) -> None:
        self.children = children
        self.stopping = False

    def stop(self, *_signal: object) -> None:
        self.stopping = True

    def run(self, *, url: str, ready: Callable[[], None]) -> int:
        announced = False
        while not self.stopping:
            for child in self.children:
                child.look_after()
            if not announced and answers(url):
                announced = True
                ready()
            web = self.children[0]
            if not announced and web.deaths >= 5:
                self.shut_down()
                raise Problem("The web server ends as soon as it starts; the log lines above say where.")
            time.sleep(0.2)
        return self.shut_down()

    def shut_down(self) -> int:
        event("stopping")
        for child in self.children:
            child.ask_to_stop()
        deadline = time.monotonic() + GRACE_SECONDS
        while any(child.running for child in self.children) and time.monotonic() < deadline:
            time.sleep(0.05)
        clean = not any(child.running for child in self.children)
        for child in self.children:
            child.kill_group()
        event("stopped", status=0 if clean else 1)
        return 0


def serve(arguments: Namespace) -> int:
    """Refuse or run until SIGTERM or SIGINT; returns 0 after a stop that was asked for."""
    host, port = split(arguments.bind)
    if arguments.workers < 1 or arguments.job_workers < 0:
        raise Problem("At least one web process is needed: use --workers 1 or more.")
    shown = f"[{host}]" if ":" in host else host
    if is_loopback(host):  # on this computer the site is where it listens, also in links and in DICOMweb's URLs
        os.environ.setdefault("CONSILIUM_PUBLIC_URL", f"http://{shown}:{port}")
    checked = subprocess.run([sys.executable, "-m", "consilium", "preflight", "--bind", arguments.bind], check=False)
    if checked.returncode:
        return checked.returncode
    children = [Child("web", lambda: web_command(host, port, arguments.workers))]
    children += [job_worker(str(number), f"--queues=-{SLOW}", "--nice=5") for number in range(arguments.job_workers)]
    children += [job_worker(SLOW, f"--queues={SLOW}", "--nice=15")] if arguments.job_workers else []
    children += [Child("dimse", dimse_command)] if os.environ.get("CONSILIUM_DIMSE_BIND") else []
    supervisor = Supervisor(children)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, supervisor.stop)
    reachable = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, shown)  # noqa: S104 - where to ask, not to bind
    return supervisor.run(url=f"http://{reachable}:{port}/healthz", ready=lambda: welcome(f"http://{shown}:{port}"))


def web_command(host: str, port: int, workers: int) -> list[str]:
    options = {
        "--interface": "asgi",
        "--host": host,
        "--port": str(port),
        "--http": "1",
        "--workers": str(workers),
        "--loop": "uvloop",
        "--workers-kill-timeout": str(WEB_DRAIN_SECONDS),
        "--respawn-interval": "0.5",
        "--log-level": "warning",
        "--log-config": str(LOG_CONFIG),
    }
    flags = ["--respawn-failed-workers", "--no-access-log"]
    listed = [part for pair in options.items() for part in pair]
    return [sys.executable, "-m", "granian", *listed, *flags, "consilium.config.asgi:application"]


def dimse_command() -> list[str]:
    return [sys.executable, "-m", "consilium", "dimse"]


def job_worker(number: str, *options: str) -> Child:
    """A worker whose replacement takes its jobs back at once instead of waiting for the lease."""
    names = [""]

    def command() -> list[str]:
        former, names[0] = names[0], f"{number}-{uuid.uuid4().hex[:12]}"
        replaces = ["--replaces", former] if former else []
        return [sys.executable, "-m", "consilium", "worker", "--name", names[0], *options, *replaces]

    return Child(f"jobs-{number}", command)


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=0.5) as response:  # noqa: S310 - our own address
            return response.status == 200
    except (URLError, OSError):
        return False


def welcome(url: str) -> None:
    say(f"\nConsilium is ready: {url}\n")
    if os.environ.get("CONSILIUM_DEMO", "").lower() in ("1", "true", "yes", "on"):
        subprocess.run([sys.executable, "-m", "consilium.ops.demo"], check=False)
    say("Stop with Ctrl-C.")


def event(name: str, **fields: object) -> None:
    """One structured log line, in the form of core/logs.py."""
    at = time.strftime("%Y-%m-%dT%H:%M:%S+0000", time.gmtime())
    line = {"at": at, "level": "info", "logger": "consilium.serve", "event": name, **fields}
    sys.stderr.write(json.dumps(line) + "\n")
    sys.stderr.flush()


def _end_with_supervisor() -> None:
    """Linux: SIGTERM when the supervisor dies, even by SIGKILL, so that no orphan keeps the port."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG
