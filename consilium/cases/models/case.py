"""The case itself, its people, its history, its pauses and its deadlines."""

import uuid
from datetime import datetime
from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from consilium.access.policy import ORGANISATION_WIDE, REVIEWING
from consilium.access.principals import Principal
from consilium.cases.states import OWNER, PHASE, Phase, State
from consilium.core import clock, ids
from consilium.people.models import Organisation, Person, User
from consilium.vault.fields import SealedJSONField, SealedTextField

if TYPE_CHECKING:
    from consilium.cases.models.desk import FollowUp, GuestLink, RecordRequest
    from consilium.cases.models.intake import Intake, Question, Recap
    from consilium.cases.models.matching import Offer
    from consilium.opinions.models import BlindRead, Delivery, Finding, Opinion, QualityReview, Report
    from consilium.talks.models import Clarification, Message


def new_reference() -> str:
    """A case reference people can read out, e.g. `7K3M-29QF`; random, so it tells nothing."""
    return ids.code(8)


class Case(models.Model):
    """One request for a second opinion. `state` is written by `advance()` alone."""

    class Urgency(models.TextChoices):
        ROUTINE = "routine", _("routine")
        SOON = "soon", _("soon")
        PRIORITY = "priority", _("priority")

    if TYPE_CHECKING:  # reverse relations and keys that Django adds
        organisation_id: uuid.UUID
        patient_id: uuid.UUID
        intake: Intake
        case_roles: models.Manager["CaseRole"]
        events: models.Manager["CaseEvent"]
        clock_stops: models.Manager["ClockStop"]
        deadlines: models.Manager["Deadline"]
        guest_links: models.Manager[GuestLink]
        follow_ups: models.Manager[FollowUp]
        record_requests: models.Manager[RecordRequest]
        questions: models.Manager[Question]
        recaps: models.Manager[Recap]
        offers: models.Manager[Offer]
        blind_reads: models.Manager[BlindRead]
        opinions: models.Manager[Opinion]
        findings: models.Manager[Finding]
        quality_reviews: models.Manager[QualityReview]
        reports: models.Manager[Report]
        deliveries: models.Manager[Delivery]
        messages: models.Manager[Message]
        clarifications: models.Manager[Clarification]

        def get_state_display(self) -> str: ...
        def get_urgency_display(self) -> str: ...

    seal_space = "pk"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    reference = models.CharField(max_length=12, unique=True, default=new_reference)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="cases")
    patient = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="cases")
    specialty = models.CharField(max_length=40)  # pack id
    specialty_version = models.CharField(max_length=20, blank=True)
    jurisdiction = models.CharField(max_length=40, default="germany")  # pack id
    procedure = models.CharField(max_length=60, blank=True)  # listed procedure of the jurisdiction, if any
    language = models.CharField(max_length=8, default="en")
    state = models.CharField(max_length=20, choices=State.choices, default=State.DRAFT, editable=False)
    state_since = models.DateTimeField(default=clock.now, editable=False)
    halted_from = models.CharField(max_length=20, blank=True, editable=False)
    version = models.PositiveIntegerField(default=0, editable=False)  # compare-and-set
    due_at = models.DateTimeField(null=True, blank=True, editable=False)  # of the present state
    urgency = models.CharField(max_length=10, choices=Urgency.choices, default=Urgency.ROUTINE)
    complexity = models.CharField(max_length=10, default="complex")  # simple: 48 h; complex: 5 working days
    re_reads = models.JSONField(default=list)  # ["radiology", "pathology"]
    triaged_at = models.DateTimeField(null=True, blank=True)
    planned_treatment_on = models.DateField(null=True, blank=True)
    submitted_at = models.DateTimeField(null=True, blank=True)
    records_complete_at = models.DateTimeField(null=True, blank=True)
    delivered_at = models.DateTimeField(null=True, blank=True)
    oral_explanation_held_at = models.DateTimeField(null=True, blank=True)
    conclusions_marked_at = models.DateTimeField(null=True, blank=True)
    legal_hold = models.BooleanField(default=False)
    erasure_requested_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=clock.now)
    headline = SealedTextField(blank=True, default="")
    first_opinion = SealedJSONField(blank=True, default=dict)  # diagnosis, treatment, doctor, institution, on
    desk_note = SealedTextField(blank=True, default="")

    class Meta:
        indexes = [
            models.Index(fields=["organisation", "state", "due_at", "id"]),
            models.Index(fields=["patient", "created_at"]),
        ]

    def __str__(self) -> str:
        return f"case:{self.pk}"

    @property
    def phase(self) -> Phase:
        """The phase that the permission policy speaks of."""
        return PHASE[self.state]

    @property
    def owner_role(self) -> str:
        return OWNER[self.state]

    def roles_of(self, principal: Principal) -> frozenset[str]:
        """Roles `principal` has here, now: on this case and, within the organisation, by membership."""
        roles = set[str]()
        if principal.kind == "user" and principal.active:
            roles |= {r.role for r in self.case_roles.all() if r.holds(principal.id)}
            if principal.organisation_id == self.organisation_id and not roles & REVIEWING:
                roles |= principal.roles & ORGANISATION_WIDE
        elif principal.kind == "guest" and principal.active:
            roles |= {link.role for link in self.guest_links.all() if link.holds(principal.id)}
        elif principal.kind == "system":
            roles.add("system")
        return frozenset(roles)


