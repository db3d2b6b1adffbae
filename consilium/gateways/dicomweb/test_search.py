"""QIDO-RS: which studies, series and instances are found, and what the answer says about them."""

import pytest

from consilium.gateways.dicomweb import qido
from consilium.gateways.dicomweb.testing_client import Client
from consilium.gateways.dicomweb.testing_files import image, path, uid

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def filled(anna: Client) -> Client:
    """Study a: CT of two series and a report; study b: MR of 2024."""
    files = [image(number) for number in (2, 1, 3)] + [image(1, series="2", SeriesDescription="sagittal")]
    files.append(image(1, series="3", Modality="SR", PixelData=None, Rows=None, Columns=None))
    files += [
        image(number, study="b", Modality="MR", StudyDate="20240601", StudyDescription="Kopf") for number in (1, 2)
    ]
    assert anna.post("/studies", files).status == 200
    return anna


def numbers(answer, tag="00200013"):
    return [one[tag]["Value"][0] for one in answer.json]


def test_what_a_search_answers(filled: Client) -> None:
    answer = filled.get("/studies", "application/dicom+json, application/json")
    assert (answer.status, answer.headers["content-type"]) == (200, "application/dicom+json")
    newest, oldest = answer.json
    assert newest["00100010"] == {"vr": "PN", "Value": [{"Alphabetic": "Berger^Anna"}]}
    assert newest["00080061"] == {"vr": "CS", "Value": ["CT", "SR"]}
    assert (newest["00201206"]["Value"], newest["00201208"]["Value"]) == ([3], [5])
    assert newest["00081190"]["Value"] == [f"http://testserver{filled.root}/studies/{uid('study', 'a')}"]
    assert oldest["00080020"]["Value"] == ["20240601"]
    assert "00080060" not in newest
    series = filled.get(f"/studies/{uid('study', 'a')}/series").json
    assert [one["00200011"]["Value"][0] for one in series] == [1, 2, 3]
    assert [one["00201209"]["Value"][0] for one in series] == [3, 1, 1]
    assert "00100010" not in series[0]
    instances = filled.get(path(1).partition("/instances")[0] + "/instances")
    assert numbers(instances) == [1, 2, 3]
    assert instances.json[0]["00280010"]["Value"] == [16]
    assert instances.json[0]["00081190"]["Value"][0].endswith(path(1))


def test_without_a_study_the_answer_says_whose(filled: Client) -> None:
    series = filled.get("/series").json
    assert len(series) == 4
    assert all(one["00100010"]["Value"] and one["00201208"]["Value"] for one in series)
    instances = filled.get("/instances").json
    assert len(instances) == 7
    assert all(one["00080060"]["Value"] and one["0020000D"]["Value"] for one in instances)
    one_study = filled.get(f"/studies/{uid('study', 'a')}/instances").json
    assert len(one_study) == 5
    assert all("00080060" in one and "00100010" not in one for one in one_study)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("StudyDate=20260101-20261231", "a"),
        ("StudyDate=-20251231", "b"),
        ("ModalitiesInStudy=MR", "b"),
        ("ModalitiesInStudy=CT", "a"),
        ("Modality=SR", "a"),
        (f"StudyInstanceUID={uid('study', 'b')},1.2.3", "b"),
        ("StudyDescription=K*", "b"),
        ("PatientName=berger*", "ab"),
        ("PatientName=anna&fuzzymatching=true", "ab"),
        ("PatientName=anna", ""),
        ("SeriesDescription=sagittal", "a"),
        ("PatientID=B*", ""),
        ("AccessionNumber=", "ab"),
    ],
)
def test_what_is_found(filled: Client, query: str, expected: str) -> None:
    found = {one["0020000D"]["Value"][0] for one in filled.get(f"/studies?{query}").json}
    assert found == {uid("study", name) for name in expected}


def test_pages_and_fields(filled: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    at = path(1).partition("/instances")[0] + "/instances"
    first = filled.get(f"{at}?limit=2")
    assert numbers(first) == [1, 2]
    assert "1 additional results" in first.headers["warning"]
    second = filled.get(f"{at}?limit=2&offset=2")
    assert (numbers(second), "warning" in second.headers) == ([3], False)
    assert filled.get(f"{at}?offset=9").json == []
    monkeypatch.setattr(qido, "MOST", 2)
    assert len(filled.get(f"{at}").json) == 2
    (wide,) = filled.get(f"{at}?limit=1&includefield=PixelSpacing&includefield=00180015,KVP,SOPClassUID").json
    assert wide["00180015"]["Value"] == ["LSPINE"]
    assert "00281050" not in wide
    (whole,) = filled.get(f"{at}?limit=1&includefield=all").json
    assert whole["00280100"]["Value"] == [16]
    assert filled.get(f"{at}?limit=1&includefield=ALL").json == [whole]
    (study,) = filled.get("/studies?limit=1&includefield=PatientSex,BodyPartExamined").json
    assert study["00180015"]["Value"] == ["LSPINE"]


@pytest.mark.parametrize(
    "query",
    ["limit=many", "offset=-1", "PatientNames=x", "fuzzymatching=perhaps", "includefield=Nothing", "StudyDate=x"],
)
def test_nonsense_gets_a_sentence(anna: Client, query: str) -> None:
    answer = anna.get(f"/studies?{query}", "application/dicom+json")
    assert answer.status == 400
    assert answer.json["00000902"]["Value"][0].endswith(".")
    assert anna.get(f"/studies?{query}").headers["content-type"] == "application/dicom+json"
    assert anna.get(f"/studies?{query}", "text/html, */*").headers["content-type"] == "text/plain; charset=utf-8"


def test_only_json(anna: Client) -> None:
    assert anna.get("/studies", 'multipart/related; type="application/dicom+xml"').status == 406
    assert anna.get("/studies/1.2.3/series").status == 404
    assert anna.get("/studies").json == []
    assert anna.get("/studies", method="HEAD").body == b""


def test_a_study_of_no_modality_is_other(anna: Client) -> None:
    """Viewers list nothing of a case with a study that names none."""
    anna.post("/studies", [image(1, Modality=None)])
    (found,) = anna.get("/studies").json
    assert found["00080061"] == {"vr": "CS", "Value": ["OT"]}
    assert len(anna.get("/studies?ModalitiesInStudy=OT").json) == 1
    assert anna.get("/studies?ModalitiesInStudy=CT").status == 204 or not anna.get("/studies?ModalitiesInStudy=CT").json
