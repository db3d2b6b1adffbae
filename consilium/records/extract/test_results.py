"""What results that come as messages are called, what kind of record they are, and of which day."""

import json

import pytest

from consilium.records.extract import extract

LOINC = {"coding": [{"system": "http://loinc.org", "code": "718-7", "display": "Hemoglobin"}]}


def observation(day, category="laboratory"):
    return {
        "resourceType": "Observation",
        "status": "final",
        "category": [{"coding": [{"code": category}]}],
        "code": LOINC,
        "effectiveDateTime": f"2026-03-{day:02}T08:00:00Z",
        "valueQuantity": {"value": 12.5, "unit": "g/dL", "code": "g/dL"},
    }


def bundle(*resources, **more):
    entries = [{"resource": one} for one in ({"resourceType": "Patient", "birthDate": "1965-03-14"}, *resources)]
    return json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries} | more).encode()


REPORT = {"resourceType": "DiagnosticReport", "status": "final", "code": {"text": "Blood count"}}
ALLERGY = {"resourceType": "AllergyIntolerance", "code": {"text": "Penicillin"}}
SUMMARY = {"resourceType": "Composition", "title": "Patient summary", "date": "2026-05-01"}


@pytest.mark.parametrize(
    ("document", "kind", "title", "day"),
    [
        (bundle(observation(3), observation(9), REPORT), "laboratory", "Blood count", "2026-03-09"),
        (bundle(observation(3)), "laboratory", "", "2026-03-03"),
        (bundle(observation(3), timestamp="2026-04-02T00:00:00Z"), "laboratory", "", "2026-04-02"),
        (bundle(observation(3), ALLERGY), "summary", "", "2026-03-03"),
        (bundle(SUMMARY, observation(3)), "summary", "Patient summary", "2026-05-01"),
    ],
)
def test_a_bundle_of_results_is_the_laboratorys(document, kind, title, day):
    found = extract([document])
    assert (found.suggested_type, found.facts.get("title", ""), found.suggested_date) == (kind, title, day)


def test_a_message_is_called_by_what_was_ordered():
    rows = [
        "MSH|^~\\&|LAB|H|C|S|20260302||ORU^R01|1|P|2.5",
        "PID|||1||Berger^Anna||19650314|F",
        "OBR|1|||57021-8^Blood count^LN|||20260301",
        "OBX|1|NM|718-7^Hemoglobin^LN||12.5|g/dL|12-16|N|||F",
        "OBR|2|||24326-1^Electrolytes^LN|||20260301",
        "OBR|3|||57021-8^Blood count^LN|||20260301",
    ]
    found = extract(["\r".join(rows).encode()])
    assert (found.facts["title"], found.suggested_date) == ("Blood count, Electrolytes", "2026-03-01")
