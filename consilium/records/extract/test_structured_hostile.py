"""Documents made to hurt: nothing raises, everything is bounded, no number that is none becomes a value."""

import json
import time

import pytest

from consilium.records.extract import extract
from consilium.records.extract.entry import MAX_ENTRIES, batches, bounds, checked, number
from consilium.records.extract.sections import checked as sections_checked


def bundle(*resources):
    entries = [{"resource": one} for one in resources]
    return json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries})


def observation(value, **more):
    return {
        "resourceType": "Observation", "status": "final", "category": [{"coding": [{"code": "laboratory"}]}],
        "code": {"coding": [{"system": "http://loinc.org", "code": "718-7", "display": "Hemoglobin"}]},
        "valueQuantity": {"value": value, "unit": "g/dL"}, **more,
    }  # fmt: skip


def read(text):
    return extract([text.encode()])


NUMBERS = ["1e999", "-1e999", "NaN", "Infinity", "1e400", "9" * 400, '"12"', "true", "{}", "[]", "null"]


def test_numbers_that_are_none_are_no_values():
    text = bundle(*[observation(f"@{index}@") for index in range(len(NUMBERS))])
    for index, raw in enumerate(NUMBERS):
        text = text.replace(f'"@{index}@"', raw)
    assert [one["shown"] for one in read(text).entries] == ["12"]


def test_an_honest_number_beside_them_is_read_as_written():
    found = read(bundle(observation("@")).replace('"@"', "13.20"))
    assert [(one["value"], one["shown"]) for one in found.entries] == [(13.2, "13.20")]


def test_a_million_digits_are_a_flag():
    found = read(bundle(observation("@")).replace('"@"', "9" * 1_000_000))
    assert [one.code for one in found.problems] == ["damaged_text"]


def test_deep_json_is_a_flag():
    found = read('{"resourceType":"Bundle","entry":' + "[" * 100_000 + "]" * 100_000 + "}")
    assert [one.code for one in found.problems] == ["damaged_text"]


def test_a_bundle_of_very_many_results_is_bounded():
    one = json.dumps({"resource": observation(12.5)})
    began = time.monotonic()
    found = read('{"resourceType":"Bundle","entry":[' + ",".join([one] * 20_500) + "]}")
    assert len(found.entries) == MAX_ENTRIES
    assert time.monotonic() - began < 25


BROKEN = [
    {"category": "laboratory"}, {"code": []}, {"code": {"coding": {"code": 5}}}, {"referenceRange": {"low": 3}},
    {"referenceRange": [{"low": {"value": "x"}, "high": 7}]}, {"interpretation": [[["H"]]]}, {"component": [[], 3]},
    {"note": "x"}, {"effectiveDateTime": ["2020"]}, {"hasMember": [{"reference": 4}]}, {"contained": {"id": 1}},
]  # fmt: skip


def test_elements_of_wrong_shapes_do_no_harm():
    found = read(bundle(*[observation(12.5, **one) for one in BROKEN], observation(13.5)))
    assert not found.problems
    assert [one["value"] for one in found.entries].count(12.5) == len(BROKEN) - 2  # two lost their name
    assert found.entries[-1]["value"] == 13.5


def test_references_that_turn_in_circles():
    medicine = {
        "resourceType": "MedicationStatement", "id": "a", "status": "active",
        "medicationReference": {"reference": "MedicationStatement/a", "display": "Circle"},
    }  # fmt: skip
    assert [one["name"] for one in read(bundle(medicine, medicine)).entries] == ["Circle", "Circle"]


CDA = '<ClinicalDocument xmlns="urn:hl7-org:v3" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><component>{}</component></ClinicalDocument>'
RESULT = (
    '<entry><observation classCode="OBS" moodCode="EVN"><templateId root="2.16.840.1.113883.10.20.22.4.2"/>'
    '<code code="718-7" codeSystem="2.16.840.1.113883.6.1" displayName="Hemoglobin"/>'
    '<value xsi:type="PQ" value="{}" unit="g/dL"/></observation></entry>'
)


def section(words, entries=""):
    return CDA.format(
        '<structuredBody><component><section><code code="30954-2"/><title>Results</title>'
        f"<text>{words}</text>{entries}</section></component></structuredBody>"
    )


def test_cda_numbers_that_are_none_are_no_values():
    values = ["1e999", "NaN", "INF", "", "12,5", "0x10", "9" * 400, "12.5"]
    found = read(section("x", "".join(RESULT.format(value) for value in values)))
    assert [one["shown"] for one in found.entries] == ["12.5"]


def test_markup_scripts_and_pictures_leave_as_words_only():
    found = read(
        section(
            '<paragraph onclick="x()">Fine <content styleCode="Bold">words</content></paragraph><script>bad()</script>'
            '<renderMultiMedia referencedObject="m"/><list><item>one</item><item>two<br/>lines</item></list>'
        )
    )
    assert found.facts["sections"][0]["blocks"] == [{"p": "Fine words"}, {"list": ["one", "two\nlines"]}]


@pytest.mark.parametrize(
    "bomb",
    [
        '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>' + section("&b;"),
        '<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]>' + section("&f;"),
        section("<content>" * 5000 + "x" + "</content>" * 5000),
        section("x").replace("</section>", ""),
    ],
)
def test_entity_bombs_and_deep_or_broken_trees_are_flags(bomb):
    found = read(bomb)
    assert "damaged_text" in [one.code for one in found.problems]
    assert not found.entries
    assert "root:" not in str(found)


