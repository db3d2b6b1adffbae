"""Who may administer accounts, and what an administrator's verbs refuse."""

from datetime import timedelta

import pytest

from consilium.access.principals import SYSTEM
from consilium.core import clock
from consilium.core.errors import BadInput, NotAllowed
from consilium.people import actions, administration
from consilium.people.models import Membership, User

pytestmark = pytest.mark.django_db
LINK = "http://127.0.0.1:8000/account/password/forgotten/"


def test_suspending_a_patient_takes_an_administrator(cast):
    """A patient has no membership: an empty list of organisations must not let everybody through."""
    anna = cast.anna.user
    for by in (cast.eve.by, cast.dora.by, cast.rival.by, cast.ada.weak):
        with pytest.raises(NotAllowed):
            actions.suspend(anna, by=by)
    actions.suspend(anna, by=cast.ada.by)
    assert not cast.anna.by.active
    with pytest.raises(NotAllowed):
        actions.reinstate(anna, by=cast.eve.by)
    actions.reinstate(anna, by=cast.ada.by)
    assert cast.anna.by.active


def test_an_account_without_person_is_not_everybodys(cast):
    lone = User.objects.create_user("lone@example.org", None)
    with pytest.raises(NotAllowed):
        actions.suspend(lone, by=cast.eve.by)
    actions.suspend(lone, by=SYSTEM)


def test_nobody_suspends_themselves_or_ends_the_last_administrator(cast):
    with pytest.raises(BadInput):
        actions.suspend(cast.ada.user, by=cast.ada.by)
    mine = Membership.objects.get(user=cast.ada.user, role="administrator")
    with pytest.raises(BadInput):
        actions.end_membership(mine, by=cast.ada.by)
    actions.grant_membership(cast.dora.user, mine.organisation, "administrator", by=cast.ada.by)
    actions.end_membership(mine, by=cast.ada.by)
    assert "administrator" not in cast.ada.by.roles


def test_invitation_refuses_other_organisations_people(cast):
    said = {"given_name": "R", "family_name": "R", "roles": ["coordinator"], "link": LINK}
    with pytest.raises(BadInput):
        administration.invite(cast.ada.person.organisation, cast.rival.user.email, by=cast.ada.by, **said)
    with pytest.raises(NotAllowed):
        administration.invite(cast.rival.person.organisation, "new@example.org", by=cast.ada.by, **said)
    assert not User.objects.filter(email="new@example.org").exists()


def test_verification_needs_a_valid_licence(cast):
    chen, organisation = cast.chen.specialist, cast.chen.person.organisation
    administration.withdraw_verification(chen, organisation, by=cast.ada.by)
    administration.end_licence(chen.licences.get(), organisation, by=cast.ada.by)
    with pytest.raises(BadInput):
        administration.verify(chen, organisation, by=cast.ada.by)
    today = clock.now().date()
    dates = {"valid_from": today, "valid_until": today + timedelta(days=1)}
    administration.add_licence(
        chen, organisation, by=cast.ada.by, authority="Chamber", number="2", country="DE", **dates
    )
    administration.verify(chen, organisation, by=cast.ada.by)
    assert chen.verified_at
    with pytest.raises(NotAllowed):
        administration.verify(chen, organisation, by=cast.rival.by)


def test_roles_of_another_organisation_do_not_count_here(cast):
    here, elsewhere = cast.dora.person.organisation, cast.rival.person.organisation
    actions.grant_membership(cast.dora.user, elsewhere, "administrator", by=SYSTEM)
    assert (cast.dora.by.organisation_id, cast.dora.by.roles) == (here.pk, {"coordinator"})
