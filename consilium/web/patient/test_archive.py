"""Everything of a case as one zip: originals byte for byte, an index, and a file-set that viewers open like a disc."""

import hashlib
import io
import os
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
pytestmark = [pytest.mark.django_db, pytest.mark.skipif(not SERIES, reason="no sample files")]


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


def case_records(case):
    from consilium.records.models import Record

    return Record.objects.filter(space=case.pk)
