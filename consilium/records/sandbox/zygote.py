"""The warm process: loads the parsers once, confines itself, and forks one jailed child for each job.

It speaks with its owner over one SEQPACKET socket: a JSON order with three descriptors (the job's socket, the
sealed memory file with the bytes, the write end of a status pipe). It never reads content. It kills a child
at its deadline, or at once when the owner closes the status pipe.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import resource
import select
import signal
import socket
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from consilium.records.sandbox import jail, wire

PRELOAD = (
    "numpy", "numpy.ma", "PIL.Image", "PIL.ImageOps", "PIL.JpegImagePlugin", "PIL.PngImagePlugin",
    "PIL.TiffImagePlugin",
    "PIL.WebPImagePlugin", "PIL.GifImagePlugin", "PIL.BmpImagePlugin", "PIL.Jpeg2KImagePlugin", "pillow_heif",
    "pypdfium2", "lxml.etree", "pydicom", "pydicom.pixels", "pydicom.pixels.decoders", "pydicom.pixels.processing",
    "openjpeg", "jpeg_ls", "rle", "zipfile", "encodings.idna", "encodings.cp1252", "encodings.utf_16",
    "encodings.utf_16_le", "encodings.utf_16_be", "encodings.ascii",
    "encodings.latin_1", "unicodedata", "stringprep",
    "consilium.records.extract.reader", "consilium.records.extract.unzip", "consilium.records.extract.scans",
    "consilium.imaging.scan",
    "consilium.imaging.frames", "consilium.imaging.slides",
)  # fmt: skip


@dataclass
class Child:
    pid: int
    status: int
    deadline: float
    timed_out: bool = False


class Output:
    """What a job writes its frames to."""

    def __init__(self, fd: int) -> None:
        self._fd = fd

    def send(self, header: dict[str, Any], *parts: bytes) -> None:
        wire.write(self._fd, header, *parts)


def main(control_fd: int) -> None:
    control = socket.socket(fileno=control_fd)
    _preload()
    base = _address_space()
    report = jail.confine_once()
    gc.collect()
    gc.freeze()
    control.send(json.dumps({"ready": report}).encode())
    _Loop(control, base).run()


def _preload() -> None:
    for name in PRELOAD:
        importlib.import_module(name)
    warm = importlib.import_module("consilium.records.extract.reader").warm
    warm()


def _address_space() -> int:
    """Bytes of address space now in use: a job's limit is counted on top of it."""
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()


class _Loop:
    def __init__(self, control: socket.socket, base: int) -> None:
        self.control, self.base = control, base
        self.children: dict[int, Child] = {}
        self.poll = select.poll()
        self.poll.register(control, select.POLLIN)
        self.wake, wake_write = os.pipe()
        for fd in (self.wake, wake_write):
            os.set_blocking(fd, False)
        signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self.poll.register(self.wake, select.POLLIN)

    def run(self) -> None:
        try:
            while True:
                for fd, _event in self.poll.poll(self._wait()):
                    if fd == self.control.fileno():
                        if not self._take_order():
                            return
                    elif fd == self.wake:
                        self._drain()
                    else:
                        self._stop_abandoned(fd)
                self._stop_late()
                self._reap()
        finally:
            for child in self.children.values():
                _kill(child.pid)
                os.waitpid(child.pid, 0)

    def _wait(self) -> int:
        nearest = min((c.deadline for c in self.children.values()), default=0.0)
        return max(1, int((nearest - time.monotonic()) * 1000) + 1) if nearest else -1

    def _drain(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.read(self.wake, 4096)

    def _take_order(self) -> bool:
        message, fds, _flags, _address = socket.recv_fds(self.control, 65536, 3)
        if not message:
            return False
        order = json.loads(message)
        pid = os.fork()
        if pid == 0:
            self._become_child(order, *fds)
        os.close(fds[0])
        os.close(fds[1])
        with contextlib.suppress(OSError):
            os.setpgid(pid, pid)
        self.children[fds[2]] = Child(pid, fds[2], time.monotonic() + order["seconds"])
        self.poll.register(fds[2], 0)  # POLLERR: the owner has closed its end
        return True

    def _become_child(self, order: dict[str, Any], job: int, memory: int, status: int) -> None:
        code = 70
        try:
            code = _run_job(order, job, memory, status, self.base)
        finally:
            os._exit(code)

    def _stop_abandoned(self, status: int) -> None:
        if status in self.children:
            _kill(self.children[status].pid)
            self.poll.unregister(status)

    def _stop_late(self) -> None:
        for child in self.children.values():
            if time.monotonic() >= child.deadline and not child.timed_out:
                child.timed_out = True
                child.deadline = time.monotonic() + 3600
                _kill(child.pid)

    def _reap(self) -> None:
        for child in list(self.children.values()):
            pid, state = os.waitpid(child.pid, os.WNOHANG)
            if pid:
                word = "late" if child.timed_out else str(os.waitstatus_to_exitcode(state))
                with contextlib.suppress(OSError):
                    os.write(child.status, word.encode())
                with contextlib.suppress(KeyError):
                    self.poll.unregister(child.status)
                os.close(child.status)
                del self.children[child.status]


def _kill(pid: int) -> None:
    for stop in (os.killpg, os.kill):
        with contextlib.suppress(OSError):
            stop(pid, signal.SIGKILL)


def _run_job(order: dict[str, Any], job: int, memory: int, status: int, base: int) -> int:
    """In the child: move the two descriptors to 3 and 4, close all else, lock the door, then read."""
    os.setpgid(0, 0)
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    job, memory = os.dup2(job, 200), os.dup2(memory, 201)
    job, memory = os.dup2(job, 3), os.dup2(memory, 4)
    os.closerange(5, 4096)
    size = os.fstat(memory).st_size
    module, _, name = order["job"].partition(":")
    function = getattr(importlib.import_module(module), name)
    report = jail.confine_job(memory=base + order["memory"] + size, cpu_seconds=order["cpu_seconds"])
    output = Output(job)
    output.send({"jail": report})
    try:
        function(memory, order["options"], output)
    except MemoryError:
        output.send({"failed": "memory"})
        return 71
    except RecursionError:
        output.send({"failed": "recursion"})
        return 72
    except Exception as error:
        output.send({"failed": type(error).__name__})  # the class only: a message could quote content
        return 73
    output.send({"done": True})
    return 0


if __name__ == "__main__":
    main(int(sys.argv[1]))
