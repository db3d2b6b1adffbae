"""Images become durable together: one thread seals and files what all associations have brought meanwhile.

A sender waits for the answer to each image, so every association has at most one in hand. While one batch waits for
the disk the next one gathers: with many associations one wait serves many images, with one nobody waits for more.
"""

import contextlib
import errno
import logging
import threading
import time
from collections import OrderedDict
from concurrent.futures import Future, InvalidStateError
from dataclasses import dataclass, field
from functools import cached_property
from queue import Empty, SimpleQueue
from typing import Any
from uuid import UUID

from django.db import DatabaseError, connection, transaction

from consilium.core import audit
from consilium.gateways.dimse import batch, peers
from consilium.gateways.dimse.batch import Place
from consilium.gateways.dimse.part10 import Received
from consilium.gateways.dimse.peers import Target
from consilium.gateways.dimse.status import NOT_AUTHORISED, OUT_OF_RESOURCES, PROCESSING_FAILURE, SUCCESS
from consilium.imaging import facts
from consilium.records import filing, inbox, instances
from consilium.records.instances import NewInstance, Origin
from consilium.records.models import InboxInstance, RecordFile
from consilium.vault.errors import KeyDestroyed

log = logging.getLogger("consilium.dimse")

FULL = {errno.ENOSPC, errno.EDQUOT, errno.ENOMEM}
TOGETHER = 200  # images filed in one transaction
REMEMBERED = 200  # studies and cases known by heart
ASK_AGAIN = 5.0  # seconds for which a case is known to receive
IDLE = 60.0  # seconds after which a database connection is looked at before it is used


@dataclass
class Order:
    """One image that waits to become durable; `done` gets its status."""

    target: Target
    received: Received
    header: dict[str, Any]
    done: "Future[int]" = field(default_factory=Future)

    @cached_property
    def place(self) -> tuple[Any, ...]:
        """Orders for the same place share a segment."""
        if self.target.case:
            return self.target.case, self.target.sender.ref
        return self.target.tenant, self.target.sender.ref, inbox.grouped_by(self.target.tenant, self.header["tags"])


class NotOpen(Exception):  # noqa: N818 - a named outcome
    """The case takes no images any more."""


