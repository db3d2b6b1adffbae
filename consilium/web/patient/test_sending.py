"""Sending records over HTTP: sealed on arrival, forged requests refused, nothing left behind by what goes wrong."""

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import UnreadablePostError
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils.translation import override

from consilium.cases.models import Case
from consilium.cases.states import State
from consilium.core import jobs
from consilium.records.models import Record, Upload
from consilium.testing import factories
from consilium.testing.cast import Cast
from consilium.vault import blobs
from consilium.web.patient.present.wording import size
from consilium.web.patient.views import records as views

pytestmark = pytest.mark.django_db

AsClient = Callable[..., Client]
CANARY = b"Anna Berger, born 14 March 1965: canary letter 8f3a61. "


def sent(client: Client, case: Case, data: bytes, name: str = "letter.txt", **headers: str) -> Any:
    files = {"file": SimpleUploadedFile(name, data)}
    return client.post(reverse("case_upload_files", args=[case.pk]), files, headers=headers)


def page(client: Client, case: Case) -> str:
    return client.get(reverse("case_upload", args=[case.pk])).content.decode()


def everything_on_disk() -> bytes:
    roots = (Path(settings.DATA_DIR), Path(settings.KEY_DIR))
    return b"".join(path.read_bytes() for root in roots for path in root.rglob("*") if path.is_file())


def stored() -> set[Any]:
    return set(blobs.ids())


@pytest.fixture
def case(cast: Cast) -> Case:
    return factories.case_in(State.COLLECTING, cast)


def test_file_is_sealed_listed_and_read(case: Case, cast: Cast, as_: AsClient) -> None:
    client = as_(cast.anna)
    answer = sent(client, case, CANARY * 50, "Arztbrief.txt")
    assert answer.headers["Location"] == reverse("case_upload", args=[case.pk])
    assert "Being checked" in page(client, case)
    upload = Upload.objects.get(space=case.pk, uploaded_by=cast.anna.user.ref)
    assert b"".join(blobs.read(upload.blob, space=case.pk)) == CANARY * 50
    assert b"canary letter 8f3a61" not in everything_on_disk()
    jobs.drain()
    assert "Being checked" not in page(client, case)
    assert "Arztbrief" in page(client, case)


def test_script_gets_the_list_as_html(case: Case, cast: Cast, as_: AsClient) -> None:
    answer = sent(as_(cast.anna), case, CANARY, Accept="application/json, text/html")
    assert answer.json()["message"] == "Received"
    assert 'id="sent"' in answer.json()["html"]
    assert "every 2s" in answer.json()["html"], "it polls while the file is being checked"


def test_several_files_without_script(case: Case, cast: Cast, as_: AsClient) -> None:
    files = [SimpleUploadedFile(f"page{n}.txt", CANARY + str(n).encode()) for n in range(3)]
    as_(cast.anna).post(reverse("case_upload_files", args=[case.pk]), {"file": files})
    assert Upload.objects.filter(space=case.pk, uploaded_by=cast.anna.user.ref).count() == 3


def test_what_was_sent_last_stands_first(case: Case, cast: Cast, as_: AsClient) -> None:
    for title in ("Earlier letter", "Later letter"):
        factories.plain_record(case, title)
    listed = page(as_(cast.anna), case)
    assert listed.index("Later letter") < listed.index("Earlier letter")


def test_forged_request_is_refused_and_leaves_nothing(case: Case, cast: Cast, as_: AsClient) -> None:
    signed_in, before = as_(cast.anna), stored()
    client = Client(enforce_csrf_checks=True)
    client.cookies = signed_in.cookies
    assert sent(client, case, CANARY).status_code == 403
    assert not Upload.objects.filter(space=case.pk, uploaded_by=cast.anna.user.ref).exists()
    assert stored() == before


