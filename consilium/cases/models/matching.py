"""Offers of a case to specialists, with the stored reasons of the match."""

import uuid
from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from consilium.cases.models.case import Case
from consilium.core import clock
from consilium.people.models import Specialist
from consilium.vault.fields import SealedTextField


class Offer(models.Model):
    """A case offered to one specialist: open until accepted, declined, silent for too long or taken back."""

    if TYPE_CHECKING:
        case_id: uuid.UUID
        specialist_id: uuid.UUID

        def get_status_display(self) -> str: ...
        def get_reason_display(self) -> str: ...

    class Status(models.TextChoices):
        QUEUED = "queued", _("backup")
        OPEN = "open", _("open")
        ACCEPTED = "accepted", _("accepted")
        DECLINED = "declined", _("declined")
        TIMED_OUT = "timed_out", _("no answer in time")
        TAKEN_BACK = "taken_back", _("taken back")

    class Reason(models.TextChoices):
        CONFLICT = "conflict", _("conflict of interest")
        LICENCE = "licence", _("no licence for this patient's country")
        CAPACITY = "capacity", _("no capacity now")
        EXPERTISE = "expertise", _("outside my expertise")
        OTHER = "other", _("another reason")

    seal_space = "case_id"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="offers")
    specialist = models.ForeignKey(Specialist, on_delete=models.PROTECT, related_name="offers")
    position = models.PositiveSmallIntegerField(default=1)
    status = models.CharField(max_length=12, choices=Status.choices, default=Status.QUEUED)
    match_reasons = models.JSONField(default=list)  # [{"code": …, "ok": bool, "weight": int}]
    made_at = models.DateTimeField(default=clock.now)
    opened_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    reason = models.CharField(max_length=12, choices=Reason.choices, blank=True)
    reason_note = SealedTextField(blank=True, default="")
    conflict_declared_at = models.DateTimeField(null=True, blank=True)
    conflict_statement = SealedTextField(blank=True, default="")

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["case"], condition=Q(status="open"), name="one_open_offer"),
        ]
