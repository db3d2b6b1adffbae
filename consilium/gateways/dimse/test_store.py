"""Images by C-STORE from pynetdicom and DCMTK: byte for byte, durable before the answer, each to its place."""

import hashlib
import io
import os
import shutil
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pydicom
import pytest
from pydicom.data import get_testdata_file

from consilium.cases.states import State
from consilium.core.models import AuditEvent
from consilium.gateways.dicomweb.testing_files import image, uid
from consilium.gateways.dimse.testing_scu import association, send, sent_as
from consilium.opinions.jobs import live_blobs
from consilium.records import actions, content, instances
from consilium.records.models import InboxInstance, InboxStudy, Record, RecordFile
from consilium.testing import factories

pytestmark = pytest.mark.django_db(transaction=True)
ROOT = Path(__file__).resolve().parents[3]
SAMPLES = Path(os.environ.get("CONSILIUM_SAMPLES", ROOT.parent / "shared" / "samples")) / "dicom" / "transfer-syntaxes"
BUNDLED = (
    "CT_small.dcm",
    "MR_small_RLE.dcm",
    "MR_small_bigendian.dcm",
    "JPEG2000.dcm",
    "JPGLosslessP14SV1_1s_1f_8b.dcm",
)
VERIFICATION = ("1.2.840.10008.1.1", "1.2.840.10008.1.2")
needs_dcmtk = pytest.mark.skipif(not shutil.which("storescu"), reason="DCMTK is not installed")


def data_set(path: Path) -> bytes:
    """What follows the file meta information (PS3.10 §7.1)."""
    raw = path.read_bytes()
    length = int.from_bytes(raw[140:144], "little")
    return raw[144 + length :]


def samples() -> list[Path]:
    """One file a transfer syntax, as far as there are files."""
    bundled = (get_testdata_file(name, download=False) for name in BUNDLED)
    found = [*sorted(SAMPLES.glob("*.dcm"))] or [Path(str(path)) for path in bundled if path]
    by_syntax: dict[str, Path] = {}
    for path in found:
        whole = pydicom.dcmread(path, stop_before_pixels=True)
        if whole.get("StudyInstanceUID") and whole.get("SeriesInstanceUID"):
            by_syntax.setdefault(sent_as(path)[1], path)
    return list(by_syntax.values())


def test_every_transfer_syntax_arrives_byte_for_byte(gateway, settings):
    paths = samples()
    assert len(paths) >= (5 if SAMPLES.is_dir() else 4)
    senders = [f"SCU{number}" for number in range(len(paths))]  # the same image in two syntaxes from one is refused
    settings.DIMSE_PEERS, port = ",".join(senders), gateway().port
    for sender, path in zip(senders, paths, strict=True):
        assert send(port, [path], calling=sender) == [0], path
    kept = {}
    for row in InboxInstance.objects.all():
        whole = content.read_all(row)
        meta = pydicom.dcmread(io.BytesIO(whole), stop_before_pixels=True).file_meta
        assert meta.SourceApplicationEntityTitle in senders
        kept[str(meta.TransferSyntaxUID)] = whole[row.header["dataset"] :]
    assert kept == {sent_as(path)[1]: data_set(path) for path in paths}
    assert {blob for row in InboxInstance.objects.all() for blob in content.blob_ids(row)} <= live_blobs()


def test_a_private_class_is_stored_and_another_service_is_not_offered(gateway, slices):
    private = ("1.2.276.0.7230010.3.1.0.99", "1.2.840.10008.1.2.1")
    find = ("1.2.840.10008.5.1.4.1.2.1.1", "1.2.840.10008.1.2")
    unknown_syntax = ("1.2.840.10008.5.1.4.1.1.2", "1.2.3.4.5")
    (path,) = slices(1, SOPClassUID=private[0])
    port = gateway().port
    assert send(port, [path]) == [0]
    with association(port, [private, find, unknown_syntax, VERIFICATION]) as made:
        assert [cx.abstract_syntax for cx in made.accepted_contexts] == [private[0], VERIFICATION[0]]
        assert made.send_c_echo().Status == 0


def test_images_for_a_case_are_filed_there_at_once(gateway, slices, cast):
    case = factories.case_in(State.COLLECTING, cast)
    port = gateway().port
    mine, foreign = slices(3), slices(1, study="b", PatientName="Muster^Max", PatientBirthDate="19501231")
    assert send(port, mine, called=case.reference) == [0, 0, 0]
    assert send(port, foreign, called=case.reference.replace("-", "").lower()) == [0]
    ready, undecided = Record.objects.filter(space=case.pk).order_by("images", "status").reverse()
    assert (ready.status, ready.images, ready.added_by) == ("ready", 3, "dimse:SCU")
    assert (undecided.status, undecided.problems) == ("undecided", ["wrong_patient"])
    assert AuditEvent.objects.filter(action="record.receive", agent="dimse:SCU", space=case.pk).exists()
    instances.finish(case.pk)
    for row in RecordFile.objects.filter(space=case.pk):
        assert row.filed_at
        assert row.sha256 == hashlib.sha256(content.read_all(row)).hexdigest()
    assert not InboxStudy.objects.exists()