def test_token_of_the_page_is_accepted(case: Case, cast: Cast, as_: AsClient) -> None:
    signed_in = as_(cast.anna)
    client = Client(enforce_csrf_checks=True)
    client.cookies = signed_in.cookies
    form = client.get(reverse("case_upload", args=[case.pk]))
    token = str(form.context["csrf_token"])
    assert sent(client, case, CANARY, **{"X-CSRFToken": token}).status_code == 302
    files = {"csrfmiddlewaretoken": token, "file": SimpleUploadedFile("again.txt", CANARY + b"2")}
    assert client.post(reverse("case_upload_files", args=[case.pk]), files).status_code == 302
    assert Upload.objects.filter(space=case.pk, uploaded_by=cast.anna.user.ref).count() == 2


@pytest.mark.parametrize(
    ("data", "name", "sentence"),
    [
        (b"", "empty.pdf", "This file is empty."),
        (b"MZ\x90\x00" + b"\x00" * 60 + b"PE\x00\x00" + b"\x00" * 400, "report.pdf", "This is a program"),
        (b"PK\x05\x06" + b"\x00" * 18, "disc.zip", "There is no file in this zip or folder."),
    ],
)
def test_what_cannot_be_used_gets_a_sentence(
    data: bytes, name: str, sentence: str, case: Case, cast: Cast, as_: AsClient
) -> None:
    client = as_(cast.anna)
    assert sent(client, case, data, name).status_code == 302
    jobs.drain()
    shown = page(client, case)
    assert sentence in shown
    assert "Cannot be used" in shown


def test_members_left_out_of_an_archive_are_named(case: Case, cast: Cast, as_: AsClient) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("letter.txt", CANARY.decode())
        archive.writestr("tool/viewer.exe", b"MZ\x90\x00" + b"\x00" * 60 + b"PE\x00\x00" + b"\x00" * 400)
    client = as_(cast.anna)
    sent(client, case, packed.getvalue(), "disc.zip")
    jobs.drain()
    shown = page(client, case)
    assert "Notes on disc.zip" in shown
    assert "viewer.exe" in shown or "not medical data" in shown


@pytest.mark.parametrize(
    ("count", "english", "german"),
    [
        (999, "999 B", "999 B"),
        (2_400, "2 kB", "2 kB"),
        (22_040_000, "22 MB", "22 MB"),
        (106_789_000, "106.8 MB", "106,8 MB"),
        (4 * 2**30, "4.3 GB", "4,3 GB"),
    ],
)
def test_sizes_are_what_the_page_said_while_sending(count: int, english: str, german: str) -> None:
    with override("en"):
        assert size(count) == english
    with override("de"):
        assert size(count) == german


def test_no_file_is_explained(case: Case, cast: Cast, as_: AsClient) -> None:
    client = as_(cast.anna)
    client.post(reverse("case_upload_files", args=[case.pk]), {})
    assert "No file has arrived." in page(client, case)
    answer = client.post(reverse("case_upload_files", args=[case.pk]), {}, headers={"Accept": "application/json"})
    assert (answer.status_code, answer.json()["message"][:20]) == (400, "No file has arrived.")


def test_too_large_is_explained_and_leaves_nothing(case: Case, cast: Cast, as_: AsClient, settings: Any) -> None:
    settings.MAX_UPLOAD_BYTES = 3000
    before, url = stored(), reverse("case_upload_files", args=[case.pk])
    files = [SimpleUploadedFile("small.txt", b"a" * 1000), SimpleUploadedFile("big.txt", b"b" * 5000)]
    answer = as_(cast.anna).post(url, {"file": files}, headers={"Accept": "application/json"})
    assert answer.status_code == 413
    assert "smaller parts" in answer.json()["message"]
    assert stored() == before, "neither the large file nor the small one beside it stays"


