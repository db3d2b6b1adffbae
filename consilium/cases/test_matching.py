"""Matching: reasons for and against, and who is out."""

import pytest

from consilium.cases.actions import advance, desk, offers
from consilium.cases.matching import candidates
from consilium.cases.states import State
from consilium.core.errors import BadInput
from consilium.testing import factories

pytestmark = pytest.mark.django_db


def by_name(case):
    return {candidate.specialist.name: candidate for candidate in candidates(case)}


def test_reasons_are_told_and_the_fitting_come_first(cast):
    case = factories.case_in(State.TRIAGE, cast)
    chen, okafor = cast.chen.specialist, cast.okafor.specialist
    okafor.specialties = ["breast"]
    okafor.save()
    found = candidates(case)
    assert [candidate.specialist for candidate in found] == [chen, okafor]
    assert found[1].excluded and not found[1].checks["specialty"]
    assert all(reason for _ok, reason in found[0].reasons)


def test_conflict_by_institution_excludes(cast):
    case = factories.case_in(State.TRIAGE, cast)
    cast.chen.user.specialist.institution = "City Hospital"
    cast.chen.user.specialist.save()
    assert by_name(case)["Dr Mei Chen"].excluded


def test_who_handed_the_case_back_is_not_asked_again(cast):
    case = factories.case_in(State.IN_REVIEW, cast)
    advance(case, "hand_back", by=cast.chen.by, note="I am ill.")
    assert by_name(case)["Dr Mei Chen"].excluded
    desk.set_triage(case, by=cast.tess.by, urgency="routine", complexity="simple", re_reads=[])
    with pytest.raises(BadInput):
        offers.offer(case, [cast.chen.specialist], by=cast.dora.by)
