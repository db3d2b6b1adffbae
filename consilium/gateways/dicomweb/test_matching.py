"""Attribute matching, PS3.4 §C.2.2.2."""

from fnmatch import fnmatchcase
from time import process_time

import pytest

from consilium.gateways.dicomweb import matching
from consilium.gateways.dicomweb.reply import Refused

TAGS = {
    "00080020": ["DA", ["20260110"]],
    "00080030": ["TM", ["101500.25"]],
    "00080061": ["CS", ["CT"]],
    "00100010": ["PN", ["Müller-Lüdenscheid^Jörg^^Dr.=ミュラー^ヨルグ"]],
    "00100020": ["LO", ["A-1 (x)"]],
    "0020000D": ["UI", ["1.2.3"]],
    "00200011": ["IS", [7]],
    "00081030": ["LO", ["Spine, lumbar"]],
    "00400275": ["SQ", [{"00400009": {"vr": "SH", "Value": ["STEP-1"]}}]],
}


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("StudyDate", "20260110", True),
        ("StudyDate", "2026-01-10", True),
        ("StudyDate", "20260111", False),
        ("StudyDate", "20260101-20260131", True),
        ("StudyDate", "20260110-", True),
        ("StudyDate", "-20260109", False),
        ("StudyTime", "1000-1030", True),
        ("StudyTime", "10-10", True),
        ("StudyTime", "1016-", False),
        ("StudyInstanceUID", "9.9,1.2.3", True),
        ("StudyInstanceUID", "9.9\\1.2.3", True),
        ("StudyInstanceUID", "1.2.*", False),
        ("SeriesNumber", "7", True),
        ("SeriesNumber", "8", False),
        ("PatientID", "A-1 (x)", True),
        ("PatientID", "a-1 (x)", False),
        ("PatientID", "A-?*x)", True),
        ("PatientID", "A.*", False),
        ("00100020", "A*", True),
        ("StudyDescription", "*lumbar", True),
        ("StudyDescription", "*", True),
        ("StudyDescription", "", True),
        ("AccessionNumber", "", True),
        ("AccessionNumber", "X", False),
        ("PatientName", "müller-lüdenscheid^jörg^^dr.", True),
        ("PatientName", "MÜLLER*", True),
        ("PatientName", "ミュラー^ヨルグ", True),
        ("PatientName", "Jörg", False),
        ("RequestAttributesSequence.ScheduledProcedureStepID", "STEP-?", True),
        ("00400275.00400009", "STEP-2", False),
    ],
)
def test_matches(name, text, expected):
    assert matching.matches(matching.key(name, text, fuzzy=False), TAGS) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("jorg", True), ("muller jö", True), ("Jörg^Müller", True), ("enscheid", False), ("Jürgen", False)],
)
def test_fuzzy_names(text, expected):
    assert matching.matches(matching.key("PatientName", text, fuzzy=True), TAGS) is expected


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("PatientNames", "x"),
        ("StudyDate", "yesterday"),
        ("StudyDate", "2026"),
        ("SeriesNumber", "seven"),
        ("RequestAttributesSequence", "x"),
        ("PatientID", "*a" * 40),
        (".".join(["RequestAttributesSequence"] * 9), "x"),
    ],
)
def test_nonsense_is_refused(name, text):
    with pytest.raises(Refused) as refused:
        matching.key(name, text, fuzzy=False)
    assert refused.value.status == 400


@pytest.mark.parametrize("text", ["*a*a*a*a*a*a*a*b", "a*?a*a?*a*a*ab", "*" + "a*" * 30 + "b*"])
def test_stars_against_a_long_value_take_no_time(text):
    before = process_time()
    wanted = matching.key("StudyDescription", text, fuzzy=False)
    assert not matching.matches(wanted, {"00081030": ["LO", ["a" * 3000]]})
    assert matching.matches(wanted, {"00081030": ["LO", ["a" * 3000 + "b"]]})
    assert process_time() - before < 2


@pytest.mark.parametrize("value", ["", "a", "ab", "aab", "abab", "aaabbb", "babab", "abcab"])
@pytest.mark.parametrize("text", ["a*", "*b", "a*b", "*a*b*", "ab*ab", "*ab", "a?*b", "*?b", "**a**", "a*a*b", "?*?"])
def test_wildcards_mean_what_they_mean_to_a_shell(text, value):
    found = matching.matches(matching.key("StudyDescription", text, fuzzy=False), {"00081030": ["LO", [value]]})
    assert found == fnmatchcase(value, text)
