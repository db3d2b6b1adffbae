"""Words between people on a case: messages and the bounded clarification round."""

import uuid
from typing import TYPE_CHECKING

from django.db import models
from django.utils.translation import gettext_lazy as _

from consilium.cases.models import Case
from consilium.core import clock
from consilium.opinions.models import Opinion
from consilium.vault.fields import SealedTextField


class Message(models.Model):
    """A message in a thread of a case. `audience` decides who reads it (access/visibility.py)."""

    if TYPE_CHECKING:
        case_id: uuid.UUID
        reads: models.Manager["MessageRead"]

        def get_audience_display(self) -> str: ...

    class Audience(models.TextChoices):
        PATIENT_DESK = "patient_desk", _("patient and coordinators")
        PATIENT_SPECIALIST = "patient_specialist", _("patient, specialist and coordinators")
        CARE_TEAM = "care_team", _("patient, specialist, treating doctor and coordinators")
        STAFF = "staff", _("staff only")

    seal_space = "case_id"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="messages")
    audience = models.CharField(max_length=20, choices=Audience.choices)
    by = models.CharField(max_length=60)
    role = models.CharField(max_length=30)
    body = SealedTextField()
    sent_at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["sent_at"]


class MessageRead(models.Model):
    """When somebody first saw a message."""

    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="reads")
    by = models.CharField(max_length=60)
    at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["message", "by"], name="one_read_each")]


class Clarification(models.Model):
    """A bounded question about a delivered report, or a factual correction, and its answer."""

    if TYPE_CHECKING:
        case_id: uuid.UUID

        def get_kind_display(self) -> str: ...

    class Kind(models.TextChoices):
        QUESTION = "question", _("question about the report")
        CORRECTION = "correction", _("something in the report is not right")

    seal_space = "case_id"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="clarifications")
    opinion = models.ForeignKey(Opinion, on_delete=models.PROTECT, related_name="clarifications")
    kind = models.CharField(max_length=12, choices=Kind.choices, default=Kind.QUESTION)
    asked_by = models.CharField(max_length=60)
    asked_at = models.DateTimeField(default=clock.now)
    question = SealedTextField()
    answer = SealedTextField(blank=True, default="")
    answered_by = models.CharField(max_length=60, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    led_to = models.ForeignKey(
        Opinion, null=True, blank=True, on_delete=models.SET_NULL, related_name="answers_clarifications"
    )

    class Meta:
        ordering = ["asked_at"]
