"""Units, analytes and the laboratory table: what is joined, what is converted and says so, what never is."""

import uuid
from types import SimpleNamespace

import pytest

from consilium.records import analytes, laboratory, units
from consilium.records.models import Entry, Record


def entry(name="", value=None, unit="", *, status="stated", date="2024-03-12", **body):
    body = {"name": name, "unit": unit, "ucum": units.ucum(unit), "date": date, **body}
    if value is not None:
        body |= {"value": value, "shown": body.get("shown", f"{value:g}")}
    record = Record(id=uuid.UUID(int=1), kind="laboratory")
    return SimpleNamespace(pk=uuid.uuid4(), status=status, page=0, body=body, record=record)


def table(*entries):
    return laboratory.rows(entries)


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("g/dl", "g/dL"), ("G/DL", "g/dL"), ("g/L", "g/L"), ("G/l", "10*9/L"), ("T/l", "10*12/L"), ("/nl", "/nL"),
        ("Tsd./µl", "10*3/uL"), ("10⁹/l", "10*9/L"), ("x10^9/L", "10*9/L"), ("10E3/µl", "10*3/uL"),
        ("µmol/l", "umol/L"), ("μmol/l", "umol/L"), ("mcg/dl", "ug/dL"),
        ("mval/l", "meq/L"), ("mg/100ml", "mg/dL"),
        ("IE/l", "[IU]/L"),
        ("ml/min/1,73m²", "mL/min/{1.73_m2}"), ("mm/1h", "mm/h"), ("ng/ml FEU", "ng/mL{FEU}"), ("‰", "[ppth]"),
        ("kg/m2", "kg/m2"), ("furlong", ""), ("", ""), ("mg", "mg"), ("x" * 500, ""), ("beats/min", ""),
    ],
)  # fmt: skip
def test_units_as_sheets_write_them(written, code):
    assert units.ucum(written) == code


@pytest.mark.parametrize(
    ("key", "value", "source", "target", "expected"),
    [  # expected: conversion tables of textbooks (SI units in clinical chemistry), rounded to three digits
        ("glucose", 90, "mg/dL", "mmol/L", 5.0), ("creatinine", 1.0, "mg/dL", "umol/L", 88.4),
        ("cholesterol", 200, "mg/dL", "mmol/L", 5.17), ("triglycerides", 150, "mg/dL", "mmol/L", 1.69),
        ("bilirubin", 1.0, "mg/dL", "umol/L", 17.1), ("urate", 6.0, "mg/dL", "umol/L", 357),
        ("urea_nitrogen", 14, "mg/dL", "mmol/L", 5.0), ("urea", 30, "mg/dL", "mmol/L", 5.0),
        ("calcium", 10, "mg/dL", "mmol/L", 2.5), ("calcium", 5, "meq/L", "mmol/L", 2.5),
        ("hemoglobin", 16.1, "g/dL", "mmol/L", 9.99), ("vitamin_d", 30, "ng/mL", "nmol/L", 74.9),
        ("vitamin_b12", 300, "pg/mL", "pmol/L", 221), ("iron", 100, "ug/dL", "umol/L", 17.9),
        ("ft4", 1.2, "ng/dL", "pmol/L", 15.4), ("cortisol", 10, "ug/dL", "nmol/L", 276),
        ("hba1c", 7.0, "%", "mmol/mol", 53.0), ("hba1c", 53, "mmol/mol", "%", 7.0),
        ("sodium", 140, "meq/L", "mmol/L", 140), ("tsh", 2.1, "uU/mL", "m[IU]/L", 2.1),
        ("ferritin", 80, "ng/mL", "ug/L", 80), ("leukocytes", 5400, "/uL", "10*9/L", 5.4),
        ("alt", 0.5, "ukat/L", "U/L", 30), ("testosterone", 500, "ng/dL", "nmol/L", 17.3),
    ],
)  # fmt: skip
def test_conversions_agree_with_the_tables(key, value, source, target, expected):
    found = analytes.to_unit(analytes.BY_KEY[key], value, source, target)
    assert laboratory.rounded(found) == pytest.approx(expected, rel=0.003)


@pytest.mark.parametrize(
    ("key", "source", "target"),
    [("crp", "mg/L", "mmol/L"), ("ddimer", "mg/L{FEU}", "mg/L{DDU}"), ("egfr", "mL/min", "mL/min/{1.73_m2}"),
     ("leukocytes", "g/L", "10*9/L"), ("glucose", "", "mg/dL"), ("glucose", "%", "mg/dL")],
)  # fmt: skip
def test_what_does_not_measure_the_same_is_never_converted(key, source, target):
    assert analytes.to_unit(analytes.BY_KEY[key], 1.0, source, target) is None


def test_the_table_of_analytes_holds_together():
    codes = [code for row in analytes.TABLE for code in row.loinc]
    names = [name for row in analytes.TABLE for name in row.names]
    assert len(analytes.TABLE) >= 120
    assert len(codes) == len(set(codes))
    assert len(names) == len(set(names))
    assert not [code for code in codes if not loinc_check_digit(code)]
    assert not [row.key for row in analytes.TABLE if row.unit and units.parse(row.unit) is None]
    assert not [row.key for row in analytes.TABLE if row.group not in analytes.GROUPS or row.low >= row.high]


