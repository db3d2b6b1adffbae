"""What people do to their own account."""

from uuid import uuid4

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from consilium.access.principals import Principal
from consilium.channels import email
from consilium.core import audit, clock
from consilium.core.errors import StepUpNeeded
from consilium.people.models import Membership, User
from consilium.web.accounts import sessions
from consilium.web.models import DeletionRequest

CONSEQUENCES = (
    _("A person checks which records must be kept by law, and for how long."),
    _("Everything that need not be kept is erased, and cannot be brought back."),
    _("Requests that are still open are stopped. Download what you want to keep first."),
    _("Until it is done you can take this back on the security page."),
)


def end_other_sessions(user: User, here: str | None) -> int:
    """Sign the account out everywhere but in the session `here`; the number of sessions that ended."""
    ended = sessions.end_others(user, here)
    with transaction.atomic():
        audit.record("account.sessions_end", by=user, thing=user.ref, count=ended)
    return ended


def open_deletion(user: User) -> DeletionRequest | None:
    """The account's open wish to be deleted, or None."""
    return DeletionRequest.objects.filter(user=user, withdrawn_at=None).first()


def ask_for_deletion(user: User, *, by: Principal) -> DeletionRequest:
    """Ask the administrators to delete the account; once. Raises StepUpNeeded without a fresh second step."""
    if not by.fresh:
        raise StepUpNeeded(_("Please confirm that it is you."))
    with transaction.atomic():
        wish, new = DeletionRequest.objects.get_or_create(user=user, withdrawn_at=None)
        if new:
            audit.record("account.deletion_ask", by=by, thing=user.ref)
            _tell_administrators(wish)
    return wish


def withdraw_deletion(user: User) -> None:
    """Take the wish back."""
    with transaction.atomic():
        if DeletionRequest.objects.filter(user=user, withdrawn_at=None).update(withdrawn_at=clock.now()):
            audit.record("account.deletion_withdraw", by=user, thing=user.ref)


def speak(user: User, language: str) -> None:
    """Set the language of the account's pages and mail."""
    if language in dict(settings.LANGUAGES) and user.language != language:
        user.language = language
        user.save(update_fields=["language"])


def _tell_administrators(wish: DeletionRequest) -> None:
    holding = Membership.objects.filter(role=Membership.Role.ADMINISTRATOR, until=None).select_related("user")
    for user in {membership.user for membership in holding}:
        email.send("deletion_asked", to=user.email, language=user.language, key=f"deletion:{wish.pk}:{uuid4()}")