@pytest.mark.parametrize(("name", "most"), [("a.txt", 2), ("path/" * 300 + "a.txt", 500)])
def test_more_than_a_form_can_hold_is_explained_and_leaves_nothing(
    case: Case, cast: Cast, as_: AsClient, settings: Any, name: str, most: int
) -> None:
    """More files than a form may have, and a name longer than the head of a part may be."""
    settings.DATA_UPLOAD_MAX_NUMBER_FILES = most
    before, url, client = stored(), reverse("case_upload_files", args=[case.pk]), as_(cast.anna)
    head = '--xX\r\nContent-Disposition: form-data; name="file"; filename="{}"\r\n\r\nDear colleague\r\n'
    body = "".join(map(head.format, ("b.txt", "c.txt", name))) + "--xX--\r\n"
    kind = "multipart/form-data; boundary=xX"
    answer = client.post(url, body.encode(), content_type=kind, headers={"Accept": "application/json"})
    assert (answer.status_code, "fewer files" in answer.json()["message"]) == (400, True)
    assert client.post(url, body.encode(), content_type=kind).status_code == 302
    assert "fewer files" in page(client, case)
    assert stored() == before


def test_same_file_twice_is_kept_once(case: Case, cast: Cast, as_: AsClient) -> None:
    client = as_(cast.anna)
    sent(client, case, CANARY)
    once = stored()
    sent(client, case, CANARY)
    assert stored() == once
    assert Upload.objects.filter(space=case.pk, uploaded_by=cast.anna.user.ref).count() == 1


class Broken(io.BytesIO):
    """A connection that breaks in the middle."""

    def read(self, size: int | None = -1) -> bytes:
        if self.tell() > 300_000:
            raise OSError("connection reset")
        return super().read(min(size or 65536, 65536) if size != -1 else 65536)


def test_broken_connection_leaves_nothing(case: Case, cast: Cast) -> None:
    first, second = SimpleUploadedFile("a.txt", CANARY), SimpleUploadedFile("b.txt", CANARY * 20_000)
    whole = RequestFactory().post("/", {"file": [first, second]})
    request: Any = RequestFactory().generic("POST", "/", whole.body, content_type=whole.META["CONTENT_TYPE"])
    request._stream = Broken(whole.body)
    request.META["wsgi.input"] = request._stream
    request.principal, request._dont_enforce_csrf_checks = cast.anna.by, True
    before, temporary = stored(), everything_below_data()
    with pytest.raises(UnreadablePostError):
        views._case_of_upload(request, case_id=case.pk)
    assert stored() == before
    assert everything_below_data() == temporary, "no half-written file stays"


def everything_below_data() -> set[Path]:
    return {path for path in Path(settings.DATA_DIR).rglob("*") if path.is_file() and "sqlite" not in path.name}


@pytest.mark.parametrize("who", ["eve", "chen", "dora"])
def test_strangers_and_staff_cannot_send_here(who: str, case: Case, cast: Cast, as_: AsClient) -> None:
    before = stored()
    assert sent(as_(getattr(cast, who)), case, CANARY).status_code == 404
    assert stored() == before


def test_ben_reads_along_but_does_not_send(case: Case, cast: Cast, as_: AsClient) -> None:
    factories.proxy(case, cast.ben, by=cast.anna)
    ben = as_(cast.ben)
    assert sent(ben, case, CANARY).status_code == 404
    shown = page(ben, case)
    assert "You read along for Anna Berger." in shown
    assert "data-upload" not in shown


def test_wrong_patient_is_shown_and_decided(case: Case, cast: Cast, as_: AsClient) -> None:
    facts = {"patient_name": "MUSTER^MAX", "patient_birth_date": "1950-01-31"}
    record = factories.plain_record(case, "MR", status="undecided", problems=["wrong_patient"], facts=facts)
    client = as_(cast.anna)
    shown = page(client, case)
    for words in ("Is this yours?", "MAX MUSTER", "31 January 1950", "Anna Berger"):
        assert words in shown
    client.post(reverse("case_record_verb", args=[case.pk, record.pk, "not-mine"]))
    record.refresh_from_db()
    assert record.status == Record.Status.REMOVED


