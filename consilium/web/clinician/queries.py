"""What was shared with a treating doctor: behind a link, or by a role on the case."""

from uuid import UUID

from django.db.models import Q, QuerySet

from consilium.access import scopes
from consilium.access.principals import Principal
from consilium.cases.models import Case
from consilium.cases.states import State
from consilium.core import clock
from consilium.core.errors import NotFound

ROLE = "treating_clinician"


def by_link(by: Principal) -> Case | None:
    """The one case behind a guest's link while something of it is open: a released report, or an urgent message."""
    return _released(by).first() or _urgent(by).first()


def by_account(by: Principal, case_id: UUID) -> Case:
    """A case on which the account is the treating doctor, or NotFound."""
    one = _released(by).filter(pk=case_id).first() or _urgent(by).filter(pk=case_id).first()
    if one is None or ROLE not in one.roles_of(by):
        raise NotFound()
    return one


def shared_with(by: Principal) -> list[Case]:
    """Every case on which the account is the treating doctor; urgent ones first, then the newest."""
    now = clock.now()
    held = Q(case_roles__user_id=by.id, case_roles__role=ROLE, case_roles__ended_at=None)
    held &= Q(case_roles__expires_at=None) | Q(case_roles__expires_at__gt=now)
    urgent = list(_urgent(by).filter(held).order_by("-state_since"))
    return urgent + list(_released(by).filter(held).order_by("-delivered_at"))


def _urgent(by: Principal) -> QuerySet[Case]:
    return scopes.cases(by, "urgent.view").filter(state=State.URGENT)


def _released(by: Principal) -> QuerySet[Case]:
    """Cases with a report that is open to them; one that is on hold before its first report has none."""
    return scopes.cases(by, "report.view").filter(reports__isnull=False)
