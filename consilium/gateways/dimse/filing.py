"""Images become durable together: one thread seals and files what all associations have brought meanwhile.

A sender waits for the answer to each image, so every association has at most one in hand. While one batch waits for
the disk the next one gathers: with many associations one wait serves many images, with one nobody waits for more.
"""

import errno
import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import Any
from uuid import UUID

from django.db import DatabaseError, connection, transaction

from consilium.core import audit
from consilium.gateways.dimse import peers
from consilium.gateways.dimse.part10 import Received
from consilium.gateways.dimse.peers import Target
from consilium.imaging import facts
from consilium.records import content, filing, inbox, instances
from consilium.records.instances import NewInstance, Origin
from consilium.records.models import InboxInstance, RecordFile
from consilium.vault import blobs
from consilium.vault.errors import KeyDestroyed
from consilium.vault.segments import SegmentWriter, joined

log = logging.getLogger("consilium.dimse")

# Status of a C-STORE response: PS3.4 Table B.2-1 and PS3.7 Annex C
SUCCESS = 0x0000
PROCESSING_FAILURE = 0x0110
DUPLICATE = 0x0111  # the UID is taken by other bytes
NOT_AUTHORISED = 0x0124
OUT_OF_RESOURCES = 0xA700
FULL = {errno.ENOSPC, errno.EDQUOT, errno.ENOMEM}
TOGETHER = 200  # images filed in one transaction
REMEMBERED = 200  # studies whose place is known by heart
ASK_AGAIN = 5.0  # seconds for which a case is known to receive
IDLE = 60.0  # seconds after which a database connection is looked at before it is used


@dataclass
class Order:
    """One image that waits to become durable; `done` gets its status."""

    target: Target
    received: Received
    header: dict[str, Any]
    done: "Future[int]" = field(default_factory=Future)

    @property
    def place(self) -> tuple[Any, ...]:
        """Orders for the same place share a segment and a transaction."""
        if self.target.case:
            return self.target.case, self.target.sender.ref
        return self.target.tenant, self.target.sender.ref, inbox.grouped_by(self.target.tenant, self.header["tags"])


