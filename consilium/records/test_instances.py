"""Images on the short way: filed in batches, once, under the right study, hashed and looked at afterwards."""

import hashlib
import io
import os
import tarfile
import zipfile
from pathlib import Path
from uuid import uuid4

import pydicom
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import MPEG2MPML, EncapsulatedCDAStorage, ExplicitVRLittleEndian

from consilium.core import jobs
from consilium.imaging import facts
from consilium.records import content, finishing, ingest, instances
from consilium.records.extract import testing_files as make
from consilium.records.models import Preview, Record, RecordFile, Upload
from consilium.vault import blobs, keys

pytestmark = pytest.mark.django_db

SERIES = sorted((Path(os.environ.get("CONSILIUM_SAMPLES", "")) / "dicom/mr-series").glob("*.dcm"))[:12]
SECONDARY = "1.2.840.10008.5.1.4.1.1.7"
CDA = Path(os.environ.get("CONSILIUM_SAMPLES", "")) / "ccda/CCD.xml"
needs_samples = pytest.mark.skipif(not SERIES, reason="no sample files")


@pytest.fixture
def origin(cast):  # the cast makes the keys of this test process
    assert cast.anna
    space, tenant = uuid4(), uuid4()
    keys.create_space(space, tenant=tenant)
    return space, ingest.Owner(tenant, "", "", "")


def uploaded(origin, data, name):
    space, owner = origin
    info = blobs.put([data], space=space, tenant=owner.tenant)
    upload = Upload.objects.create(
        space=space, blob=info.id, size=info.size, sha256=info.sha256, name=name, uploaded_by="user:x"
    )
    return ingest.ingest(upload, owner)


def tar_of(members):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as bundle:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            bundle.addfile(info, io.BytesIO(data))
    return out.getvalue()


def zip_of(members):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as bundle:
        for name, data in members:
            bundle.writestr(name, data)
    return out.getvalue()


def members():
    return [(f"DISC/Bilder ä/{path.name}", path.read_bytes()) for path in SERIES]


@needs_samples
@pytest.mark.parametrize("pack", [tar_of, zip_of])
def test_a_disc_becomes_one_study_with_every_byte(origin, pack):
    sent = [
        *members(),
        ("DISC/AUTORUN.INF", b"[autorun]\nopen=viewer.exe\n"),
        ("DISC/letter.txt", b"Dear colleague, " * 20),
    ]
    upload = uploaded(origin, pack(sent), "disc")
    assert upload.status == Upload.Status.DONE, upload.problem
    assert upload.members_done == len(SERIES) + 1
    assert [note["code"] for note in upload.notes] == ["left_out"]
    study = Record.objects.get(space=origin[0], kind="imaging")
    assert study.images == len(SERIES)
    originals = {hashlib.sha256(path.read_bytes()).hexdigest(): path.read_bytes() for path in SERIES}
    jobs.drain()
    files = list(study.files.all())
    assert {file.sha256 for file in files} == set(originals)
    assert all(content.read_all(file) == originals[file.sha256] for file in files)
    assert [file.position for file in files] == sorted(file.position for file in files)
    assert sum(file.previews.filter(kind="thumbnail").count() for file in files) == 1, "one picture a series"


@needs_samples
def test_a_bundle_is_not_copied(origin):
    before = set(blobs.ids())
    uploaded(origin, tar_of(members()), "disc.tar")
    assert len(set(blobs.ids()) - before) == 1, "the images lie inside the upload"


@needs_samples
def test_the_same_disc_twice_is_stored_once(origin):
    uploaded(origin, zip_of(members()), "disc.zip")
    jobs.drain()
    stored = set(blobs.ids())
    again = uploaded(origin, zip_of([*members(), ("new.txt", b"a new letter " * 30)]), "again.zip")
    assert [note["code"] for note in again.notes] == ["duplicate"] * len(SERIES)
    assert RecordFile.objects.filter(space=origin[0]).count() == len(SERIES) + 1
    assert len(set(blobs.ids()) - stored) <= 3, "the new upload, the segment of the letter, its preview"


@needs_samples
def test_another_patients_study_waits_for_a_decision(origin):
    space, owner = origin
    stranger = ingest.Owner(owner.tenant, "Hildegard", "Wiesengrund", "1951-02-03")
    upload = uploaded((space, stranger), tar_of(members()), "disc.tar")
    study = Record.objects.get(space=space)
    assert upload.status == Upload.Status.DONE
    assert study.problems == ["wrong_patient"]
    assert study.status == Record.Status.UNDECIDED


