"""What the sending page says after files have arrived: as long as work goes on, and what became of them."""

import io
import re
import zipfile
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from consilium.cases.models import Case
from consilium.cases.states import State
from consilium.core import clock, jobs
from consilium.records import transfers
from consilium.records.models import Record, RecordFile, Transfer, Upload
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


# -- what became of it ---------------------------------------------------------------------------------------------

PROGRAM = b"MZ\x90\x00" + b"\x00" * 60 + b"PE\x00\x00" + b"\x00" * 400


def arrived(client: Client, case: Case) -> list[Any]:
    shown = client.get(reverse("case_upload_list", args=[case.pk])).context
    return [*shown["arrived"], *shown["arrived_before"]]


def finished(case: Case, name: str, **fields: Any) -> Upload:
    record = factories.plain_record(case, name)
    assert record.upload is not None
    for key, value in (fields | {"name": name}).items():
        setattr(record.upload, key, value)
    record.upload.save()
    return record.upload


def test_zip_says_what_became_of_its_files(case: Case, cast: Cast, as_: AsClient) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("letter.txt", "Dear colleague, thank you for seeing this patient.")
        archive.writestr("again.txt", "Dear colleague, thank you for seeing this patient.")
        archive.writestr("second.txt", "Dear colleague, a second letter about the same patient.")
        archive.writestr("empty.txt", "")
        archive.writestr("tool/viewer.exe", PROGRAM)
    client, files = as_(cast.anna), {"file": SimpleUploadedFile("disc.zip", packed.getvalue())}
    client.post(reverse("case_upload_files", args=[case.pk]), files)
    assert not arrived(client, case)
    jobs.drain()
    (row,) = arrived(client, case)
    said = "5 files: 2 documents taken in, 1 part of the disc's viewer left out, 1 here already, 1 to look at"
    assert (row["name"], row["text"]) == ("disc.zip", said)
    shown = listed(client, case)
    assert said.replace("'", "&#x27;") in shown
    assert shown.index("Notes on disc.zip") < shown.index("What you have sent"), "the notes stand with the upload"


def test_images_and_documents_are_counted_apart(case: Case, cast: Cast, as_: AsClient) -> None:
    finished(case, "disc.zip", members=99)  # its one document is the record that `finished` made
    assert [row["text"] for row in arrived(as_(cast.anna), case)] == ["99 files: 98 images and 1 document taken in"]


def test_single_letter_needs_no_word_and_one_sent_twice_gets_its_sentence(
    case: Case, cast: Cast, as_: AsClient
) -> None:
    finished(case, "letter.pdf", members=1)
    twice = [{"name": "letter.pdf", "code": "duplicate"}]
    finished(case, "to/letter.pdf", members=1, notes=twice)
    (row,) = arrived(as_(cast.anna), case)
    assert (row["text"], row["notes"]) == ("You sent this file before. We keep it once.", None)


def test_notes_that_are_not_listed_are_counted(case: Case, cast: Cast, as_: AsClient) -> None:
    many: list[dict[str, Any]] = [{"name": f"f{n}", "code": "empty"} for n in range(30)]
    many[-1]["more"] = 970
    finished(case, "disc.zip", members=1, notes=[*many, {"name": "locked.zip", "code": "archive_encrypted"}])
    (row,) = arrived(as_(cast.anna), case)
    assert row["text"] == "1002 files: 1 document taken in, 1001 to look at"
    assert [one["name"] for one in row["notes"]["rows"]][-1] == "locked.zip", "many of one kind hide no other"
    assert len(row["notes"]["rows"]) + row["notes"]["more"] == 1001


def test_two_discs_of_one_day_have_their_time(case: Case, cast: Cast, as_: AsClient) -> None:
    at = clock.now().replace(year=2026, month=1, day=14, hour=12, minute=30)
    client = as_(cast.anna)
    finished(case, "disc-2026-01-14.tar", members=2, uploaded_at=at)
    assert [row["name"] for row in arrived(client, case)] == ["Disc of 14 January 2026"]
    finished(case, "disc-2026-01-14.tar", members=3, uploaded_at=at + timedelta(minutes=5))
    finished(case, "scan.zip", members=3, uploaded_at=at - timedelta(days=1))
    latest, earlier, other = (row["name"] for row in arrived(client, case))
    assert latest.startswith("Disc of 14 January 2026, ")
    assert (latest[-3:], earlier[-3:], other) == (":35", ":30", "scan.zip")


# -- what is still on its way --------------------------------------------------------------------------------------


def test_upload_whose_bytes_are_not_counted_yet_waits_in_the_page(case: Case, cast: Cast, as_: AsClient) -> None:
    """Of a page that is opened again while a request ends, the script asks for what was counted since."""
    client, url = as_(cast.anna), reverse("case_upload", args=[case.pk])
    begun = transfers.begin(case.pk, 400, {"name": "scan.pdf", "fingerprint": "abc"}, by=cast.anna.by)
    shown = client.get(url).content.decode()
    assert re.search(r"<section data-transfers hidden", shown)
    assert re.search(rf'<li [^>]*data-transfer="[^"]*{begun.pk}"[^>]*data-offset="0" hidden>', shown)
    Transfer.objects.filter(pk=begun.pk).update(offset=100)
    shown = client.get(url).content.decode()
    assert "<span data-percent>25</span> % of 400 B has arrived." in shown
    assert not re.search(r"<section data-transfers hidden|data-offset=\"100\" hidden", shown)


# -- what is to be decided, and what a picture is called -----------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "birth", "kind"),
    [
        ("MUSTER^MAX", "1950-01-31", "secondary"),
        ("MUSTER^MAX", "1965-03-14", "primary"),  # another name, such as before a marriage
        ("BERGER^ANNA", "1950-01-31", "primary"),
    ],
)
def test_who_is_another_person_altogether_is_not_invited(
    case: Case, cast: Cast, as_: AsClient, name: str, birth: str, kind: str
) -> None:
    facts = {"patient_name": name, "patient_birth_date": birth}
    factories.plain_record(case, "MR", status="undecided", problems=["wrong_patient"], facts=facts)
    shown = listed(as_(cast.anna), case)
    (button,) = re.findall(
        r'<button[^>]*class="([^"]*)"[^>]*>(?:(?!</button>).)*Yes, it belongs here', shown, re.DOTALL
    )
    assert f"button--{kind}" in button.split()


def test_questions_are_counted_and_the_first_is_linked(case: Case, cast: Cast, as_: AsClient) -> None:
    client = as_(cast.anna)
    assert "your decision" not in listed(client, case)
    for number in range(3):
        facts = {"patient_name": f"MUSTER^MAX{number}", "patient_birth_date": "1950-01-31"}
        factories.plain_record(case, "MR", status="undecided", problems=["wrong_patient"], facts=facts)
    shown = listed(client, case)
    assert '<a href="#decide">3 need your decision</a>' in shown
    assert shown.count('id="decide"') == 1


def test_title_that_is_only_a_code_is_said_in_words(case: Case, cast: Cast, as_: AsClient) -> None:
    for title in ("US", "OT", "MR Knee"):
        factories.plain_record(case, title, kind="imaging")
    names = {row["name"] for row in as_(cast.anna).get(reverse("case_upload_list", args=[case.pk])).context["records"]}
    assert {"Ultrasound", "Picture", "MR Knee"} <= names
    assert not names & {"US", "OT"}
