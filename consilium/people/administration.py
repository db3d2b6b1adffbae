"""Verbs of an administrator: inviting staff, the organisation's details, specialists, their licences and verification.

All of them concern staff and public profiles; nothing here touches a patient's story.
"""

from datetime import date
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from consilium.access.principals import Principal
from consilium.channels import email
from consilium.core import audit, clock
from consilium.core.errors import BadInput
from consilium.packs import registry
from consilium.people import actions
from consilium.people.models import Licence, Membership, Organisation, Specialist, User

ORGANISATION_FIELDS = ("name", "address", "contact", "telephone", "country", "time_zone", "jurisdiction")
PROFILE_FIELDS = ("name", "title", "portrait", "specialties", "languages", "biography", "institution", "capacity")


def invite(
    organisation: Organisation,
    address: str,
    *,
    by: Principal,
    given_name: str,
    family_name: str,
    roles: list[str],
    link: str,
    language: str = "en",
) -> User:
    """Make an account without a password for a member of staff and mail them where to choose one.

    An account that exists already gets the roles; one that works for another organisation is refused, for an
    account belongs to one. `link` is the address of the page for a new password.
    """
    actions.require_administrator(organisation, by)
    if not roles or set(roles) - set(Membership.Role.values):
        raise BadInput(_("Please choose at least one role."))
    user = User.objects.filter(email__iexact=address.strip()).first()
    if user and user.memberships.filter(until=None).exclude(organisation=organisation).exists():
        raise BadInput(_("This address belongs to somebody who works for another organisation."))
    with transaction.atomic():
        if user is None:
            user = User.objects.create_user(address.strip(), None, language=language)
            actions.register_person(organisation, given_name=given_name, family_name=family_name, user=user, by=by)
        for role in roles:
            actions.grant_membership(user, organisation, role, by=by)
        audit.record("account.invite", by=by, thing=user.ref, count=len(roles))
        email.send(
            "invitation", to=user.email, language=user.language, key=f"invitation:{user.pk}:{clock.now()}", link=link
        )
    return user


def save_organisation(organisation: Organisation, *, by: Principal, **details: str) -> None:
    """Change the organisation's details; the jurisdiction must be a pack of this installation."""
    actions.require_administrator(organisation, by)
    if details.get("jurisdiction", organisation.jurisdiction) not in {pack.id for pack in registry.jurisdictions()}:
        raise BadInput(_("Please choose the rule of the country from the list."))
    with transaction.atomic():
        for field in ORGANISATION_FIELDS:
            setattr(organisation, field, details.get(field, getattr(organisation, field)))
        organisation.save(update_fields=list(ORGANISATION_FIELDS))
        audit.record("organisation.save", by=by, thing=f"organisation:{organisation.pk}")


def save_profile(user: User, organisation: Organisation, *, by: Principal, **profile: Any) -> Specialist:
    """Create or change the public profile of a specialist of the organisation."""
    actions.require_administrator(organisation, by)
    if not user.memberships.filter(organisation=organisation, role=Membership.Role.SPECIALIST, until=None).exists():
        raise BadInput(_("Please give this person the role “specialist” first."))
    if set(profile.get("specialties", [])) - {pack.id for pack in registry.specialties()}:
        raise BadInput(_("Please choose specialties from the list."))
    with transaction.atomic():
        specialist = Specialist.objects.filter(user=user).first() or Specialist(user=user)
        for field in PROFILE_FIELDS:
            if field in profile:
                setattr(specialist, field, profile[field])
        specialist.save()
        audit.record("specialist.save", by=by, thing=f"specialist:{specialist.pk}")
    return specialist


def add_licence(
    specialist: Specialist,
    organisation: Organisation,
    *,
    by: Principal,
    authority: str,
    number: str,
    country: str,
    valid_from: date,
    valid_until: date,
) -> Licence:
    """Note a licence to practise as it stands on the document."""
    actions.require_administrator(organisation, by)
    if valid_until < valid_from:
        raise BadInput(_("The licence ends before it begins: please check the two dates."))
    with transaction.atomic():
        licence = Licence.objects.create(
            specialist=specialist,
            authority=authority.strip(),
            number=number.strip(),
            country=country,
            valid_from=valid_from,
            valid_until=valid_until,
        )
        audit.record("licence.add", by=by, thing=f"specialist:{specialist.pk}", licence=licence.pk)
    return licence


def end_licence(licence: Licence, organisation: Organisation, *, by: Principal) -> None:
    """End a licence yesterday: it counts no more from now on. The row stays, so that the past can be told."""
    actions.require_administrator(organisation, by)
    with transaction.atomic():
        yesterday = date.fromordinal(clock.now().date().toordinal() - 1)
        licence.valid_until = min(licence.valid_until, yesterday)
        licence.valid_from = min(licence.valid_from, licence.valid_until)
        licence.save(update_fields=["valid_until", "valid_from"])
        audit.record("licence.end", by=by, thing=f"specialist:{licence.specialist_id}", licence=licence.pk)


def verify(specialist: Specialist, organisation: Organisation, *, by: Principal) -> None:
    """Confirm that identity and licence were checked against the documents; needs a licence that is valid today."""
    actions.require_administrator(organisation, by)
    today = clock.now().date()
    if not specialist.licences.filter(valid_from__lte=today, valid_until__gte=today).exists():
        raise BadInput(_("Please add a licence that is valid today first."))
    with transaction.atomic():
        specialist.verified_at = clock.now()
        specialist.save(update_fields=["verified_at"])
        audit.record("specialist.verify", by=by, thing=f"specialist:{specialist.pk}")


def withdraw_verification(specialist: Specialist, organisation: Organisation, *, by: Principal) -> None:
    """The credentials are in doubt: no new case is offered until they are verified again."""
    actions.require_administrator(organisation, by)
    with transaction.atomic():
        specialist.verified_at = None
        specialist.save(update_fields=["verified_at"])
        audit.record("specialist.unverify", by=by, thing=f"specialist:{specialist.pk}")
