"""Run a parser on hostile bytes in a child that may do nearly nothing. See `jail` for what it may not."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import Any

from consilium.records.sandbox import jail
from consilium.records.sandbox.pool import JobFailed, Pool, SandboxError, memory_file, shared
from consilium.records.sandbox.wire import Frame

__all__ = ["JobFailed", "Pool", "SandboxError", "capabilities", "memory_file", "run", "warm_up"]

_WORDS = {
    "no_new_privs": "the reading process cannot gain rights",
    "namespaces": "the reading process has no network of its own",
    "landlock": "the reading process sees no files but the program's own",
    "seccomp": "the reading process cannot open connections, start programs or change files",
    "limits": "memory, processor time and output of the reading process are bounded",
}


def run(
    job: str, data: int | Iterable[bytes], options: dict[str, Any] | None = None, *, seconds: float = 30.0,
    cpu_seconds: int = 25, memory: int = 512 * 2**20, max_output: int = 64 * 2**20,
    stream: bool = False,
) -> Iterator[Frame]:  # fmt: skip
    """Frames that "module:function"(descriptor, options, output) sends from inside the jail.

    `data`: a memory file's descriptor, or chunks of bytes. Raises JobFailed, SandboxError.
    """
    fd = data if isinstance(data, int) else memory_file(data)[0]
    try:
        yield from shared().run(
            job, options or {}, memory_fd=fd, seconds=seconds, cpu_seconds=cpu_seconds,
            memory=memory, max_output=max_output, stream=stream,
        )  # fmt: skip
    finally:
        if not isinstance(data, int):
            os.close(fd)


def warm_up() -> dict[str, str]:
    """Start the warm process now and run an empty job. Returns layer → "" (in force) or the kernel's reason."""
    for _frame in run("consilium.records.extract.reader:nothing", []):
        pass
    return {layer: shared().layers.get(layer, "not tried") for layer in jail.LAYERS}


def capabilities() -> list[tuple[bool, str]]:
    """For `doctor`: (in force, a sentence) for each layer of the sandbox on this machine."""
    try:
        layers = warm_up()
        through = _attacks_that_pass()
    except (SandboxError, JobFailed, OSError) as error:
        return [(False, f"Files cannot be read at all: the sandbox does not start ({error}).")]
    found = [_sentence(layer, reason) for layer, reason in layers.items()]
    if through:
        found.append((False, f"Sandbox: these attacks were NOT stopped on this machine: {', '.join(through)}."))
    else:
        found.append((True, "Sandbox: trial attacks (network, files, programs, other processes) all stopped."))
    return found


_TRIALS = [
    ("send_datagram", ""), ("read", "/etc/passwd"), ("list", "/"), ("write", "/tmp/consilium-sandbox-trial"),  # noqa: S108
    ("fork", ""), ("signal_parent", ""), ("trace_parent", ""), ("raise_limit", ""),
]  # fmt: skip


def _attacks_that_pass() -> list[str]:
    """The layers are not only switched on but tried."""
    frames = run("consilium.records.sandbox.probes:attack", [], {"attacks": _TRIALS})
    return [str(header["attack"]) for header, _parts in frames if header.get("through")]


def _sentence(layer: str, reason: str) -> tuple[bool, str]:
    if not reason:
        return True, f"Sandbox, {layer}: {_WORDS[layer]}."
    return False, (
        f"Sandbox, {layer}: MISSING on this machine ({reason}). Files are still read, with one wall less: "
        f"{_WORDS[layer]} would be the case on a newer or differently configured Linux kernel."
    )
