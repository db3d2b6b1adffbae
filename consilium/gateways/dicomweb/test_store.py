"""STOW-RS: what is taken, what is refused and why, and what a broken request leaves behind."""

import asyncio
import io
import json
import random
import secrets
from datetime import timedelta

import pydicom
import pytest
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian, RLELossless

from consilium.cases.models import Case
from consilium.core import clock, jobs
from consilium.core.models import Job
from consilium.gateways.dicomweb import multipart, stow
from consilium.gateways.dicomweb.conftest import SAMPLES, ClientOf
from consilium.gateways.dicomweb.intake import DUPLICATE, NOT_OF_THIS_STUDY, NOT_UNDERSTOOD
from consilium.gateways.dicomweb.testing_client import Client
from consilium.gateways.dicomweb.testing_files import image, path, uid, written
from consilium.records import content, instances
from consilium.records.models import Record, RecordFile
from consilium.testing.cast import Cast
from consilium.vault import blobs

pytestmark = pytest.mark.django_db(transaction=True)


def failures(answer):
    found = answer.json.get("00081198", {}).get("Value", []) + answer.json.get("0008119A", {}).get("Value", [])
    return [one["00081197"]["Value"][0] for one in found]


def stored(answer):
    return [one["00081155"]["Value"][0] for one in answer.json.get("00081199", {}).get("Value", [])]


def test_what_is_sent_is_there_at_once(anna: Client, case: Case) -> None:
    files = [image(number) for number in (1, 2, 3)] + [image(1, series="2", Modality="MR")]
    answer = anna.post("/studies", files)
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/dicom+json"
    assert len(stored(answer)) == 4
    assert answer.json["00081190"]["Value"][0].endswith("/studies/" + uid("study", "a"))
    url = answer.json["00081199"]["Value"][0]["00081190"]["Value"][0]
    assert url == "http://testserver" + anna.root + path(1)
    assert [part for _kind, part in anna.get(path(2)).parts] == [files[1]]
    assert [content.read_all(file) for file in RecordFile.objects.order_by("series_number", "position")] == files
    (record,) = Record.objects.filter(space=case.pk, kind="imaging")
    assert (record.images, record.status, record.title) == (4, "ready", "Spine, lumbar")
    assert instances.finish(case.pk) == 4
    assert all(len(file.sha256) == 64 for file in RecordFile.objects.all())


def test_the_checklist_of_the_case_sees_what_came(anna: Client, case: Case) -> None:
    """Requests that come within seconds are noted together, when they are over."""
    case.record_requests.update(status="missing")
    with clock.frozen(clock.now()) as now:
        assert anna.post("/studies", [image(1, Modality="MR")]).status == 200
        assert anna.post("/studies", [image(2, Modality="MR")]).status == 200
        assert Job.objects.filter(key__startswith=f"arrived:{case.pk}:").count() == 1
        now.tick(timedelta(seconds=5))
        jobs.drain()
        assert case.record_requests.filter(status="here", decided_by="system").exists()
        assert anna.post("/studies", [image(2, Modality="MR")]).status == 200  # nothing new
        assert Job.objects.filter(key__startswith=f"arrived:{case.pk}:").count() == 1


def test_duplicates_are_recognised_and_not_kept_twice(anna: Client) -> None:
    first = image(1)
    assert anna.post("/studies", [first]).status == 200
    before = set(blobs.ids())
    again = anna.post("/studies", [first, first])
    assert (again.status, len(stored(again))) == (200, 2)
    assert set(blobs.ids()) == before
    other = anna.post("/studies", [image(1, PatientComments="changed")])
    assert (other.status, failures(other)) == (409, [DUPLICATE])
    twice = anna.post("/studies", [image(2), image(2), image(2, PatientComments="changed")])
    assert (twice.status, len(stored(twice)), failures(twice)) == (202, 2, [DUPLICATE])
    assert RecordFile.objects.filter(instance__gt="").count() == 2
    assert [part for _kind, part in anna.get(path(2)).parts] == [image(2)]


