"""Under the malware policy "require", nobody reads an image that another program sent before it was checked."""

import io
import zipfile

import pytest
from django.conf import settings as configured

from consilium.cases.models import Case
from consilium.gateways.dicomweb import index
from consilium.gateways.dicomweb.conftest import ClientOf
from consilium.gateways.dicomweb.testing_client import Client
from consilium.gateways.dicomweb.testing_files import image, path
from consilium.records import finishing, malware
from consilium.records.models import Record, RecordFile
from consilium.testing import factories
from consilium.testing.cast import Cast
from consilium.web import bytes_gate
from consilium.web.patient import archive
from consilium.web.tests.visitor import cookie_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def bad(settings, monkeypatch):
    """What a pretended scanner warns of: sizes of files."""
    settings.MALWARE_POLICY, settings.CLAMD = "require", "tcp://127.0.0.1:1"
    found: set[int] = set()
    monkeypatch.setattr(malware, "refused", lambda chunks, **_more: sum(map(len, chunks)) in found)
    monkeypatch.setattr(malware, "ready", lambda: None)
    monkeypatch.setattr(index, "STALE", 0.0)
    return found


def names_in_zip(case: Case) -> list[str]:
    records = list(Record.objects.filter(space=case.pk).exclude(status="removed").prefetch_related("files"))
    with zipfile.ZipFile(io.BytesIO(b"".join(archive.stream(case, records, [])))) as packed:
        return [name for name in packed.namelist() if name.startswith("DICOM/")]


def test_it_is_acknowledged_and_shown_once_it_was_checked(
    bad: set[int], cast: Cast, case: Case, anna: Client, client_of: ClientOf
) -> None:
    assert anna.post("/studies", [image(1), image(2)]).status == 200
    cookies = {configured.SESSION_COOKIE_NAME: cookie_of(cast.anna)}
    file = RecordFile.objects.filter(space=case.pk, kind="dicom").first()
    assert file is not None
    dora = client_of(cast.dora, case)
    for one in (anna, dora):
        assert one.get("/studies").body in (b"", b"[]")
        for what in ("", "/metadata", "/frames/1", "/rendered", "/bulkdata/7FE00010"):
            assert one.get(path(1) + what).status == 404, what
    for part in ("file:original", "file:frame:0"):
        assert bytes_gate.open_record(cookies, file.pk, part) is None
    assert names_in_zip(case) == []
    assert anna.post("/studies", [image(1)]).status == 200  # known all the same
    assert finishing.finish(case.pk) == 2
    assert len(anna.get("/instances").json) == 2
    assert [part for _kind, part in dora.get(path(1)).parts] == [image(1)]
    for part in ("file:original", "file:frame:0"):
        assert bytes_gate.open_record(cookies, file.pk, part) is not None
    assert len(names_in_zip(case)) == 2


def test_what_joins_an_uploaded_study_is_checked_too(bad: set[int], cast: Cast, case: Case, anna: Client) -> None:
    factories.upload(case, image(1), "IM1", by=cast.anna)
    assert [part for _kind, part in anna.get(path(1)).parts] == [image(1)]
    late = image(2, edge=32)
    bad.add(len(late))
    assert anna.post("/studies", [late]).status == 200
    assert [part for _kind, part in anna.get(path(1)).parts] == [image(1)]  # what was checked stays open
    assert anna.get(path(2)).status == 404
    finishing.finish(case.pk)
    record = Record.objects.get(space=case.pk, kind="imaging")
    assert (record.status, "malware" in record.problems) == ("removed", True)


def test_without_the_policy_nothing_waits(settings, case: Case, anna: Client) -> None:
    settings.MALWARE_POLICY = "note"
    assert anna.post("/studies", [image(1)]).status == 200
    assert anna.get(path(1)).status == 200
