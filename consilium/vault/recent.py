"""Texts that were opened lately, kept in memory: bounded, one shelf a space, gone with the space's key.

Never on disk. Every use looks at the keystore first, so a destroyed key bites at once, and shelves of other spaces
whose key is gone, or which nobody used for a while, are dropped on the way. Who may see which text is decided by
whoever asks, each time: a shelf knows nothing of people.

A text is known by where it belongs and by the salt of its ciphertext, which every sealing draws afresh (seal.py): a
value that was saved again is opened again.
"""

import sys
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock
from uuid import UUID

from consilium.core import clock
from consilium.vault import keys
from consilium.vault.errors import VaultError

LIMIT = 32 * 2**20  # bytes of text a process
IDLE = timedelta(minutes=15)
ROUND = timedelta(seconds=10)  # how often the other spaces' shelves are looked at
_OVERHEAD = 400  # bytes that an entry takes beside its texts

Texts = tuple[str, ...]


@dataclass
class _Shelf:
    key: keys.SpaceKey
    used_at: datetime
    size: int = 0
    kept: dict[tuple[str, UUID], tuple[bytes, Texts, int]] = field(default_factory=dict)


class Recent:
    """The shelves of one process, the one used longest ago first."""

    def __init__(self, limit: int = LIMIT) -> None:
        self.limit = limit
        self._shelves: OrderedDict[UUID, _Shelf] = OrderedDict()
        self._tidied_at = clock.now()
        self._lock = Lock()

    @property
    def size(self) -> int:
        """Bytes that are kept now, estimated."""
        return sum(shelf.size for shelf in self._shelves.values())

    def texts(
        self,
        space: UUID,
        purpose: str,
        salts: Mapping[UUID, bytes],
        open_them: Callable[[list[UUID]], Iterable[tuple[UUID, bytes, Texts]]],
    ) -> dict[UUID, Texts]:
        """The texts of these ids (id → salt of the present ciphertext), opening what is not kept or was changed.

        `open_them` gives id, salt and texts of each. `purpose` tells apart what one id has several of. An id that is
        gone by then has no texts. Raises KeyDestroyed or KeyMissing as opening does.
        """
        with self._lock:
            self._tidy(clock.now())
            shelf = self._shelf(space)
            kept = {one: shelf.kept.get((purpose, one)) for one in salts}
        found = {one: entry[1] for one, entry in kept.items() if entry is not None and entry[0] == salts[one]}
        missing = [one for one in salts if one not in found]
        if missing:
            opened = list(open_them(missing))
            with self._lock:
                shelf = self._shelf(space)
                for one, salt, texts in opened:
                    self._keep(shelf, (purpose, one), salt, texts)
                    found[one] = texts
        return found

    def _shelf(self, space: UUID) -> _Shelf:
        """The shelf of a living space; that of a destroyed one is dropped before the error goes on."""
        try:
            key = keys.space_key(space)
        except VaultError:
            self._shelves.pop(space, None)
            raise
        shelf = self._shelves.get(space)
        if shelf is None or shelf.key != key:
            shelf = self._shelves[space] = _Shelf(key, clock.now())
        shelf.used_at = clock.now()
        self._shelves.move_to_end(space)
        return shelf

    def _tidy(self, now: datetime) -> None:
        """Drop shelves that nobody used for a while, and those whose key is gone."""
        if abs(now - self._tidied_at) < ROUND:
            return
        self._tidied_at = now
        for space, shelf in list(self._shelves.items()):
            if now - shelf.used_at > IDLE or not _alive(space):
                del self._shelves[space]

    def _keep(self, shelf: _Shelf, slot: tuple[str, UUID], salt: bytes, texts: Texts) -> None:
        """Put on the shelf, making room at the expense of other spaces; what does not fit is opened each time."""
        former = shelf.kept.pop(slot, None)
        if former is not None:
            shelf.size -= former[2]
        need = _OVERHEAD + sum(map(sys.getsizeof, texts))
        while self.size + need > self.limit and next(iter(self._shelves.values())) is not shelf:
            self._shelves.popitem(last=False)
        if self.size + need <= self.limit:
            shelf.kept[slot] = (salt, texts, need)
            shelf.size += need


def _alive(space: UUID) -> bool:
    try:
        keys.require_alive(space)
    except VaultError:
        return False
    return True


shared = Recent()
