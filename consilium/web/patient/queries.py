"""Which cases and invitations belong to the person signed in: scopes narrowed to the patient's side."""

from datetime import timedelta
from uuid import UUID

from django.db.models import Q, QuerySet

from consilium.access import scopes
from consilium.access.principals import Principal
from consilium.cases.models import Case, CaseRole, FollowUp, GuestLink
from consilium.core import clock
from consilium.core.errors import NotFound
from consilium.people.models import Specialist
from consilium.web.patient.guards import SIDE

DOUBLE_CLICK = timedelta(seconds=30)


def my_cases(by: Principal) -> list[Case]:
    """Cases on which the person is the patient or accompanies them, the newest first."""
    held = Q(case_roles__user_id=by.id, case_roles__role__in=SIDE, case_roles__ended_at=None)
    found = scopes.cases(by).filter(held).order_by("-created_at").prefetch_related("clock_stops")
    return [case for case in found if case.roles_of(by) & SIDE]


def fresh_draft(by: Principal, specialty: str) -> Case | None:
    """A draft of that specialty begun a moment ago and still untouched: a button pressed twice starts one case."""
    since = clock.now() - DOUBLE_CLICK
    drafts = scopes.cases(by, "story.edit").filter(specialty=specialty, created_at__gte=since, version=0)
    own = drafts.filter(patient__user_id=by.id, intake__screening_passed=None)
    return own.order_by("-created_at").first()


def invitations(by: Principal) -> list[CaseRole]:
    """Invitations that were not answered yet and have not run out."""
    waiting = CaseRole.objects.filter(user_id=by.id, confirmed_at=None, ended_at=None)
    in_time = waiting.filter(Q(expires_at=None) | Q(expires_at__gt=clock.now()))
    return list(in_time.select_related("case__patient", "case__organisation").order_by("-since"))


def invitation(by: Principal, grant_id: int) -> CaseRole:
    """One open invitation of the person, or NotFound."""
    found = next((grant for grant in invitations(by) if grant.pk == grant_id), None)
    if found is None:
        raise NotFound()
    return found


def grant(case: Case, grant_id: int) -> CaseRole:
    """A relative's role on the case that has not ended, confirmed or not."""
    found = relatives(case).filter(pk=grant_id).first()
    if found is None:
        raise NotFound()
    return found


def relatives(case: Case) -> QuerySet[CaseRole]:
    """Relatives who read along or act, and those invited."""
    return case.case_roles.filter(role__in=("proxy_view", "proxy_act"), ended_at=None).order_by("since")


def link(case: Case, link_id: UUID) -> GuestLink:
    """A link of the case, or NotFound."""
    found = case.guest_links.filter(pk=link_id).first()
    if found is None:
        raise NotFound()
    return found


def specialist_of(case: Case) -> Specialist | None:
    """The doctor who accepted the case."""
    role = next((role for role in case.case_roles.all() if role.role == "specialist" and role.ended_at is None), None)
    return role.user.specialist if role else None


def due_follow_up(case: Case) -> FollowUp | None:
    """The earliest questionnaire that is due and not answered."""
    due = case.follow_ups.filter(day__gt=0, answered_at=None, due_at__lte=clock.now())
    return due.order_by("day").first()


def follow_up(case: Case, day: int) -> FollowUp:
    """The questionnaire of that day once it is due, or NotFound."""
    found = case.follow_ups.filter(day=day, due_at__lte=clock.now()).exclude(day=0).first()
    if found is None:
        raise NotFound()
    return found