class Filing:
    """The thread and its queue; `store` is called by the threads of associations."""

    def __init__(self) -> None:
        self._queue: SimpleQueue[Order | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="dimse-filing", daemon=True)
        self._asked: OrderedDict[UUID, float] = OrderedDict()
        self._records: OrderedDict[UUID, dict[str, UUID]] = OrderedDict()  # case → study UID → record
        self._studies: OrderedDict[tuple[Any, ...], tuple[UUID, set[str]]] = OrderedDict()  # and its modalities
        self._used = time.monotonic()
        self._ended = False
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
        if self._ended:
            _fail([order])
        return order.done.result()

    def _run(self) -> None:
        going = True
        while going and (order := self._queue.get()):
            orders = [order]
            going = self._gather(orders)
            if time.monotonic() - self._used > IDLE:
                connection.close_if_unusable_or_obsolete()
            try:
                self._work(orders)
            except Exception:  # whatever it is, nobody waits for ever and the next images are filed
                log.exception("images could not be filed")
                _fail(orders)
            self.batches += 1
            self._used = time.monotonic()
        self._ended = True
        orders = []
        self._gather(orders)
        _fail(orders)
        connection.close()

    def _gather(self, orders: list[Order]) -> bool:
        """Add what waits already; False when the end came."""
        while len(orders) < TOGETHER:
            try:
                order = self._queue.get_nowait()
            except Empty:
                return True
            if order is None:
                return False
            orders.append(order)
        return True

    def _work(self, orders: list[Order], *, again: bool = True) -> None:
        """File orders for whatever places at once. When that fails each of them has another try of its own."""
        places: dict[tuple[Any, ...], list[Order]] = {}
        for order in orders:
            places.setdefault(order.place, []).append(order)
        try:
            found = batch.store([self._place(some) for some in places.values()])
        except Exception as error:  # whatever it is, each image has another try alone, then it is logged and answered
            self._forget(places)
            if isinstance(error, DatabaseError):
                connection.close_if_unusable_or_obsolete()
            if again and not is_full(error) and not isinstance(error, NotOpen):
                for order in orders:
                    self._work([order], again=False)
                return
            found = [[_failed(error)] * len(some) for some in places.values()]
        for some, statuses in zip(places.values(), found, strict=True):
            self.filed += statuses.count(SUCCESS)
            for order, status in zip(some, statuses, strict=True):
                order.done.set_result(status)

    def _forget(self, places: dict[tuple[Any, ...], list[Order]]) -> None:
        """What was known by heart may be why it failed: somebody decided on a study, or took a record out."""
        for place, some in places.items():
            self._studies.pop(place, None)
            if some[0].target.case:
                self._records.pop(some[0].target.case, None)

    def _place(self, orders: list[Order]) -> Place:
        """Where orders go. Raises NotOpen."""
        target = orders[0].target
        if target.case is None:
            return self._study(orders)
        if not self._receives(target, target.case):
            raise NotOpen
        return self._case(target, target.case, orders)

    def _receives(self, target: Target, case: UUID) -> bool:
        """Asked of the database every few seconds: a case may be halted or erased in the middle of a study."""
        now = time.monotonic()
        if now - self._asked.get(case, -ASK_AGAIN) < ASK_AGAIN:
            return True
        if not peers.still_open(target):
            return False
        _remember(self._asked, case, now)
        return True

    def _case(self, target: Target, case: UUID, orders: list[Order]) -> Place:
        assert target.owner
        owner, records = target.owner, self._records.get(case)
        origin = Origin(case, owner, target.sender.ref)

        def add(new: list[NewInstance]) -> list[str]:
            answers = instances.add(new, origin, joined=dict(records or {}))
            if records is None:  # the first ones for this case in a while
                audit.record("record.receive", by=target.sender, thing=f"case:{case}", space=case)
            transaction.on_commit(lambda: self._learn(case, new, answers))
            return [answer.code for answer in answers]

        def held(came: Received) -> RecordFile | None:
            token = filing.hashed(owner, "instance", came.instance)
            return RecordFile.objects.filter(space=case, instance=token).first()

        return Place(case, target.tenant, [(one.received, one.header) for one in orders], add, held)

    def _learn(self, case: UUID, new: list[NewInstance], answers: list[instances.Filed]) -> None:
        """The records that images of a study join, so that the next batch needs no look-up."""
        known = self._records.get(case, {})
        for one, answer in zip(new, answers, strict=True):
            if answer.record and facts.frames(one.header["tags"]) and len(known) < REMEMBERED:
                known[str(facts.value(one.header["tags"], "StudyInstanceUID"))] = answer.record
        _remember(self._records, case, known)

    def _study(self, orders: list[Order]) -> Place:
        target, place = orders[0].target, orders[0].place
        study, modalities = self._studies.get(place) or (None, set[str]())
        if study is None:
            study = inbox.open_study(target.tenant, orders[0].header, by=target.sender)

        def add(new: list[NewInstance]) -> list[str]:
            found = {str(facts.value(one.header["tags"], "Modality") or "") for one in new}
            # What is told again is found by its key, and looked at then.
            answers = inbox.add(study, target.tenant, new, known=bool(found - modalities))
            transaction.on_commit(lambda: _remember(self._studies, place, (study, modalities | found)))
            return answers

        def held(came: Received) -> InboxInstance | None:
            token = inbox.instance_token(target.tenant, came.instance)
            return InboxInstance.objects.filter(study=study, instance=token).first()

        images = [(one.received, one.header) for one in orders]
        return Place(study, target.tenant, images, add, held)


def is_full(error: Exception) -> bool:
    """Whether the disk is full, as the system or the database says it."""
    if isinstance(error, OSError):
        return error.errno in FULL
    words = str(error).lower()
    return isinstance(error, DatabaseError) and ("disk is full" in words or "no space left" in words)


def _failed(error: Exception) -> int:
    if is_full(error):
        log.error("no room for images", extra={"code": "full"})
        return OUT_OF_RESOURCES
    if isinstance(error, NotOpen | KeyDestroyed):
        return NOT_AUTHORISED
    log.error("images could not be filed", exc_info=error)
    return PROCESSING_FAILURE


def _fail(orders: list[Order]) -> None:
    for order in orders:
        with contextlib.suppress(InvalidStateError):  # it has its answer
            order.done.set_result(PROCESSING_FAILURE)


def _remember(kept: "OrderedDict[Any, Any]", key: Any, value: Any) -> None:
    kept[key] = value
    kept.move_to_end(key)
    while len(kept) > REMEMBERED:
        kept.popitem(last=False)