class Filing:
    """The thread and its queue; `store` is called by the threads of associations."""

    def __init__(self) -> None:
        self._queue: SimpleQueue[Order | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="dimse-filing", daemon=True)
        self._asked: OrderedDict[UUID, float] = OrderedDict()
        self._records: dict[UUID, OrderedDict[str, UUID]] = {}  # case → study UID → record
        self._studies: OrderedDict[tuple[Any, ...], UUID] = OrderedDict()
        self._used = time.monotonic()
        self.batches = self.filed = 0

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """File what waits, then end."""
        self._queue.put(None)
        self._thread.join(10)

    def store(self, order: Order) -> int:
        """The status of an image, when it is durable and in the database or cannot be."""
        self._queue.put(order)
        return order.done.result()

    def _run(self) -> None:
        while order := self._queue.get():
            batch = [order]
            with_end = self._gather(batch)
            self._work(batch)
            if with_end:
                break
        connection.close()

    def _gather(self, batch: list[Order]) -> bool:
        """Add what waits already; True when the end came."""
        while len(batch) < TOGETHER:
            try:
                order = self._queue.get_nowait()
            except Empty:
                return False
            if order is None:
                return True
            batch.append(order)
        return False

    def _work(self, batch: list[Order]) -> None:
        if time.monotonic() - self._used > IDLE:
            connection.close_if_unusable_or_obsolete()
        places: dict[tuple[Any, ...], list[Order]] = {}
        for order in batch:
            places.setdefault(order.place, []).append(order)
        for orders in places.values():
            self._answer(orders)
        self.batches += 1
        self._used = time.monotonic()

    def _answer(self, orders: list[Order]) -> None:
        """File the orders of one place; when that fails as a whole, one by one."""
        try:
            statuses = self._stored(orders)
        except Exception as error:
            if isinstance(error, DatabaseError):
                connection.close_if_unusable_or_obsolete()
            if len(orders) > 1 and not is_full(error):
                for order in orders:
                    self._answer([order])
                return
            statuses = [self._failed(error)] * len(orders)
        self.filed += statuses.count(SUCCESS)
        for order, status in zip(orders, statuses, strict=True):
            order.done.set_result(status)

    def _failed(self, error: Exception) -> int:
        if is_full(error):
            log.error("no room for images", extra={"code": "full"})
            return OUT_OF_RESOURCES
        if isinstance(error, KeyDestroyed):
            return NOT_AUTHORISED
        log.error("images could not be filed", exc_info=error)
        return PROCESSING_FAILURE

    def _stored(self, orders: list[Order]) -> list[int]:
        target = orders[0].target
        if target.case is None:
            return self._to_inbox(orders)
        if not self._receives(target):
            return [NOT_AUTHORISED] * len(orders)
        return self._to_case(target, target.case, orders)

    def _receives(self, target: Target) -> bool:
        """Asked of the database every few seconds: a case may be halted or erased in the middle of a study."""
        assert target.case
        now = time.monotonic()
        if now - self._asked.get(target.case, -ASK_AGAIN) < ASK_AGAIN:
            return True
        if not peers.still_open(target):
            return False
        _remember(self._asked, target.case, now)
        return True

    # --- into a case ---------------------------------------------------------------------------------------

    def _to_case(self, target: Target, case: UUID, orders: list[Order]) -> list[int]:
        assert target.owner
        owner, records = target.owner, self._records.get(case)
        origin = Origin(case, owner, target.sender.ref)

        def add(new: list[NewInstance]) -> list[str]:
            answers = instances.add(new, origin, joined=dict(records or {}))
            if records is None:  # the first of this process; whoever sends more is in the log already
                audit.record("record.receive", by=target.sender, thing=f"case:{case}", space=case)
            self._learn(case, new, answers)
            return [answer.code for answer in answers]

        def held(order: Order) -> content.Content | None:
            token = filing.hashed(owner, "instance", order.received.instance)
            return RecordFile.objects.filter(space=case, instance=token).first()

        return _sealed_and_added(orders, case, target.tenant, add, held)

    def _learn(self, case: UUID, new: list[NewInstance], answers: list[instances.Filed]) -> None:
        """The records that images of a study join, so that the next batch needs no look-up."""
        while len(self._records) >= REMEMBERED:
            self._records.pop(next(iter(self._records)))
        known = self._records.setdefault(case, OrderedDict())
        for one, answer in zip(new, answers, strict=True):
            if answer.record and facts.frames(one.header["tags"]):
                _remember(known, str(facts.value(one.header["tags"], "StudyInstanceUID")), answer.record)

    # --- into the inbox ------------------------------------------------------------------------------------

    def _to_inbox(self, orders: list[Order]) -> list[int]:
        """Once more when somebody decides on the study at this moment: then another one begins."""
        try:
            return self._to_study(orders)
        except (inbox.Closed, KeyDestroyed):
            self._studies.pop(orders[0].place, None)
            return self._to_study(orders)

    def _to_study(self, orders: list[Order]) -> list[int]:
        first, place = orders[0], orders[0].place
        study = self._studies.get(place)
        if study is None:
            study = inbox.open_study(first.target.tenant, first.header, by=first.target.sender)
            _remember(self._studies, place, study)

        def held(order: Order) -> content.Content | None:
            token = inbox.instance_token(first.target.tenant, order.received.instance)
            return InboxInstance.objects.filter(study=study, instance=token).first()

        return _sealed_and_added(orders, study, first.target.tenant, lambda new: inbox.add(study, new), held)


def is_full(error: Exception) -> bool:
    """Whether the disk is full, as the system or the database says it."""
    if isinstance(error, OSError):
        return error.errno in FULL
    words = str(error).lower()
    return isinstance(error, DatabaseError) and ("full" in words or "no space left" in words)


def _remember(kept: "OrderedDict[Any, Any]", key: Any, value: Any) -> None:
    kept[key] = value
    kept.move_to_end(key)
    while len(kept) > REMEMBERED:
        kept.popitem(last=False)


def _sealed_and_added(
    orders: list[Order],
    space: UUID,
    tenant: UUID,
    add: Callable[[list[NewInstance]], list[str]],
    held: Callable[[Order], content.Content | None],
) -> list[int]:
    """Seal, make durable, note in the database; what is there already is compared with what came."""
    with SegmentWriter(space=space, tenant=tenant) as out:
        new = [
            NewInstance(
                joined([*out.add(order.received.preamble), *out.add(order.received.dataset)]),
                order.header,
            )
            for order in orders
        ]
        out.finish()
        with transaction.atomic():
            codes = add(new)
    used = {part.blob for one, code in zip(new, codes, strict=True) if code == "stored" for part in one.slices}
    for blob in set(out.blobs) - used:
        blobs.delete(blob)
    return [
        SUCCESS if code == "stored" or _same(held(order), order) else DUPLICATE
        for order, code in zip(orders, codes, strict=True)
    ]


def _same(held: Any, order: Order) -> bool:
    """Whether what is there has the same transfer syntax and data set; the file meta may differ."""
    if held is None or not held.header or held.header["ts"] != order.header["ts"]:
        return False
    at, came = held.header["dataset"], order.received.dataset
    if held.size - at != len(came):
        return False
    position = 0
    for chunk in content.chunks(held, at):
        if came[position : position + len(chunk)] != chunk:
            return False
        position += len(chunk)
    return True
