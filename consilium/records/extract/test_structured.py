"""Entries and sections of every sample of FHIR, C-CDA and HL7 v2, with values copied from the files by hand."""

import os
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from consilium.records.extract import extract

SAMPLES = Path(os.environ.get("CONSILIUM_SAMPLES", ""))
pytestmark = pytest.mark.skipif(not (SAMPLES / "README.md").is_file(), reason="no sample files")

COUNTS = {
    "ips/Bundle-aups-basicsummary.json": {"allergy": 3, "medication": 1, "problem": 1},
    "ips/HK_IPS_Sample1.json": {"allergy": 2, "problem": 1},
    "ips/IPS_IG-bundle-01.json": {"problem": 2, "medication": 2, "allergy": 2, "laboratory": 6},
    "ips/IPS_IG_bundle-minimal.json": {"problem": 1, "medication": 1, "allergy": 1},
    "synthea-r4/Abdul_Koepp_e925b0f3-8006-43f6-aa31-94bd215e55e7.json": {
        "problem": 3, "vital": 60, "immunization": 11, "laboratory": 34, "procedure": 10, "medication": 2,
    },
    "synthea-r4/Agustin_Fonseca_cb5696d9-a0de-4f49-94f9-433f96a28eb0.json": {
        "vital": 30, "procedure": 4, "immunization": 8, "problem": 2, "medication": 2, "laboratory": 11,
    },
    "synthea-r4/Alberto_Atencio_fc712d1f-5a2e-4407-9c55-a2a2bad623c2.json": {
        "problem": 3, "medication": 2, "vital": 24, "immunization": 7, "procedure": 3, "laboratory": 11,
    },
    "synthea-r4/Alfreda_Wyman_3287b938-4670-47eb-91e5-e0ce3df71405.json": {
        "problem": 3, "medication": 2, "vital": 30, "laboratory": 49, "immunization": 7, "procedure": 5,
    },
    "synthea-r4/Angele_Greenfelder_3c9e65ef-e65e-46e7-b69a-60a3457307f0.json": {
        "problem": 7, "vital": 61, "procedure": 10, "immunization": 15, "medication": 5, "laboratory": 22,
    },
    "synthea-r4/Antony_Anderson_88fedc82-1cc1-4e01-9ef1-145bbf149bb0.json": {
        "problem": 5, "vital": 24, "laboratory": 30, "procedure": 2, "immunization": 5, "medication": 1,
    },
    "ccda/CCD.xml": {"procedure": 3, "vital": 9},
    "ccda/Care_Plan.xml": {"problem": 4, "procedure": 1},
    "ccda/Consultation_Note.xml": {"allergy": 2, "medication": 2, "problem": 4, "laboratory": 5, "vital": 8},
    "ccda/Discharge_Summary.xml": {
        "problem": 4, "allergy": 3, "medication": 1, "immunization": 2, "procedure": 1, "vital": 4,
    },
    "ccda/Unstructured_Document_embed.xml": {},
    "hl7v2/LAB-ORU-1.hl7": {"laboratory": 8},
    "hl7v2/MDM-T02-03.hl7": {},
    "hl7v2/OML-O21-01.hl7": {"allergy": 1, "problem": 1, "laboratory": 1},
    "hl7v2/ORU-R01-01.hl7": {"laboratory": 1},
    "hl7v2/ORU-multiline-short-mixed.hl7": {},
    "hl7v2/REF-I12-01.hl7": {"problem": 1, "allergy": 1, "procedure": 1, "laboratory": 1},
}  # fmt: skip


@cache
def read(name):
    return extract([(SAMPLES / name).read_bytes()])


def only(name, kind, words):
    (found,) = [one for one in read(name).entries if one["kind"] == kind and words in one["name"]]
    return found


@pytest.mark.parametrize("name", sorted(COUNTS))
def test_how_much_each_document_states(name):
    found = read(name)
    assert not found.problems
    assert dict(Counter(one["kind"] for one in found.entries)) == COUNTS[name]


def test_every_sample_is_counted():
    folders = ("ips", "synthea-r4", "ccda", "hl7v2")
    assert {f"{folder}/{path.name}" for folder in folders for path in (SAMPLES / folder).iterdir()} == set(COUNTS)


def test_a_ccda_result_has_value_unit_range_flag_and_day():
    found = only("ccda/Consultation_Note.xml", "laboratory", "Platelets")
    assert (found["value"], found["shown"], found["ucum"]) == (123.0, "123", "10*9/L")
    assert (found["low"], found["high"], found["flag"], found["date"]) == (150.0, 350.0, "A", "2013-03-11")
    assert (found["code"], found["system"]) == ("777-3", "http://loinc.org")
    assert only("ccda/Consultation_Note.xml", "laboratory", "Hemoglobin")["high"] == 15.5


