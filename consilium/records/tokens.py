"""Keys for other programs: a DICOMweb client or an uploader that works on one case for a few hours.

The token is the row's id, signed; the row says what it allows and can be revoked at once.
"""

from datetime import timedelta
from uuid import UUID

from django.core import signing
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from consilium.access.principals import Principal
from consilium.core import audit, clock
from consilium.core.errors import BadInput
from consilium.records.models import DataToken

LONGEST = timedelta(hours=12)
_SALT = "consilium.records.tokens"


def issue(
    space: UUID, *, by: Principal, label: str = "", read: bool = True, add: bool = False, life: timedelta = LONGEST
) -> tuple[DataToken, str]:
    """A new token for one case and what to type into the other program; it is shown once and stored nowhere."""
    if by.kind != "user" or not (read or add) or not timedelta(0) < life <= LONGEST:
        raise BadInput(_("A key belongs to an account, allows something, and ends within twelve hours."))
    with transaction.atomic():
        token = DataToken.objects.create(
            space=space, user=by.id, label=label[:60], may_read=read, may_add=add, expires_at=clock.now() + life
        )
        audit.record("token.issue", by=by, thing=f"token:{token.pk}", space=space)
    return token, signing.Signer(salt=_SALT).sign(token.pk.hex)


def find(text: str, space: UUID) -> DataToken | None:
    """The living token of a case behind what a program sent, or None."""
    try:
        pk = UUID(hex=signing.Signer(salt=_SALT).unsign(text))
    except (signing.BadSignature, ValueError):
        return None
    found = DataToken.objects.filter(pk=pk, space=space, revoked_at=None, expires_at__gt=clock.now()).first()
    if found is not None:
        DataToken.objects.filter(pk=pk).update(last_used_at=clock.now())
    return found


def revoke(token: DataToken, *, by: Principal) -> None:
    """End a token now; programs notice within half a minute."""
    if token.revoked_at is None:
        with transaction.atomic():
            token.revoked_at = clock.now()
            token.save(update_fields=["revoked_at"])
            audit.record("token.revoke", by=by, thing=f"token:{token.pk}", space=token.space)