@needs_samples
def test_finishing_twice_changes_nothing(origin):
    uploaded(origin, SERIES[0].read_bytes(), "one.dcm")
    assert instances.finish(origin[0]) == 1
    assert instances.finish(origin[0]) == 0
    file = RecordFile.objects.get(space=origin[0])
    assert file.sha256 == hashlib.sha256(SERIES[0].read_bytes()).hexdigest()
    assert file.facts["modality"] == "MR"


@needs_samples
def test_a_whole_copy_takes_the_place_of_a_cut_one(origin):
    whole = SERIES[0].read_bytes()
    uploaded(origin, tar_of([("a/one.dcm", whole[:-2000]), ("a/two.dcm", SERIES[1].read_bytes())]), "scratched.tar")
    jobs.drain()
    study = Record.objects.get(space=origin[0])
    assert study.problems == ["truncated_dicom"]
    again = uploaded(origin, tar_of([("b/one.dcm", whole), ("b/two.dcm", SERIES[1].read_bytes())]), "better.tar")
    jobs.drain()
    study.refresh_from_db()
    assert (study.problems, study.status, study.files.count()) == ([], "ready", 2)
    assert [note["code"] for note in again.notes] == ["duplicate"]
    assert hashlib.sha256(whole).hexdigest() in {file.sha256 for file in study.files.all()}


def film():
    """An image of the same study in a series of its own, in a form that no page can show (MPEG-2)."""
    words = {"SOPInstanceUID": "2.25.2", "SeriesInstanceUID": "2.25.12", "InstanceNumber": 5}
    found = pydicom.dcmread(io.BytesIO(make.dicom(**words)))
    found.PixelData, found.file_meta.TransferSyntaxUID = encapsulate([b"\0\0\1\xb3" + bytes(60)]), MPEG2MPML
    found["PixelData"].VR = "OB"
    out = io.BytesIO()
    found.save_as(out)
    return out.getvalue()


def test_one_series_that_cannot_be_shown_does_not_speak_for_its_study(origin):
    uploaded(origin, tar_of([("a", make.dicom()), ("b", film())]), "disc.tar")
    jobs.drain()
    study = Record.objects.get(space=origin[0])
    assert (study.images, study.problems) == (2, ["no_preview_of_some"])
    uploaded(origin, make.dicom(SOPInstanceUID="2.25.3", SeriesInstanceUID="2.25.13"), "later.dcm")
    jobs.drain()
    study.refresh_from_db()
    assert (study.images, study.problems) == (3, ["no_preview_of_some"])


def test_a_series_whose_middle_cannot_be_shown_is_shown_by_another(origin):
    same = {"SeriesInstanceUID": "2.25.12"}
    ends = [make.dicom(SOPInstanceUID=f"2.25.{number}", InstanceNumber=number, **same) for number in (1, 9)]
    uploaded(origin, tar_of([("1", ends[0]), ("2", film()), ("3", ends[1])]), "disc.tar")
    jobs.drain()
    study = Record.objects.get(space=origin[0])
    assert study.problems == ["no_preview_of_some"]
    assert Preview.objects.filter(file__record=study, kind="thumbnail").count() == 1


def test_a_study_that_cannot_be_shown_at_all_says_so(origin):
    uploaded(origin, film(), "film.dcm")
    jobs.drain()
    assert Record.objects.get(space=origin[0]).problems == ["no_preview"]


@pytest.mark.parametrize("pack", [tar_of, zip_of])
def test_what_lies_twice_in_one_folder_was_not_sent_before(origin, pack):
    letter = b"Dear colleague, the images show nothing new. " * 9
    sent = [("a/1.dcm", make.dicom()), ("b/1.dcm", make.dicom()), ("a/letter.txt", letter), ("b/letter.txt", letter)]
    upload = uploaded(origin, pack(sent), "folder")
    assert sorted((note["name"], note["code"]) for note in upload.notes) == [
        ("1.dcm", "copy"),
        ("b/letter.txt", "copy"),
    ]
    again = uploaded(origin, pack(sent[:1]), "again")
    assert [note["code"] for note in again.notes] == ["duplicate"]


@pytest.mark.parametrize("pack", [tar_of, zip_of])
def test_a_folder_of_nothing_but_empty_files_is_called_empty(origin, pack):
    upload = uploaded(origin, pack([("a/1.txt", b""), ("a/2.txt", b"")]), "folder")
    assert (upload.status, upload.problem) == (Upload.Status.REFUSED, "archive_empty")


