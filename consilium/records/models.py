"""Records of a case: what was uploaded, what it turned out to be, and its files and previews.

An `Upload` is what somebody sent, kept unchanged. A `Record` is what a doctor would call one thing (a
letter, a laboratory sheet, an imaging study) and has one or many `RecordFile`s. `space` is the
case's UUID: records sit below cases in the house and know nothing else of them.
"""

import uuid
from typing import TYPE_CHECKING, Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from consilium.access.policy import ORGANISATION_WIDE
from consilium.access.principals import Principal
from consilium.core import clock
from consilium.vault.fields import SealedJSONField, SealedTextField


class Upload(models.Model):
    """One thing somebody sent, as it came. Its blob is the original and is never rewritten."""

    if TYPE_CHECKING:
        records: models.Manager["Record"]

        def get_status_display(self) -> str: ...

    class Status(models.TextChoices):
        RECEIVED = "received", _("received")
        CHECKING = "checking", _("being checked")
        DONE = "done", _("checked")
        REFUSED = "refused", _("cannot be used")

    seal_space = "space"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    space = models.UUIDField(db_index=True)
    blob = models.UUIDField()
    offset = models.BigIntegerField(default=0)
    size = models.BigIntegerField()
    more: "models.JSONField[list[list[Any]]]" = models.JSONField(
        default=list, blank=True
    )  # further extents (content.py)
    sha256 = models.CharField(max_length=64)
    name = SealedTextField(blank=True, default="")
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.RECEIVED)
    problem = models.CharField(max_length=40, blank=True)  # code of records/problems.py
    notes = SealedJSONField(blank=True, default=list)  # [{"name": …, "code": …}] members left out
    members = models.PositiveIntegerField(default=0)  # files found inside, for archives
    members_done = models.PositiveIntegerField(default=0)
    uploaded_by = models.CharField(max_length=60)
    uploaded_at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["uploaded_at"]


class Record(models.Model):
    """One document or one imaging study."""

    if TYPE_CHECKING:
        upload_id: uuid.UUID | None
        files: models.Manager["RecordFile"]

        def get_kind_display(self) -> str: ...
        def get_status_display(self) -> str: ...

    class Kind(models.TextChoices):
        # The codes of packs.schema.RECORD_KINDS
        LETTER = "letter", _("letter")
        DISCHARGE = "discharge", _("discharge summary")
        OPERATION_NOTE = "operation_note", _("operation note")
        IMAGING = "imaging", _("images")
        IMAGING_REPORT = "imaging_report", _("report on images")
        PATHOLOGY_REPORT = "pathology_report", _("pathology report")
        SLIDES = "slides", _("slides")
        LABORATORY = "laboratory", _("laboratory results")
        MEDICATION = "medication", _("medication list")
        DEVICE = "device", _("device document")
        FUNCTIONAL_TEST = "functional_test", _("functional test")
        SUMMARY = "summary", _("patient summary")
        OTHER = "other", _("other document")

    class Status(models.TextChoices):
        READY = "ready", _("ready")
        FLAGGED = "flagged", _("kept, with a note")
        UNDECIDED = "undecided", _("needs your decision")
        REMOVED = "removed", _("removed")

    seal_space = "space"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    space = models.UUIDField(db_index=True)
    # None: images that another program sent by DICOMweb or DICOM C-STORE
    upload = models.ForeignKey(Upload, null=True, blank=True, on_delete=models.PROTECT, related_name="records")
    kind = models.CharField(max_length=20, choices=Kind.choices, default=Kind.OTHER)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.READY)
    problems = models.JSONField(default=list)  # codes of records/problems.py
    title = SealedTextField(blank=True, default="")
    clinical_date = SealedTextField(blank=True, default="")  # ISO 8601 date, read from the content
    language = models.CharField(max_length=8, blank=True)
    facts = SealedJSONField(blank=True, default=dict)
    group = models.CharField(max_length=64, blank=True)  # keyed hash of the Study Instance UID
    pages = models.PositiveIntegerField(default=0)
    images = models.PositiveIntegerField(default=0)
    # Pages that state the first opinion's conclusion: withheld until the blind read is locked. -1: not yet looked at.
    conclusion_pages: "models.JSONField[list[int]]" = models.JSONField(default=list)
    added_by = models.CharField(max_length=60)
    added_at = models.DateTimeField(default=clock.now)
    removed_at = models.DateTimeField(null=True, blank=True)
    removed_by = models.CharField(max_length=60, blank=True)

    class Meta:
        ordering = ["added_at", "id"]
        indexes = [models.Index(fields=["space", "group"])]


