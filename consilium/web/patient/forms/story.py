"""The pages of the form that are the same for every specialty."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from consilium.cases.models import Case
from consilium.cases.story import COURSES, FIRST_OPINION_CODE, MATTERS, SYMPTOM_CODES
from consilium.packs import registry
from consilium.packs.schema import SpecialtyPack
from consilium.web.components.forms import DayMonthYearField
from consilium.web.patient.forms.pack import StoryForm, field_for, pack_form, yes_no_form

DEVICES = {
    "computer": _("A computer"),
    "tablet": _("A tablet"),
    "phone": _("A phone"),
    "shared": _("A device that others use too"),
}
HELP = {
    "none": _("No, I manage well on my own"),
    "relative": _("A relative or friend helps me"),
    "call": _("I would like somebody to call me and fill it in with me"),
    "paper": _("I would like to do this on paper, by post"),
}
# SURE test, unaltered: © O'Connor & Légaré 2008; Légaré et al., Can Fam Physician 2010;56:e308–14.
SURE = {
    "sure": _("Do you feel SURE about the best choice for you?"),
    "understand": _("Do you know the benefits and risks of each option?"),
    "risk_benefit": _("Are you clear about which benefits and risks matter most to you?"),
    "encouragement": _("Do you have enough support and advice to make a choice?"),
}


def area(label: Any, hint: Any = "", *, limit: int = 3000, rows: int = 4, **options: Any) -> forms.CharField:
    """A box for several lines with a counter."""
    widget = forms.Textarea(attrs={"rows": rows})
    options.setdefault("error_messages", {"max_length": _("Please shorten this to %(limit_value)d characters.")})
    return forms.CharField(label=label, help_text=hint, max_length=limit, widget=widget, required=False, **options)


def suitability(pack: SpecialtyPack) -> type[StoryForm]:
    """Does a remote opinion fit?"""
    return yes_no_form((row.code, str(row.text), str(row.help or "")) for row in pack.suitability)


def warning_signs(pack: SpecialtyPack) -> type[StoryForm]:
    """Is there a sign of danger?"""
    return yes_no_form((row.code, str(row.question), "") for row in pack.red_flags)


def certainty(_pack: SpecialtyPack) -> type[StoryForm]:
    """The SURE test."""
    return yes_no_form((code, str(words), "") for code, words in SURE.items())


class ReadinessForm(StoryForm):
    """Device, help, language: which way suits this person best."""

    device = forms.ChoiceField(
        label=_("What will you mostly use?"), choices=list(DEVICES.items()), widget=forms.RadioSelect
    )
    help = forms.ChoiceField(
        label=_("Would you like help with this form?"), choices=list(HELP.items()), widget=forms.RadioSelect
    )
    telephone = forms.CharField(
        label=_("When may we call you, and on which number?"),
        help_text=_("Only if you want a call. For example: mornings, 030 123456."),
        max_length=200,
        required=False,
    )
    interpreter = forms.CharField(
        label=_("In which language do you speak best about your health?"),
        help_text=_("If we need an interpreter or a translation, we arrange it."),
        max_length=100,
        required=False,
    )


def readiness(_pack: SpecialtyPack) -> type[StoryForm]:
    """The readiness check."""
    return ReadinessForm


def goals(pack: SpecialtyPack) -> type[StoryForm]:
    """What the patient wants."""
    matters = forms.MultipleChoiceField(
        label=_("Which of these matter to you?"),
        help_text=_("Choose as many as you like."),
        choices=list(MATTERS.items()),
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    return pack_form(pack.part("goals"), {"matters": matters})


def where(pack: SpecialtyPack) -> type[StoryForm]:
    """The body map, and free words."""
    fields: dict[str, forms.Field] = {}
    if pack.regions:
        fields["regions"] = forms.MultipleChoiceField(
            label=_("Where do you feel it?"),
            help_text=_("Choose every place. On the picture you can tap on them, too."),
            choices=[(region.code, str(region.title)) for region in pack.regions],
            widget=forms.CheckboxSelectMultiple,
            required=False,
        )
    fields["words"] = area(
        _("Tell it in your own words"),
        _("Write as you would tell a friend. For example: it pulls from my back to my foot, worst in the morning."),
        rows=6,
    )
    return pack_form((), fields)


def course(pack: SpecialtyPack) -> type[StoryForm]:
    """When it began, how it went on, how bad it is."""
    asked = {question.code: question for question in pack.part("summary")}
    change = forms.ChoiceField(
        label=_("How has it changed since then?"),
        choices=list(COURSES.items()),
        widget=forms.RadioSelect,
        error_messages={"required": _("Please choose an answer.")},
    )
    fields = {code: field_for(asked[code]) for code in SYMPTOM_CODES if code in asked}
    ordered = {"onset": fields.pop("onset", None), "course": change} | fields
    return pack_form((), {name: field for name, field in ordered.items() if field})


def detail_questions(pack: SpecialtyPack) -> list[Any]:
    """The specialty's questions that have no page of their own."""
    own_page = {*SYMPTOM_CODES, FIRST_OPINION_CODE}
    return [question for question in pack.part("summary") if question.code not in own_page]


