"""Forms of the specialist: declaration, blind read, and one form for each part of the opinion."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from consilium.cases.models import Offer
from consilium.opinions.models import BlindRead
from consilium.web.components.forms import DayMonthYearField

VERDICTS = (
    ("confirmed", _("Confirmed")),
    ("clarified", _("Clarified")),
    ("changed", _("Changed")),
    ("not_assessed", _("Not assessed")),
)
STRENGTHS = (
    ("strong", _("Strong")),
    ("conditional", _("Conditional")),
    ("expert_opinion", _("Expert opinion")),
    ("none", _("No recommendation possible")),
)


def long_text(
    label: Any, *, hint: Any = "", rows: int = 4, required: bool = False, most: int = 20_000
) -> forms.CharField:
    """A text of several lines; without `most` the verb below bounds it, and no counter distracts."""
    widget = forms.Textarea(attrs={"rows": rows})
    return forms.CharField(label=label, help_text=hint, widget=widget, required=required, max_length=most)


class DeclarationForm(forms.Form):
    """The declaration on conflicts of interest that comes before accepting (Zm-RL §8(2))."""

    conflict = forms.ChoiceField(
        label=_("Do you have a conflict of interest in this case?"),
        choices=(
            ("none", _("No, I have none")),
            ("some", _("There is something the desk should know")),
        ),
        widget=forms.RadioSelect,
        error_messages={"required": _("Please answer the question on conflicts of interest.")},
    )
    statement = long_text(_("What the desk should know"), hint=_("Only if there is something."), rows=3, most=2000)


class DeclineForm(forms.Form):
    """Why the case is declined."""

    reason = forms.ChoiceField(
        label=_("Why can you not take this case?"),
        choices=Offer.Reason.choices,
        widget=forms.RadioSelect,
        error_messages={"required": _("Please choose a reason.")},
    )
    note = long_text(_("Anything the desk should know"), rows=2, most=2000)


class BlindReadForm(forms.Form):
    """The first impression, before the first opinion's conclusion is shown."""

    diagnosis = long_text(_("Your diagnosis"), hint=_("From the records alone."), rows=4)
    treatment = long_text(_("What you would do"), hint=_("Treatment you would propose, or none."), rows=4)
    reasoning = long_text(_("Why"), rows=3)
    confidence = forms.ChoiceField(
        label=_("How confident are you?"),
        choices=BlindRead.Confidence.choices,
        widget=forms.RadioSelect,
        required=False,
    )


class NoteForm(forms.Form):
    """A short reason for a step that needs one."""

    note = long_text(_("Your reason"), hint=_("The desk reads this."), rows=3, required=True, most=4000)


class PartForm(forms.Form):
    """One part of the opinion; `saved` is the version the page started from."""

    saved = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def part(self) -> dict[str, Any]:
        """The cleaned values in the shape of opinions/content.py."""
        raise NotImplementedError


class ComparisonForm(PartForm):
    """First opinion against second, diagnosis and treatment apart."""

    diagnosis = forms.ChoiceField(
        label=_("The first diagnosis is"), choices=VERDICTS, widget=forms.RadioSelect, required=False
    )
    diagnosis_note = long_text(_("In what way"), rows=3)
    treatment = forms.ChoiceField(
        label=_("The proposed treatment is"), choices=VERDICTS, widget=forms.RadioSelect, required=False
    )
    treatment_note = long_text(_("In what way"), rows=3)

    def part(self) -> dict[str, Any]:
        keys = ("diagnosis", "diagnosis_note", "treatment", "treatment_note")
        return {"comparison": {key: self.cleaned_data[key] for key in keys}}