def test_a_pending_ccda_result_is_no_result():
    assert not [one for one in read("ccda/CCD.xml").entries if one["kind"] == "laboratory"]
    assert "Pending" in str(read("ccda/CCD.xml").facts["sections"])


def test_ccda_medication_allergy_and_a_vaccination_that_was_refused():
    medicine = only("ccda/Consultation_Note.xml", "medication", "atenolol")
    assert (medicine["date"], medicine["text"]) == ("2012-03-18", "1, 1 × / 12 h, Oral Route of Administration")
    allergy = only("ccda/Consultation_Note.xml", "allergy", "Penicillin")
    assert (allergy["date"], allergy["text"]) == ("1998-05-01", "Nausea")
    refused = only("ccda/Discharge_Summary.xml", "immunization", "meningococcal")
    assert (refused["state"], refused["date"]) == ("not-done", "2014-09-01")


def test_ccda_sections_are_headings_and_tables():
    sections = {one["code"]: one for one in read("ccda/Consultation_Note.xml").facts["sections"]}
    assert len(sections) == 13
    table = sections["30954-2"]["blocks"][0]["table"]
    assert table["head"][:2] == ["Result Type", "Result Value"]
    assert table["rows"][2][:2] == ["Platelets", "123 10*9/L"]
    assert "<" not in str(sections)


def test_ips_values_medicines_and_words():
    sugar = only("ips/IPS_IG-bundle-01.json", "laboratory", "A1c")
    assert (sugar["value"], sugar["shown"], sugar["ucum"], sugar["date"]) == (7.5, "7.5", "%", "2017-11-10")
    group = only("ips/IPS_IG-bundle-01.json", "laboratory", "ABO")
    assert (group["value"], group["shown"]) == (None, "Blood group A Rh(D) positive")
    medicine = only("ips/IPS_IG-bundle-01.json", "medication", "anastrozole")
    assert (medicine["date"], medicine["state"], medicine["text"]) == ("2015-03", "active", "1 tablet, Oral use")
    cancer = only("ips/IPS_IG-bundle-01.json", "problem", "breast")
    assert (cancer["date"], cancer["end"], cancer["state"]) == ("2015-01", "2015-03", "remission")
    contained = only("ips/Bundle-aups-basicsummary.json", "medication", "Bisoprolol")
    assert contained["text"] == "1/2 tablet in the morning"
    rows = next(one for one in read("ips/IPS_IG-bundle-01.json").facts["sections"] if one["title"] == "Medication")
    first = rows["blocks"][0]["table"]["rows"][0]
    assert first == ["Anastrozole", "1 mg", "tablet", "once daily", "treatment for breast cancer"]


def test_blood_pressure_is_two_values_of_one_day():
    name = "synthea-r4/Alfreda_Wyman_3287b938-4670-47eb-91e5-e0ce3df71405.json"
    day = [one for one in read(name).entries if one["date"] == "2012-03-06" and "Blood Pressure" in one["name"]]
    assert {(one["name"], one["shown"]) for one in day} == {
        ("Systolic Blood Pressure", "185.9128867011653"),
        ("Diastolic Blood Pressure", "101.23154500906487"),
    }


def test_hl7_results_and_what_is_no_result():
    found = {one["name"]: one for one in read("hl7v2/LAB-ORU-1.hl7").entries}
    platelets = found["PLATELETS"]
    assert (platelets["value"], platelets["unit"], platelets["ucum"]) == (221.0, "giga.l-1", "10*9/L")
    assert (platelets["flag"], platelets["state"], platelets["date"]) == ("N", "F", "2014-10-06")
    assert "HEMOGLOBIN" not in found  # OBX-11 I: pending
    (culture,) = read("hl7v2/ORU-R01-01.hl7").entries
    assert (culture["shown"], culture["value"], culture["flag"], culture["date"]) == (
        "Salmonella",
        None,
        "A",
        "2012-03-01",
    )
    antibodies = only("hl7v2/REF-I12-01.hl7", "laboratory", "Helicobacter")
    assert (antibodies["shown"], antibodies["code"], antibodies["flag"]) == ("Positive", "22310-7", "A")


def test_the_text_of_an_hl7_document_is_kept_in_order():
    (section,) = [s for s in read("hl7v2/MDM-T02-03.hl7").facts["sections"] if "Naming grandmother ruth" in str(s)]
    words = [block["p"] for block in section["blocks"]]
    assert words.index("Stopsign") + 1 == next(i for i, w in enumerate(words) if w.startswith("Neat rugby"))
