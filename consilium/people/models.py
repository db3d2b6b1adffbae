"""People and what they may be: accounts, persons, memberships, specialists, licences.

Names, birth dates and contact details are sealed with the person's own key; staff find a person
through keyed hashes (`PersonIndex`), never through plaintext columns.
"""

import uuid
from typing import TYPE_CHECKING, Any

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.utils.translation import gettext_lazy as _

from consilium.core import clock
from consilium.vault.fields import SealedJSONField, SealedTextField

if TYPE_CHECKING:
    from consilium.cases.models import Case, CaseRole, Offer


class Organisation(models.Model):
    """A hospital, network, insurer's provider or charity that runs cases; the tenant of all keys."""

    if TYPE_CHECKING:
        memberships: models.Manager["Membership"]
        persons: models.Manager["Person"]
        cases: "models.Manager[Case]"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=200)
    address = models.CharField(max_length=300, blank=True)
    contact = models.CharField(max_length=200, blank=True)
    telephone = models.CharField(max_length=40, blank=True)
    country = models.CharField(max_length=2, default="DE")
    time_zone = models.CharField(max_length=60, default="Europe/Berlin")
    jurisdiction = models.CharField(max_length=40, default="germany")

    def __str__(self) -> str:
        return self.name


class UserManager(BaseUserManager["User"]):
    """Creates accounts by e-mail address."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email__iexact=username)


class User(AbstractBaseUser):
    """An account: who signs in. Who that is as a human being stands, sealed, in `Person`."""

    if TYPE_CHECKING:
        person: "Person"
        specialist: "Specialist"
        memberships: models.Manager["Membership"]
        case_roles: "models.Manager[CaseRole]"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    email = models.EmailField(unique=True)
    language = models.CharField(max_length=8, default="en")
    is_active = models.BooleanField(default=True)
    suspended_at = models.DateTimeField(null=True, blank=True)
    is_demo = models.BooleanField(default=False)
    date_joined = models.DateTimeField(default=clock.now)

    objects: UserManager = UserManager()
    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: list[str] = []

    def __str__(self) -> str:
        return f"user:{self.pk}"

    @property
    def ref(self) -> str:
        """Pseudonymous reference for events and the audit log."""
        return f"user:{self.pk}"

    # django-allauth asks these two of any user model; no Django admin is installed.
    is_staff = False
    is_superuser = False


class Person(models.Model):
    """A human being: patient, relative, clinician or member of staff; with or without an account."""

    if TYPE_CHECKING:
        organisation_id: uuid.UUID
        user_id: uuid.UUID | None
        index_tokens: models.Manager["PersonIndex"]
        cases: "models.Manager[Case]"

    class Sex(models.TextChoices):
        # FHIR R4 AdministrativeGender
        FEMALE = "female", _("female")
        MALE = "male", _("male")
        OTHER = "other", _("other")
        UNKNOWN = "unknown", _("not stated")

    seal_space = "pk"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="persons")
    user = models.OneToOneField(User, null=True, blank=True, on_delete=models.PROTECT, related_name="person")
    given_name = SealedTextField(blank=True, default="")
    family_name = SealedTextField(blank=True, default="")
    birth_date = SealedTextField(blank=True, default="")  # ISO 8601 date
    sex = SealedTextField(blank=True, default=Sex.UNKNOWN)
    telephone = SealedTextField(blank=True, default="")
    contact = SealedJSONField(blank=True, default=dict)  # address lines, preferred channel
    identity_checked_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=clock.now)

    def __str__(self) -> str:
        return f"person:{self.pk}"

    @property
    def full_name(self) -> str:
        return f"{self.given_name} {self.family_name}".strip()


class PersonIndex(models.Model):
    """Keyed hashes of name parts and birth date: exact search without plaintext (trust.md)."""

    if TYPE_CHECKING:
        person_id: uuid.UUID

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="index_tokens")
    domain = models.CharField(max_length=20)  # "name" or "birth"
    token = models.CharField(max_length=64)

    class Meta:
        indexes = [models.Index(fields=["domain", "token"])]
        constraints = [models.UniqueConstraint(fields=["person", "domain", "token"], name="one_token_per_person")]


class Membership(models.Model):
    """A role somebody holds in an organisation; ends by date, never by deletion."""

    if TYPE_CHECKING:
        user_id: uuid.UUID
        organisation_id: uuid.UUID

        def get_role_display(self) -> str: ...

    class Role(models.TextChoices):
        COORDINATOR = "coordinator", _("coordinator")
        TRIAGE_CLINICIAN = "triage_clinician", _("triage clinician")
        SPECIALIST = "specialist", _("specialist")
        RE_READER = "re_reader", _("re-reader")
        PANEL_CHAIR = "panel_chair", _("panel chair")
        QUALITY_REVIEWER = "quality_reviewer", _("quality reviewer")
        INTERPRETER = "interpreter", _("interpreter")
        SUPPORT_SCRIBE = "support_scribe", _("support scribe")
        SPONSOR = "sponsor", _("programme sponsor")
        ADMINISTRATOR = "administrator", _("administrator")

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="memberships")
    role = models.CharField(max_length=30, choices=Role.choices)
    since = models.DateTimeField(default=clock.now)
    until = models.DateTimeField(null=True, blank=True)
    granted_by = models.CharField(max_length=60, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "organisation", "role"],
                condition=models.Q(until__isnull=True),
                name="one_open_membership_per_role",
            )
        ]


class Specialist(models.Model):
    """The public face of a reviewing doctor. Deliberately plaintext: it is shown to every patient."""

    if TYPE_CHECKING:
        user_id: uuid.UUID
        licences: models.Manager["Licence"]
        offers: "models.Manager[Offer]"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.OneToOneField(User, on_delete=models.PROTECT, related_name="specialist")
    name = models.CharField(max_length=120)
    title = models.CharField(max_length=200, blank=True)
    portrait = models.CharField(max_length=80, blank=True)  # path below static/portraits/
    specialties = models.JSONField(default=list)  # pack ids
    languages = models.JSONField(default=list)  # BCP 47
    biography = models.JSONField(default=dict)  # {"en": …, "de": …}
    institution = models.CharField(max_length=200, blank=True)
    capacity = models.PositiveSmallIntegerField(default=4)
    verified_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.name


class Licence(models.Model):
    """A licence to practise, with the authority that issued it and its validity."""

    if TYPE_CHECKING:
        specialist_id: uuid.UUID

    specialist = models.ForeignKey(Specialist, on_delete=models.CASCADE, related_name="licences")
    authority = models.CharField(max_length=200)
    number = models.CharField(max_length=60)
    country = models.CharField(max_length=2)
    valid_from = models.DateField()
    valid_until = models.DateField()
