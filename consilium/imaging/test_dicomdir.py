"""A DICOMDIR made from headers alone is read by pydicom's file-set and names every file."""

import os
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.fileset import FileSet

from consilium.imaging import header
from consilium.imaging.dicomdir import Member, dicomdir

SAMPLES = Path(os.environ.get("CONSILIUM_SAMPLES", "")) / "dicom"
CHOSEN = [*sorted((SAMPLES / "mr-series").glob("*.dcm"))[:5], *sorted((SAMPLES / "derived-and-wsi").glob("*.dcm"))]

pytestmark = pytest.mark.skipif(not CHOSEN, reason="no sample files")


def test_the_directory_leads_to_every_file(tmp_path):
    members = []
    for number, path in enumerate(CHOSEN, start=1):
        data = path.read_bytes()
        found = header.scan(data, size=len(data))
        file_id = ("DICOM", "ST000001", f"IM{number:06d}")
        target = tmp_path.joinpath(*file_id)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
        members.append(Member(found.tags, found.transfer_syntax, file_id))
    (tmp_path / "DICOMDIR").write_bytes(dicomdir(members))

    read = FileSet(dcmread(tmp_path / "DICOMDIR"))
    assert sorted(Path(one.path).name for one in read) == sorted(member.file_id[-1] for member in members)
    by_uid = {one.SOPInstanceUID: one for one in read}
    for path in CHOSEN:
        original = dcmread(path, stop_before_pixels=True)
        one = by_uid[original.SOPInstanceUID].load()
        assert one.SeriesInstanceUID == original.SeriesInstanceUID
    studies = {dcmread(path, stop_before_pixels=True).StudyInstanceUID for path in CHOSEN}
    assert len(read.find_values("StudyInstanceUID")) == len(studies)


def test_an_empty_set_is_still_a_directory():
    assert dicomdir([])[128:132] == b"DICM"
