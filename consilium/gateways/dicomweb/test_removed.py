"""Images that were taken out do not exist for anybody; brought back or sent again they are there."""

import time

import pytest

from consilium.cases.actions import records as verbs
from consilium.cases.models import Case
from consilium.gateways.data import grants
from consilium.gateways.dicomweb import app as dicomweb
from consilium.gateways.dicomweb.conftest import ClientOf
from consilium.gateways.dicomweb.intake import PROCESSING_FAILURE
from consilium.gateways.dicomweb.testing_client import Client
from consilium.gateways.dicomweb.testing_files import image, path
from consilium.records import actions
from consilium.records.models import Record, RecordFile
from consilium.testing.cast import Cast

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _no_memory(monkeypatch):
    """Every request asks the gate anew: what a grant still holds for half a minute is not the question here."""
    monkeypatch.setattr(grants, "LIFE", 0.0)
    monkeypatch.setattr(dicomweb, "LIFE", 0.0)


def images(case: Case) -> Record:
    return Record.objects.get(space=case.pk, kind="imaging")


def test_it_is_gone_for_everybody_until_it_is_back(cast: Cast, case: Case, anna: Client, client_of: ClientOf) -> None:
    everybody = [anna, client_of(cast.dora, case), client_of(cast.tess, case, add=False)]
    assert anna.post("/studies", [image(1), image(2)]).status == 200
    assert [len(one.get("/instances").json) for one in everybody] == [2, 2, 2]
    verbs.remove_record(case, images(case), by=cast.dora.by)
    for one in everybody:
        for search in ("/studies", "/series", "/instances"):
            answer = one.get(search)
            assert (answer.status, answer.body) in ((204, b""), (200, b"[]")), search
        for what in ("", "/metadata", "/frames/1", "/rendered", "/bulkdata/7FE00010"):
            assert one.get(path(1) + what).status == 404, what
        assert one.get(path(1).partition("/series")[0]).status == 404
    verbs.restore_record(case, images(case), by=cast.dora.by)
    assert [len(one.get("/instances").json) for one in everybody] == [2, 2, 2]
    assert [part for _kind, part in anna.get(path(2)).parts] == [image(2)]


def test_sent_again_it_is_back_before_success_is_answered(
    cast: Cast, case: Case, anna: Client, client_of: ClientOf
) -> None:
    anna.post("/studies", [image(1), image(2)])
    record = images(case)
    actions.remove(record, by=cast.anna.by)
    answer = client_of(cast.anna, case, read=False).post("/studies", [image(1)])
    assert answer.status == 200
    record.refresh_from_db()
    assert (record.status, record.problems, RecordFile.objects.filter(record=record).count()) == (
        "flagged", ["came_again"], 2,
    )  # fmt: skip
    assert len(anna.get("/instances").json) == 2
    assert [part for _kind, part in anna.get(path(1)).parts] == [image(1)]


def test_a_grant_from_before_does_not_hide_what_is_back(
    cast: Cast, case: Case, anna: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna.post("/studies", [image(1)])
    actions.remove(images(case), by=cast.anna.by)
    monkeypatch.setattr(grants, "LIFE", 30.0)
    monkeypatch.setattr(dicomweb, "LIFE", 30.0)
    anna.get("/studies")  # this grant knows of nothing
    time.sleep(0.01)
    assert anna.post("/studies", [image(1)]).status == 200
    assert len(anna.get("/studies").json) == 1


def test_what_a_scanner_warned_of_is_not_taken_for_stored(cast: Cast, case: Case, anna: Client) -> None:
    anna.post("/studies", [image(1)])
    record = images(case)
    record.problems = ["malware"]
    record.save()
    actions.remove(record, by=cast.anna.by)
    answer = anna.post("/studies", [image(1)])
    assert answer.status == 409
    assert answer.json["00081198"]["Value"][0]["00081197"]["Value"] == [PROCESSING_FAILURE]
    record.refresh_from_db()
    assert record.status == "removed"