@pytest.mark.parametrize(
    ("told", "title"),
    [
        ({"StudyDescription": "Lumbar spine"}, "Lumbar spine"),
        ({"BodyPartExamined": "LSPINE", "SeriesDescription": "T2 sag"}, "MR LSPINE"),
        ({"SeriesDescription": "T2 sag"}, "MR T2 sag"),
        ({"ProtocolName": "Knee left"}, "MR Knee left"),
        ({}, "MR"),
    ],
)
def test_a_study_without_a_name_is_called_by_what_the_device_was_told(origin, told, title):
    uploaded(origin, make.dicom(**told), "one.dcm")
    assert Record.objects.get(space=origin[0]).title == title


@pytest.mark.skipif(not CDA.is_file(), reason="no sample files")
def test_a_letter_in_a_dicom_coat_is_read_like_the_letter(origin):
    coat = Dataset()
    coat.file_meta = FileMetaDataset()
    coat.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    coat.SOPClassUID, coat.SOPInstanceUID = EncapsulatedCDAStorage, "2.25.4"
    coat.StudyInstanceUID, coat.SeriesInstanceUID, coat.Modality = "2.25.5", "2.25.6", "DOC"
    coat.MIMETypeOfEncapsulatedDocument = "text/XML"
    data = CDA.read_bytes()
    coat.EncapsulatedDocument, coat.EncapsulatedDocumentLength = data + b"\0" * (len(data) % 2), len(data)
    out = io.BytesIO()
    coat.save_as(out, enforce_file_format=True)
    uploaded(origin, out.getvalue(), "letter.dcm")
    uploaded(origin, data, "letter.xml")
    jobs.drain()
    coated, plain = (
        RecordFile.objects.select_related("record").get(space=origin[0], kind=kind) for kind in ("dicom", "ccda-xml")
    )
    assert coated.record.problems == plain.record.problems
    assert (coated.text, coated.facts["sections"]) == (plain.text, plain.facts["sections"])
    assert coated.record.kind == plain.record.kind
    entries = [[entry.body for entry in file.entries.order_by("pk")] for file in (coated, plain)]
    assert len(entries[0]) == len(entries[1]) > 10


def test_a_whole_deflated_image_is_not_called_incomplete(origin):
    uploaded(origin, make.dicom(deflated=True), "one.dcm")
    jobs.drain()
    study = Record.objects.get(space=origin[0])
    assert (study.problems, study.status, study.images) == ([], "ready", 1)


@needs_samples
@pytest.mark.parametrize("pack", [tar_of, zip_of])
def test_of_two_copies_in_one_folder_the_whole_one_is_kept(origin, pack):
    whole = SERIES[0].read_bytes()
    uploaded(origin, pack([("a/0001", whole[:-2000]), ("b/0001", whole), ("c/0001", whole[:-2000])]), "folder")
    jobs.drain()
    study = Record.objects.get(space=origin[0])
    assert (study.problems, study.status, study.images) == ([], "ready", 1)
    assert [file.sha256 for file in study.files.all()] == [hashlib.sha256(whole).hexdigest()]


@needs_samples
def test_images_that_join_or_heal_an_earlier_study_were_taken_in(origin):
    whole = [path.read_bytes() for path in SERIES[:3]]
    uploaded(origin, tar_of([("1", whole[0][:-2000]), ("2", whole[1])]), "first.tar")
    joined = uploaded(origin, tar_of([("3", whole[2])]), "second.tar")
    healed = uploaded(origin, tar_of([("1", whole[0])]), "third.tar")
    for upload in (joined, healed):
        assert (upload.status, upload.members, upload.problem) == (Upload.Status.DONE, 1, "")
    assert Record.objects.get(space=origin[0]).images == 3


def test_a_screenshot_filed_first_does_not_say_what_the_study_is(origin):
    study = {"StudyInstanceUID": "2.25.50"}
    shot = make.dicom(
        SOPInstanceUID="2.25.51", SeriesInstanceUID="2.25.52", Modality="OT", SOPClassUID=SECONDARY, **study
    )
    images = [
        (str(number), make.dicom(SOPInstanceUID=f"2.25.6{number}", BodyPartExamined="BREAST", **study))
        for number in range(3)
    ]
    uploaded(origin, tar_of([("0", shot), *images]), "disc.tar")
    jobs.drain()
    facts = Record.objects.get(space=origin[0]).facts
    assert (facts["modality"], facts["body_part"], len(facts["series"])) == ("MR", "BREAST", 2)


@needs_samples
def test_a_cut_copy_does_not_replace_a_whole_one(origin):
    whole = SERIES[0].read_bytes()
    uploaded(origin, whole, "one.dcm")
    uploaded(origin, whole[:-2000], "cut.dcm")
    jobs.drain()
    assert [file.size for file in RecordFile.objects.filter(space=origin[0])] == [len(whole)]