def loinc_check_digit(code):
    """LOINC Users' Guide, appendix C: mod 10 (Luhn)."""
    number, digit = code.split("-")
    doubled = [int(c) * (2 if index % 2 == 0 else 1) for index, c in enumerate(reversed(number))]
    return (10 - sum(n // 10 + n % 10 for n in doubled) % 10) % 10 == int(digit)


def test_rows_join_by_code_and_by_name_in_both_languages():
    (row,) = table(
        entry(
            "Hemoglobin [Mass/volume] in Blood",
            12.5,
            "g/dL",
            code="718-7",
            system="http://loinc.org",
            date="2024-01-01",
        ),
        entry("HÄMOGLOBIN", 11.2, "g/dl", date="2024-02-01"),
        entry("Hgb", 11.9, "g/dL", analyte="hemoglobin", date="2024-03-01"),
    )
    assert (row.key, [v.shown for v in row.values]) == ("hemoglobin", ["12.5", "11.2", "11.9"])


def test_a_loinc_code_we_do_not_know_keeps_its_own_row_whatever_its_name():
    rows = table(
        entry("Hemoglobin", 12.5, "g/dL"), entry("Hemoglobin", 30, "mg/dL", code="721-1", system="http://loinc.org")
    )
    assert {row.key for row in rows} == {"hemoglobin", "loinc 721-1"}


def test_a_name_with_a_unit_of_something_else_stays_apart():
    assert [row.key for row in table(entry("Glucose", 5, "%"))] == ["name glucose"]
    assert [row.key for row in table(entry("Neutrophile", 3.2, "/nl"))] == ["neutrophils"]


def test_other_units_are_converted_and_say_so():
    (row,) = table(
        entry("Kreatinin", 0.9, "mg/dl", date="2024-01-01", low=0.5, high=0.9),
        entry("Kreatinin", 1.0, "mg/dl", date="2024-02-01"),
        entry("Kreatinin", 106, "µmol/l", date="2024-03-01", low=45, high=84, shown="106"),
    )
    last = row.values[-1]
    assert (row.ucum, last.converted, last.number, last.shown, last.unit) == ("mg/dL", True, 1.2, "106", "µmol/l")
    assert (last.low, last.high) == (0.509, 0.95)
    assert last.side == laboratory.HIGH
    assert [v.converted for v in row.values[:2]] == [False, False]


def test_two_spellings_of_one_unit_are_no_conversion():
    (row,) = table(entry("WBC", 5.4, "10^9/L", date="2024-01-01"), entry("WBC", 5.5, "Tsd/µl", date="2024-02-01"))
    assert [(v.number, v.converted, v.comparable) for v in row.values] == [(5.4, False, True), (5.5, False, True)]


def test_what_cannot_be_converted_is_shown_but_not_drawn():
    (row,) = table(
        entry("D-dimer", 0.4, "mg/L FEU", code="48065-7", system="http://loinc.org", date="2024-01-01"),
        entry("D-dimer", 0.2, "mg/L DDU", code="48066-5", system="http://loinc.org", date="2024-02-01"),
        entry("D-dimer", 0.5, "mg/L FEU", code="48065-7", system="http://loinc.org", date="2024-03-01"),
    )
    assert [v.comparable for v in row.values] == [True, False, True]
    assert [v.shown for v in row.numbers] == ["0.4", "0.5"]


@pytest.mark.parametrize(
    ("body", "side"),
    [
        ({"value": 11, "low": 12, "high": 16}, "low"), ({"value": 17, "low": 12, "high": 16}, "high"),
        ({"value": 12, "low": 12, "high": 16}, "inside"), ({"value": 13}, ""), ({"value": 13, "flag": "H"}, "high"),
        ({"value": 13, "low": 12, "high": 16, "flag": "A"}, "odd"), ({"value": 17, "high": 16, "flag": "N"}, "inside"),
        ({"value": 5, "comparator": "<", "high": 5}, "inside"), ({"value": 5, "comparator": "<", "low": 3}, ""),
        ({"value": 60, "comparator": ">", "low": 60}, "inside"), ({"value": 60, "comparator": ">", "high": 90}, ""),
        ({"value": 3, "comparator": "<", "low": 5}, "low"), ({"shown": "positive"}, ""),
    ],
)  # fmt: skip
def test_what_lies_outside_is_what_the_sheet_says(body, side):
    assert laboratory.value_of(entry("Any", **body)).side == side


def test_the_same_result_of_two_documents_is_one_with_two_sources():
    (row,) = table(entry("Kalium", 4.2, "mmol/l", status="read"), entry("Potassium", 4.2, "mmol/L", status="stated"))
    (value,) = row.values
    assert (value.status, len(value.others)) == ("stated", 1)
    (row,) = table(entry("Kalium", 4.2, "mmol/l"), entry("Kalium", 4.3, "mmol/l"))
    assert len(row.values) == 2
    (row,) = table(entry("Kalium", 4.2, "mmol/l", date=""), entry("Kalium", 4.2, "mmol/l", date=""))
    assert len(row.values) == 2  # without a day nobody knows whether it is the same


def test_rejected_values_are_no_results():
    assert table(entry("Kalium", 4.2, "mmol/l", status=Entry.Status.REJECTED)) == []
    assert [row.key for row in laboratory.rejected([entry("Kalium", 4.2, "mmol/l", status="rejected")])] == [
        "potassium"
    ]
