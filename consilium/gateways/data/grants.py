"""Who may do what with one case, asked once and remembered for half a minute: the hot path touches no ORM.

The key is a session cookie or a bearer token (`DataToken`). `ask` is the gate of the web (web/case_gate.py): it runs
in a thread, looks at everything anew, and gives a `Grant` or None. What was taken away bites after `LIFE` seconds
at the latest, an erased case at once (the vault refuses). Absent and forbidden cases are both None.
"""

import asyncio
import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import close_old_connections

from consilium.access.principals import Principal
from consilium.records.filing import Owner

LIFE = 30.0  # seconds
KEPT = 2000


@dataclass
class Grant:
    """What the holder of one key may do with one case until `ends` (monotonic seconds).

    records: the records whose originals are open to them now (visible and not withheld by blinding).
    """

    space: UUID
    owner: Owner
    principal: Principal
    may_read: bool
    may_add: bool
    records: frozenset[UUID]
    note_opened: Callable[[UUID], None]  # audits a look at a record; runs in a thread, before the first byte leaves
    ends: float = 0.0
    opened: set[UUID] = field(default_factory=set)

    @property
    def tenant(self) -> UUID:
        """The organisation of the case."""
        return self.owner.tenant


Ask = Callable[[dict[str, str], str, UUID], Grant | None]  # (cookies, bearer token or "", case)


class Grants:
    """The cache of grants of one process."""

    def __init__(self, ask: Ask, pool: ThreadPoolExecutor) -> None:
        self._ask = ask
        self._pool = pool
        self._kept: OrderedDict[tuple[bytes, UUID], Grant] = OrderedDict()

    async def of(self, cookies: dict[str, str], bearer: str, case: UUID, *, fresh: bool = False) -> Grant | None:
        """The grant of a key for a case. `fresh` asks again: a record is missing that may have come just now."""
        key = (_digest(cookies, bearer), case)
        found = self._kept.get(key)
        if found is not None and not fresh and found.ends > time.monotonic():
            return found
        grant = await self.thread(self._ask, cookies, bearer, case)
        if grant is None:
            self._kept.pop(key, None)
            return None
        grant.ends = time.monotonic() + LIFE
        if found is not None:
            grant.opened = found.opened & grant.records
        self._kept[key] = grant
        self._kept.move_to_end(key)
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return grant

    async def open(self, grant: Grant, record: UUID) -> None:
        """Audit the first look at a record within a grant."""
        if record not in grant.opened:
            await self.thread(grant.note_opened, record)
            grant.opened.add(record)

    async def thread(self, call: Callable[..., Any], *args: Any) -> Any:
        """Run something that uses the database or the disk in a thread."""

        def run() -> Any:
            close_old_connections()
            try:
                return call(*args)
            finally:
                close_old_connections()

        return await asyncio.get_running_loop().run_in_executor(self._pool, run)


def _digest(cookies: dict[str, str], bearer: str) -> bytes:
    """Which key this is; the key itself is not kept."""
    if bearer:
        return hashlib.sha256(b"bearer\0" + bearer.encode()).digest()
    return hashlib.sha256("\0".join(f"{name}={value}" for name, value in sorted(cookies.items())).encode()).digest()


def bearer_of(headers: list[tuple[bytes, bytes]]) -> str:
    """The token of `Authorization: Bearer …` (RFC 6750 §2.1), or empty."""
    for name, value in headers:
        if name == b"authorization" and value[:7].lower() == b"bearer ":
            return value[7:].decode("latin-1").strip()
    return ""


def same_origin(headers: list[tuple[bytes, bytes]]) -> bool:
    """Whether a writing request that carries a cookie comes from our own pages (Fetch Metadata), or from no browser."""
    sites = [value for name, value in headers if name == b"sec-fetch-site"]
    return not sites or sites[-1] == b"same-origin"
