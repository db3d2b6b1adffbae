"""Questions about accounts and people that other rooms ask."""

from dataclasses import dataclass
from uuid import UUID

from consilium.access.principals import Principal
from consilium.core import clock
from consilium.people.models import Membership, Organisation, PersonIndex, Specialist, User
from consilium.vault import blind


def principal_of(user: User, *, strong: bool, fresh: bool) -> Principal:
    """The principal of an account as it stands now: status and memberships are read each time."""
    active = user.is_active and user.suspended_at is None
    memberships = list(Membership.objects.filter(user=user).order_by("pk")) if active else []
    open_ones = [m for m in memberships if m.until is None or m.until > clock.now()]
    # Roles count in one organisation only; a role elsewhere must not widen what somebody is here.
    open_ones = [m for m in open_ones if m.organisation_id == open_ones[0].organisation_id]
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


def first_organisation() -> Organisation | None:
    """The organisation that open pages name, or None on a site that is not set up yet."""
    return Organisation.objects.order_by("name").first()


def names_of(refs: list[str]) -> dict[str, str]:
    """Display names for pseudonymous references such as `user:6f1c…`, in one query; unknown ones are left out."""
    ids = [ref.split(":", 1)[1] for ref in refs if ref.startswith("user:")]
    users = User.objects.filter(pk__in=ids).select_related("person", "specialist")
    return {user.ref: _display_name(user) for user in users}


def _display_name(user: User) -> str:
    if hasattr(user, "specialist"):
        return user.specialist.name
    return user.person.full_name if hasattr(user, "person") else user.email


def named_and_born(organisation_id: UUID, asked: list[tuple[str, str]]) -> list[set[UUID]]:
    """For each (name, ISO birth date) the persons born then who bear at least two parts of the name; one query for all.

    Two parts, not all: what machines call a person may have a title or a second name more (or be one word).
    """
    names = [blind.search_groups(organisation_id, "name", name) for name, _born in asked]
    births = [blind.token(organisation_id, "birth", born) if born else "" for _name, born in asked]
    mine = PersonIndex.objects.filter(person__organisation=organisation_id)
    born = mine.filter(domain="birth", token__in=[token for token in births if token])
    known: dict[UUID, set[str]] = {}
    for person, token in mine.filter(person__in=born.values("person")).values_list("person_id", "token"):
        known.setdefault(person, set()).add(token)

    def bears(has: set[str], groups: list[list[str]]) -> bool:
        return bool(groups) and sum(1 for group in groups if has & set(group)) >= min(2, len(groups))

    return [
        {one for one, has in known.items() if birth in has and bears(has, groups)}
        for groups, birth in zip(names, births, strict=True)
    ]


def public_doctors(limit: int = 3) -> list[Specialist]:
    """Verified specialists with a portrait, for pages that anybody may see; the same ones on every load."""
    verified = Specialist.objects.filter(verified_at__isnull=False, user__is_active=True, user__suspended_at=None)
    return list(verified.exclude(portrait="").order_by("verified_at", "name")[:limit])


@dataclass(frozen=True)
class DemoPerson:
    """A demonstration account as the persona picker shows it."""

    user: User
    name: str
    roles: tuple[str, ...]
    portrait: str


def demo_people() -> list[DemoPerson]:
    """Every demonstration account with name, roles and portrait; patients first; two queries."""
    users = User.objects.filter(is_demo=True, is_active=True, suspended_at=None)
    users = users.select_related("person", "specialist").prefetch_related("memberships")
    found = [_demo_person(user) for user in users.order_by("date_joined", "email")]
    return sorted(found, key=lambda one: bool(one.roles))


def demo_user(user_id: UUID) -> User | None:
    """The demonstration account with that id; None for every other account."""
    return User.objects.filter(pk=user_id, is_demo=True, is_active=True, suspended_at=None).first()


def _demo_person(user: User) -> DemoPerson:
    roles = tuple(str(m.get_role_display()) for m in user.memberships.all() if m.until is None)
    portrait = user.specialist.portrait if hasattr(user, "specialist") else user.email.split("@")[0].split(".")[0]
    return DemoPerson(user, _display_name(user), roles, portrait)
