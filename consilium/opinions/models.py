"""Blind reads, opinions, their findings, quality checks, sealed reports and their deliveries."""

import uuid
from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from consilium.cases.models import Case
from consilium.core import clock
from consilium.people.models import Specialist
from consilium.records.models import Record
from consilium.vault.fields import SealedJSONField, SealedTextField


class BlindRead(models.Model):
    """A first impression formed without the first opinion's conclusion; locked once, never changed."""

    if TYPE_CHECKING:
        case_id: uuid.UUID
        specialist_id: uuid.UUID

        def get_confidence_display(self) -> str: ...

    class Confidence(models.TextChoices):
        LOW = "low", _("low")
        MODERATE = "moderate", _("moderate")
        HIGH = "high", _("high")

    seal_space = "case_id"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="blind_reads")
    specialist = models.ForeignKey(Specialist, on_delete=models.PROTECT, related_name="blind_reads")
    diagnosis = SealedTextField(blank=True, default="")
    treatment = SealedTextField(blank=True, default="")
    reasoning = SealedTextField(blank=True, default="")
    confidence = models.CharField(max_length=10, choices=Confidence.choices, blank=True)
    digest = models.CharField(max_length=64, blank=True)  # SHA-256 of what was locked
    started_at = models.DateTimeField(default=clock.now)
    locked_at = models.DateTimeField(null=True, blank=True)
    revealed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["case", "specialist"], name="one_blind_read_each")]


class Opinion(models.Model):
    """The structured opinion; version 1 and one more for each addendum. Signed versions never change.

    `content` keys: see opinions/content.py (answers, comparison, differential, options,
    recommendation, limitations, urgent, next steps, references, patient summary, clinician letter).
    """

    if TYPE_CHECKING:
        case_id: uuid.UUID
        specialist_id: uuid.UUID
        findings: models.Manager["Finding"]
        quality_reviews: models.Manager["QualityReview"]
        report: "Report"

    class Status(models.TextChoices):
        DRAFT = "draft", _("draft")
        SIGNED = "signed", _("signed")
        RETURNED = "returned", _("returned")
        RELEASED = "released", _("released")

    seal_space = "case_id"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="opinions")
    specialist = models.ForeignKey(Specialist, on_delete=models.PROTECT, related_name="opinions")
    number = models.PositiveSmallIntegerField(default=1)  # version of the report
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.DRAFT)
    change_note = SealedTextField(blank=True, default="")  # what an addendum changes
    content = SealedJSONField(blank=True, default=dict)
    saved = models.PositiveIntegerField(default=0)  # compare-and-set for autosave in two windows
    seconds_spent = models.PositiveIntegerField(default=0)
    started_at = models.DateTimeField(default=clock.now)
    saved_at = models.DateTimeField(default=clock.now)
    signed_at = models.DateTimeField(null=True, blank=True)
    digest = models.CharField(max_length=64, blank=True)  # SHA-256 of what was signed

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["case", "number"], name="one_opinion_a_version"),
            models.UniqueConstraint(fields=["case"], condition=Q(status="draft"), name="one_draft_a_case"),
        ]


class Finding(models.Model):
    """One finding, linked to where it was seen: a region of a page or of an image frame."""

    if TYPE_CHECKING:
        case_id: uuid.UUID
        opinion_id: uuid.UUID
        record_id: uuid.UUID | None

    seal_space = "case_id"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="findings")
    opinion = models.ForeignKey(Opinion, on_delete=models.CASCADE, related_name="findings")
    position = models.PositiveSmallIntegerField(default=1)
    record = models.ForeignKey(Record, null=True, blank=True, on_delete=models.PROTECT, related_name="cited_by")
    # {"file": uuid, "kind": "page"|"frame"|"slide", "index": int, "x","y","w","h": 0..1 of width and height}
    anchor = SealedJSONField(blank=True, default=dict)
    text = SealedTextField()
    significance = SealedTextField(blank=True, default="")

    class Meta:
        ordering = ["position"]


class QualityReview(models.Model):
    """A peer's check of a signed opinion before release."""

    if TYPE_CHECKING:
        case_id: uuid.UUID

        def get_decision_display(self) -> str: ...

    class Decision(models.TextChoices):
        PASSED = "passed", _("passed")
        RETURNED = "returned", _("returned")

    seal_space = "case_id"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="quality_reviews")
    opinion = models.ForeignKey(Opinion, on_delete=models.CASCADE, related_name="quality_reviews")
    reviewer = models.CharField(max_length=60)
    checklist = models.JSONField(default=dict)  # {item code: true}
    comments = SealedTextField(blank=True, default="")
    decision = models.CharField(max_length=10, choices=Decision.choices, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)


class Report(models.Model):
    """A sealed version of the report: two PDFs and a FHIR document, with the list of records seen."""

    if TYPE_CHECKING:
        case_id: uuid.UUID
        seen_records: models.Manager["SeenRecord"]
        deliveries: models.Manager["Delivery"]

    seal_space = "case_id"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="reports")
    opinion = models.OneToOneField(Opinion, on_delete=models.PROTECT, related_name="report")
    number = models.PositiveSmallIntegerField()
    verify_code = models.CharField(max_length=20, unique=True)
    issued_at = models.DateTimeField(default=clock.now)
    clinical_blob = models.UUIDField()
    clinical_sha256 = models.CharField(max_length=64, db_index=True)
    clinical_size = models.PositiveIntegerField()
    patient_blob = models.UUIDField()
    patient_sha256 = models.CharField(max_length=64, db_index=True)
    patient_size = models.PositiveIntegerField()
    fhir_blob = models.UUIDField()
    superseded_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["case", "number"], name="one_report_a_version")]

    @property
    def id_text(self) -> str:
        """The id as text, for building addresses in templates."""
        return str(self.pk)


class SeenRecord(models.Model):
    """Exactly which records, by hash, the specialist had when signing."""

    if TYPE_CHECKING:
        case_id: uuid.UUID

    seal_space = "case_id"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="seen_records")
    report = models.ForeignKey(Report, on_delete=models.CASCADE, related_name="seen_records")
    record = models.ForeignKey(Record, on_delete=models.PROTECT, related_name="+")
    title = SealedTextField()
    kind = models.CharField(max_length=20)
    sha256 = models.CharField(max_length=64)  # of one file, or of the sorted list of many
    files = models.PositiveIntegerField(default=1)
    opened = models.BooleanField(default=False)


class Delivery(models.Model):
    """A report handed to one recipient, and the receipts."""

    if TYPE_CHECKING:
        case_id: uuid.UUID

        def get_recipient_display(self) -> str: ...

    class Recipient(models.TextChoices):
        PATIENT = "patient", _("patient")
        PROXY = "proxy", _("relative")
        TREATING_CLINICIAN = "treating_clinician", _("treating doctor")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="deliveries")
    report = models.ForeignKey(Report, on_delete=models.CASCADE, related_name="deliveries")
    recipient = models.CharField(max_length=20, choices=Recipient.choices)
    to = models.CharField(max_length=60)  # user:… or guest:…
    told_at = models.DateTimeField(default=clock.now)
    opened_at = models.DateTimeField(null=True, blank=True)
    downloaded_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["report", "to"], name="one_delivery_each")]
