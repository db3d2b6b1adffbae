"""The gate of the data plane's case roots: may this session or token read or add the records of this case?

Order: session or token → principal → scope → visibility. The look itself is audited when a record is first opened.
"""

from collections.abc import Callable
from uuid import UUID

from consilium.access import scopes
from consilium.access.principals import Principal
from consilium.access.rules import may
from consilium.cases.models import Case
from consilium.core import audit
from consilium.core.errors import Refusal
from consilium.gateways.data.grants import Grant
from consilium.people.models import User
from consilium.people.queries import principal_of as account_principal
from consilium.records import tokens
from consilium.records.filing import Owner
from consilium.records.models import Record
from consilium.vault.errors import VaultError
from consilium.web.bytes_gate import principal_of as session_principal


def ask(cookies: dict[str, str], bearer: str, case_id: UUID) -> Grant | None:
    """The grant for a case, or None; absent and forbidden look the same."""
    by, may_read, may_add = _holder(cookies, bearer, case_id)
    try:
        case = scopes.case(by, case_id)
        if bearer:  # what its maker may not give away any more, the key does not open
            may_read = may_read and may("key.read", case, by)
            may_add = may_add and may("key.make", case, by)
        may_read = may_read and may("record.view", case, by)
        may_add = may_add and may("record.add", case, by)
        if not (may_read or may_add):
            return None
        return Grant(
            space=case.pk,
            owner=owner_of(case),
            principal=by,
            may_read=may_read,
            may_add=may_add,
            records=_open_records(by, case) if may_read else frozenset(),
            note_opened=_noting(by, case),
        )
    except (Refusal, VaultError):
        return None


def owner_of(case: Case) -> Owner:
    """Whose records they should be."""
    patient = case.patient
    return Owner(case.organisation_id, patient.given_name, patient.family_name, patient.birth_date)


def _holder(cookies: dict[str, str], bearer: str, case_id: UUID) -> tuple[Principal, bool, bool]:
    """Who asks, and whether the key itself allows reading and adding."""
    if not bearer:
        return session_principal(cookies), True, True
    token = tokens.find(bearer, case_id)
    user = User.objects.filter(pk=token.user, is_active=True).first() if token else None
    if token is None or user is None:
        return session_principal({}), False, False
    # The second step was passed when the token was made, and the token ends soon.
    return account_principal(user, strong=True, fresh=False), token.may_read, token.may_add


def _open_records(by: Principal, case: Case) -> frozenset[UUID]:
    """Records in scope of which no page is withheld: here whole files are handed out. None that was taken out."""
    kept = scopes.records(by, case).exclude(status=Record.Status.REMOVED)
    return frozenset(one.pk for one in kept if scopes.sees_original(by, case, one))


def _noting(by: Principal, case: Case) -> Callable[[UUID], None]:
    def note(record: UUID) -> None:
        audit.read(f"record:{record}", by=by, space=case.pk)

    return note
