"""What the patient told, as titled rows for reading: recap page, desk, specialist and scribe draw the same.

The first opinion is a part of its own, so that a blind reader's page can leave it out (product.md).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from consilium.cases.models import Case
from consilium.packs import registry
from consilium.packs.schema import Question

# Pack question → key in the intake, where the model names one.
KEYS = {"goal": "text", "medicines": "medication"}
# Asked on other pages than the specialty's own questions.
SYMPTOM_CODES = ("onset", "severity")
FIRST_OPINION_CODE = "first-opinion"

COURSES = {
    "better": _("It is slowly getting better"),
    "same": _("It has stayed the same"),
    "worse": _("It is slowly getting worse"),
    "waves": _("It comes and goes"),
    "fast": _("It has got much worse in the last weeks"),
}
MATTERS = {
    "avoid-operation": _("Avoiding an operation if I can"),
    "less-pain": _("Having less pain"),
    "move": _("Moving and doing things on my own"),
    "work": _("Working, or caring for others"),
    "certain": _("Being sure that nothing was missed"),
    "long-life": _("Living as long as possible"),
    "understand": _("Understanding what is going on"),
}
LABELS: dict[str, Promise] = {
    "text": _("What matters most"),
    "matters": _("Important to me"),
    "remark": _("Added later"),
    "regions": _("Where"),
    "words": _("In my own words"),
    "onset": _("When it began"),
    "course": _("How it has changed"),
    "severity": _("How much it troubles me (0 to 10)"),
    "operations": _("Operations"),
    "diagnosis": _("Diagnosis"),
    "treatment": _("Proposed treatment"),
    "doctor": _("Doctor"),
    "institution": _("Practice or hospital"),
    "on": _("Date of the first opinion"),
}
YES_NO = {"yes": _("Yes"), "no": _("No")}


@dataclass(frozen=True)
class Row:
    """One answer: the question's words and the answer as text."""

    code: str
    label: str
    text: str


@dataclass(frozen=True)
class Part:
    """A titled group of answers; empty when nothing was told."""

    code: str
    title: Promise | str
    rows: tuple[Row, ...]


def parts(case: Case, *, first_opinion: bool = True) -> list[Part]:
    """The story in reading order. `first_opinion=False` leaves the first opinion out."""
    intake, pack = case.intake, registry.specialty(case.specialty)
    asked = {KEYS.get(question.code, question.code): question for question in pack.questions}
    titles = {region.code: str(region.title) for region in pack.regions}
    told = [
        Part("goals", _("My goals"), _rows(intake.goals, asked)),
        Part("symptoms", _("My symptoms"), _rows(_named_regions(intake.symptoms, titles), asked)),
        Part("answers", _("More about it"), _rows(intake.answers, asked)),
        Part("history", _("My medical history"), _rows(intake.history, asked)),
    ]
    if first_opinion:
        told.append(Part("first-opinion", _("The first opinion"), tuple(_first_opinion(case))))
    return told


def _named_regions(symptoms: dict[str, Any], titles: dict[str, str]) -> dict[str, Any]:
    regions = [str(titles.get(code, code)) for code in symptoms.get("regions", [])]
    return symptoms | ({"regions": ", ".join(regions)} if regions else {})


def _rows(told: dict[str, Any], asked: dict[str, Question]) -> tuple[Row, ...]:
    found = []
    for key, value in told.items():
        question = None if key in LABELS else asked.get(key)
        if text := answer_text(key, value, question):
            found.append(Row(key, str(question.text if question else LABELS.get(key, key)), text))
    return tuple(found)


def answer_text(key: str, value: Any, question: Question | None) -> str:
    """An answer as people read it: option codes become words, numbers get their unit."""
    if value in (None, "", []):
        return ""
    if isinstance(value, list):
        return ", ".join(answer_text(key, item, question) for item in value)
    words = {option.code: str(option.text) for option in question.options} if question else {}
    words |= {"course": COURSES, "matters": MATTERS}.get(key, {})
    if question and question.type == "yesno":
        words |= YES_NO
    unit = f" {question.unit}" if question and question.unit and question.type == "number" else ""
    return f"{words.get(str(value), value)}{unit}"


def _first_opinion(case: Case) -> Iterator[Row]:
    said = case.first_opinion or {}
    for key in ("diagnosis", "treatment", "doctor", "institution", "on"):
        if value := said.get(key):
            yield Row(key, str(LABELS[key]), _day(value) if key == "on" else str(value))
    if case.planned_treatment_on:
        yield Row("planned", str(_("Date planned for the treatment")), date_format(case.planned_treatment_on, "j F Y"))


def _day(text: str) -> str:
    try:
        return date_format(date.fromisoformat(text), "j F Y")
    except ValueError:
        return text
