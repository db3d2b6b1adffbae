"""Become another program behind the walls that such a program can bear: for tools that read our own pictures.

Run as a module: memory in bytes, processor seconds, then the program and its arguments. No network, no files but
shared libraries and the program's own data, no writing, lowest priority. A layer that the kernel lacks is left out
here; `consilium doctor` names it (the parsers' jail tries the same layers).
"""

from __future__ import annotations

import contextlib
import os
import resource
import sys
from pathlib import Path

from consilium.records.sandbox import jail

_DATA = ("/usr/share/tesseract-ocr", "/usr/share/tessdata", "/usr/local/share/tessdata")
_LIBRARIES = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib")


def main(arguments: list[str]) -> None:
    memory, seconds, program, *rest = arguments
    os.nice(19)
    for what, bound in (
        (resource.RLIMIT_AS, int(memory)),
        (resource.RLIMIT_CPU, int(seconds)),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 32),
    ):
        resource.setrlimit(what, (bound, bound))
    _wall_in(program)
    os.execv(program, [program, *rest])  # noqa: S606 - the one program that the caller names


def _wall_in(program: str) -> None:
    data = [Path(os.environ["TESSDATA_PREFIX"])] if "TESSDATA_PREFIX" in os.environ else []
    readable = [
        path for path in [*map(Path, _DATA), *data, Path("/etc/ld.so.cache"), Path("/dev/null")] if path.exists()
    ]
    runnable = [path for path in [*map(Path, _LIBRARIES), Path(program).resolve()] if path.exists()]
    for step in (
        lambda: jail.prctl(jail.PR_SET_NO_NEW_PRIVS, 1),
        lambda: jail.restrict_files(readable, runnable=runnable),
        jail.leave_network,
    ):
        with contextlib.suppress(OSError):
            step()


if __name__ == "__main__":
    main(sys.argv[1:])
