"""What the patient tells: screening, goals, story, history, questions, and the one-page recap."""

import uuid
from typing import TYPE_CHECKING

from django.db import models

from consilium.cases.models.case import Case
from consilium.core import clock
from consilium.vault.fields import SealedJSONField, SealedTextField


class Intake(models.Model):
    """The structured intake of a case; every answer is sealed."""

    if TYPE_CHECKING:
        case_id: uuid.UUID

    seal_space = "case_id"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.OneToOneField(Case, on_delete=models.CASCADE, related_name="intake")
    screening_passed = models.BooleanField(null=True, default=None)
    red_flags_clear = models.BooleanField(null=True, default=None)
    redirect_code = models.CharField(max_length=40, blank=True)
    screening = SealedJSONField(blank=True, default=dict)  # {question code: answer}
    red_flags = SealedJSONField(blank=True, default=dict)  # {flag code: "yes"|"no"}
    readiness = SealedJSONField(blank=True, default=dict)  # device, help needed, preferred channel
    goals = SealedJSONField(blank=True, default=dict)  # {"text": …, "matters": […]}
    symptoms = SealedJSONField(blank=True, default=dict)  # regions, onset, course, severity, words
    answers = SealedJSONField(blank=True, default=dict)  # specialty questions {code: answer}
    history = SealedJSONField(blank=True, default=dict)  # conditions, operations, medication, allergies
    saved_at = models.DateTimeField(default=clock.now)


class Question(models.Model):
    """One of the one to three questions the opinion must answer."""

    if TYPE_CHECKING:
        case_id: uuid.UUID

    seal_space = "case_id"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="questions")
    position = models.PositiveSmallIntegerField()
    text = SealedTextField()

    class Meta:
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["case", "position"], name="one_question_a_position")]


class Recap(models.Model):
    """The one-page case as the patient saw and confirmed it; a new version whenever the story changed."""

    if TYPE_CHECKING:
        case_id: uuid.UUID

    seal_space = "case_id"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="recaps")
    number = models.PositiveSmallIntegerField()
    content = SealedJSONField()
    digest = models.CharField(max_length=64)  # keyed hash of the content: tells whether it is still current
    made_at = models.DateTimeField(default=clock.now)
    confirmed_at = models.DateTimeField(null=True, blank=True)
    confirmed_by = models.CharField(max_length=60, blank=True)

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["case", "number"], name="one_recap_a_number")]
