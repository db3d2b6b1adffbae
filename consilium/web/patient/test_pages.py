"""Each page opens for those it is for, in the states it is for, and does not exist for a stranger."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from consilium.cases.states import State
from consilium.testing import factories
from consilium.testing.cast import Cast

pytestmark = pytest.mark.django_db

AsClient = Callable[..., Client]
EVERY_STATE = list(State.values)

# route name → a state in which Anna sees it
PAGES = {
    "case_prepare": State.DRAFT,
    "case_specialty": State.DRAFT,
    "case_summary": State.RECAP,
    "case_correct": State.RECAP,
    "case_upload": State.COLLECTING,
    "case_upload_list": State.COLLECTING,
    "case_consents": State.IN_REVIEW,
    "case_people": State.IN_REVIEW,
    "case_invite": State.IN_REVIEW,
    "case_links": State.DELIVERED,
    "case_link_new": State.DELIVERED,
    "case_messages": State.IN_REVIEW,
    "case_report": State.DELIVERED,
    "case_ask": State.DELIVERED,
    "case_urgent": State.URGENT,
    "case_steps": State.DELIVERED,
    "case_access_history": State.DELIVERED,
    "case_withdraw": State.IN_REVIEW,
    "case_erasure": State.CLOSED,
    "download_all": State.DELIVERED,
}


@pytest.mark.parametrize("state", EVERY_STATE)
def test_case_page_opens_in_every_state_and_only_for_the_patient(state: str, cast: Cast, as_: AsClient) -> None:
    case = factories.case_in(state, cast)
    address = reverse("case", args=[case.pk])
    assert as_(cast.anna).get(address).status_code == 200
    assert as_(cast.eve).get(address).status_code == 404
    assert as_(cast.dora).get(address).status_code == 404, "staff have pages of their own"


@pytest.mark.parametrize("name", PAGES)
def test_page_opens_for_anna_and_not_for_eve(name: str, cast: Cast, as_: AsClient) -> None:
    case = factories.case_in(PAGES[name], cast)
    address = reverse(name, args=[case.pk])
    assert as_(cast.anna).get(address).status_code == 200
    assert as_(cast.eve).get(address).status_code == 404


@pytest.mark.parametrize("name", PAGES)
def test_page_asks_for_sign_in_and_second_step(name: str, cast: Cast, as_: AsClient) -> None:
    case = factories.draft(cast)
    address = reverse(name, args=[case.pk])
    assert as_(None).get(address).status_code == 302
    weak: Any = as_(cast.anna, step="none").get(address)
    assert weak.status_code == 302
    assert "second" in weak.url or "2fa" in weak.url
