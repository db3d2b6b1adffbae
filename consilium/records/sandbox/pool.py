"""The owner's side of the sandbox: starts the warm process, orders jobs, reads their frames with bounds.

Thread-safe. One warm process for each owner process, restarted when it dies; a bounded number of children at
once. The owner never parses content.
"""

from __future__ import annotations

import atexit
import contextlib
import errno
import fcntl
import json
import os
import select
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from consilium.records.sandbox import wire

START_SECONDS = 60.0
GRACE_SECONDS = 3.0
_ROOT = Path(__file__).resolve().parents[3]
_FIXED = fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW
_SEAL_FUTURE_WRITE = 0x0010  # Linux 5.1, fcntl(2); Python 3.11 has no name for it


class SandboxError(Exception):
    """The sandbox itself cannot work now (not: the file is bad)."""


class JobFailed(Exception):  # noqa: N818 - a named outcome
    """Ended early. `reason`: "late", "memory", "recursion", "crash", "flood", "lost" or an exception's class."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def memory_file(chunks: Iterable[bytes], *, most: int | None = None) -> tuple[int, int]:
    """The bytes in an anonymous sealed memory file: (descriptor, size). Never touches a disk's file system."""
    fd = os.memfd_create("record", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        size = 0
        for chunk in chunks:
            view = memoryview(chunk)
            if most is not None:
                view = view[: most - size]
            while view:
                done = os.write(fd, view)
                size, view = size + done, view[done:]
            if most is not None and size >= most:
                break
        _seal(fd)
    except BaseException:
        os.close(fd)
        raise
    return fd, size


def _seal(fd: int) -> None:
    """No more changes by anybody.

    F_SEAL_WRITE is refused (EBUSY) for as long as the kernel itself holds a page, as it does for moments on a busy
    machine. Nobody has mapped the file yet, so "no new writers" already means "no writers".
    """
    try:
        fcntl.fcntl(fd, fcntl.F_ADD_SEALS, _FIXED | _SEAL_FUTURE_WRITE)
    except OSError as error:
        if error.errno != errno.EINVAL:  # a kernel that does not know it
            raise
        fcntl.fcntl(fd, fcntl.F_ADD_SEALS, _FIXED | fcntl.F_SEAL_WRITE)


class Pool:
    def __init__(self, *, at_once: int | None = None) -> None:
        self._lock = threading.Lock()
        self._places = threading.BoundedSemaphore(at_once or max(2, os.cpu_count() or 2))
        # streams (archives) wait for their reader, who needs a place in between: they have their own
        self._stream_places = threading.BoundedSemaphore(4)
        self._control: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._owner = 0
        self.layers: dict[str, str] = {}

    # -- the warm process ------------------------------------------------------------------------
    def _order(self, order: dict[str, Any], fds: list[int]) -> None:
        """Send an order; a dead warm process is replaced, twice at most."""
        message = json.dumps(order).encode()
        with self._lock:
            for attempt in range(3):
                try:
                    socket.send_fds(self._ready(), [message], fds)
                    return
                except OSError as error:
                    self._stop()
                    if attempt == 2:
                        raise SandboxError(f"the sandbox does not start: {error}") from error

    def _ready(self) -> socket.socket:
        alive = self._process is not None and self._process.poll() is None and self._owner == os.getpid()
        if not alive or self._control is None:
            self._stop()
            self._start()
        assert self._control is not None
        return self._control

    def _start(self) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        # a clean environment: no keys, no database address, no proxy reaches the warm process
        environment = {"PYTHONPATH": str(_ROOT), "LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"}
        environment |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        command = [sys.executable, "-s", "-m", "consilium.records.sandbox.zygote", str(theirs.fileno())]
        with theirs:
            self._process = subprocess.Popen(
                command, pass_fds=[theirs.fileno()], env=environment, cwd="/", start_new_session=True,
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )  # fmt: skip
        self._control, self._owner = ours, os.getpid()
        ours.settimeout(START_SECONDS)
        hello = ours.recv(65536)
        if not hello:
            raise SandboxError("the sandbox does not start: its process ended")
        ours.settimeout(None)
        self.layers = dict(json.loads(hello)["ready"])

    def _stop(self) -> None:
        control, process, mine = self._control, self._process, self._owner == os.getpid()
        self._control = self._process = None
        if control is not None:
            control.close()  # end of file: the warm process kills its children and leaves
        if process is not None and mine:
            try:
                process.wait(timeout=2)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def close(self) -> None:
        """Stop the warm process and its children. The next job starts a new one."""
        with self._lock:
            self._stop()

    # -- jobs ------------------------------------------------------------------------------------
    def run(
        self, job: str, options: dict[str, Any], *, memory_fd: int, seconds: float, cpu_seconds: int,
        memory: int, max_output: int, stream: bool = False,
    ) -> Iterator[wire.Frame]:  # fmt: skip
        """Frames of `job` ("module:function") as they come. `memory_fd` stays the caller's.

        Raises JobFailed when it ended early (frames already given stay valid), SandboxError when it could not run.
        """
        order = {
            "job": job,
            "options": options,
            "seconds": seconds,
            "cpu_seconds": cpu_seconds,
            "memory": memory,
        }
        with self._stream_places if stream else self._places:
            for attempt in range(3):
                begun = False
                try:
                    for frame in self._run_once(order, memory_fd, max_output):
                        begun = True
                        yield frame
                    return
                except JobFailed as failure:
                    # the warm process died under the job: safe to run again while nothing was handed out
                    if failure.reason != "lost" or begun or attempt == 2:
                        raise

    def _run_once(self, order: dict[str, Any], memory_fd: int, max_output: int) -> Iterator[wire.Frame]:
        ours, theirs = socket.socketpair()
        status_read, status_write = os.pipe()
        with ours, contextlib.ExitStack() as stack:
            stack.callback(os.close, status_read)
            try:
                self._order(order, [theirs.fileno(), memory_fd, status_write])
            finally:
                theirs.close()
                os.close(status_write)
            yield from self._frames(ours, status_read, order["seconds"], max_output)

    def _frames(self, ours: socket.socket, status: int, seconds: float, max_output: int) -> Iterator[wire.Frame]:
        def receive(size: int, patience: float) -> bytes:
            ours.settimeout(patience)
            try:
                return ours.recv(size)
            except TimeoutError:
                raise wire.OutOfTime from None
            except ConnectionResetError:
                return b""

        reader = wire.Reader(receive, max_output=max_output)
        reader.deadline = time.monotonic() + seconds + GRACE_SECONDS
        done, first = False, True
        try:
            for header, parts in reader.frames():
                is_report, first = first and "jail" in header, False
                if "failed" in header:
                    raise JobFailed(str(header["failed"])[:40])
                if is_report:
                    self._note_layers(header["jail"])
                elif "done" in header:
                    done = True
                else:
                    yield header, parts
        except wire.OutOfTime:
            raise JobFailed("late") from None
        except wire.WireError as error:
            raise JobFailed("flood" if error.flood else self._why(status)) from None
        if not done:
            raise JobFailed(self._why(status))

    def _note_layers(self, report: object) -> None:
        """The first frame of a child, sent before it saw a byte. Bad news of one child is not undone by another."""
        for layer in ("limits", "seccomp"):
            reason = report.get(layer) if isinstance(report, dict) else "not reported"
            if isinstance(reason, str) and (reason or layer not in self.layers):
                self.layers[layer] = reason[:200]

    @staticmethod
    def _why(status: int) -> str:
        """How the child ended, told by the warm process: "late" or "crash"; "lost" when that process has died."""
        readable, _, _ = select.select([status], [], [], GRACE_SECONDS)
        word = os.read(status, 32).decode("ascii", "replace") if readable else "?"
        if not word:
            return "lost"
        # -24 is SIGXCPU: processor time used up; the kernel follows with -9 at the hard limit
        return "late" if word in ("late", "-24") else "crash"


class _Shared:
    pool = Pool()


def shared() -> Pool:
    """The pool of this process."""
    return _Shared.pool


def _after_fork() -> None:
    """A forked copy of this process gets locks of its own and, when needed, a warm process of its own."""
    _Shared.pool = Pool()


os.register_at_fork(after_in_child=_after_fork)
atexit.register(lambda: shared().close())
