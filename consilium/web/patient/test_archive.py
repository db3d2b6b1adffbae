"""Everything of a case as one zip: originals byte for byte, an index, and a file-set that viewers open like a disc."""

import hashlib
import io
import os
import re
import zipfile
from pathlib import Path

import pytest
from django.urls import reverse
from pydicom.fileset import FileSet

from consilium.cases.states import State
from consilium.core import jobs
from consilium.records.extract import testing_files as make
from consilium.testing import factories

SERIES = sorted((Path(os.environ.get("CONSILIUM_SAMPLES", "")) / "dicom/mr-series").glob("*.dcm"))[:4]
pytestmark = pytest.mark.django_db


@pytest.mark.skipif(not SERIES, reason="no sample files")
def test_the_zip_holds_every_original_and_a_dicomdir(cast, as_, tmp_path):
    case = factories.case_in(State.DRAFT, cast)
    disc = io.BytesIO()
    with zipfile.ZipFile(disc, "w") as packed:
        for path in SERIES:
            packed.writestr(f"DISC/{path.name}", path.read_bytes())
        bare = make.dicom(StudyInstanceUID="1.2.3", SOPInstanceUID="1.2.3.4", name="")[132:]
        packed.writestr("DISC/without a preamble", bare)
    factories.upload(case, disc.getvalue(), "disc.zip", by=cast.anna)
    factories.upload(case, "Ein Brief über den Rücken.".encode(), "brief.txt", by=cast.anna)
    jobs.drain()
    for record in case_records(case):
        record.status = "ready"
        record.save()

    answer = as_(cast.anna).get(reverse("download_all", args=[case.pk]))
    with zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content))) as got:
        assert got.testzip() is None
        got.extractall(tmp_path)
    sums = dict(reversed(line.split("  ", 1)) for line in (tmp_path / "SHA256SUMS").read_text().splitlines())
    assert {hashlib.sha256((tmp_path / name).read_bytes()).hexdigest() for name in sums} == set(sums.values())
    assert {hashlib.sha256(path.read_bytes()).hexdigest() for path in SERIES} <= set(sums.values())
    assert "DICOM/ST000001" in (tmp_path / "index.html").read_text()
    assert hashlib.sha256(bare).hexdigest() in sums.values()
    listed = [instance.load() for instance in FileSet(tmp_path / "DICOMDIR")]  # refuses what has no preamble
    assert len(listed) == len(SERIES)


def index_of(client, case):
    answer = client.get(reverse("download_all", args=[case.pk]))
    with zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content))) as got:
        return re.sub(r"\s+", " ", got.read("index.html").decode())


def test_the_index_says_when_how_much_and_what_is_still_in_doubt(cast, as_):
    case = factories.case_in(State.DRAFT, cast)
    tags = {"StudyInstanceUID": "1.2.3", "SeriesInstanceUID": "1.2.3.1", "name": "Berger^Anna"}
    image = make.dicom(SOPInstanceUID="1.2.3.4", SeriesDescription="T2 <sag>", **tags)
    factories.upload(case, image, "image.dcm", by=cast.anna)
    jobs.drain()
    case_records(case).update(status="ready")
    study = case_records(case).get()
    study.title = "US"
    study.save()
    factories.plain_record(case, "Clear", clinical_date="2024-03-12")
    client = as_(cast.anna)
    page = index_of(client, case)
    assert "There is no report yet" in page
    assert "Ultrasound</a> <p>2 January 2026 · 1 image · one file" in page
    assert "<p>T2 &lt;sag&gt; (1)</p>" in page
    assert "Clear.txt</a> <p>12 March 2024 ·" in page
    assert "another person" not in page
    factories.plain_record(case, "Doubtful", status="undecided", problems=["wrong_patient"])
    page = index_of(client, case)
    assert "One record may belong to another person" in page
    doubtful = [item for item in page.split("<li>")[1:] if "This may belong to another person" in item]
    assert len(doubtful) == 1 and "Doubtful.txt" in doubtful[0]


def test_the_index_names_the_report_where_there_is_one(cast, as_):
    page = index_of(as_(cast.anna), factories.case_in(State.DELIVERED, cast))
    assert "unchanged, and the report." in page
    assert "report/version-1-patient.pdf" in page


def case_records(case):
    from consilium.records.models import Record

    return Record.objects.filter(space=case.pk)