def details(pack: SpecialtyPack) -> type[StoryForm]:
    """What the specialty asks."""
    return pack_form(detail_questions(pack))


def history(pack: SpecialtyPack) -> type[StoryForm]:
    """Other illnesses, medicines, allergies."""
    return pack_form(pack.part("history"))


class FirstOpinionForm(StoryForm):
    """What was said, by whom, where, when, and what is planned."""

    diagnosis = area(
        _("Which diagnosis did you get?"),
        _("As it was told to you. For example: slipped disc L4/L5."),
        limit=1500,
        rows=3,
    )
    treatment = area(
        _("Which treatment was proposed?"), _("For example: an operation that stiffens the spine."), limit=1500, rows=3
    )
    doctor = forms.CharField(
        label=_("Who told you?"), help_text=_("The name of the doctor."), max_length=200, required=False
    )
    institution = forms.CharField(label=_("Which practice or hospital?"), max_length=200, required=False)
    on = DayMonthYearField(label=_("When was that?"), help_text=_("A rough date is fine."), required=False)
    planned = DayMonthYearField(
        label=_("Is there a date for the treatment already?"),
        help_text=_("Leave it empty when there is none. We compare it with the date we expect your report."),
        required=False,
    )

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        if not self.lenient and not said.get("diagnosis") and not said.get("treatment") and not self.errors:
            self.add_error("diagnosis", _("Please write the diagnosis or the treatment: one of the two is enough."))
        return said


def first_opinion(_pack: SpecialtyPack) -> type[StoryForm]:
    """The first opinion."""
    return FirstOpinionForm


class QuestionsForm(StoryForm):
    """One to three questions."""

    question_1 = area(_("Your first question"), limit=600, rows=3)
    question_2 = area(_("A second question"), limit=600, rows=3)
    question_3 = area(_("A third question"), limit=600, rows=3)

    def texts(self) -> list[str]:
        """The boxes that are not empty, in order."""
        boxes = (self.cleaned_data.get(name, "") for name in ("question_1", "question_2", "question_3"))
        return [text for text in boxes if text.strip()]


def questions(_pack: SpecialtyPack) -> type[StoryForm]:
    """The question builder."""
    return QuestionsForm


def pack_of(case: Case) -> SpecialtyPack:
    """The specialty pack of a case."""
    return registry.specialty(case.specialty)


def advice(text: str) -> list[Any]:
    """Friendly hints for one question; none stops it."""
    said = text.strip()
    hints = []
    if said.count("?") > 1:
        hints.append(_("This looks like several questions in one. Use a box for each, so that each gets an answer."))
    if "?" not in said:
        hints.append(_("Try to put it as a question, with a question mark at the end."))
    if len(said) < 30:
        hints.append(_("A few more words help: which treatment, which part of the body, or what you want to decide."))
    return hints