class RecordFile(models.Model):
    """One file of a record: the sealed original, its hash, and what was read from it."""

    if TYPE_CHECKING:
        record_id: uuid.UUID
        previews: models.Manager["Preview"]

    seal_space = "space"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    space = models.UUIDField()
    record = models.ForeignKey(Record, on_delete=models.CASCADE, related_name="files")
    # Where its bytes lie: `size` bytes from `offset` of the blob, then those of `more` (content.py).
    blob = models.UUIDField()
    offset = models.BigIntegerField(default=0)
    size = models.BigIntegerField()
    more: "models.JSONField[list[list[Any]]]" = models.JSONField(default=list, blank=True)
    sha256 = models.CharField(max_length=64, blank=True)  # empty until an image that came by DICOMweb has been filed
    media_type = models.CharField(max_length=80)
    kind = models.CharField(max_length=20)  # as sniffed
    name = SealedTextField(blank=True, default="")
    series = models.CharField(max_length=64, blank=True)  # keyed hash of the Series Instance UID
    instance = models.CharField(max_length=64, blank=True)  # keyed hash of the SOP Instance UID
    series_number = models.IntegerField(default=0)
    position = models.IntegerField(default=0)  # instance number, or order of arrival
    frames = models.PositiveIntegerField(default=0)
    facts = SealedJSONField(blank=True, default=dict)
    text = SealedJSONField(blank=True, default=list)  # one string a page
    # DICOM only: what DICOMweb answers from (instances.py)
    header = SealedJSONField(null=True, blank=True)
    filed_at = models.DateTimeField(null=True, blank=True)  # hashed, looked at and compared with the patient

    class Meta:
        ordering = ["series_number", "series", "position", "id"]
        indexes = [
            models.Index(fields=["space", "sha256"]),
            models.Index(fields=["space", "series"]),
            models.Index(fields=["space"], condition=models.Q(filed_at=None), name="records_file_unfiled"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["space", "instance"], condition=~models.Q(instance=""), name="one_instance_a_space"
            )
        ]


class Preview(models.Model):
    """A re-rendered picture of a page or a frame: what browsers show instead of the original."""

    class Kind(models.TextChoices):
        THUMBNAIL = "thumbnail", _("thumbnail")
        PAGE = "page", _("page")
        FRAME = "frame", _("image")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    file = models.ForeignKey(RecordFile, on_delete=models.CASCADE, related_name="previews")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    index = models.PositiveIntegerField(default=0)  # page or frame, from 0
    blob = models.UUIDField()
    media_type = models.CharField(max_length=40)
    width = models.PositiveIntegerField(default=0)
    height = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["index"]
        constraints = [models.UniqueConstraint(fields=["file", "kind", "index"], name="one_preview_a_kind_and_index")]


class Transfer(models.Model):
    """A resumable upload (tus 1.0) that has not arrived completely. What `offset` counts is sealed on disk."""

    if TYPE_CHECKING:
        upload_id: uuid.UUID | None

    seal_space = "space"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    space = models.UUIDField(db_index=True)
    sender = models.CharField(max_length=60)  # Principal.ref
    length = models.BigIntegerField()
    offset = models.BigIntegerField(default=0)
    parts: "models.JSONField[list[list[Any]]]" = models.JSONField(default=list, blank=True)  # [[blob hex, 0, size], …]
    metadata = SealedJSONField(blank=True, default=dict)  # Upload-Metadata: filename, filetype, fingerprint
    created_at = models.DateTimeField(default=clock.now)
    expires_at = models.DateTimeField(db_index=True)
    upload = models.OneToOneField(Upload, null=True, blank=True, on_delete=models.SET_NULL, related_name="transfer")

    class Meta:
        ordering = ["created_at"]


class Entry(models.Model):
    """One structured fact read from a record: a laboratory value, a medicine, an operation.

    `body`: {"code", "system", "name", "value", "unit", "ucum", "low", "high", "flag", "date", "text", …} (entries.py)
    """

    if TYPE_CHECKING:
        record_id: uuid.UUID

        def get_kind_display(self) -> str: ...

    class Kind(models.TextChoices):
        LABORATORY = "laboratory", _("laboratory value")
        VITAL = "vital", _("vital sign")
        MEDICATION = "medication", _("medicine")
        PROBLEM = "problem", _("diagnosis")
        PROCEDURE = "procedure", _("operation or procedure")
        ALLERGY = "allergy", _("allergy")
        IMMUNIZATION = "immunization", _("vaccination")

    class Status(models.TextChoices):
        STATED = "stated", _("from a structured document")
        READ = "read", _("read from a page, not confirmed")
        CONFIRMED = "confirmed", _("confirmed")
        REJECTED = "rejected", _("marked as wrong")

    seal_space = "space"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    space = models.UUIDField(db_index=True)
    record = models.ForeignKey(Record, on_delete=models.CASCADE, related_name="entries")
    file = models.ForeignKey(RecordFile, on_delete=models.CASCADE, related_name="entries")
    kind = models.CharField(max_length=14, choices=Kind.choices)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.READ)
    page = models.PositiveIntegerField(default=0)  # from 0
    position = models.PositiveIntegerField(default=0)  # order in the document
    body = SealedJSONField(default=dict)
    decided_by = models.CharField(max_length=60, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["record", "position", "id"]
        verbose_name_plural = "entries"


class Slide(models.Model):
    """The zoom pyramid of a whole-slide image: JPEG tiles packed into one blob, with a sealed index."""

    if TYPE_CHECKING:
        file_id: uuid.UUID

    class Status(models.TextChoices):
        WAITING = "waiting", _("waiting")
        WORKING = "working", _("being prepared")
        READY = "ready", _("ready")
        FAILED = "failed", _("cannot be shown")

    seal_space = "space"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    space = models.UUIDField(db_index=True)
    file = models.OneToOneField(RecordFile, on_delete=models.CASCADE, related_name="slide")
    width = models.PositiveIntegerField(default=0)  # pixels at full resolution
    height = models.PositiveIntegerField(default=0)
    tile = models.PositiveIntegerField(default=512)
    levels = models.PositiveIntegerField(default=0)
    mpp = models.FloatField(null=True, blank=True)  # micrometres a pixel at full resolution
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.WAITING)
    done = models.PositiveIntegerField(default=0)  # tiles cut so far, of `total`
    total = models.PositiveIntegerField(default=0)
    tiles: "models.JSONField[list[str]]" = models.JSONField(default=list, blank=True)  # blobs (hex) holding the tiles
    index = SealedJSONField(blank=True, default=dict)  # where each tile lies (imaging/slides.py)

    class Meta:
        ordering = ["id"]