@needs_samples
def test_a_crash_before_the_summary_is_made_good(origin, monkeypatch):
    monkeypatch.setattr(finishing, "BATCH", 5)
    uploaded(origin, tar_of(members()), "disc.tar")
    with monkeypatch.context() as broken, pytest.raises(ZeroDivisionError):
        broken.setattr(finishing, "_keep_summary", lambda *_: 1 / 0)
        instances.finish(origin[0])
    filed = RecordFile.objects.filter(space=origin[0]).exclude(filed_at=None).count()
    assert 0 < filed < len(SERIES), "the first batches are kept, the last files of the study wait for its summary"
    assert instances.finish(origin[0]) == len(SERIES) - filed
    study = Record.objects.get(space=origin[0])
    assert sum(series["images"] for series in study.facts["series"]) == len(SERIES)
    assert not study.files.filter(sha256="").exists()


@needs_samples
def test_bytes_replaced_while_they_are_hashed_are_hashed_again(origin, monkeypatch):
    uploaded(origin, tar_of([("one.dcm", SERIES[0].read_bytes()[:-2000])]), "scratched.tar")
    hashes = finishing._hashes

    def meanwhile(files):
        found = hashes(files)
        monkeypatch.setattr(finishing, "_hashes", hashes)
        uploaded(origin, tar_of([("one.dcm", SERIES[0].read_bytes())]), "better.tar")
        return found

    monkeypatch.setattr(finishing, "_hashes", meanwhile)
    assert instances.finish(origin[0]) == 2, "once for nothing, once for the whole copy"
    file = RecordFile.objects.get(space=origin[0])
    assert file.sha256 == hashlib.sha256(SERIES[0].read_bytes()).hexdigest()


@needs_samples
def test_a_run_that_was_cut_off_is_gone_on_with(origin, monkeypatch):
    monkeypatch.setattr(ingest, "BATCH", 5)
    space, owner = origin
    sent = [("letter.txt", b"Dear colleague, " * 20), *members(), ("setup.exe", b"MZ" + bytes(200))]
    info = blobs.put([tar_of(sent)], space=space, tenant=owner.tenant)
    upload = Upload.objects.create(space=space, blob=info.id, size=info.size, sha256="", uploaded_by="user:x")
    with monkeypatch.context() as broken, pytest.raises(ZeroDivisionError):
        broken.setattr(ingest, "_finish_archive", lambda _batch: 1 / 0)
        ingest.ingest(upload, owner)
    before = set(RecordFile.objects.filter(space=space).values_list("pk", flat=True))
    assert 0 < len(before) <= len(SERIES)
    upload.refresh_from_db()
    again = ingest.ingest(upload, owner)
    assert before < set(RecordFile.objects.filter(space=space).values_list("pk", flat=True))
    assert (again.status, again.members_done) == (Upload.Status.DONE, len(SERIES) + 1)
    assert [note["code"] for note in again.notes] == ["left_out"], "what it filed itself is no duplicate"
    assert Record.objects.get(space=space, kind="imaging").images == len(SERIES)


@pytest.mark.parametrize(("promised", "kept"), [(10**11, facts.MOST_FRAMES), (2**31 - 1, facts.MOST_FRAMES), (-5, 1)])
def test_a_header_may_promise_any_number_of_frames(origin, promised, kept):
    liars = [
        make.dicom(NumberOfFrames=promised, StudyInstanceUID="1.2", SOPInstanceUID=f"1.2.{n}", InstanceNumber=n)
        for n in (1, 2)
    ]
    upload = uploaded(origin, tar_of([("a.dcm", liars[0]), ("b.dcm", make.dicom()), ("c.dcm", liars[1])]), "x.tar")
    assert (upload.status, upload.members_done, upload.notes) == (Upload.Status.DONE, 3, [])
    assert sorted(RecordFile.objects.values_list("frames", flat=True)) == sorted([1, kept, kept])
    assert sorted(Record.objects.values_list("images", flat=True)) == sorted([1, 2 * kept])


def test_the_images_of_a_study_are_counted_as_far_as_a_database_counts(origin):
    first = make.dicom(StudyInstanceUID="1.2", SOPInstanceUID="1.2.1")
    uploaded(origin, first, "a.dcm")
    Record.objects.update(images=2**31 - 1)
    upload = uploaded(origin, make.dicom(StudyInstanceUID="1.2", SOPInstanceUID="1.2.2", InstanceNumber=2), "b.dcm")
    assert (upload.status, Record.objects.get().images) == (Upload.Status.DONE, 2**31 - 1)
