"""Keys for other programs, and uploads that were begun and not finished, over HTTP."""

import html
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from consilium.cases.actions import programs as verbs
from consilium.cases.actions import records as case_records
from consilium.cases.models import Case
from consilium.cases.states import State
from consilium.core import audit, clock
from consilium.core.errors import NotAllowed, StepUpNeeded
from consilium.records import tokens, transfers
from consilium.records.models import DataToken, Transfer
from consilium.testing import factories
from consilium.testing.cast import Cast
from consilium.vault import blobs
from consilium.vault.segments import Slice
from consilium.web import case_gate

pytestmark = pytest.mark.django_db
AsClient = Callable[..., Client]
ASKED = {"label": "Viewer at the practice", "allowed": "both", "hours": "4"}


@pytest.fixture
def case(cast: Cast) -> Case:
    return factories.case_in(State.COLLECTING, cast)


def made(client: Client, case: Case, **changed: str) -> Any:
    return client.post(reverse("program_key", args=[case.pk]), ASKED | changed)


def shown_key(page: str) -> str:
    return html.unescape(re.search(r'id="program-key"[^>]*value="([^"]+)"', page)[1])  # type: ignore[index]


def begun(case: Case, cast: Cast, name: str = "disc-2026-05-14.tar") -> Transfer:
    """63 of 100 bytes of an upload."""
    transfer = transfers.begin(case.pk, 100, {"raw": "", "name": name, "fingerprint": "abc"}, by=cast.anna.by)
    info = blobs.put([b"x" * 63], space=case.pk, tenant=case.organisation_id)
    transfers.extend(transfer, [Slice(info.id, 0, 63)], case.organisation_id)
    return transfer


def test_a_key_is_shown_once_works_and_ends(case: Case, cast: Cast, as_: AsClient) -> None:
    client = as_(cast.anna)
    page = made(client, case).content.decode()
    text = shown_key(page)
    token = tokens.find(text, case.pk)
    assert token is not None
    assert (token.may_read, token.may_add, token.label) == (True, True, "Viewer at the practice")
    grant = case_gate.ask({}, text, case.pk)
    assert grant is not None
    assert grant.may_add
    listed = client.get(reverse("programs", args=[case.pk])).content.decode()
    assert "Viewer at the practice" in listed
    assert text not in listed
    assert f"/data/cases/{case.pk}/dicomweb" in listed
    client.post(reverse("program_key_end", args=[case.pk, token.pk]))
    assert case_gate.ask({}, text, case.pk) is None
    actions = [entry.action for entry in audit.for_space(case.pk)]
    assert {"token.issue", "token.revoke"} <= set(actions)


def test_making_a_key_asks_for_the_second_step_again(case: Case, cast: Cast, as_: AsClient) -> None:
    stale = as_(cast.anna, step="stale")
    answer = stale.get(reverse("program_key", args=[case.pk]))
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith(reverse("second_step"))
    assert made(stale, case).status_code == 302
    assert not DataToken.objects.exists()
    with pytest.raises(StepUpNeeded):
        verbs.issue_token(case, by=cast.anna.stale, label="x", read=True, add=False, life=tokens.LONGEST)


def test_a_key_never_allows_more_than_its_maker_may(case: Case, cast: Cast, as_: AsClient) -> None:
    """The desk sends with programs and reads here."""
    dora = as_(cast.dora)
    page = dora.get(reverse("program_key", args=[case.pk])).content.decode()
    assert "Add records" in page
    assert "Read the records" not in page
    assert "Select a valid choice" in made(dora, case).content.decode()
    assert not DataToken.objects.exists()
    answer = made(dora, case, allowed="add").content.decode()
    assert not DataToken.objects.get().may_read
    grant = case_gate.ask({}, shown_key(answer), case.pk)
    assert grant is not None
    assert (grant.may_read, grant.may_add, grant.records) == (False, True, frozenset())
    with pytest.raises(NotAllowed):
        verbs.issue_token(case, by=cast.dora.by, label="x", read=True, add=False, life=tokens.LONGEST)


def test_the_specialist_reads_with_programs(cast: Cast, as_: AsClient) -> None:
    case = factories.case_in(State.BLIND_READ, cast)
    chen = as_(cast.chen)
    assert reverse("programs", args=[case.pk]) in chen.get(reverse("records", args=[case.pk])).content.decode()
    assert "Add records" not in chen.get(reverse("program_key", args=[case.pk])).content.decode()
    grant = case_gate.ask({}, shown_key(made(chen, case, allowed="read").content.decode()), case.pk)
    assert grant is not None
    assert (grant.may_read, grant.may_add) == (True, False)
    with pytest.raises(NotAllowed):
        verbs.issue_token(case, by=cast.chen.by, label="x", read=False, add=True, life=tokens.LONGEST)


