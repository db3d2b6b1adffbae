"""The audit log's tables: append-only entries, the head of the chain, signed checkpoints.

Written only by consilium.core.audit. `entry` is the canonical text that was hashed; the other
columns repeat parts of it for queries, and verification compares the two.
"""

import json
from typing import Any, NoReturn

from django.db import models

from consilium.core.audit.entry import AuditRefused


class AppendOnly(models.QuerySet[Any]):
    """Reads as usual; refuses to change or delete."""

    def update(self, **kwargs: Any) -> NoReturn:
        raise AuditRefused("Audit entries are never changed.")

    def delete(self) -> NoReturn:
        raise AuditRefused("Audit entries are never deleted.")

    def bulk_update(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise AuditRefused("Audit entries are never changed.")

    def _raw_delete(self, using: str | None) -> NoReturn:
        raise AuditRefused("Audit entries are never deleted.")


class Appended(models.Model):
    """Base of rows that are inserted once and stay."""

    objects = AppendOnly.as_manager()

    class Meta:
        abstract = True
        base_manager_name = "objects"

    # The one exception to "no save() overrides": these refuse, they do nothing else.
    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise AuditRefused("Audit entries are never changed.")
        super().save(*args, **{**kwargs, "force_insert": True})

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise AuditRefused("Audit entries are never deleted.")


class AuditEvent(Appended):
    """One entry. `sequence` starts at 0 and has no gaps."""

    sequence = models.BigIntegerField(primary_key=True)
    recorded = models.DateTimeField()
    action = models.CharField(max_length=100)
    outcome = models.CharField(max_length=10)
    agent = models.CharField(max_length=120)
    thing = models.CharField(max_length=120)
    space = models.UUIDField(null=True)
    entry = models.TextField()
    hash = models.CharField(max_length=64, unique=True)

    class Meta(Appended.Meta):
        abstract = False
        ordering = ["sequence"]
        indexes = [
            models.Index(fields=["space", "-sequence"], name="audit_space"),
            models.Index(fields=["agent", "-sequence"], name="audit_agent"),
            models.Index(fields=["thing", "-sequence"], name="audit_thing"),
        ]

    def __str__(self) -> str:
        return f"{self.sequence} {self.action}"

    @property
    def facts(self) -> dict[str, Any]:
        """The entry's further facts: scalars and short codes only."""
        return json.loads(self.entry)["facts"]

    @property
    def purpose(self) -> str:
        """Purpose of use, a code such as TREAT."""
        return json.loads(self.entry)["purpose"]


class AuditHead(models.Model):
    """The single row that appends lock: how long the chain is and where it ends."""

    size = models.BigIntegerField(default=0)
    hash = models.CharField(max_length=64)
    # Roots of the Merkle tree's complete subtrees (core/audit/merkle.py), comma-separated hex.
    peaks = models.TextField(default="", blank=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="audit_one_head")]

    def __str__(self) -> str:
        return f"audit log of {self.size}"


class AuditCheckpoint(Appended):
    """A signed statement: at `size` entries the tree's root was `root` (Ed25519 over `statement`)."""

    size = models.BigIntegerField(primary_key=True)
    root = models.CharField(max_length=64)
    statement = models.TextField()
    signature = models.CharField(max_length=128)
    key_id = models.CharField(max_length=16)

    class Meta(Appended.Meta):
        abstract = False
        ordering = ["size"]

    def __str__(self) -> str:
        return f"checkpoint at {self.size}"