def test_the_checklist_of_the_case_sees_what_came(gateway, slices, cast):
    case = factories.case_in(State.COLLECTING, cast)
    case.record_requests.update(status="missing")
    assert send(gateway().port, slices(1, Modality="MR"), called=case.reference) == [0]
    until = time.monotonic() + 5
    while not case.record_requests.filter(status="here").exists() and time.monotonic() < until:
        time.sleep(0.02)
    assert case.record_requests.filter(status="here", decided_by="system").exists()


def test_the_same_again_is_a_success_and_other_bytes_are_refused(gateway, slices, cast):
    case = factories.case_in(State.COLLECTING, cast)
    port = gateway().port
    paths = slices(2)
    for called in (case.reference, "CONSILIUM"):
        assert send(port, paths, called=called) == [0, 0]
        assert send(port, [*paths, *paths], called=called) == [0] * 4
    paths[0].write_bytes(image(1, SeriesDescription="changed"))
    for called in (case.reference, "CONSILIUM"):
        assert send(port, paths, called=called) == [0x0111, 0]
    assert RecordFile.objects.filter(space=case.pk).count() == InboxInstance.objects.count() == 2
    assert InboxStudy.objects.get().images == 2


def test_what_was_taken_out_is_back_when_it_is_sent_again(gateway, slices, cast):
    case, port, paths = factories.case_in(State.COLLECTING, cast), gateway().port, slices(2)
    assert send(port, paths, called=case.reference) == [0, 0]
    record = Record.objects.get(space=case.pk, kind="imaging")
    actions.remove(record, by=cast.dora.by)
    assert send(port, paths[:1], called=case.reference) == [0]
    record.refresh_from_db()
    assert (record.status, record.problems) == ("flagged", ["came_again"])
    record.problems = ["malware"]
    record.save()
    actions.remove(record, by=cast.dora.by)
    assert send(port, paths, called=case.reference) == [0x0111, 0x0111]
    record.refresh_from_db()
    assert record.status == "removed"


def test_two_patients_and_two_senders_are_never_one_study(gateway, slices, settings):
    settings.DIMSE_PEERS = "SCU,MR2"
    port = gateway().port
    assert send(port, slices(2)) == [0, 0]
    other = slices(1, PatientName="Muster^Max", SOPInstanceUID=uid("another"))
    assert send(port, other) == [0]
    assert send(port, slices(1), calling="MR2") == [0]
    studies = [(one.sender, one.facts["patient_name"], one.images) for one in InboxStudy.objects.all()]
    assert sorted(studies) == [
        ("dimse:MR2", "Berger^Anna", 1),
        ("dimse:SCU", "Berger^Anna", 2),
        ("dimse:SCU", "Muster^Max", 1),
    ]


def test_associations_at_the_same_time_share_their_waits(gateway, slices):
    running = gateway()
    groups = [slices(12, study="many", series=str(series)) for series in range(1, 2)]
    groups = [groups[0][start::4] for start in range(4)]
    with ThreadPoolExecutor(4) as pool:
        assert [one for found in pool.map(lambda some: send(running.port, some), groups) for one in found] == [0] * 12
    assert InboxStudy.objects.get().images == running.filing.filed == 12
    assert running.filing.batches <= 12


@needs_dcmtk
def test_dcmtk_sends_and_echoes(gateway, slices, cast):
    case = factories.case_in(State.COLLECTING, cast)
    port = str(gateway().port)
    echo = ["echoscu", "-aet", "DCMTK", "-aec", "CONSILIUM", "127.0.0.1", port]
    assert subprocess.run(echo, check=False, timeout=20).returncode == 0
    paths = slices(3)
    store = ["storescu", "-aet", "DCMTK", "-aec", case.reference, "127.0.0.1", port, *map(str, paths)]
    assert subprocess.run(store, check=False, timeout=20).returncode == 0
    kept = {row.header["tags"]["00080018"][1][0]: row for row in RecordFile.objects.filter(space=case.pk)}
    assert len(kept) == 3
    for path in paths:  # in the syntax it proposed first, the file's own
        row = kept[str(pydicom.dcmread(path).SOPInstanceUID)]
        sent, arrived = pydicom.dcmread(path), pydicom.dcmread(io.BytesIO(content.read_all(row)))
        assert arrived.PixelData == sent.PixelData
        assert arrived.PatientName == sent.PatientName
