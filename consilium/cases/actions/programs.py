"""The case's verbs on keys for other programs: who may make one, for what, and how it ends."""

from datetime import timedelta

from django.utils.translation import gettext_lazy as _

from consilium.access.principals import Principal
from consilium.access.rules import require
from consilium.cases.models import Case
from consilium.core.errors import BadInput, NotFound
from consilium.records import tokens
from consilium.records.models import DataToken


def require_making(case: Case, *, by: Principal) -> None:
    """Raise unless `by` may make a key here: it opens records outside of this site, so the second step is asked again.

    Raises NotAllowed, StepUpNeeded.
    """
    require("key.make", case, by)


def issue_token(
    case: Case, *, by: Principal, label: str, read: bool, add: bool, life: timedelta
) -> tuple[DataToken, str]:
    """A key for one case, and what to paste into the other program (told once). It never allows more than `by` may.

    Raises NotAllowed, StepUpNeeded, BadInput.
    """
    require_making(case, by=by)
    if not (read or add):
        raise BadInput(_("Please choose what the program may do."))
    if read:
        require("key.read", case, by)
    if add:
        require("record.add", case, by)
    return tokens.issue(case.pk, by=by, label=label.strip(), read=read, add=add, life=life)


def revoke_token(case: Case, token: DataToken, *, by: Principal) -> None:
    """End one's own key now."""
    if token.space != case.pk or token.user != by.id:
        raise NotFound()
    tokens.revoke(token, by=by)
