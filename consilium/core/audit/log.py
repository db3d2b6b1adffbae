"""Appending to the log: inside the effect's transaction, one writer at a time, without gaps.

The head row is the lock: SELECT … FOR UPDATE on PostgreSQL, BEGIN IMMEDIATE on SQLite (settings.py). It is
held until the effect commits, so record late in a transaction. If the entry cannot be written, the
exception ends the effect's transaction as well: the log fails closed.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock
from typing import TYPE_CHECKING, Any, Protocol
from uuid import UUID

from django.db import connection, transaction

from consilium.core import clock
from consilium.core.audit import entry as entries
from consilium.core.audit.entry import GENESIS, AuditRefused
from consilium.core.audit.merkle import Frontier

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from consilium.core.models import AuditEvent, AuditHead


class Actor(Protocol):
    """Whoever acts: anything with a pseudonymous reference."""

    @property
    def ref(self) -> str: ...


@dataclass(frozen=True)
class Draft:
    """An entry to be written by `record_all`."""

    action: str
    by: Actor
    thing: str
    space: UUID | None = None
    outcome: str = "success"
    purpose: str = "TREAT"
    facts: dict[str, Any] = field(default_factory=dict[str, Any])


def record(
    action: str,
    *,
    by: Actor,
    thing: str,
    space: UUID | None = None,
    outcome: str = "success",
    purpose: str = "TREAT",
    **facts: Any,
) -> "AuditEvent":
    """Append one entry within the current transaction.

    action: like "record.read"; thing: like "record:<uuid>"; outcome: success, denied or failed; facts:
    numbers, booleans, UUIDs, aware times, short codes. Raises AuditRefused for anything else, and
    outside a transaction.
    """
    return record_all([Draft(action, by, thing, space, outcome, purpose, facts)])[0]


def record_all(drafts: Iterable[Draft]) -> list["AuditEvent"]:
    """Append several entries in three queries, whatever their number."""
    from consilium.core.models import AuditEvent

    if not connection.in_atomic_block:
        raise AuditRefused("An audit entry is written in its effect's transaction: use transaction.atomic().")
    built = [_built(draft) for draft in drafts]
    if not built:
        return []
    head = locked_head()
    frontier = frontier_of(head)
    previous, events = head.hash, list[AuditEvent]()
    for fields in built:
        text, previous_next = entries.chained(fields, sequence=frontier.size, previous=previous)
        events.append(row(fields, frontier.size, text, previous_next))
        frontier.append(text.encode())
        previous = previous_next
    AuditEvent.objects.bulk_create(events)
    _move_head(head, frontier, previous)
    return events


def read(
    thing: str,
    *,
    by: Actor,
    space: UUID | None,
    action: str = "",
    within: timedelta = timedelta(minutes=10),
    **facts: Any,
) -> bool:
    """Log a read before its bytes leave; True when an entry was written now.

    The cheap path for pages, ranges, thumbnails and frames: this process writes one entry for the same
    actor, action and thing in `within`, then answers from memory. Works inside and outside a transaction;
    raises when the entry cannot be written, and then no byte may leave. Without `action`, it is "<kind of thing>.read".
    """
    action = action or f"{thing.partition(':')[0]}.read"
    slot = (by.ref, action, thing)
    now = clock.now()
    last = _recent.get(slot)
    if last is not None and timedelta(0) <= now - last < within:
        return False
    with transaction.atomic():
        record(action, by=by, thing=thing, space=space, **facts)
        # only a committed entry may spare the next one
        transaction.on_commit(lambda: _remember(slot))
    return True


def for_space(space: UUID) -> "QuerySet[AuditEvent]":
    """Everything that happened in a space, newest first."""
    from consilium.core.models import AuditEvent

    return AuditEvent.objects.filter(space=space).order_by("-sequence")


def _built(draft: Draft) -> dict[str, Any]:
    return entries.build(
        action=draft.action,
        agent=draft.by.ref,
        thing=draft.thing,
        space=draft.space,
        outcome=draft.outcome,
        purpose=draft.purpose,
        facts=draft.facts,
        recorded=clock.now(),
    )


def row(fields: dict[str, Any], sequence: int, text: str, digest: str) -> "AuditEvent":
    """An entry as a row (not saved)."""
    from consilium.core.models import AuditEvent

    return AuditEvent(
        sequence=sequence,
        recorded=datetime.fromisoformat(fields["recorded"]),
        action=fields["subtype"],
        outcome=fields["outcome"],
        agent=fields["agent"],
        thing=fields["entity"],
        space=fields["space"] and UUID(fields["space"]),
        entry=text,
        hash=digest,
    )


def locked_head() -> "AuditHead":
    """The head row, locked until the transaction ends (made when the log is new)."""
    from consilium.core.models import AuditEvent, AuditHead

    head = AuditHead.objects.select_for_update().filter(pk=1).first()
    if head is None:
        # Of several first writers one inserts, the others wait for its commit and then find the row.
        _, created = AuditHead.objects.get_or_create(pk=1, defaults={"hash": GENESIS})
        if created and AuditEvent.objects.exists():
            raise AuditRefused("The audit log has entries but no head. Run `consilium audit verify`.")
        head = AuditHead.objects.select_for_update().get(pk=1)
    return head


def frontier_of(head: "AuditHead") -> Frontier:
    """The Merkle tree's state that the head row keeps."""
    return Frontier(head.size, head.peaks.split(",") if head.peaks else [])


def _move_head(head: "AuditHead", frontier: Frontier, digest: str) -> None:
    moved = type(head).objects.filter(pk=1, size=head.size, hash=head.hash)
    # Compare and set: a second guard besides the lock and the primary key.
    if moved.update(size=frontier.size, hash=digest, peaks=",".join(frontier.peaks)) != 1:
        raise AuditRefused("The audit log moved while an entry was being written.")


_recent: dict[tuple[str, str, str], Any] = {}
_recent_lock = Lock()


def _remember(slot: tuple[str, str, str]) -> None:
    with _recent_lock:
        if len(_recent) > 10_000:
            _recent.clear()
        _recent[slot] = clock.now()
