"""Each omission stops the release with its own problem; the complete report has none."""

from dataclasses import replace

import pytest

from consilium.opinions.report.checklist import release_problems
from consilium.opinions.report.content import (
    Comparison,
    Option,
    PatientSummary,
    Recommendation,
    SectionAnswer,
    UrgentItem,
)
from consilium.testing.report_sample import sample

HARD = "Notwithstanding multidisciplinary considerations regarding intervertebral degenerative pathophysiology, " * 4


def codes(content, sections=()):
    return [problem.code for problem in release_problems(content, sections)]


@pytest.mark.parametrize("language", ["en", "de"])
def test_complete_report_has_no_problem(language):
    assert codes(sample(language)) == []


def without_answer(content):
    first, *rest = content.questions
    return replace(content, questions=(replace(first, short_answer=" "), *rest))


OMISSIONS = {
    "answer_missing": without_answer,
    "no_questions": lambda c: replace(c, questions=()),
    "no_finding": lambda c: replace(c, findings=()),
    "finding_unlinked": lambda c: replace(c, findings=tuple(replace(f, anchor=None) for f in c.findings)),
    "no_differential": lambda c: replace(c, differential=""),
    "too_few_options": lambda c: replace(c, options=tuple(o for o in c.options if o.is_do_nothing)[:1]),
    "no_waiting_option": lambda c: replace(c, options=(Option("A"), Option("B"))),
    "no_recommendation": lambda c: replace(c, recommendation=replace(c.recommendation, text="")),
    "no_strength": lambda c: replace(c, recommendation=replace(c.recommendation, strength="")),
    "no_next_step": lambda c: replace(c, next_steps=()),
    "no_opening": lambda c: replace(c, patient_summary=replace(c.patient_summary, opening="")),
    "no_summary": lambda c: replace(c, patient_summary=PatientSummary("Dear", ())),
    "no_letter": lambda c: replace(c, clinician_letter="\n"),
    "hard_to_read": lambda c: replace(c, patient_summary=PatientSummary("Dear", (HARD,))),
    "urgent_open": lambda c: replace(c, urgent=(UrgentItem("Now"),)),
}


@pytest.mark.parametrize("code", OMISSIONS)
def test_each_omission_has_its_problem(code):
    assert codes(OMISSIONS[code](sample("en"))) == [code]


def test_comparison_is_asked_for_twice_and_explained():
    assert codes(replace(sample("en"), comparison=Comparison())) == ["diagnosis_uncompared", "treatment_uncompared"]
    changed = Comparison("changed", "", "confirmed", "")
    assert codes(replace(sample("en"), comparison=changed)) == ["change_unexplained"]


@pytest.mark.parametrize(
    ("said", "stops"),
    [
        (Recommendation("x", "strong", "", None, False), True),
        (Recommendation("x", "strong", "A guideline", None, False), True),
        (Recommendation("x", "strong", "A guideline (2025)", None, False), False),
        (Recommendation("x", "strong", "", None, True), False),
    ],
)
def test_guideline_is_dated_or_said_to_be_absent(said, stops):
    assert ("no_guideline" in codes(replace(sample("en"), recommendation=said))) == stops


def test_required_section_of_the_specialty():
    class Section:
        code, title = "staging", "Staging"

    empty = replace(sample("en"), sections=(SectionAnswer("staging", "Staging", " "),))
    assert codes(empty, [Section]) == ["section_empty"]