class CaseRole(models.Model):
    """Who somebody is on a case. Rows end; they are never deleted, so history can be told."""

    if TYPE_CHECKING:
        case_id: uuid.UUID
        user_id: uuid.UUID

        def get_role_display(self) -> str: ...

    class Role(models.TextChoices):
        PATIENT = "patient", _("patient")
        PROXY_VIEW = "proxy_view", _("relative who may read")
        PROXY_ACT = "proxy_act", _("relative who may act")
        SUPPORT_SCRIBE = "support_scribe", _("support scribe")
        OFFERED_SPECIALIST = "offered_specialist", _("specialist with an offer")
        SPECIALIST = "specialist", _("specialist")
        RE_READER = "re_reader", _("re-reader")
        PANEL_CHAIR = "panel_chair", _("panel chair")
        TREATING_CLINICIAN = "treating_clinician", _("treating clinician")
        INTERPRETER = "interpreter", _("interpreter")

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="case_roles")
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="case_roles")
    role = models.CharField(max_length=30, choices=Role.choices)
    since = models.DateTimeField(default=clock.now)
    expires_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    confirmed_at = models.DateTimeField(null=True, blank=True)  # an invitation is not yet a role
    granted_by = models.CharField(max_length=60)
    ended_by = models.CharField(max_length=60, blank=True)

    class Meta:
        indexes = [models.Index(fields=["user", "role", "ended_at"])]
        constraints = [
            models.UniqueConstraint(
                fields=["case", "user", "role"], condition=Q(ended_at__isnull=True), name="one_open_role"
            )
        ]

    def holds(self, user_id: uuid.UUID | None) -> bool:
        """Whether the role is in force now for `user_id`."""
        return (
            self.user_id == user_id
            and self.ended_at is None
            and self.confirmed_at is not None
            and (self.expires_at is None or self.expires_at > clock.now())
        )


class CaseEvent(models.Model):
    """Functional history: what pages tell. (The audit log is a separate, forensic thing.)"""

    if TYPE_CHECKING:
        case_id: uuid.UUID

    seal_space = "case_id"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="events")
    at = models.DateTimeField(default=clock.now)
    verb = models.CharField(max_length=40)
    from_state = models.CharField(max_length=20, blank=True)
    to_state = models.CharField(max_length=20, blank=True)
    by = models.CharField(max_length=60)
    role = models.CharField(max_length=30, blank=True)
    note = SealedTextField(blank=True, default="")

    class Meta:
        ordering = ["at", "id"]
        indexes = [models.Index(fields=["case", "at"])]


class ClockStop(models.Model):
    """Waiting is not a state (architecture.md, rule 2): a coded reason, who, from when to when."""

    if TYPE_CHECKING:
        case_id: uuid.UUID

        def get_reason_display(self) -> str: ...

    class Reason(models.TextChoices):
        MISSING_RECORDS = "missing_records", _("waiting for records")
        PATIENT_QUESTION = "patient_question", _("waiting for the patient's answer")
        PROVIDER_QUESTION = "provider_question", _("waiting for another provider")
        PATIENT_PAUSE = "patient_pause", _("paused at the patient's request")
        SPECIALIST_ABSENCE = "specialist_absence", _("the specialist is away")
        INTERPRETATION = "interpretation", _("waiting for an interpreter or a translation")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="clock_stops")
    reason = models.CharField(max_length=30, choices=Reason.choices)
    started_at = models.DateTimeField(default=clock.now)
    started_by = models.CharField(max_length=60)
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.CharField(max_length=60, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["case", "reason"], condition=Q(ended_at__isnull=True), name="one_open_stop_per_reason"
            )
        ]


class Deadline(models.Model):
    """A point in UTC at which something is due or somebody is reminded; swept by the scheduler."""

    class Kind(models.TextChoices):
        DUE = "due", _("due")
        REMINDER = "reminder", _("reminder")
        PROMISE = "promise", _("promised report")
        TREATMENT = "treatment", _("planned treatment")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="deadlines")
    kind = models.CharField(max_length=12, choices=Kind.choices)
    state = models.CharField(max_length=20, blank=True)  # the state it belongs to; void once left
    at = models.DateTimeField()
    then = models.CharField(max_length=40, blank=True)
    stops = models.BooleanField(default=True)
    fired_at = models.DateTimeField(null=True, blank=True)
    cancelled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["at"]
        indexes = [
            models.Index(
                fields=["at"],
                condition=Q(fired_at__isnull=True, cancelled_at__isnull=True),
                name="open_deadlines_by_time",
            )
        ]

    def is_past(self, now: datetime) -> bool:
        return self.at <= now
