"""What was taken out and is sent again: the same record is back, says so, and its bytes are kept once."""

from collections.abc import Callable

import pytest

from consilium.cases.actions import records as verbs
from consilium.cases.models import Case
from consilium.core import jobs
from consilium.core.errors import BadInput
from consilium.core.models import AuditEvent
from consilium.gateways.dicomweb.testing_files import image
from consilium.records import actions, content, transfers
from consilium.records.extract import testing_archives as pack
from consilium.records.extract import testing_files as make
from consilium.records.models import Record, RecordFile, Upload
from consilium.testing import factories
from consilium.testing.cast import Cast
from consilium.vault import blobs
from consilium.vault.segments import Slice
from consilium.web.patient.present.records import sentence

pytestmark = pytest.mark.django_db
Send = Callable[[Case, bytes, str, Cast], Upload]
LETTER = b"Dear colleague, the disc bulges."


def by_form(case: Case, data: bytes, name: str, cast: Cast) -> Upload:
    return factories.upload(case, data, name, by=cast.anna)


def by_tus(case: Case, data: bytes, name: str, cast: Cast) -> Upload:
    transfer = transfers.begin(case.pk, len(data), {"name": name}, by=cast.anna.by)
    info = blobs.put([data], space=case.pk, tenant=case.organisation_id)
    transfers.extend(transfer, [Slice(info.id, 0, len(data))], case.organisation_id)
    upload = verbs.add_transfer(case, transfer, by=cast.anna.by)
    jobs.drain()
    return upload


@pytest.fixture
def case(cast: Cast) -> Case:
    return factories.draft(cast)


@pytest.mark.parametrize("send", [by_form, by_tus])
@pytest.mark.parametrize(
    ("data", "name"),
    [(LETTER, "letter.txt"), (image(1), "IM1"), (make.zipped([("letter.txt", LETTER), ("IM1", image(1))]), "d.zip"),
     (pack.tarred([("letter.txt", LETTER), ("IM1", image(1))]), "disc-2026-05-03.tar")],
    ids=["letter", "image", "zip", "tar"],
)  # fmt: skip
def test_it_is_back_and_says_so(cast: Cast, case: Case, send: Send, data: bytes, name: str) -> None:
    send(case, data, name, cast)
    found = list(Record.objects.filter(space=case.pk))
    assert found
    before = set(blobs.ids())
    for record in found:
        actions.remove(record, by=cast.anna.by)
    again = send(case, data, name, cast)
    again.refresh_from_db()
    back = list(Record.objects.filter(space=case.pk))
    assert {one.pk for one in back} == {one.pk for one in found}
    assert all((one.status, one.problems) == ("flagged", ["came_again"]) for one in back)
    assert all(one.added_at > then.added_at and one.removed_at is None for one, then in zip(back, found, strict=True))
    assert (again.status, {note["code"] for note in again.notes}) == ("done", {"came_again"})
    assert len(again.notes) == len(found)
    assert "it is back" in sentence("came_again")
    assert content.blob_ids(again) <= before  # what came is let go of
    assert all(content.blob_ids(file) <= before for file in RecordFile.objects.filter(space=case.pk))
    assert AuditEvent.objects.filter(action="record.restore", space=case.pk).count() == len(found)


@pytest.mark.parametrize("send", [by_form, by_tus])
def test_what_is_here_is_still_a_duplicate(cast: Cast, case: Case, send: Send) -> None:
    """A letter was taken out; another one that is sent again has nothing to do with it."""
    other = send(case, LETTER, "letter.txt", cast)
    out = send(case, b"Another letter.", "other.txt", cast)
    actions.remove(out.records.get(), by=cast.anna.by)
    again = send(case, LETTER, "letter.txt", cast)
    again.refresh_from_db()
    assert [note["code"] for note in again.notes] == ["duplicate"]
    assert other.records.get().status == "ready"
    assert out.records.get().status == "removed"
    assert RecordFile.objects.filter(space=case.pk).count() == 2


def test_a_letter_of_an_archive_that_is_sent_by_itself_is_back_too(cast: Cast, case: Case) -> None:
    by_form(case, make.zipped([("letter.txt", LETTER), ("other.txt", b"Another one.")]), "d.zip", cast)
    record = RecordFile.objects.get(space=case.pk, size=len(LETTER)).record
    actions.remove(record, by=cast.anna.by)
    again = by_form(case, LETTER, "letter.txt", cast)
    again.refresh_from_db()
    record.refresh_from_db()
    assert (record.status, again.records.count(), len(again.notes)) == ("flagged", 0, 1)
    assert Record.objects.filter(space=case.pk).count() == 2


def test_another_persons_images_wait_for_a_decision_again(cast: Cast, case: Case) -> None:
    data = image(1, PatientName="Sommer^Karl", PatientBirthDate="19400101")
    record = by_form(case, data, "IM1", cast).records.get()
    actions.decide(record, belongs=False, by=cast.anna.by)
    by_form(case, data, "IM1", cast)
    record.refresh_from_db()
    assert (record.status, record.problems) == ("undecided", ["came_again", "wrong_patient"])


@pytest.mark.parametrize("data", [LETTER, image(1)], ids=["letter", "image"])
def test_what_a_scanner_warned_of_stays_out(cast: Cast, case: Case, data: bytes) -> None:
    record = by_form(case, data, "it", cast).records.get()
    record.problems = ["malware"]
    record.save()
    actions.remove(record, by=cast.anna.by)
    again = by_form(case, data, "it", cast)
    again.refresh_from_db()
    record.refresh_from_db()
    assert record.status == "removed"
    assert "malware" in {again.problem, *(note["code"] for note in again.notes)}
    with pytest.raises(BadInput, match="virus scanner"):
        verbs.restore_record(case, record, by=cast.anna.by)
