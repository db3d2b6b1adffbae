"""What the desk works with: missing-record requests, guest links, follow-up questionnaires."""

import uuid
from typing import TYPE_CHECKING

from django.db import models
from django.utils.translation import gettext_lazy as _

from consilium.cases.models.case import Case
from consilium.core import clock
from consilium.vault.fields import SealedJSONField, SealedTextField


class RecordRequest(models.Model):
    """One item of the specialty's checklist on this case: wanted, asked for, there, or waived."""

    if TYPE_CHECKING:
        case_id: uuid.UUID

        def get_status_display(self) -> str: ...

    class Status(models.TextChoices):
        MISSING = "missing", _("missing")
        ASKED = "asked", _("asked for")
        HERE = "here", _("here")
        WAIVED = "waived", _("waived")

    seal_space = "case_id"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="record_requests")
    item = models.CharField(max_length=60)  # code of the pack's checklist item
    mandatory = models.BooleanField(default=False)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.MISSING)
    asked_of = models.CharField(max_length=20, blank=True)  # "patient" or "provider"
    asked_at = models.DateTimeField(null=True, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.CharField(max_length=60, blank=True)
    note = SealedTextField(blank=True, default="")  # reason of the waiver, words to the patient

    class Meta:
        constraints = [models.UniqueConstraint(fields=["case", "item"], name="one_request_an_item")]


class GuestLink(models.Model):
    """A link for one person, one case, one purpose: expiring, revocable, with a second factor.

    Only the token's hash is stored; the second factor travels by another channel and is hashed too.
    """

    if TYPE_CHECKING:
        case_id: uuid.UUID

    seal_space = "case_id"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="guest_links")
    role = models.CharField(max_length=30, default="treating_clinician")
    purpose = models.CharField(max_length=30, default="report")
    token_hash = models.CharField(max_length=64, unique=True)
    code_hash = models.CharField(max_length=128)
    attempts = models.PositiveSmallIntegerField(default=0)
    recipient = SealedJSONField(default=dict)  # name, institution, email, telephone
    granted_by = models.CharField(max_length=60)
    granted_at = models.DateTimeField(default=clock.now)
    expires_at = models.DateTimeField()
    opened_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoked_by = models.CharField(max_length=60, blank=True)

    def holds(self, link_id: uuid.UUID | None) -> bool:
        """Whether the link still opens anything, now, for the guest session of `link_id`."""
        return self.id == link_id and self.revoked_at is None and self.expires_at > clock.now()


class FollowUp(models.Model):
    """The patient's answers at day 30, 90 and 180 after delivery (and the SURE test before and after).

    SURE test: Légaré et al. 2010, four yes/no items; used unaltered and free of charge.
    """

    if TYPE_CHECKING:
        case_id: uuid.UUID

    seal_space = "case_id"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="follow_ups")
    day = models.PositiveSmallIntegerField()  # 0 = at intake, 30, 90, 180 = days after delivery
    due_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True, blank=True)
    answers = SealedJSONField(blank=True, default=dict)

    class Meta:
        ordering = ["day"]
        constraints = [models.UniqueConstraint(fields=["case", "day"], name="one_follow_up_a_day")]