def test_some_are_refused_and_say_why(anna: Client) -> None:
    answer = anna.post(
        "/studies", [image(1), b"not an image at all", b"", image(2, StudyInstanceUID=None), image(3)[:200]]
    )
    assert (answer.status, len(stored(answer))) == (202, 1)
    assert failures(answer) == [NOT_UNDERSTOOD] * 4
    before = set(blobs.ids())
    elsewhere = anna.post("/studies/" + uid("study", "b"), [image(4), image(5, edge=4)])
    assert (elsewhere.status, failures(elsewhere)) == (409, [NOT_OF_THIS_STUDY] * 2)
    assert set(blobs.ids()) == before
    assert anna.post("/studies/" + uid("study", "b"), [image(4, study="b")]).status == 200


def test_cut_short_is_kept_and_flagged(anna: Client, case: Case) -> None:
    whole = image(1, edge=128)
    answer = anna.post("/studies", [whole[:-9000], image(2)])
    assert answer.status == 200
    assert [part for _kind, part in anna.get(path(1)).parts] == [whole[:-9000]]
    record = Record.objects.get(space=case.pk, kind="imaging")
    assert record.problems == ["truncated_dicom"]
    short = anna.get(path(1).partition("/instances")[0] + "/metadata").json[0]
    again = anna.post("/studies", [whole[:-9000]])
    assert (again.status, len(stored(again))) == (200, 1)
    assert anna.post("/studies", [whole]).status == 200
    assert [part for _kind, part in anna.get(path(1)).parts] == [whole]
    record.refresh_from_db()
    assert (record.problems, record.files.count()) == ([], 2)
    assert anna.get(path(1) + "/frames/1").status == 200
    assert anna.get(path(1).partition("/instances")[0] + "/metadata").json[0] == short
    assert anna.post("/studies", [whole[:-9000]]).status == 409


