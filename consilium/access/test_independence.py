"""Whoever reviews a case holds no office on it, and nothing that came after the marking reaches a blind reader."""

import pytest

from consilium.access import scopes
from consilium.access.principals import SYSTEM
from consilium.cases.actions import intake
from consilium.cases.models import Case
from consilium.cases.states import State
from consilium.core.errors import NotAllowed, NotFound
from consilium.people import actions as people
from consilium.testing import factories

pytestmark = pytest.mark.django_db


def fresh(case):
    return Case.objects.get(pk=case.pk)


@pytest.mark.parametrize("office", ["coordinator", "triage_clinician", "quality_reviewer", "administrator"])
def test_reviewer_loses_every_office_on_the_case(cast, office):
    case = factories.case_in(State.BLIND_READ, cast)
    other = factories.case_in(State.SUBMITTED, cast)
    people.grant_membership(cast.chen.user, case.organisation, office, by=SYSTEM)
    by = cast.chen.by
    assert office in by.roles
    assert fresh(case).roles_of(by) == {"specialist"}
    assert office in fresh(other).roles_of(by)
    assert not scopes.sees_conclusion(by, fresh(case))
    with pytest.raises(NotFound):
        scopes.case(by, case.pk, "first_opinion.view")
    with pytest.raises(NotFound):
        scopes.case(by, case.pk, "access_history.view")


def test_papers_that_came_after_the_marking_open_with_the_lock(cast):
    case = factories.case_in(State.BLIND_READ, cast)
    late = factories.plain_record(case, "A new letter", text="We advise a fusion.")
    assert late not in scopes.records(cast.chen.by, fresh(case))
    assert late in scopes.records(cast.anna.by, fresh(case))
    factories._lock(case, cast)
    assert late in scopes.records(cast.chen.by, fresh(case))


def test_recap_is_closed_once_triage_has_it(cast):
    case = factories.case_in(State.TRIAGE, cast)
    with pytest.raises(NotAllowed):
        intake.correct_recap(case, by=cast.anna.by, questions=["Is another operation better for me?"])
