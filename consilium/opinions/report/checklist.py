"""The release checklist: what stops an incomplete report. One sentence for each gap, and where to mend it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from . import readability
from .content import ReportContent

Sentence = str | Promise


@dataclass(frozen=True)
class Problem:
    """One gap: a stable code, the sentence, and the part of the editor where it is mended."""

    code: str
    sentence: Sentence
    where: str


def release_problems(content: ReportContent, sections: Iterable[Any] = ()) -> list[Problem]:
    """Every gap of the report, in the order of the editor; empty means it may be signed.

    sections: the specialty pack's required sections (objects with ``code`` and ``title``).
    """
    gaps = [*_answers(content), *_comparison(content), *_findings(content), *_assessment(content, sections)]
    gaps += [*_options(content), *_recommendation(content), *_steps(content), *_summary(content)]
    return gaps


def _answers(content: ReportContent) -> Iterator[Problem]:
    for number, answer in enumerate(content.questions, start=1):
        if not answer.short_answer.strip():
            sentence = _("Question %(n)s has no short answer yet.") % {"n": number}
            yield Problem("answer_missing", sentence, "answers")
    if not content.questions:
        yield Problem("no_questions", _("The case has no question to answer."), "answers")


def _comparison(content: ReportContent) -> Iterator[Problem]:
    compared = content.comparison
    if not compared.diagnosis:
        yield Problem("diagnosis_uncompared", _("Say whether the first diagnosis is confirmed, clarified or changed."),
                      "comparison")  # fmt: skip
    if not compared.treatment:
        sentence = _("Say whether the proposed treatment is confirmed, clarified or changed.")
        yield Problem("treatment_uncompared", sentence, "comparison")
    notes = ((compared.diagnosis, compared.diagnosis_note), (compared.treatment, compared.treatment_note))
    for verdict, note in notes:
        if verdict in ("clarified", "changed") and not note.strip():
            yield Problem("change_unexplained", _("Explain in what way the first opinion is clarified or changed."),
                          "comparison")  # fmt: skip


def _findings(content: ReportContent) -> Iterator[Problem]:
    if not content.findings:
        yield Problem("no_finding", _("Add at least one finding."), "findings")
    elif not any(finding.anchor for finding in content.findings):
        yield Problem("finding_unlinked", _("Link at least one finding to a page or an image."), "findings")


def _assessment(content: ReportContent, sections: Iterable[Any]) -> Iterator[Problem]:
    if not content.differential.strip():
        yield Problem("no_differential", _("Write the differential diagnosis, or why there is none."), "assessment")
    said = {section.key: section.text for section in content.sections}
    for section in sections:
        if not said.get(section.code, "").strip():
            sentence = _("The section “%(title)s” is empty.") % {"title": section.title}
            yield Problem("section_empty", sentence, "assessment")


def _options(content: ReportContent) -> Iterator[Problem]:
    if len(content.options) < 2:
        yield Problem("too_few_options", _("Describe at least two options."), "options")
    if not any(option.is_do_nothing for option in content.options):
        yield Problem("no_waiting_option", _("One option has to be waiting or doing nothing."), "options")


def _recommendation(content: ReportContent) -> Iterator[Problem]:
    said = content.recommendation
    if not said.text.strip():
        yield Problem("no_recommendation", _("Write the recommendation."), "recommendation")
    if not said.strength:
        yield Problem("no_strength", _("Choose the strength of the recommendation."), "recommendation")
    dated = said.guideline_date or re.search(r"\b(19|20)\d\d\b", said.guideline)
    if not said.no_guideline and not (said.guideline.strip() and dated):
        yield Problem(
            "no_guideline", _("Name the guideline with its date, or say that there is none."), "recommendation"
        )
    for item in content.urgent:
        if not item.acknowledged_at:
            yield Problem(
                "urgent_open", _("An urgent item is not acknowledged yet: raise it as urgent first."), "recommendation"
            )


def _steps(content: ReportContent) -> Iterator[Problem]:
    if not any(step.owner.strip() and step.by_date for step in content.next_steps):
        yield Problem("no_next_step", _("Add a next step with who does it and by when."), "steps")


def _summary(content: ReportContent) -> Iterator[Problem]:
    summary = content.patient_summary
    if not summary.opening.strip():
        yield Problem("no_opening", _("Write a personal opening to the patient."), "summary")
    if not summary.paragraphs:
        yield Problem("no_summary", _("Write the summary in plain words."), "summary")
    elif not readability.measure("\n\n".join(summary.paragraphs), content.language).readable:
        yield Problem("hard_to_read", _("The summary is hard to read: shorten its sentences."), "summary")
    if not content.clinician_letter.strip():
        yield Problem("no_letter", _("Write the letter to the treating doctor."), "summary")
