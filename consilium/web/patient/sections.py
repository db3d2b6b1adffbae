"""The form as a table: one row a page, in the order a person meets them. Views, task list and tests read these rows."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from consilium.access.principals import Principal
from consilium.cases.actions import follow_up, intake
from consilium.cases.models import Case
from consilium.consents import actions as consents
from consilium.core.errors import BadInput
from consilium.packs.schema import SpecialtyPack
from consilium.web.patient.forms import story as forms
from consilium.web.patient.forms.pack import StoryForm

Missing = list[Promise | str]


@dataclass(frozen=True)
class Section:
    """One page: its form, what it shows first, how it is saved, and what is still missing for it to be done."""

    slug: str
    title: Promise
    lead: Promise | str
    form: Callable[[SpecialtyPack], type[StoryForm]]
    initial: Callable[[Case], dict[str, Any]]
    save: Callable[[Case, StoryForm, Principal], Any]
    autosaves: bool = True
    optional: bool = False


def _part(name: str) -> dict[str, Any]:
    """Reading and saving one part of the intake."""

    def save(case: Case, form: StoryForm, by: Principal) -> None:
        kept = {key: value for key, value in getattr(case.intake, name).items() if key not in form.fields}
        intake.save_section(case, name, kept | form.told(), by=by)

    return {"initial": lambda case: dict(getattr(case.intake, name)), "save": save}


def _save_screening(case: Case, form: StoryForm, by: Principal) -> bool:
    return intake.answer_screening(case, form.told(), by=by)


def _save_red_flags(case: Case, form: StoryForm, by: Principal) -> bool:
    return intake.answer_red_flags(case, form.told(), by=by)


def _first_opinion(case: Case) -> dict[str, Any]:
    said = dict(case.first_opinion or {})
    try:
        said["on"] = date.fromisoformat(said.get("on", ""))
    except ValueError:
        said.pop("on", None)
    return said | {"planned": case.planned_treatment_on}


def _save_first_opinion(case: Case, form: StoryForm, by: Principal) -> None:
    said = form.told()
    planned, on = said.pop("planned", None), said.pop("on", None)
    facts = {key: str(value) for key, value in said.items()} | ({"on": on.isoformat()} if on else {})
    intake.save_first_opinion(case, by=by, planned_treatment_on=planned, **facts)


def _questions(case: Case) -> dict[str, Any]:
    texts = case.intake.readiness.get("question_drafts") or [question.text for question in case.questions.all()]
    return {f"question_{number}": text for number, text in enumerate(texts, start=1)}


def _save_questions(case: Case, form: StoryForm, by: Principal) -> None:
    """Unfinished questions are kept beside the intake until they pass the gate."""
    texts = form.texts()  # type: ignore[attr-defined]
    ready = intake.question_problem([" ".join(text.split()) for text in texts]) is None
    if not ready and not form.lenient:
        raise BadInput(intake.question_problem(texts))
    if ready:
        intake.save_questions(case, texts, by=by)
    drafts = {} if ready else {"question_drafts": texts}
    kept = {key: value for key, value in case.intake.readiness.items() if key != "question_drafts"}
    intake.save_section(case, "readiness", kept | drafts, by=by)


def _sure(case: Case) -> dict[str, Any]:
    return dict(next((row.answers for row in case.follow_ups.all() if row.day == 0), {}))


def _save_sure(case: Case, form: StoryForm, by: Principal) -> None:
    row = next(row for row in case.follow_ups.all() if row.day == 0)
    follow_up.answer(row, form.told(), by=by)


# fmt: off
SECTIONS: tuple[Section, ...] = (
    Section("suitability", _("Is a written opinion right for me?"),
            _("A few questions first, so that you lose no time."),
            forms.suitability, lambda case: dict(case.intake.screening), _save_screening, autosaves=False),
    Section("warning-signs", _("Warning signs"),
            _("Some signs need help at once, not a second opinion. Please answer each question."),
            forms.warning_signs, lambda case: dict(case.intake.red_flags), _save_red_flags, autosaves=False),
    Section("readiness", _("What suits you best"),
            _("You can stop at any time and go on later, also on another device."),
            forms.readiness, **_part("readiness")),
    Section("goals", _("Your goals"),
            _("The specialist reads this first."), forms.goals, **_part("goals")),
    Section("where", _("Where you feel it"), "", forms.where, **_part("symptoms"), optional=True),
    Section("course", _("How it began and went on"),
            _("It does not have to be exact."), forms.course, **_part("symptoms")),
    Section("details", _("Questions of this specialty"),
            _("Answer as well as you can. A good guess is fine."), forms.details, **_part("answers")),
    Section("history", _("Your medical history"),
            _("Other illnesses and medicines can change which treatment is safe for you."),
            forms.history, **_part("history")),
    Section("first-opinion", _("The first opinion"),
            _("What have you been told so far? The specialist forms a view before reading this."),
            forms.first_opinion, _first_opinion, _save_first_opinion),
    Section("questions", _("Your questions"),
            _("One to three questions that the specialist answers, one by one."),
            forms.questions, _questions, _save_questions),
    Section("certainty", _("How sure you are today"),
            _("Four short questions. We ask them again later, to see whether the second opinion helped you."),
            forms.certainty, _sure, _save_sure, autosaves=False),
)
# fmt: on
BY_SLUG = {section.slug: section for section in SECTIONS}
# Every step with a page, in order; the last three have pages of their own.
STEPS = (*BY_SLUG, "records", "consents", "summary")
NOTHING = (None, "", [])  # zero is an answer
GATES = ("suitability", "warning-signs")


def bound_to(case: Case, section: Section, data: Any = None, *, lenient: bool = False) -> StoryForm:
    """The form of a section, empty of data or bound."""
    return section.form(forms.pack_of(case))(data, initial=section.initial(case), lenient=lenient)


def missing(case: Case, section: Section) -> Missing:
    """Labels of the required questions without an answer; empty when the section is done."""
    if section.slug == "first-opinion":
        said = case.first_opinion or {}
        return [] if said.get("diagnosis") or said.get("treatment") else [_("Diagnosis or proposed treatment")]
    if section.slug == "questions":
        return [] if case.questions.all() else [_("At least one question")]
    told, form = section.initial(case), bound_to(case, section)
    return [field.label or name for name, field in form.fields.items() if field.required and told.get(name) in NOTHING]


def gate_to_pass(case: Case) -> str:
    """The first of suitability and warning signs that is not passed, or ""."""
    if not case.intake.screening_passed:
        return "suitability"
    return "" if case.intake.red_flags_clear else "warning-signs"


def next_slug(slug: str) -> str:
    """The step after `slug`."""
    return STEPS[STEPS.index(slug) + 1]


def unfinished(case: Case) -> list[Section]:
    """Sections that must be done before the case can be submitted and are not."""
    return [section for section in SECTIONS if not section.optional and missing(case, section)]


def consents_given(case: Case) -> bool:
    """Whether every required consent is in force."""
    return consents.mandatory_given(case.pk, jurisdiction=case.jurisdiction)
