"""What the administration lists: staff, specialists, cases without content, wishes to be deleted."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.db.models import F, Max, Q, QuerySet

from consilium.access import scopes
from consilium.access.principals import Principal
from consilium.cases.models import Case
from consilium.cases.states import State
from consilium.core import ids
from consilium.core.errors import NotFound
from consilium.core.models import AuditCheckpoint, AuditEvent
from consilium.people.models import Licence, Membership, Organisation, Specialist, User
from consilium.web.models import DeletionRequest

CASE_FILTERS = ("all", "erasure", "hold", "halted")


def organisation_of(by: Principal) -> Organisation:
    """The organisation an administrator works for."""
    found = Organisation.objects.filter(pk=by.organisation_id).first()
    if found is None:
        raise NotFound()
    return found


def staff(by: Principal, role: str = "") -> QuerySet[User]:
    """Accounts that hold, or held, a role in the organisation; with `role`, those that hold it now."""
    here = Q(memberships__organisation=by.organisation_id)
    if role:
        here &= Q(memberships__role=role, memberships__until=None)
    found = User.objects.filter(here).distinct().select_related("person", "specialist")
    return found.prefetch_related("memberships").order_by("email")


def staff_member(by: Principal, user_id: UUID) -> User:
    """One of them, or NotFound."""
    found = staff(by).filter(pk=user_id).first()
    if found is None:
        raise NotFound()
    return found


def membership(by: Principal, user: User, membership_id: int) -> Membership:
    """An open role of somebody in the organisation, or NotFound."""
    found = user.memberships.filter(pk=membership_id, organisation=by.organisation_id, until=None).first()
    if found is None:
        raise NotFound()
    return found


def specialists(by: Principal) -> QuerySet[User]:
    """Accounts with the role of specialist, with profile and licences where there are any."""
    return staff(by, "specialist").prefetch_related("specialist__licences")


def specialist_of(user: User) -> Specialist | None:
    """The public profile of an account, when there is one."""
    return getattr(user, "specialist", None)


def licence(user: User, licence_id: int) -> tuple[Specialist, Licence]:
    """A licence of a member of staff, or NotFound."""
    specialist = specialist_of(user)
    found = specialist.licences.filter(pk=licence_id).first() if specialist else None
    if specialist is None or found is None:
        raise NotFound()
    return specialist, found


def cases(by: Principal, which: str = "all", reference: str = "") -> QuerySet[Case]:
    """Cases of the organisation, newest first, by reference only: an administrator searches nobody by name."""
    found = scopes.cases(by).order_by(F("submitted_at").desc(nulls_last=True), "-created_at", "pk")
    if which == "erasure":
        found = found.filter(erasure_requested_at__isnull=False).exclude(state=State.ERASED)
    elif which == "hold":
        found = found.filter(legal_hold=True)
    elif which == "halted":
        found = found.filter(state__in=(State.INCIDENT_HOLD, State.URGENT))
    if reference:
        spelled = ids.normalise(reference)
        found = found.filter(reference="-".join(spelled[i : i + 4] for i in range(0, len(spelled), 4)))
    return found


def staff_names(refs: Iterable[str], by: Principal) -> dict[str, str]:
    """Names of members of staff among `refs`; patients and relatives stay without a name here. One query."""
    wanted = [ref.split(":", 1)[1] for ref in refs if ref.startswith("user:")]
    found = User.objects.filter(pk__in=wanted, memberships__organisation=by.organisation_id).distinct()
    return {user.ref: name_of(user) for user in found.select_related("person", "specialist")}


def name_of(user: User) -> str:
    """A member of staff in words."""
    if hasattr(user, "specialist"):
        return user.specialist.name
    return (user.person.full_name if hasattr(user, "person") else "") or user.email


def roles_on(case: Case) -> dict[str, str]:
    """For people without a name here: what they are on the case, in words."""
    return {f"user:{role.user_id}": str(role.get_role_display()) for role in case.case_roles.all()}


def deletions(by: Principal) -> QuerySet[DeletionRequest]:
    """Open wishes to be deleted, of staff and of patients of the organisation."""
    here = Q(user__person__organisation=by.organisation_id) | Q(user__memberships__organisation=by.organisation_id)
    found = DeletionRequest.objects.filter(here, withdrawn_at=None).distinct()
    return found.select_related("user").order_by("requested_at")


def deletion(by: Principal, request_id: int) -> DeletionRequest:
    """One of them, or NotFound."""
    found = deletions(by).filter(pk=request_id).first()
    if found is None:
        raise NotFound()
    return found


def cases_of(by: Principal, users: Iterable[User]) -> dict[UUID, list[Case]]:
    """Cases of these accounts as patients, by account; one query."""
    found: dict[UUID, list[Case]] = {}
    for case in scopes.cases(by).filter(patient__user__in=users).order_by("created_at"):
        if case.patient.user_id:
            found.setdefault(case.patient.user_id, []).append(case)
    return found


@dataclass(frozen=True)
class LogState:
    """How long the audit log is and what was signed last."""

    entries: int
    checkpoint: AuditCheckpoint | None


def log_state() -> LogState:
    """Two queries, whatever the length of the log."""
    last = AuditEvent.objects.aggregate(last=Max("sequence"))["last"]
    return LogState(0 if last is None else last + 1, AuditCheckpoint.objects.order_by("-size").first())
