"""What the sending page says after files have arrived: as long as work goes on, and what became of them."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from consilium.cases.models import Case
from consilium.cases.states import State
from consilium.core import clock
from consilium.records.models import Record, RecordFile
from consilium.testing import factories
from consilium.testing.cast import Cast

pytestmark = pytest.mark.django_db

AsClient = Callable[..., Client]
POLLS = 'hx-trigger="every'


@pytest.fixture
def case(cast: Cast) -> Case:
    return factories.case_in(State.COLLECTING, cast)


def listed(client: Client, case: Case) -> str:
    return client.get(reverse("case_upload_list", args=[case.pk])).content.decode()


def settle(case: Case) -> None:
    RecordFile.objects.filter(space=case.pk).update(filed_at=clock.now())


# -- as long as work goes on ---------------------------------------------------------------------------------------


def test_page_looks_again_while_the_words_of_a_scan_are_read(case: Case, cast: Cast, as_: AsClient) -> None:
    record, client = factories.plain_record(case, "scan 1", facts={"reading": [0, 2]}), as_(cast.anna)
    settle(case)
    assert POLLS in listed(client, case)
    assert "(0 of 2 pages)" in listed(client, case)
    record.facts = {}
    record.save()
    assert POLLS not in listed(client, case)


def test_page_looks_again_while_images_are_not_finished(case: Case, cast: Cast, as_: AsClient) -> None:
    record, client = factories.plain_record(case, "MR", kind="imaging"), as_(cast.anna)
    settle(case)
    assert POLLS not in listed(client, case)
    record.files.update(filed_at=None)
    assert POLLS in listed(client, case)
    record.status = Record.Status.REMOVED
    record.save()
    assert POLLS not in listed(client, case), "nobody waits for what was taken out"


@pytest.mark.parametrize(("minutes", "polls"), [(25, True), (35, False)])
def test_page_does_not_wait_for_ever(case: Case, cast: Cast, as_: AsClient, minutes: int, polls: bool) -> None:
    """Work that stands still, such as a job that gave up."""
    came = clock.now() - timedelta(minutes=minutes)
    client = as_(cast.anna)
    factories.plain_record(case, "MR", kind="imaging", added_at=came)
    assert (POLLS in listed(client, case)) == polls, "unfinished images"
    settle(case)
    assert POLLS not in listed(client, case)
    factories.plain_record(case, "scan 1", facts={"reading": [0, 2]}, added_at=came)
    settle(case)
    assert (POLLS in listed(client, case)) == polls, "unread pages"