@pytest.mark.parametrize("syntax", [RLELossless, DeflatedExplicitVRLittleEndian])
def test_a_whole_copy_takes_the_place_of_a_cut_compressed_one(anna: Client, syntax: UID) -> None:
    found = pydicom.dcmread(io.BytesIO(image(1, edge=96, PixelData=random.Random(1).randbytes(2 * 96 * 96))))
    if syntax.is_encapsulated:
        found.compress(syntax, generate_instance_uid=False)
    whole = written(found, syntax)
    assert anna.post("/studies", [whole[: len(whole) * 6 // 10]]).status == 200
    assert anna.post("/studies", [whole]).status == 200
    assert [part for _kind, part in anna.get(path(1)).parts] == [whole]
    assert anna.post("/studies", [whole]).status == 200
    assert anna.post("/studies", [image(1)]).status == 409


def test_another_patients_images_wait_for_a_decision(cast: Cast, case: Case, anna: Client, client_of: ClientOf) -> None:
    tess = client_of(cast.tess, case, add=False)
    assert (
        anna.post("/studies", [image(1, study="b", PatientName="Sommer^Karl", PatientBirthDate="19400101")]).status
        == 200
    )
    assert Record.objects.get(space=case.pk, kind="imaging").status == "undecided"
    assert len(anna.get("/studies").json) == 1  # she decides
    assert tess.get("/studies").status in (200, 404)
    assert tess.get(path(1, study="b")).status == 404


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="no sample files")
def test_every_sample_comes_back_byte_by_byte(anna: Client) -> None:
    files = [one.read_bytes() for one in sorted(SAMPLES.rglob("*")) if one.is_file()]
    answer = anna.post("/studies", files, step=300_000)
    assert answer.status == 202
    assert len(stored(answer)) >= 150
    assert failures(answer).count(NOT_UNDERSTOOD) <= 4  # a DICOMDIR and files that lack the UIDs of study and series
    back = set()
    for study in anna.get("/studies").json:
        back |= {part for _kind, part in anna.get("/studies/" + study["0020000D"]["Value"][0]).parts}
    assert back <= set(files)
    assert len(back) == len(set(stored(answer)))


def test_large_instances_pass_in_bounded_memory(anna: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(multipart, "BUFFERED", 300_000)
    large = image(1, edge=1024)
    assert anna.post("/studies", [image(2), large, image(3)]).status == 200
    assert [part for _kind, part in anna.get(path(1)).parts] == [large]
    again = anna.post("/studies", [large])
    assert (again.status, RecordFile.objects.filter(instance__gt="").count()) == (200, 3)
    changed = anna.post("/studies", [large[:-1] + b"!"])
    assert failures(changed) == [DUPLICATE]


def test_many_are_filed_in_batches(anna: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stow, "TOGETHER", 3)
    monkeypatch.setattr(stow, "GATHERED", 1)
    answer = anna.post("/studies", [image(number) for number in range(1, 12)], step=900)
    assert (answer.status, len(stored(answer))) == (200, 11)
    assert len(anna.get("/instances").json) == 11


@pytest.mark.parametrize("end", ["gone", "no closing boundary", "too large"])
def test_a_broken_request_leaves_nothing(anna: Client, settings, end: str) -> None:
    before = set(blobs.ids())
    boundary = secrets.token_hex(8)
    head = f"--{boundary}\r\nContent-Type: application/dicom\r\n\r\n".encode()
    pieces = [head, image(1, edge=700), b"\r\n" + head, image(2, edge=700)[:-100]]
    if end == "too large":
        settings.MAX_UPLOAD_BYTES = 1_000_000
    kind = {"content-type": f"multipart/related; boundary={boundary}"}
    answer = anna.send("POST", "/studies", pieces, kind, gone=end == "gone")
    assert answer.status == {"gone": 400, "no closing boundary": 400, "too large": 413}[end]
    assert set(blobs.ids()) == before
    assert not RecordFile.objects.filter(instance__gt="").exists()


def test_what_is_not_understood_is_said(anna: Client) -> None:
    def send(kind, body=b"x", **more):
        return anna.send("POST", "/studies", [body], {"content-type": kind} | more)

    assert send("text/plain").status == 415
    assert send('multipart/related; type="application/dicom+xml"; boundary=a').status == 415
    assert send("multipart/related").status == 400
    assert send("multipart/related; boundary=a", b"--a--").status == 400
    assert send("multipart/related; boundary=a", accept="application/dicom+xml").status == 406
    refused = send("text/plain", accept="application/dicom+json")
    assert "multipart/related" in json.loads(refused.body)["00000902"]["Value"][0]
    assert refused.headers["x-content-type-options"] == "nosniff"
    assert send("multipart/related; boundary=a", **{"content-encoding": "gzip"}).status == 415
    assert b"00000902" in send("text/plain").body, "programs that say nothing get JSON"
    assert send("text/plain", accept="text/html").headers["content-type"].startswith("text/plain")
    single = anna.send("POST", "/studies", [image(9)[:100], image(9)[100:], b""], {"content-type": "application/dicom"})
    assert (single.status, stored(single)) == (200, [uid("instance", "a", "1", 9)])


def test_at_the_same_time(anna: Client) -> None:
    """Requests that meet share transactions; each gets its own answer, and one instance is kept once."""

    async def all_at_once():
        boundary = "b"
        kind = {"content-type": "multipart/related; boundary=b"}
        files = [image(number) for number in range(1, 9)] + [image(1), image(2, PatientComments="changed")]
        bodies = [b"--%s\r\n\r\n%s\r\n--%s--" % (boundary.encode(), one, boundary.encode()) for one in files]
        return await asyncio.gather(*(anna.ask("POST", "/studies", [body, b""], kind) for body in bodies))

    answers = asyncio.run(all_at_once())
    assert sorted(one.status for one in answers) == [200] * 9 + [409]
    assert RecordFile.objects.filter(instance__gt="").count() == 8
    assert Record.objects.get(kind="imaging").images == 8
