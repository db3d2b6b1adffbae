"""Verbs on people: registering, correcting, memberships, suspension; and the blind index that finds them."""

from datetime import date
from typing import Any
from uuid import UUID

from django.contrib.sessions.models import Session
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from consilium.access.principals import Principal
from consilium.core import audit, clock
from consilium.core.errors import BadInput, NotAllowed
from consilium.people.models import Membership, Organisation, Person, PersonIndex, User
from consilium.vault import blind, keys

STRONG_ROLES = frozenset(Membership.Role.values)


def register_person(
    organisation: Organisation,
    *,
    given_name: str,
    family_name: str,
    by: Principal,
    user: User | None = None,
    birth_date: str = "",
    sex: str = Person.Sex.UNKNOWN,
    telephone: str = "",
    contact: dict[str, Any] | None = None,
) -> Person:
    """Create a person with a key of their own and index them. `birth_date` is ISO 8601 or empty."""
    check_birth_date(birth_date)
    person = Person(organisation=organisation, user=user)
    keys.create_space(person.pk, tenant=organisation.pk)
    with transaction.atomic():
        person.given_name, person.family_name = given_name.strip(), family_name.strip()
        person.birth_date, person.sex, person.telephone = birth_date, sex, telephone.strip()
        person.contact = contact or {}
        person.save()
        reindex(person)
        audit.record("person.register", by=by, thing=f"person:{person.pk}", space=person.pk)
    return person


def correct_person(person: Person, *, by: Principal, **changes: Any) -> None:
    """Change identity or contact details; an identity that was checked has to be checked again."""
    allowed = {"given_name", "family_name", "birth_date", "sex", "telephone", "contact"}
    if unknown := set(changes) - allowed:
        raise BadInput(_("These details cannot be changed here."), code=",".join(sorted(unknown)))
    check_birth_date(changes.get("birth_date", ""))
    with transaction.atomic():
        for field, value in changes.items():
            setattr(person, field, value.strip() if isinstance(value, str) else value)
        if {"given_name", "family_name", "birth_date"} & set(changes):
            person.identity_checked_at = None
        person.save()
        reindex(person)
        audit.record("person.correct", by=by, thing=f"person:{person.pk}", space=person.pk)


def check_birth_date(text: str) -> None:
    """Raise BadInput unless `text` is empty or an ISO date of a living person."""
    if not text:
        return
    try:
        born = date.fromisoformat(text)
    except ValueError:
        raise BadInput(_("Please give the birth date as day, month and year.")) from None
    if not date(1900, 1, 1) <= born <= clock.now().date():
        raise BadInput(_("Please check the birth date: it must lie between 1900 and today."))


def reindex(person: Person) -> None:
    """Rewrite the keyed hashes by which staff find this person."""
    tenant = person.organisation_id
    wanted = {("name", token) for token in blind.tokens(tenant, "name", person.full_name)}
    if person.birth_date:
        wanted.add(("birth", blind.token(tenant, "birth", person.birth_date)))
    person.index_tokens.all().delete()
    PersonIndex.objects.bulk_create(PersonIndex(person=person, domain=d, token=t) for d, t in wanted)


def find_person_ids(organisation: Organisation, *, name: str = "", birth_date: str = "") -> set[UUID]:
    """Persons whose every given name part (and birth date) matches exactly, through keyed hashes."""
    found: set[UUID] | None = None
    for part in name.split():
        tokens = blind.tokens(organisation.pk, "name", part)
        found = _matching(organisation, "name", tokens, found)
    if birth_date:
        found = _matching(organisation, "birth", [blind.token(organisation.pk, "birth", birth_date)], found)
    return found or set()


def _matching(organisation: Organisation, domain: str, tokens: list[str], within: set[UUID] | None) -> set[UUID]:
    rows = PersonIndex.objects.filter(person__organisation=organisation, domain=domain, token__in=tokens)
    ids = set(rows.values_list("person_id", flat=True))
    return ids if within is None else ids & within


def grant_membership(user: User, organisation: Organisation, role: str, *, by: Principal) -> Membership:
    """Give a role in the organisation; an administrator or the system may."""
    require_administrator(organisation, by)
    with transaction.atomic():
        membership, _created = Membership.objects.get_or_create(
            user=user, organisation=organisation, role=role, until=None, defaults={"granted_by": by.ref}
        )
        audit.record("membership.grant", by=by, thing=user.ref, code=role)
    return membership


def end_membership(membership: Membership, *, by: Principal) -> None:
    """End a role; it bites at the person's next request."""
    require_administrator(membership.organisation, by)
    _require_not_the_last(membership)
    with transaction.atomic():
        membership.until = clock.now()
        membership.save(update_fields=["until"])
        audit.record("membership.end", by=by, thing=membership.user.ref, code=membership.role)


def _require_not_the_last(membership: Membership) -> None:
    """An organisation without an administrator could never be administered again."""
    if membership.role != Membership.Role.ADMINISTRATOR:
        return
    others = Membership.objects.filter(
        organisation=membership.organisation, role=membership.role, until=None, user__suspended_at=None
    )
    if not others.exclude(pk=membership.pk).exists():
        raise BadInput(_("This is the last administrator: please give the role to somebody else first."))


def suspend(user: User, *, by: Principal) -> None:
    """Suspend an account at once: its sessions end and its roles no longer count."""
    _require_may_manage(user, by)
    if user.pk == by.id:
        raise BadInput(_("You cannot suspend your own account: please ask another administrator."))
    with transaction.atomic():
        user.suspended_at = clock.now()
        user.save(update_fields=["suspended_at"])
        audit.record("account.suspend", by=by, thing=user.ref)
    end_sessions(user)


def reinstate(user: User, *, by: Principal) -> None:
    """Lift a suspension."""
    _require_may_manage(user, by)
    with transaction.atomic():
        user.suspended_at = None
        user.save(update_fields=["suspended_at"])
        audit.record("account.reinstate", by=by, thing=user.ref)


def end_sessions(user: User) -> None:
    """Sign the account out everywhere."""
    for session in Session.objects.iterator():
        if session.get_decoded().get("_auth_user_id") == str(user.pk):
            session.delete()


def _require_may_manage(user: User, by: Principal) -> None:
    """An administrator of every organisation the account works for, or that looks after its person.

    An account that belongs to nobody yet is the system's: an empty list must not let everybody through.
    """
    organisations = {m.organisation for m in user.memberships.filter(until=None).select_related("organisation")}
    if not organisations and hasattr(user, "person"):
        organisations = {user.person.organisation}
    for organisation in organisations:
        require_administrator(organisation, by)
    if not organisations and by.kind != "system" and not ("administrator" in by.roles and by.strong and by.active):
        raise NotAllowed(_("Only an administrator can do this."))


def require_administrator(organisation: Organisation, by: Principal) -> None:
    """Raise NotAllowed unless `by` administers `organisation` now, with a passed second step."""
    administers = "administrator" in by.roles and by.organisation_id == organisation.pk and by.strong and by.active
    if by.kind != "system" and not administers:
        raise NotAllowed(_("Only an administrator can do this."))
