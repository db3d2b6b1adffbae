"""The same SOP instance again: less of it, the whole of what was cut, another picture of its number; many notes."""

import hashlib
import io
from types import SimpleNamespace

import pydicom
import pytest
from pydicom.uid import RLELossless

from consilium.core import jobs
from consilium.records import ingest, instances
from consilium.records.extract import DEFAULT
from consilium.records.extract import testing_files as make
from consilium.records.models import Record, RecordFile, Upload
from consilium.records.test_instances import origin, tar_of, uploaded, zip_of  # noqa: F401 - a fixture

pytestmark = pytest.mark.django_db


def rle(**words):
    found = pydicom.dcmread(io.BytesIO(make.dicom(rows=96, columns=96, **words)))
    found.compress(RLELossless, generate_instance_uid=False)
    out = io.BytesIO()
    found.save_as(out)
    return out.getvalue()


def noise():
    """A deflated image that stays as large as it is."""
    return make.dicom(deflated=True, rows=96, columns=96, PixelData=hashlib.shake_128(b"noise").digest(2 * 96 * 96))


WHOLE = {"native": make.dicom(rows=96, columns=96), "rle": rle(), "deflated": noise()}


def kept(origin):  # noqa: F811
    return [file.sha256 for file in RecordFile.objects.filter(space=origin[0])]


def sha(data):
    return hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize("form", WHOLE)
@pytest.mark.parametrize("pack", [tar_of, zip_of])
def test_of_two_copies_in_one_folder_the_whole_one_is_kept(origin, pack, form):  # noqa: F811
    whole = WHOLE[form]
    cut = whole[: len(whole) * 6 // 10]
    for number, sent in enumerate(([("a/1", cut), ("b/1", whole)], [("a/1", whole), ("b/1", cut)])):
        uploaded(origin, pack(sent), f"folder {number}")
        jobs.drain()
        assert kept(origin) == [sha(whole)]
        record = Record.objects.get(space=origin[0], images=1)
        assert (record.problems, record.status) == ([], "ready")


@pytest.mark.parametrize("form", WHOLE)
def test_a_better_disc_heals_what_a_scratched_one_brought(origin, form):  # noqa: F811
    whole = WHOLE[form]
    uploaded(origin, whole[: len(whole) * 6 // 10], "scratched.dcm")
    jobs.drain()
    for _time in range(2):
        uploaded(origin, whole, "better.dcm")
        jobs.drain()
        assert kept(origin) == [sha(whole)]
        assert Record.objects.get(space=origin[0]).problems == []


@pytest.mark.parametrize("pack", [tar_of, zip_of])
def test_another_picture_with_the_same_number_is_called_that(origin, pack):  # noqa: F811
    first, other = make.dicom(), make.dicom(SeriesInstanceUID="2.25.9", PixelData=b"\1\2" * 256)
    upload = uploaded(origin, pack([("1", first), ("2", other), ("3", first)]), "folder")
    assert [(note["name"], note["code"]) for note in upload.notes] == [("2", "same_number"), ("3", "copy")]
    again = uploaded(origin, pack([("2", other)]), "again")
    assert (again.status, [note["code"] for note in again.notes]) == (Upload.Status.DONE, ["same_number"])
    jobs.drain()
    assert kept(origin) == [sha(first)]


def test_a_damaged_picture_sent_again_as_it_was_stays_what_it_is(origin, monkeypatch):  # noqa: F811
    uploaded(origin, WHOLE["rle"], "one.dcm")
    file = RecordFile.objects.get(space=origin[0])
    file.facts = file.facts | {"cut": True}
    file.save()
    monkeypatch.setattr(instances, "_replace", lambda *_words: pytest.fail("the same bytes replace nothing"))
    again = uploaded(origin, WHOLE["rle"], "one.dcm")
    assert [note["code"] for note in again.notes] == ["duplicate"]


def test_thousands_of_notes_hide_none_of_another_kind(origin):  # noqa: F811
    many = [(f"{number:04}", b"") for number in range(700)]
    upload = uploaded(origin, tar_of([*many, ("viewer.exe", make.windows_program()), ("l.txt", b"Letter " * 40)]), "x")
    others = [note["code"] for note in upload.notes if note["code"] != "empty"]
    empty = [note for note in upload.notes if note["code"] == "empty"]
    assert len(others) == 1
    assert (len(upload.notes) <= ingest.MOST_NOTES, len(empty) + empty[-1]["more"]) == (True, 700)


def test_an_upload_that_keeps_the_jail_busy_gets_less_time_a_file(monkeypatch):
    given = []
    monkeypatch.setattr(ingest, "_read", lambda _what, limits: given.append(limits))
    for seconds in (0.0, 100.0, 1000.0):
        ingest._read_in_time(SimpleNamespace(seconds=seconds, documents=0), None)
    assert given[0] is DEFAULT
    assert given[0].cpu_seconds > given[1].cpu_seconds > given[2].cpu_seconds > 0
