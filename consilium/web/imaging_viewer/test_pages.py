"""The viewer's page: who gets it, what it opens, what it may do; and what its files may do."""

import io
import re
import zipfile

import pytest
from django.urls import reverse

from consilium.cases.states import State
from consilium.core import clock
from consilium.core.models import AuditEvent
from consilium.demo import dicom
from consilium.records.models import Record
from consilium.testing import factories
from consilium.web.imaging_viewer import present

UID = re.compile(rb'data-(study|series|instance)="([0-9.]*)"')


@pytest.fixture
def viewer(monkeypatch):
    """An installed viewer, whether or not this machine has one."""
    known = present.Installed("/static/viewer/0123456789abcdef/", "/static/viewer/0123456789abcdef/app.js", "/x.css")
    monkeypatch.setattr(present, "installed", lambda: known)
    return known


def two_slices():
    kept, subject = io.BytesIO(), dicom.Subject("Anna", "Berger", "1965-03-14", "female")
    with zipfile.ZipFile(kept, "w") as archive:
        for number, data in enumerate(dicom.files("spine", subject, clock.now().date(), "viewer")[:2]):
            archive.writestr(f"IMAGES/{number}", data)
    return kept.getvalue()


@pytest.fixture
def images(cast):
    """A case that is being told, and the record of its images."""
    case = factories.told(cast)
    factories.upload(case, two_slices(), "disc.zip", by=cast.anna)
    return case, Record.objects.get(space=case.pk, images__gt=1)


def opened(answer):
    return {name.decode(): value.decode() for name, value in UID.findall(answer.content)}


def test_a_record_opens_its_study_and_a_file_its_image(cast, as_, images, viewer):
    case, record = images
    at = reverse("record_viewer", args=[case.pk, record.pk])
    client = as_(cast.anna)
    whole = opened(client.get(at))
    assert whole["study"] and not whole["series"] and not whole["instance"]
    assert opened(client.get(reverse("case_viewer", args=[case.pk]))) == whole, "the newest images of the case"
    file = record.files.last()
    wanted = {"study": "0020000D", "series": "0020000E", "instance": "00080018"}
    one = opened(client.get(at, {"file": str(file.pk)}))
    assert one == {name: file.header["tags"][tag][1][0] for name, tag in wanted.items()}
    for nonsense in ("x", "0" * 32, str(case.pk)):
        assert opened(client.get(at, {"file": nonsense})) == whole
    page = client.get(at).content.decode()
    assert f'data-images="/data/cases/{case.pk}/dicomweb"' in page
    assert f'data-router="{at.removesuffix("/viewer/")}"' in page
    assert not re.search(rf'(href|src)="[^"]*{re.escape(whole["study"])}', page), "a study's number is in an address"


def test_only_this_page_allows_styles_in_elements_and_no_page_a_script(cast, as_, images, viewer):
    case, record = images
    client = as_(cast.anna)
    answer = client.get(reverse("record_viewer", args=[case.pk, record.pk]))
    policy = answer.headers["Content-Security-Policy"]
    assert "script-src 'self' 'wasm-unsafe-eval';" in f"{policy};"
    assert "style-src 'self' 'unsafe-inline'" in policy and "default-src 'none'" in policy
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cache-Control"] == "no-store, private"
    assert not re.search(rb"<script(?![^>]*\ssrc=)", answer.content)
    beside = client.get(reverse("record", args=[case.pk, record.pk]))
    assert "unsafe" not in beside.headers["Content-Security-Policy"]
    assert f"{reverse('record_viewer', args=[case.pk, record.pk])}?file=" in beside.content.decode()
    Record.objects.filter(pk=record.pk).update(images=0)
    assert b"/viewer/" not in client.get(reverse("record", args=[case.pk, record.pk])).content


def test_what_cannot_be_shown_is_said(cast, as_, images, monkeypatch):
    case, record = images
    client, at = as_(cast.anna), reverse("case_viewer", args=[case.pk])
    monkeypatch.setattr(present, "FOLDER", present.FOLDER / "nowhere")
    answer = client.get(at)
    assert b"is not installed on this site" in answer.content and b"data-images" not in answer.content
    monkeypatch.setattr(present, "installed", lambda: present.Installed("/", "/a.js", "/a.css"))
    record.files.update(header=None)
    answer = client.get(at)
    assert b"cannot be opened in the viewer" in answer.content and b"data-images" not in answer.content
    Record.objects.filter(space=case.pk).update(images=0)
    answer = client.get(at)
    assert b"no images in this case" in answer.content and b"data-images" not in answer.content


def test_strangers_find_nothing_and_looks_are_written_down(cast, as_, images, viewer):
    case, record = images
    other = factories.told(cast)
    for at in (reverse("case_viewer", args=[case.pk]), reverse("record_viewer", args=[case.pk, record.pk])):
        assert as_(cast.eve).get(at).status_code == 404
        assert as_().get(at).status_code == 302
        before = AuditEvent.objects.filter(thing=f"record:{record.pk}").count()
        assert as_(cast.anna).get(at).status_code == 200
        assert AuditEvent.objects.filter(thing=f"record:{record.pk}").count() == before + 1
    assert as_(cast.anna).get(reverse("record_viewer", args=[other.pk, record.pk])).status_code == 404


def test_images_that_state_a_conclusion_stay_closed_to_who_reads_blind(cast, as_, viewer):
    case = factories.case_in(State.BLIND_READ, cast)
    record = Record.objects.filter(space=case.pk).first()
    file = record.files.get()
    file.header, file.instance = {"tags": {present.STUDY: ["UI", ["1.2.3"]]}}, "a keyed hash"
    file.save()
    at = reverse("record_viewer", args=[case.pk, record.pk])
    assert b'data-study="1.2.3"' in as_(cast.chen).get(at).content
    Record.objects.filter(pk=record.pk).update(conclusion_pages=[0])
    answer = as_(cast.chen).get(at)
    assert answer.status_code == 200 and b"data-study" not in answer.content
