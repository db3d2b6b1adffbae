"""Real peers over real HTTP: dicomweb-client, DCMTK and Orthanc, none of them written here."""

import base64
import io
import json
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.error import URLError

import pydicom
import pytest
from dicomweb_client.api import DICOMwebClient

from consilium.cases.models import Case
from consilium.config.test_bridge import free_port
from consilium.gateways.dicomweb.conftest import SAMPLES
from consilium.gateways.dicomweb.testing_files import image, uid
from consilium.gateways.tus.test_served import served
from consilium.records import tokens
from consilium.testing.cast import Cast

pytestmark = [pytest.mark.server, pytest.mark.django_db(transaction=True)]
PLUGIN = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")
ORTHANC = shutil.which("Orthanc") or "/usr/sbin/Orthanc"


@pytest.fixture
def root(
    cast: Cast, case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[str, dict[str, str]]]:
    """URL of the case's DICOMweb on a running server, and the header with Anna's key."""
    _token, text = tokens.issue(case.pk, by=cast.anna.by, read=True, add=True)
    port = free_port()
    monkeypatch.setenv(
        "CONSILIUM_PUBLIC_URL", f"http://127.0.0.1:{port}"
    )  # dicomweb-client leaves the port out of Host
    with served(port, tmp_path / "log"):
        yield f"http://127.0.0.1:{port}/data/cases/{case.pk}/dicomweb", {"Authorization": f"Bearer {text}"}


def samples() -> list[bytes]:
    names = ("CT_small.dcm", "JPEG-LL.dcm", "US1_J2KR.dcm", "emri_small.dcm", "reportsi.dcm")
    return [next(SAMPLES.rglob(name)).read_bytes() for name in names] if SAMPLES.is_dir() else []


def test_peers(root: tuple[str, dict[str, str]], tmp_path: Path) -> None:
    """One server for all of them: starting it takes longer than everything else."""
    files = [image(number) for number in (1, 2, 3)] + samples()
    by_dicomweb_client(*root, files)
    by_dcmtk(*root, files, tmp_path)
    if not PLUGIN.exists() or not Path(ORTHANC).exists():
        pytest.skip("Orthanc with its DICOMweb plugin is not installed")
    by_orthanc(*root, files, tmp_path)


def by_dicomweb_client(url: str, key: dict[str, str], files: list[bytes]) -> None:
    client = DICOMwebClient(url=url, headers=key)
    answer = client.store_instances([pydicom.dcmread(io.BytesIO(one)) for one in files])
    assert "ReferencedSOPSequence" in answer
    assert "FailedSOPSequence" not in answer
    assert len(client.search_for_instances()) == len(files)
    study = uid("study", "a")
    assert [
        one["00200010"]["Value"] for one in client.search_for_studies(search_filters={"StudyInstanceUID": study})
    ] == [["7"]]
    assert len(client.search_for_instances(study, get_remaining=True, limit=2)) == 3
    (series,) = client.search_for_series(study)
    ids = (study, series["0020000E"]["Value"][0])
    metadata = client.retrieve_series_metadata(*ids)
    assert [one["00200013"]["Value"][0] for one in metadata] == [1, 2, 3]
    assert len(client.retrieve_study(study)) == len(client.retrieve_series(*ids)) == 3
    instance = uid("instance", "a", "1", 2)
    expected = pydicom.dcmread(io.BytesIO(image(2)))
    assert client.retrieve_instance(*ids, instance).PixelData == expected.PixelData
    assert client.retrieve_instance_frames(*ids, instance, [1]) == [expected.PixelData]
    assert client.retrieve_bulkdata(metadata[1]["7FE00010"]["BulkDataURI"]) == [expected.PixelData]
    assert client.retrieve_instance_rendered(*ids, instance, media_types=("image/png",)).startswith(b"\x89PNG")
    assert client.retrieve_instance_frames_rendered(*ids, instance, [1], media_types=("image/jpeg",)).startswith(
        b"\xff\xd8"
    )


def by_dcmtk(url: str, key: dict[str, str], files: list[bytes], folder: Path) -> None:
    """What we send is PS3.10 to DCMTK too."""
    if not shutil.which("dcmdump"):
        return
    for number, data in enumerate(files):
        found = pydicom.dcmread(io.BytesIO(data))
        at = f"{url}/studies/{found.StudyInstanceUID}/series/{found.SeriesInstanceUID}/instances/{found.SOPInstanceUID}"
        request = urllib.request.Request(at, headers=key | {"Accept": "application/dicom"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            path = folder / f"{number}.dcm"
            path.write_bytes(answer.read())
        seen = subprocess.run(["dcmdump", "+P", "0008,0018", str(path)], capture_output=True, text=True, check=True)
        assert found.SOPInstanceUID in seen.stdout
        subprocess.run(["dcmconv", str(path), str(folder / "converted.dcm")], capture_output=True, check=True)


def by_orthanc(url: str, key: dict[str, str], files: list[bytes], folder: Path) -> None:
    """Orthanc's DICOMweb client takes a study from us and sends it back into the same case: nothing new."""
    port = free_port()
    peer = {"Url": url + "/", "HttpHeaders": key, "ChunkedTransfers": True}
    settings = {
        "StorageDirectory": str(folder / "orthanc"), "IndexDirectory": str(folder / "orthanc"), "HttpPort": port,
        "DicomPort": free_port(), "Plugins": [str(PLUGIN)], "DicomWeb": {"Servers": {"consilium": peer}},
    }  # fmt: skip
    (folder / "orthanc.json").write_text(json.dumps(settings))
    with (folder / "orthanc.log").open("wb") as log:
        running = subprocess.Popen([ORTHANC, str(folder / "orthanc.json")], stdout=log, stderr=log)
    try:
        until_it_answers(port, running)
        study = uid("study", "a")
        taken = ask(port, "/dicom-web/servers/consilium/retrieve", {"Resources": [{"Study": study}]})
        assert str(taken["ReceivedInstancesCount"]) == "3"
        theirs = ask(port, "/instances")
        assert len(theirs) == 3
        sent = ask(port, "/dicom-web/servers/consilium/stow", {"Resources": theirs, "Synchronous": True})
        assert str(sent["InstancesCount"]) == "3"
        found = ask(port, "/dicom-web/servers/consilium/qido", {"Uri": "/studies", "Arguments": {"PatientID": "A-1"}})
        assert len(found) == 1
    finally:
        running.terminate()
        running.wait(20)


def until_it_answers(port: int, running: "subprocess.Popen[bytes]") -> None:
    for _attempt in range(300):
        assert running.poll() is None, "Orthanc ended"
        try:
            ask(port, "/system")
            return
        except (URLError, OSError):
            time.sleep(0.1)
    raise AssertionError("Orthanc does not answer")


def ask(port: int, path: str, body: dict[str, object] | None = None):
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", json.dumps(body).encode() if body else None)
    request.add_header("Authorization", "Basic " + base64.b64encode(b"orthanc:orthanc").decode())
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)
