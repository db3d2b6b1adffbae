"""Questions about accounts and people that other rooms ask."""

from consilium.access.principals import Principal
from consilium.core import clock
from consilium.people.models import Membership, Organisation, User


def principal_of(user: User, *, strong: bool, fresh: bool) -> Principal:
    """The principal of an account as it stands now: status and memberships are read each time."""
    active = user.is_active and user.suspended_at is None
    memberships = list(Membership.objects.filter(user=user)) if active else []
    open_ones = [m for m in memberships if m.until is None or m.until > clock.now()]
    return Principal(
        kind="user",
        id=user.pk,
        roles=frozenset(m.role for m in open_ones),
        organisation_id=open_ones[0].organisation_id if open_ones else None,
        strong=strong,
        fresh=fresh,
        active=active,
    )


def default_organisation() -> Organisation:
    """The organisation new patients belong to: the first one of the installation."""
    return Organisation.objects.order_by("name")[0]


def names_of(refs: list[str]) -> dict[str, str]:
    """Display names for pseudonymous references such as `user:6f1c…`, in one query; unknown ones are left out."""
    ids = [ref.split(":", 1)[1] for ref in refs if ref.startswith("user:")]
    users = User.objects.filter(pk__in=ids).select_related("person", "specialist")
    return {user.ref: _display_name(user) for user in users}


def _display_name(user: User) -> str:
    if hasattr(user, "specialist"):
        return user.specialist.name
    return user.person.full_name if hasattr(user, "person") else user.email
