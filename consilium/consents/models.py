"""Consents: what somebody agreed to, in which words, when, and whether it still holds."""

import uuid

from django.db import models

from consilium.core import clock


class Consent(models.Model):
    """One consent to one clause of a jurisdiction pack (kept after withdrawal: that it was given is a fact).

    `space` is the case's UUID: consents sit below cases and know nothing else of them.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    space = models.UUIDField(db_index=True)
    clause = models.CharField(max_length=40)
    pack = models.CharField(max_length=60)  # jurisdiction pack id and version, "germany@2026.1"
    text_sha256 = models.CharField(max_length=64)  # of the exact words shown
    language = models.CharField(max_length=8)
    given_at = models.DateTimeField(default=clock.now)
    given_by = models.CharField(max_length=60)
    on_behalf_of = models.CharField(max_length=60, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    withdrawn_by = models.CharField(max_length=60, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["space", "clause"],
                condition=models.Q(withdrawn_at__isnull=True),
                name="one_open_consent_a_clause",
            )
        ]
