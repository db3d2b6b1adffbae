from datetime import date

import pytest

from consilium.records.identity import compare

BORN = date(1962, 5, 17)


def verdict(name="", birth="", *, given="Anna Maria", family="Müller", **more):
    facts = {"patient_name": name, "patient_birth_date": birth, **more}
    return compare(facts, given=given, family=family, birth_date=BORN).verdict


@pytest.mark.parametrize(
    "name",
    [
        "Müller^Anna", "MUELLER^ANNA^MARIA^^", "muller anna", "Anna Müller", "MÜLLER^ANNA=漢字=かな", "Müller^A",
        "Dr. Anna Müller", "Müller-Schmidt^Anna", "M\u0075\u0308ller^Anna",
    ],
)  # fmt: skip
def test_spellings_of_the_same_person_match(name):
    assert verdict(name, "1962-05-17") == "match"
    assert verdict(name) == "match"


@pytest.mark.parametrize(
    ("name", "birth"),
    [("Weber^Karl", "1962-05-17"), ("Müller^Anna", "1962-05-18"), ("Müller^Karl", "1962-05-17"), ("Weber^Anna", "")],
)
def test_another_person_is_a_mismatch(name, birth):
    assert verdict(name, birth) == "mismatch"


@pytest.mark.parametrize(("name", "birth"), [("", ""), ("ANONYMIZED", ""), ("", "1962-05-17"), ("Müller", "")])
def test_too_little_is_unclear(name, birth):
    assert verdict(name, birth) == "unclear"


def test_a_typing_error_is_for_a_person_to_judge():
    assert verdict("Möller^Anna", "19620517") == "unclear"
    assert verdict("Müller^Ana", "19620517") == "unclear"


def test_names_run_together_match():
    assert verdict("AnnaMueller", "19620517") == "match"


def test_family_and_given_of_fhir():
    assert verdict(patient_family="Müller", patient_given="Anna") == "match"


def test_reasons_say_what_differs():
    facts = {"patient_name": "Weber^Karl", "patient_birth_date": "1950-01-01"}
    found = compare(facts, given="Anna", family="Müller", birth_date="1962-05-17")
    assert found.reasons == ("name_different", "birth_date_different")