def test_a_cda_table_of_very_many_rows_is_bounded():
    rows = "<tr><td>a</td><td>b</td></tr>" * 100_000
    found = read(section(f"<table><tbody>{rows}</tbody></table>", RESULT.format("12.5")))
    assert len(found.facts["sections"][0]["blocks"][0]["table"]["rows"]) == 500
    assert len(found.entries) == 1


MESSAGE = "MSH|^~\\&|A|B|C|D|20240101||ORU^R01|1|P|2.5\rPID|1||1||Doe^Jane\r"


def test_hl7_of_very_many_lines_is_bounded():
    head = "MSH|^~\\&|A|B|C|D|20240101||ORU^R01|1|P|2.5\rPID|1||1||Doe^Jane||19700101|F\rOBR|1|||1^Panel||||20240102\r"
    found = read(head + "OBX|1|NM|718-7^Hemoglobin^LN||12.5|g/dL|12-16|N|||F\r" * 20_500)
    assert len(found.entries) == MAX_ENTRIES
    assert found.entries[0]["low"] == 12.0


def test_hl7_numbers_that_are_none_are_no_values():
    values = ["1e999", "NaN", "12~13", "^12", "1" * 300, "twelve", "12.5"]
    found = read(MESSAGE + "".join(f"OBX|1|NM|718-7^Hb^LN||{value}|g/dL\r" for value in values))
    assert [one["shown"] for one in found.entries] == ["12.5"]


def test_structured_numeric_of_hl7():
    lines = ["<^5", "^1^:^128", ">=^60", "abc^5"]
    body = "".join(f"OBX|{n}|SN|100{n}-{n}^What{n}^LN||{value}|mg/L|<10\r" for n, value in enumerate(lines))
    found = read("MSH|^~\\&|A|B|C|D|20240101||ORU^R01|1|P|2.5\rPID|1||1||Doe^Jane\r" + body)
    assert [(one["value"], one["comparator"], one["shown"]) for one in found.entries] == [
        (5.0, "<", "<5"), (None, "", "1:128"), (60.0, ">=", ">=60"), (5.0, "", "5"),
    ]  # fmt: skip


def test_a_local_urine_test_is_not_the_one_of_blood():
    found = read(MESSAGE + "OBR|1|||U^Urine sediment||||20240102\rOBX|1|NM|WBC^Leukocytes||25|/uL\r")
    assert [one["name"] for one in found.entries] == ["Leukocytes (Urine)"]


# --- the host trusts nothing of the child ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    [
        None,
        5,
        [],
        {},
        {"kind": "spell"},
        {"kind": "laboratory"},
        {"kind": "laboratory", "name": "x"},
        {"kind": "problem", "name": 4},
    ],
)
def test_what_is_no_entry_is_dropped(value):
    assert checked(value) is None


def test_entries_are_cleaned_and_bounded():
    found = checked(
        {
            "kind": "laboratory", "name": "N\x00ame\n" + "x" * 1000, "value": float("inf"), "shown": "12",
            "low": 9, "high": 3, "flag": "SPELL", "date": "2024-99-01", "page": -4, "comparator": "!",
            "ucum": "g/parsec", "unit": "g/dl", "more": {"deep": []}, "analyte": "unicorn",
        }
    )  # fmt: skip
    assert found is not None
    assert len(found["name"]) == 200
    assert "\x00" not in found["name"]
    assert (found["value"], found["low"], found["high"], found["flag"], found["date"], found["page"]) == (
        None,
        None,
        None,
        "",
        "",
        0,
    )
    assert (found["ucum"], found["analyte"], found["comparator"]) == ("g/dL", "", "")
    assert "more" not in found


def test_batches_stop():
    endless = ({"kind": "problem", "name": str(n)} for n in iter(int, 1))
    assert sum(map(len, batches(endless))) == MAX_ENTRIES


@pytest.mark.parametrize(
    "value",
    [None, "x", {"p": 1}, [{"title": 5, "blocks": "x"}], [{"blocks": [{"table": {"rows": {}}}, 4, {"p": ["x"]}]}]],
)
def test_sections_of_wrong_shapes_vanish(value):
    assert sections_checked(value) == []


def test_sections_stop_at_their_size():
    found = sections_checked([{"title": "T", "blocks": [{"p": "x" * 4000}] * 200}] * 80)
    assert sum(len(block["p"]) for one in found for block in one["blocks"]) <= 150_000


@pytest.mark.parametrize(
    ("text", "expected"),
    [("70-80", (70, 80)), ("<5", (None, 5)), (">= 60", (60, None)), ("3.5 - 5.1 mmol/L", (3.5, 5.1)),
     ("neg", (None, None)), ("1-0-1", (None, None)), ("-" * 10_000, (None, None)), ("9" * 10_000, (None, None))],
)  # fmt: skip
def test_ranges_in_words(text, expected):
    assert bounds(text) == expected


def test_numbers():
    assert number("1e999") is number(float("nan")) is number(True) is number("١٢") is None
    assert number("-2.5") == -2.5
