"""Erasure: due, asked for, or refused; and the key goes only when the state has gone for good."""

import pytest
from django.db import transaction

from consilium.cases.actions import advance, desk
from consilium.cases.models import Case
from consilium.cases.states import State
from consilium.core import jobs
from consilium.core.errors import NotReady
from consilium.testing import factories
from consilium.vault import keys

pytestmark = pytest.mark.django_db


def test_a_living_draft_is_erased_only_when_its_patient_asks(cast):
    case = factories.told(cast)
    with pytest.raises(NotReady):
        advance(case, "erase", by=cast.ada.by)
    desk.request_erasure(case, by=cast.anna.by)
    case.refresh_from_db()
    advance(case, "erase", by=cast.ada.by)
    jobs.drain()
    assert case.state == State.ERASED and keys.space_destroyed(case.pk)


def test_an_erasure_that_is_taken_back_leaves_the_key(cast):
    """A failure after the step, in the same transaction, must not cost the contents."""
    case = factories.told(cast)
    desk.request_erasure(case, by=cast.anna.by)
    case.refresh_from_db()
    with pytest.raises(RuntimeError), transaction.atomic():
        advance(case, "erase", by=cast.ada.by)
        raise RuntimeError
    jobs.drain()
    again = Case.objects.get(pk=case.pk)
    assert again.state == State.DRAFT and again.first_opinion["diagnosis"] == "Lumbar disc herniation L4/L5"


def test_the_job_destroys_no_key_of_a_living_case(cast):
    from consilium.cases.jobs import shred_key

    case = factories.draft(cast)
    jobs.enqueue(shred_key, str(case.pk), key="by mistake")
    jobs.drain()
    assert keys.space_exists(case.pk)