class SeriesMetadata(models.Model):
    """The DICOM JSON of all instances of a series (PS3.18 §10.4.1.1.2) as one sealed gzip blob, ready to be sent."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    space = models.UUIDField()
    series = models.CharField(max_length=64)  # keyed hash, as in RecordFile
    instances = models.PositiveIntegerField()  # how many it describes: fewer than there are means it is out of date
    blob = models.UUIDField()
    size = models.PositiveIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["space", "series"], name="one_metadata_a_series")]


class DataToken(models.Model):
    """A short-lived, revocable key with which another program adds or reads the records of one case."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    space = models.UUIDField(db_index=True)
    user = models.UUIDField()
    label = models.CharField(max_length=60, blank=True)
    may_read = models.BooleanField(default=True)
    may_add = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=clock.now)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]


class InboxStudy(models.Model):
    """Images that a hospital sent to the organisation without naming a case: they wait for a coordinator.

    A space of its own, so that discarding it destroys its key. `study` groups what one sender sends of one study and
    one patient; `facts` says what the headers name ("patient_name", "patient_birth_date", "study_description", …).
    """

    if TYPE_CHECKING:
        instances: models.Manager["InboxInstance"]

    class Status(models.TextChoices):
        WAITING = "waiting", _("waiting")
        MOVING = "moving", _("being added to a case")
        MOVED = "moved", _("added to a case")

    seal_space = "pk"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    tenant = models.UUIDField()
    sender = models.CharField(max_length=60)  # "dimse:<calling AE title>"
    study = models.CharField(max_length=64)  # keyed hash of Study Instance UID, patient name and birth date
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.WAITING)
    facts = SealedJSONField(blank=True, default=dict)
    images = models.PositiveIntegerField(default=0)
    size = models.BigIntegerField(default=0)
    arrived_at = models.DateTimeField(default=clock.now)
    last_at = models.DateTimeField(default=clock.now)
    expires_at = models.DateTimeField(db_index=True)
    case_space = models.UUIDField(null=True, blank=True)  # the case it was assigned to
    assigned_by = models.CharField(max_length=60, blank=True)
    moved = models.PositiveIntegerField(default=0)  # images that are in the case already

    class Meta:
        ordering = ["-last_at", "id"]
        verbose_name_plural = "inbox studies"
        indexes = [models.Index(fields=["tenant", "status", "study"])]

    @property
    def phase(self) -> str:
        """What nobody has assigned yet is the desk's to sort (access/policy.py)."""
        return "desk"

    def roles_of(self, principal: Principal) -> frozenset[str]:
        """Offices of the organisation alone: there is no case yet on which somebody could hold a role."""
        mine = principal.kind == "user" and principal.active and principal.organisation_id == self.tenant
        return principal.roles & ORGANISATION_WIDE if mine else frozenset[str]()


class InboxInstance(models.Model):
    """One image of the inbox: where its bytes lie in its study's space, and its header (instances.py)."""

    if TYPE_CHECKING:
        study_id: uuid.UUID

    seal_space = "study_id"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    study = models.ForeignKey(InboxStudy, on_delete=models.CASCADE, related_name="instances")
    instance = models.CharField(max_length=64)  # keyed hash of the SOP Instance UID
    blob = models.UUIDField()
    offset = models.BigIntegerField(default=0)
    size = models.BigIntegerField()
    more: "models.JSONField[list[list[Any]]]" = models.JSONField(default=list, blank=True)
    header = SealedJSONField(default=dict)

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["study", "instance"], name="one_instance_a_study")]

    @property
    def space(self) -> uuid.UUID:
        return self.study_id
