"""Checkpoints, verification and export of the log (docs/reference/audit-log.md)."""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.db import transaction

from consilium.core import clock, secretfile
from consilium.core.audit import entry as entries
from consilium.core.audit import log, signing
from consilium.core.audit.entry import GENESIS
from consilium.core.audit.merkle import Frontier

if TYPE_CHECKING:
    from consilium.core.models import AuditCheckpoint, AuditEvent, AuditHead

STATEMENT_FORMAT = "consilium-audit-checkpoint/1"
EXPORT_FORMAT = "consilium-audit-export/1"
MAX_PROBLEMS = 100


@dataclass
class Report:
    """The result of a verification: how much was looked at, and every problem as a sentence."""

    events: int = 0
    checkpoints: int = 0
    root: str = ""
    problems: list[str] = field(default_factory=list[str])

    @property
    def ok(self) -> bool:
        return not self.problems

    def add(self, sentence: str) -> None:
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(sentence)


def checkpoint() -> "AuditCheckpoint | None":
    """Sign the present state of the log; None when it is empty or nothing was added since the last one.

    Raises SecretFileError when the signing key is absent or unsafe.
    """
    from consilium.core.models import AuditCheckpoint

    with transaction.atomic():
        head = log.locked_head()
        if not head.size or AuditCheckpoint.objects.filter(size=head.size).exists():
            return None
        frontier = log.frontier_of(head)
        public = signing.public_key()
        statement = entries.canonical(
            {
                "format": STATEMENT_FORMAT,
                "size": head.size,
                "root": frontier.root(),
                "head": head.hash,
                "recorded": entries.instant(clock.now()),
                "key": signing.key_id(public),
            }
        )
        row = AuditCheckpoint(
            size=head.size,
            root=frontier.root(),
            statement=statement,
            signature=signing.sign(statement),
            key_id=signing.key_id(public),
        )
        row.save()
        transaction.on_commit(lambda: signing.witness(_checkpoint_line(row)))
    return row


def verify() -> Report:
    """Recompute the whole log: chain, columns, tree, signatures, and the checkpoints remembered outside."""
    from consilium.core.models import AuditCheckpoint, AuditEvent, AuditHead

    report = Report()
    head = AuditHead.objects.filter(pk=1).first()
    statements = [_checkpoint_line(row) for row in AuditCheckpoint.objects.all()]
    report.checkpoints = len(statements)
    expected = _expectations(report, statements, signing.witnessed())
    if head:
        expected.setdefault(head.size, []).append((_head_root(head), head.hash, "The head of the log"))
    _walk(report, AuditEvent.objects.order_by("sequence").iterator(chunk_size=2000), expected)
    if head is None and report.events:
        report.add("The head of the log is missing.")
    return report


def export(path: Path) -> int:
    """Write the log as JSON lines that scripts/verify_audit.py checks; returns the number of entries.

    Signs a checkpoint first, so that every exported entry is covered by one. The file is made 0600.
    """
    from consilium.core.models import AuditCheckpoint, AuditEvent

    checkpoint()
    last = AuditCheckpoint.objects.order_by("-size").first()
    size = last.size if last else 0
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        header = {"kind": "header", "format": EXPORT_FORMAT, "public_keys": signing.public_keys()}
        file.write(json.dumps(header) + "\n")
        for event in AuditEvent.objects.filter(sequence__lt=size).order_by("sequence").iterator(2000):
            file.write(json.dumps({"kind": "event", "entry": event.entry, "hash": event.hash}) + "\n")
        for row in AuditCheckpoint.objects.all():
            file.write(json.dumps({"kind": "checkpoint", **_checkpoint_line(row)}) + "\n")
        file.flush()
        os.fsync(file.fileno())
    return size


def init() -> bool:
    """Create the signing key on a new installation; True when it was created now."""
    return signing.init_key()


def check() -> list[str]:
    """Problems with the signing key, as sentences that say what to do."""
    try:
        public = signing.public_key().hex()
    except secretfile.SecretFileError as error:
        return [str(error)]
    if public not in signing.public_keys():
        return ["The file audit.pub lacks the present public key of the audit log. Run `consilium migrate`."]
    return []


# (root, head hash, what says so) expected at a size
Expected = dict[int, list[tuple[str, str, str]]]


def _expectations(report: Report, statements: list[dict[str, str]], remembered: list[dict[str, Any]]) -> Expected:
    expected: Expected = {}
    publics = signing.public_keys()
    stored = {line["statement"] for line in statements}
    outside = [line for line in remembered if line["statement"] not in stored]
    for source, lines in (("The checkpoint", statements), ("The checkpoint remembered outside", outside)):
        for line in lines:
            try:
                said = json.loads(line["statement"])
                size, root, head = int(said["size"]), str(said["root"]), str(said["head"])
            except (ValueError, KeyError, TypeError):
                report.add(f"{source} cannot be read.")
                continue
            name = f"{source} at {size}"
            if not signing.signed(line["statement"], line["signature"], publics):
                report.add(f"{name} has no valid signature.")
            if lines is outside:
                report.add(f"{name} is missing from the database.")
            expected.setdefault(size, []).append((root, head, name))
    return expected


def _head_root(head: "AuditHead") -> str:
    try:
        return log.frontier_of(head).root()
    except ValueError:
        return "unreadable"


def _walk(report: Report, events: "Iterator[AuditEvent]", expected: Expected) -> None:
    frontier, previous = Frontier(), GENESIS
    _compare(report, frontier, previous, expected)
    for event in events:
        for sentence in _faults(event, frontier.size, previous):
            report.add(sentence)
        frontier.append(event.entry.encode())
        previous = event.hash
        _compare(report, frontier, previous, expected)
    report.events, report.root = frontier.size, frontier.root()
    for size in sorted(expected):
        if size > frontier.size:
            report.add(f"{expected[size][0][2]} is for {size} entries, but only {frontier.size} are there.")


def _compare(report: Report, frontier: Frontier, head: str, expected: Expected) -> None:
    for root, expected_head, name in expected.get(frontier.size, []):
        if expected_head != head or root != frontier.root():
            report.add(f"{name} does not fit the first {frontier.size} entries.")


def _faults(event: "AuditEvent", sequence: int, previous: str) -> Iterator[str]:
    if event.sequence != sequence:
        yield f"Entry {sequence} is missing (found {event.sequence})."
    try:
        said = json.loads(event.entry)
        text, digest = entries.chained(said, sequence=event.sequence, previous=previous)
        columns = log.row(said, event.sequence, text, digest)
    except (ValueError, KeyError, TypeError):
        yield f"Entry {event.sequence} cannot be read."
        return
    if (text, digest) != (event.entry, event.hash):
        yield f"Entry {event.sequence} was changed or is not where it was written."
    for name in ("recorded", "action", "outcome", "agent", "thing", "space"):
        if getattr(columns, name) != getattr(event, name):
            yield f"The column {name} of entry {event.sequence} differs from what was signed."


def _checkpoint_line(row: "AuditCheckpoint") -> dict[str, str]:
    return {"statement": row.statement, "signature": row.signature}