def test_one_decision_for_all_that_name_the_same_person(case: Case, cast: Cast, as_: AsClient) -> None:
    def undecided(name: str, birth: str = "1950-01-31") -> Record:
        facts = {"patient_name": name, "patient_birth_date": birth}
        return factories.plain_record(case, "MR", status="undecided", problems=["wrong_patient"], facts=facts)

    maiden, also, other, older = (
        undecided("LUND^ANNA"),
        undecided("LUND^ANNA"),
        undecided("MUSTER^MAX"),
        undecided("LUND^ANNA", "1930-01-31"),
    )
    client = as_(cast.anna)
    assert page(client, case).count("Yes, all 2 belong here") == 1, "with the first of them"
    client.post(reverse("case_record_verb", args=[case.pk, maiden.pk, "all-mine"]))
    for record, status in ((maiden, "ready"), (also, "ready"), (other, "undecided"), (older, "undecided")):
        record.refresh_from_db()
        assert record.status == status
    assert "Yes, all" not in page(client, case)
    twin = undecided("MUSTER^MAX")
    assert as_(cast.eve).post(reverse("case_record_verb", args=[case.pk, twin.pk, "none-mine"])).status_code == 404
    client.post(reverse("case_record_verb", args=[case.pk, twin.pk, "none-mine"]))
    assert Record.objects.filter(space=case.pk, status="removed").count() == 2


def test_taken_out_and_brought_back(case: Case, cast: Cast, as_: AsClient) -> None:
    record, client = factories.plain_record(case, "Old letter"), as_(cast.anna)
    client.post(reverse("case_record_verb", args=[case.pk, record.pk, "remove"]))
    record.refresh_from_db()
    assert record.status == Record.Status.REMOVED
    assert "Bring it back" in page(client, case)
    client.post(reverse("case_record_verb", args=[case.pk, record.pk, "restore"]))
    record.refresh_from_db()
    assert record.status == Record.Status.READY


def test_type_title_and_date_are_corrected(case: Case, cast: Cast, as_: AsClient) -> None:
    record, client = factories.plain_record(case, "scan 1"), as_(cast.anna)
    url = reverse("case_record_correct", args=[case.pk, record.pk])
    said = {"kind": "discharge", "title": "Discharge letter", "clinical_date_day": "2"}
    said |= {"clinical_date_month": "4", "clinical_date_year": "2025"}
    assert client.post(url, said).status_code == 302
    record.refresh_from_db()
    assert (record.kind, record.title, record.clinical_date) == ("discharge", "Discharge letter", "2025-04-02")
    future = client.post(url, said | {"clinical_date_year": "2150"})
    assert "cannot lie in the future" in future.content.decode()


def test_record_of_another_case_does_not_exist_here(case: Case, cast: Cast, as_: AsClient) -> None:
    elsewhere = factories.plain_record(factories.draft(cast, patient=cast.eve), "Eve's letter")
    client = as_(cast.anna)
    for record in (elsewhere.pk, uuid4()):
        assert client.post(reverse("case_record_verb", args=[case.pk, record, "remove"])).status_code == 404
    elsewhere.refresh_from_db()
    assert elsewhere.status == Record.Status.READY


def test_what_is_missing_is_listed_with_the_reason(case: Case, cast: Cast, as_: AsClient) -> None:
    shown = page(as_(cast.anna), case)
    assert "MRI of the spine: the original images" in shown
    assert "The specialist reads the images themselves." in shown


def test_download_everything_is_a_sound_zip(cast: Cast, as_: AsClient) -> None:
    case = factories.case_in(State.DELIVERED, cast)
    factories.plain_record(case, "../../evil: name", text="The original words")
    answer = as_(cast.anna).get(reverse("download_all", args=[case.pk]))
    assert "Berger" not in answer.headers["Content-Disposition"]
    with zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content))) as archive:  # type: ignore[arg-type]
        assert archive.testzip() is None
        names = archive.namelist()
        assert not [name for name in names if ".." in name.split("/") or name.startswith("/")]
        assert "index.html" in names
        assert any(name.endswith("patient.pdf") for name in names)
        original = next(name for name in names if "evil" in name)
        assert archive.read(original) == b"The original words"


def test_download_asks_for_a_fresh_second_step(cast: Cast, as_: AsClient) -> None:
    case = factories.case_in(State.DELIVERED, cast)
    answer = as_(cast.anna, step="stale").get(reverse("download_all", args=[case.pk]))
    assert answer.status_code == 302
    assert "next=" in answer.headers["Location"]
