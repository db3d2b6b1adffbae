"""Consents: what somebody agreed to, in which words, when, and whether it still holds."""

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

from consilium.core import clock


class Consent(models.Model):
    """One consent to one clause on one case (kept after withdrawal: that it was given is a fact).

    `space` is the case's UUID: consents sit below cases and know nothing else of them.
    """

    class Clause(models.TextChoices):
        REMOTE_OPINION = "remote_opinion", _("a remote second opinion without a physical examination")
        PROCESSING = "processing", _("processing of my health data for this purpose")
        SPECIALIST_ACCESS = "specialist_access", _("reading of my records by the specialist who accepts")
        SHARE_TREATING = "share_treating", _("sending the report to my treating doctor")
        FOLLOW_UP = "follow_up", _("being asked how I am after 30, 90 and 180 days")
        RESEARCH = "research", _("use of de-identified results to improve care")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    space = models.UUIDField(db_index=True)
    clause = models.CharField(max_length=30, choices=Clause.choices)
    text_version = models.CharField(max_length=20)
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
