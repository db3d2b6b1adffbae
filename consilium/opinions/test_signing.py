"""What is signed stays as it was signed, and nobody signs what somebody else wrote."""

import pytest

from consilium.cases.actions import advance, offers
from consilium.cases.models import Case
from consilium.cases.states import State
from consilium.core.errors import NotAllowed
from consilium.opinions.actions import blind
from consilium.opinions.actions import opinion as opinions
from consilium.opinions.models import Opinion
from consilium.testing import factories

pytestmark = pytest.mark.django_db


def fresh(case):
    return Case.objects.get(pk=case.pk)


def test_a_window_that_was_open_before_the_signature_changes_nothing_any_more(cast):
    case = factories.case_in(State.IN_REVIEW, cast)
    factories.write_opinion(case, cast)
    stale = Opinion.objects.select_related("case", "specialist").get(case=case)
    finding = stale.findings.select_related("opinion__case").get()
    opinions.sign(fresh(case), by=cast.chen.by)
    for change in (
        lambda: opinions.save(stale, {"differential": "Something else."}, by=cast.chen.by),
        lambda: opinions.add_finding(stale, by=cast.chen.by, text="One more."),
        lambda: opinions.change_finding(finding, by=cast.chen.by, text="Another.", significance=""),
        lambda: opinions.remove_finding(finding, by=cast.chen.by),
    ):
        with pytest.raises(NotAllowed):
            change()
    signed = Opinion.objects.get(pk=stale.pk)
    assert signed.digest == opinions.digest(signed)


def test_who_takes_over_writes_an_opinion_of_their_own(cast):
    case = factories.case_in(State.IN_REVIEW, cast)
    factories.write_opinion(case, cast)
    advance(fresh(case), "hand_back", by=cast.chen.by, note="Away.")
    case, novak = fresh(case), cast.novak
    offers.offer(case, [novak.specialist], by=cast.dora.by)
    offers.declare_conflicts(case, by=novak.by, none=True)
    offers.accept(case, by=novak.by)
    blind.save(case, by=novak.by, diagnosis="A", treatment="B", reasoning="", confidence="moderate")
    blind.lock(case, by=novak.by)
    blind.reveal(case, by=novak.by)
    draft = opinions.draft_of(case, by=novak.by)
    assert draft.specialist == novak.specialist
    assert not draft.findings.exists()