def test_others_who_read_here_make_no_keys(case: Case, cast: Cast, as_: AsClient) -> None:
    factories.proxy(case, cast.ben, by=cast.anna, role="proxy_view")
    for who in (cast.ben, cast.tess):
        assert as_(who).get(reverse("records", args=[case.pk])).status_code == 200
        for address in ("programs", "program_key"):
            assert as_(who).get(reverse(address, args=[case.pk])).status_code == 404
        assert made(as_(who), case, allowed="read").status_code == 404
        with pytest.raises(NotAllowed):
            verbs.issue_token(case, by=who.by, label="x", read=True, add=False, life=tokens.LONGEST)
    assert not DataToken.objects.exists()


def test_a_key_ends_with_what_its_maker_may_give(case: Case, cast: Cast, as_: AsClient) -> None:
    factories.proxy(case, cast.ben, by=cast.anna, role="proxy_act")
    text = shown_key(made(as_(cast.ben), case).content.decode())
    grant = case_gate.ask({}, text, case.pk)
    assert grant is not None
    assert (grant.may_read, grant.may_add) == (True, True)
    case.case_roles.filter(user=cast.ben.user).update(role="proxy_view")
    assert case_gate.ask({}, text, case.pk) is None


def test_keys_are_their_makers(case: Case, cast: Cast, as_: AsClient) -> None:
    made(as_(cast.anna), case)
    token = DataToken.objects.get()
    dora = as_(cast.dora)
    assert "Viewer at the practice" not in dora.get(reverse("programs", args=[case.pk])).content.decode()
    assert dora.post(reverse("program_key_end", args=[case.pk, token.pk])).status_code == 404
    assert as_(cast.eve).get(reverse("programs", args=[case.pk])).status_code == 404
    token.refresh_from_db()
    assert token.revoked_at is None


def test_the_page_says_what_is_unfinished(case: Case, cast: Cast, as_: AsClient) -> None:
    transfer = begun(case, cast)
    page = as_(cast.anna).get(reverse("case_upload", args=[case.pk])).content.decode()
    assert re.search(r"Your disc of \d+ \w+ \d{4}: <span data-percent>63</span> % of 100 B has arrived\.", page)
    assert "Choose the same folder again" in page
    for attribute in (f'data-transfer="/data/cases/{case.pk}/uploads/{transfer.pk}"', 'data-fingerprint="abc"'):
        assert attribute in page
    assert 'data-length="100" data-offset="63"' in page
    assert "Your disc of" not in as_(cast.dora).get(reverse("desk_records", args=[case.pk])).content.decode()
    begun(case, cast, "Brief.pdf")
    assert "“Brief.pdf” of" in as_(cast.anna).get(reverse("case_upload", args=[case.pk])).content.decode()


def test_a_folder_has_a_name_for_people_at_the_desk(case: Case, cast: Cast, as_: AsClient) -> None:
    info = blobs.put([b"x"], space=case.pk, tenant=case.organisation_id)
    case_records.add_upload(case, info, "disc-2026-05-03.tar", by=cast.dora.by)
    page = as_(cast.dora).get(reverse("desk_records", args=[case.pk])).content.decode()
    assert re.search(r"Disc of \d+ \w+ \d{4}", page)
    assert "disc-2026" not in page


def test_discarding_asks_first_and_frees_the_bytes(
    case: Case, cast: Cast, as_: AsClient, django_capture_on_commit_callbacks: Any
) -> None:
    before = set(blobs.ids())
    transfer = begun(case, cast)
    address, client = reverse("upload_discard", args=[case.pk, transfer.pk]), as_(cast.anna)
    assert as_(cast.dora).get(address).status_code == 404
    assert "Discard this upload?" in client.get(address).content.decode()
    assert Transfer.objects.exists()
    with django_capture_on_commit_callbacks(execute=True):
        answer = client.post(address)
    assert answer.headers["Location"] == reverse("case_upload", args=[case.pk])
    assert not Transfer.objects.exists()
    assert set(blobs.ids()) == before
    assert client.post(address).status_code == 404


def test_what_ran_out_is_not_listed(case: Case, cast: Cast, as_: AsClient) -> None:
    begun(case, cast)
    Transfer.objects.update(expires_at=clock.now())
    assert "data-transfer=" not in as_(cast.anna).get(reverse("case_upload", args=[case.pk])).content.decode()
