"""DICOM files with neither picture nor words: kept, but never taken for the report that a checklist asks for."""

import io

import pydicom
import pytest

from consilium.records.extract import testing_files as make
from consilium.records.models import Record
from consilium.testing import factories

pytestmark = pytest.mark.django_db
PALETTE = "1.2.840.10008.5.1.4.39.1"  # Color Palette Storage (PS3.6 §A)
RADIOTHERAPY_PLAN = "1.2.840.10008.5.1.4.1.1.481.5"
ABSENT = ("PixelData", "Rows", "Columns")


def without(*names: str, **changed: str) -> bytes:
    found = pydicom.dcmread(io.BytesIO(make.dicom()))
    for name in names:
        delattr(found, name)
    for name, value in changed.items():
        setattr(found, name, value)
    found.file_meta.MediaStorageSOPClassUID = found.SOPClassUID
    out = io.BytesIO()
    found.save_as(out)
    return out.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        without(*ABSENT, SOPClassUID=PALETTE),
        without(*ABSENT, SOPClassUID=RADIOTHERAPY_PLAN, Modality="RTPLAN"),
        without(*ABSENT, "StudyInstanceUID", "SeriesInstanceUID"),
    ],
)
def test_a_file_without_picture_and_words_is_no_report(cast, data):
    case = factories.draft(cast)
    factories.upload(case, data, "fall.dcm", by=cast.anna)
    record = Record.objects.get(space=case.pk)
    assert record.kind == Record.Kind.OTHER
    assert set(record.problems) & {"no_image", "truncated_dicom"}
    assert not case.record_requests.filter(status="here").exists()
