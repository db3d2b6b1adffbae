"""The half of `sealed` that sees the bytes: imported and run by the sandboxed process only."""

import asyncio
import importlib
import os
import zoneinfo
from collections.abc import Coroutine
from typing import Any

from consilium.opinions.report import seal

zoneinfo.reset_tzpath(to=())  # the jail sees no system files; the package tzdata has the zones, too
for _module in ("pyhanko.pdf_utils.reader", "pyhanko.sign.validation", "pyhanko_certvalidator"):
    importlib.import_module(_module)  # loaded before the door is locked


def check(descriptor: int, options: dict[str, Any], output: Any) -> None:
    """`descriptor`: the memory file with the PDF; `options["root"]`: our root certificate (PEM)."""
    asyncio.run = _without_a_loop  # type: ignore[assignment]
    size = os.fstat(descriptor).st_size
    found = seal.verify(os.pread(descriptor, size, 0), root=options["root"].encode())
    output.send({"genuine": found.genuine})


def _without_a_loop(work: Coroutine[Any, Any, Any], **_options: Any) -> Any:
    """pyHanko wraps its checks in coroutines that wait for nothing here (nothing is fetched).

    An event loop needs sockets, which the jail refuses; a coroutine that never waits needs no loop.
    """
    try:
        work.send(None)
    except StopIteration as done:
        return done.value
    raise RuntimeError("A check wanted to wait for something; in the jail there is nothing to wait for.")