class AssessmentForm(PartForm):
    """What was missing, the differential, and the pack's own sections."""

    missing = long_text(_("What was missing"), hint=_("One line for each record or test."), rows=3)
    differential = long_text(_("Differential diagnosis with reasoning"), rows=6)

    def __init__(self, *args: Any, sections: Any = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.sections = list(sections)
        for section in self.sections:
            self.fields[f"section-{section.code}"] = long_text(str(section.title), hint=str(section.hint), rows=4)

    def part(self) -> dict[str, Any]:
        return {
            "missing": lines(self.cleaned_data["missing"]),
            "differential": self.cleaned_data["differential"],
            "sections": {s.code: self.cleaned_data[f"section-{s.code}"] for s in self.sections},
        }


class RecommendationForm(PartForm):
    """The recommendation with its strength and dated guideline; limitations and urgent items."""

    text = long_text(_("Recommendation"), rows=5)
    strength = forms.ChoiceField(label=_("Strength"), choices=STRENGTHS, widget=forms.RadioSelect, required=False)
    guideline = forms.CharField(label=_("Guideline"), max_length=300, required=False)
    guideline_date = forms.CharField(
        label=_("Date of the guideline"),
        help_text=_("A year, or 2025-03, or 2025-03-14."),
        max_length=10,
        required=False,
    )
    no_guideline = forms.BooleanField(label=_("There is no guideline for this question"), required=False)
    limitations = long_text(
        _("Further limitations of this remote assessment"),
        hint=_("One a line. The standard limitations are always printed and cannot be removed."),
        rows=3,
    )
    urgent = long_text(
        _("Urgent items"),
        hint=_("One a line; leave empty when there are none. For danger now, use “This is urgent”."),
        rows=2,
    )

    def part(self) -> dict[str, Any]:
        data = self.cleaned_data
        return {
            "recommendation": {
                "text": data["text"],
                "strength": data["strength"],
                "guideline": data["guideline"],
                "guideline_date": data["guideline_date"],
                "no_guideline": data["no_guideline"],
            },
            "limitations": lines(data["limitations"]),
            "urgent": lines(data["urgent"]),
        }


class SummaryForm(PartForm):
    """What the patient reads, and the letter to the treating doctor."""

    opening = long_text(_("Your personal opening"), hint=_("Two or three sentences from you to the patient."), rows=3)
    text = long_text(
        _("Summary in plain words"), hint=_("Short sentences. An empty line begins a new paragraph."), rows=8
    )
    questions_to_ask = long_text(_("Questions the patient could ask next"), hint=_("One a line."), rows=3)
    clinician_letter = long_text(_("Letter to the treating doctor"), rows=8)

    def part(self) -> dict[str, Any]:
        data = self.cleaned_data
        return {
            "patient_summary": {"opening": data["opening"], "text": data["text"]},
            "questions_to_ask": lines(data["questions_to_ask"]),
            "clinician_letter": data["clinician_letter"],
        }


class AnswersForm(PartForm):
    """A short answer and the reasoning for each of the patient's questions."""

    def __init__(self, *args: Any, questions: Any = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.questions = list(questions)
        for question in self.questions:
            self.fields[f"short-{question.pk}"] = long_text(
                _("Short answer"), hint=_("One or two sentences the patient understands."), rows=2
            )
            self.fields[f"reasoning-{question.pk}"] = long_text(_("Reasoning"), rows=4)

    def part(self) -> dict[str, Any]:
        data = self.cleaned_data
        return {
            "answers": {
                str(q.pk): {"short": data[f"short-{q.pk}"], "reasoning": data[f"reasoning-{q.pk}"]}
                for q in self.questions
            }
        }

    @property
    def groups(self) -> list[tuple[str, Any, Any]]:
        """(question, short field, reasoning field) for the template."""
        return [(q.text, self[f"short-{q.pk}"], self[f"reasoning-{q.pk}"]) for q in self.questions]


class OptionForm(forms.Form):
    """One option; empty ones are left out."""

    title = forms.CharField(label=_("Option"), max_length=300, required=False)
    benefits = long_text(_("Benefits"), rows=2)
    risks = long_text(_("Risks and burdens"), rows=2)
    do_nothing = forms.BooleanField(label=_("This is waiting or doing nothing"), required=False)


class NextStepForm(forms.Form):
    """One next step with its owner and date."""

    what = forms.CharField(label=_("What"), max_length=300, required=False)
    owner = forms.CharField(label=_("Who"), max_length=120, required=False)
    by_date = DayMonthYearField(label=_("By when"), required=False)

    def clean_by_date(self) -> str:
        when = self.cleaned_data["by_date"]
        return when.isoformat() if when else ""


class ReferenceForm(forms.Form):
    """One source with its date."""

    citation = forms.CharField(label=_("Source"), max_length=500, required=False)
    date = forms.CharField(label=_("Year or date"), max_length=10, required=False)


OptionFormSet = forms.formset_factory(OptionForm, extra=2, max_num=12)
NextStepFormSet = forms.formset_factory(NextStepForm, extra=2, max_num=20)
ReferenceFormSet = forms.formset_factory(ReferenceForm, extra=2, max_num=30)


class FindingForm(forms.Form):
    """A finding with the place it was seen; the place is filled by marking it in the viewer."""

    text = long_text(_("What you see"), rows=3, required=True, most=4000)
    significance = long_text(_("What it means"), rows=2, most=4000)
    record = forms.UUIDField(widget=forms.HiddenInput, required=False)
    series = forms.CharField(widget=forms.HiddenInput, required=False, max_length=64)
    page = forms.IntegerField(required=False, min_value=1)
    x = forms.FloatField(required=False)
    y = forms.FloatField(required=False)
    w = forms.FloatField(required=False)
    h = forms.FloatField(required=False)


class AnswerForm(forms.Form):
    """The answer to one question about the report."""

    answer = long_text(
        _("Your answer"), hint=_("Plain words: the patient reads this."), rows=5, required=True, most=10_000
    )


class ChangeNoteForm(forms.Form):
    """What an addendum changes."""

    note = long_text(
        _("What this version changes"),
        hint=_("One or two sentences; the patient reads this first."),
        rows=3,
        required=True,
        most=4000,
    )


def lines(text: str) -> list[str]:
    """Non-empty lines of a text, without bullets."""
    return [line.strip(" \t-•") for line in text.splitlines() if line.strip(" \t-•")]
