"""Attacks that a hijacked parser would try, run inside the real jail by `doctor` and by the tests.

Each returns a word when it got through and raises OSError (or dies) when it was stopped.
"""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from consilium.records.sandbox.zygote import Output


def _connect(where: str) -> str:
    with socket.create_connection(("127.0.0.1", int(where or 9)), timeout=2):
        return "connected"


def _send_datagram(_where: str) -> str:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        return f"sent {udp.sendto(b'x', ('192.0.2.1', 53))}"


def _unix_socket(where: str) -> str:
    with socket.socket(socket.AF_UNIX) as unix:
        unix.connect(where)
        return "connected"


def _read(where: str) -> str:
    return f"read {len(Path(where).read_bytes())}"


def _list(where: str) -> str:
    return f"listed {len(os.listdir(where))}"  # noqa: PTH208 - the system call is what is tested


def _write(where: str) -> str:
    fd = os.open(where, os.O_WRONLY | os.O_CREAT, 0o600)
    return f"wrote {os.write(fd, b'x')}"


def _change_mode(where: str) -> str:
    Path(where).chmod(0o777)
    return "changed"


def _delete(where: str) -> str:
    Path(where).unlink()
    return "deleted"


def _fork(_where: str) -> str:
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    return "forked"


def _start_program(_where: str) -> str:
    os.execv("/bin/true", ["true"])  # noqa: S606 - an attack on purpose


def _signal_parent(_where: str) -> str:
    os.kill(os.getppid(), signal.SIGCONT)
    return "signalled"


def _trace_parent(_where: str) -> str:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.ptrace(16, os.getppid(), 0, 0) < 0:
        raise OSError(ctypes.get_errno(), "ptrace")
    return "attached"


def _new_namespace(_where: str) -> str:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(0x10000000) < 0:
        raise OSError(ctypes.get_errno(), "unshare")
    return "unshared"


def _raise_limit(_where: str) -> str:
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    return "raised"


def _memory(_where: str) -> str:
    kept = []
    try:
        while len(kept) < 4096:
            kept.append(b"x" * 2**20)
    except MemoryError:
        took = len(kept)
        kept.clear()
        raise OSError(12, f"out of memory after {took} MiB") from None
    return f"took {len(kept)} MiB"


ATTACKS: dict[str, Callable[[str], str]] = {
    "connect": _connect, "send_datagram": _send_datagram, "unix_socket": _unix_socket, "read": _read,
    "list": _list, "write": _write, "change_mode": _change_mode, "delete": _delete, "fork": _fork,
    "start_program": _start_program, "signal_parent": _signal_parent, "trace_parent": _trace_parent,
    "new_namespace": _new_namespace, "raise_limit": _raise_limit, "memory": _memory,
}  # fmt: skip


def attack(_fd: int, options: dict[str, Any], output: Output) -> None:
    """Run the named attacks: options {"attacks": [[name, where], …]}; one frame each, through "" when stopped."""
    for name, where in options["attacks"]:
        through, stopped = "", ""
        try:
            through = ATTACKS[name](where)
        except (OSError, ValueError) as error:
            stopped = f"{type(error).__name__}: {error}"
        output.send({"attack": name, "through": through, "stopped": stopped})


def spin(_fd: int, _options: dict[str, Any], _output: Output) -> None:
    """Use up the processor."""
    while True:
        pass


def sleep(_fd: int, _options: dict[str, Any], output: Output) -> None:
    """Send something, then wait for ever."""
    output.send({"started": os.getpid()})
    while True:
        time.sleep(60)


def flood(_fd: int, _options: dict[str, Any], output: Output) -> None:
    """Send without end."""
    while True:
        output.send({"noise": True}, b"x" * 2**20)


def lie(_fd: int, options: dict[str, Any], _output: Output) -> None:
    """Write raw bytes instead of frames: options {"raw": text of latin-1 characters}."""
    os.write(3, options["raw"].encode("latin-1"))


def send(_fd: int, options: dict[str, Any], output: Output) -> None:
    """Send the frames in options {"frames": [header, …]}: well-formed, but not what a parser would say."""
    for header in options["frames"]:
        output.send(header, b"not a picture")


def crash(_fd: int, _options: dict[str, Any], _output: Output) -> None:
    """Die of a memory error, as a corrupted parser would."""
    ctypes.string_at(0)


def environment(_fd: int, _options: dict[str, Any], output: Output) -> None:
    """Tell which descriptors and environment names are visible."""
    alive = []
    for fd in range(256):
        try:
            os.fstat(fd)
            alive.append(fd)
        except OSError:
            pass
    output.send({"descriptors": alive, "names": sorted(os.environ)})
