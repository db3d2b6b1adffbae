"""The forms of desk, triage and the telephone."""

from collections.abc import Callable, Iterable
from typing import Any

from django import forms
from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from consilium.access import visibility
from consilium.cases.actions import inbox
from consilium.cases.matching import Candidate
from consilium.cases.models import Case, ClockStop, RecordRequest
from consilium.core.errors import BadInput, NotReady
from consilium.packs import registry
from consilium.records.models import InboxStudy
from consilium.talks.models import Message
from consilium.web.components.forms import DayMonthYearField
from consilium.web.patient.forms.about import AboutYouForm

MAX_NOTE = 2000


def posted(request: HttpRequest) -> Any:
    """The data of a POST, also of an empty one; None otherwise, so that a form is not bound."""
    return request.POST if request.method == "POST" else None


def tried(form: forms.Form, verb: Callable[[], object]) -> bool:
    """Run the verb; a refusal becomes the form's error and what was typed stays."""
    try:
        verb()
    except NotReady as refusal:
        for sentence in refusal.missing or [refusal.sentence]:
            form.add_error(None, str(sentence))
    except BadInput as refusal:
        form.add_error(None, str(refusal.sentence))
    return not form.errors


def _words(
    label: Any, *, hint: Any = "", required: bool = True, rows: int = 4, limit: int = MAX_NOTE
) -> forms.CharField:
    return forms.CharField(
        label=label,
        help_text=hint,
        required=required,
        max_length=limit,
        widget=forms.Textarea(attrs={"rows": rows}),
        error_messages={"required": _("Please write a few words.")},
    )


class NoteForm(forms.Form):
    """One text; label and hint belong to the step."""

    def __init__(
        self, data: Any = None, *, label: Promise | str, hint: Promise | str = "", required: bool = True
    ) -> None:
        super().__init__(data)
        self.fields["note"] = _words(label, hint=hint, required=required)


class IdentityForm(forms.Form):
    """Identity, eligibility, and the rule that applies."""

    same_person = forms.BooleanField(
        label=_("Name and birth date are checked against an identity document, an insurance card or by telephone"),
        error_messages={"required": _("Please check who this is first.")},
    )
    eligible = forms.BooleanField(
        label=_("The question fits a written opinion, and the patient may use this service"),
        error_messages={"required": _("Please check whether a written opinion fits.")},
    )
    jurisdiction = forms.ChoiceField(
        label=_("Which country's rule applies?"),
        help_text=_("Usually the country where the patient lives."),
        widget=forms.RadioSelect,
    )
    procedure = forms.ChoiceField(
        label=_("Is a procedure planned that the rule lists by law?"),
        help_text=_("A listed procedure can demand an oral explanation before the report is delivered."),
        required=False,
    )

    def __init__(self, case: Case, data: Any = None) -> None:
        super().__init__(data, initial={"jurisdiction": case.jurisdiction, "procedure": case.procedure})
        packs = registry.jurisdictions()
        self.fields["jurisdiction"].choices = [(pack.id, str(pack.title)) for pack in packs]  # type: ignore[attr-defined]
        listed = [
            (str(pack.title), [(row.code, str(row.title)) for row in pack.procedures])
            for pack in packs
            if pack.procedures
        ]
        self.fields["procedure"].choices = [("", _("No listed procedure")), *listed]  # type: ignore[attr-defined]


class RequestForm(forms.Form):
    """What is true of one item of the record checklist."""

    WHAT = (
        ("here", _("It is here")),
        ("patient", _("Ask the patient for it")),
        ("provider", _("Ask the practice or hospital for it")),
        ("waived", _("It is not needed for this question")),
        ("missing", _("It is still missing")),
    )
    what = forms.ChoiceField(
        label=_("What is true of this record?"),
        choices=WHAT,
        widget=forms.RadioSelect,
        error_messages={"required": _("Please choose one.")},
    )
    note = _words(
        _("Your words"),
        hint=_("When you ask the patient: what exactly, and where they can get it. When it is not needed: why."),
        required=False,
    )

    def __init__(self, row: RecordRequest, data: Any = None, what: str = "") -> None:
        known = {"asked": row.asked_of, "missing": ""}.get(row.status, row.status)
        super().__init__(data, initial={"what": what or known, "note": row.note})

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        if said.get("what") in ("waived", "patient", "provider") and not said.get("note", "").strip():
            self.add_error("note", _("Please write a few words: why it is not needed, or what exactly you ask for."))
        return said

    def arguments(self) -> dict[str, str]:
        """Arguments of desk.set_record_status."""
        what = self.cleaned_data["what"]
        asked = what in ("patient", "provider")
        note = self.cleaned_data["note"]
        return {"status": "asked" if asked else what, "asked_of": what if asked else "", "note": note}


class PauseForm(forms.Form):
    """Why the clock stops."""

    reason = forms.ChoiceField(
        label=_("What is the case waiting for?"),
        choices=ClockStop.Reason.choices,
        widget=forms.RadioSelect,
        error_messages={"required": _("Please choose a reason for the pause.")},
    )


class OfferForm(forms.Form):
    """Whom to ask, in this order."""

    PLACES = (
        ("first", _("Ask first")),
        ("second", _("If no, ask next")),
        ("third", _("And then")),
    )

    def __init__(self, candidates: Iterable[Candidate], data: Any = None) -> None:
        super().__init__(data)
        self.specialists = {str(c.specialist.pk): c.specialist for c in candidates if not c.excluded}
        names = [(key, specialist.name) for key, specialist in self.specialists.items()]
        for place, label in self.PLACES:
            required = place == "first"
            nobody = _("Please choose") if required else _("Nobody")
            self.fields[place] = forms.ChoiceField(
                label=label,
                required=required,
                choices=[("", nobody), *names],
                error_messages={"required": _("Please choose whom to ask first.")},
            )

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        chosen = [said[place] for place, _label in self.PLACES if said.get(place)]
        if len(set(chosen)) < len(chosen):
            raise forms.ValidationError(_("Please choose each specialist only once."))
        return said

    def in_order(self) -> list[Any]:
        """The chosen specialists."""
        chosen = [self.cleaned_data.get(place) for place, _label in self.PLACES]
        return [self.specialists[key] for key in chosen if key]


class LinkForm(forms.Form):
    """The treating doctor who gets a link."""

    name = forms.CharField(
        label=_("Name of the treating doctor"),
        max_length=200,
        error_messages={"required": _("Please give the doctor's name.")},
    )
    institution = forms.CharField(label=_("Practice or hospital"), max_length=200, required=False)
    email = forms.EmailField(
        label=_("E-mail address"),
        help_text=_("Only to say that there is something new. The link itself is not sent by mail."),
        required=False,
    )
    telephone = forms.CharField(
        label=_("Telephone"), help_text=_("To tell the code by voice."), max_length=40, required=False
    )
    days = forms.IntegerField(
        label=_("Valid for how many days?"),
        min_value=1,
        max_value=90,
        initial=30,
        error_messages={"invalid": _("Please write a number from 1 to 90.")},
    )

    def recipient(self) -> dict[str, str]:
        """The recipient of team.make_link."""
        return {key: self.cleaned_data[key] for key in ("name", "institution", "email", "telephone")}


class MessageForm(forms.Form):
    """A message to one audience."""

    audience = forms.ChoiceField(label=_("To"), widget=forms.RadioSelect)
    body = _words(_("Your message"), rows=5, limit=5000)

    def __init__(self, roles: frozenset[str], data: Any = None) -> None:
        super().__init__(data, initial={"audience": "patient_desk"})
        heard = [choice for choice in Message.Audience.choices if visibility.hears(choice[0], roles)]
        self.fields["audience"].choices = heard  # type: ignore[attr-defined]


class AssignForm(forms.Form):
    """Which case images of the inbox belong to: one that was suggested, or another by its reference."""

    case: Case
    reference = forms.CharField(
        label=_("Reference of the case"),
        help_text=_("For example 7K3M-29QF"),
        max_length=20,
        error_messages={"required": _("Please write the reference of an open case, for example 7K3M-29QF.")},
    )

    def __init__(
        self, study: InboxStudy, suggested: list[Case], find: Callable[[str], Case | None], data: Any = None
    ) -> None:
        super().__init__(data)
        self.study, self.find = study, find
        self.suggested = {str(case.pk): case for case in suggested}
        self.fields["reference"].required = not suggested
        if suggested:
            listed = [(key, f"{case.reference} · {case.patient.full_name}") for key, case in self.suggested.items()]
            self.fields["chosen"] = forms.ChoiceField(
                label=_("Which case do they belong to?"),
                help_text=_("These patients have the same name and birth date."),
                choices=[*listed, ("other", _("Another case"))],
                widget=forms.RadioSelect,
                initial=listed[0][0],
                error_messages={"required": _("Please choose a case.")},
            )
            self.fields["reference"].label = _("Reference of the other case")
            self.order_fields(["chosen", "reference"])
        if data is not None and data.get("although"):
            self._ask_although()

    def _ask_although(self) -> None:
        self.fields["although"] = forms.BooleanField(
            label=_("I have compared them: add the images although they name another person"), required=False
        )

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        case = self.suggested.get(said.get("chosen", "")) or self.find(said.get("reference", ""))
        if case is None:
            if not self.errors:
                self.add_error("reference", self.fields["reference"].error_messages["required"])
            return said
        self.case = case
        if inbox.names_another(self.study, case) and not said.get("although"):
            self._ask_although()
            self.add_error(
                "although",
                _("These images name another person than case %(case)s. Please compare name and birth date.")
                % {"case": case.reference},
            )
        return said


class DeskNoteForm(forms.Form):
    """The coordinators' own note."""

    text = _words(
        _("Desk note"),
        hint=_("For coordinators only. Patients and specialists never see it."),
        required=False,
        rows=3,
        limit=4000,
    )


class TriageForm(forms.Form):
    """Specialty, urgency, complexity and re-reads."""

    specialty = forms.ChoiceField(label=_("Specialty"))
    urgency = forms.ChoiceField(label=_("How urgent is it?"), choices=Case.Urgency.choices, widget=forms.RadioSelect)
    complexity = forms.ChoiceField(
        label=_("How complex is it?"),
        choices=(
            ("simple", _("Simple: one clear question, few records (48 hours to answer)")),
            ("complex", _("Complex: several questions or many records (5 working days)")),
        ),
        widget=forms.RadioSelect,
    )
    re_reads = forms.MultipleChoiceField(
        label=_("Should somebody read images or slides again?"),
        choices=(("radiology", _("Radiology images")), ("pathology", _("Pathology slides"))),
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )

    def __init__(self, case: Case, data: Any = None) -> None:
        known = {key: getattr(case, key) for key in ("specialty", "urgency", "complexity", "re_reads")}
        super().__init__(data, initial=known)
        self.fields["specialty"].choices = [  # type: ignore[attr-defined]
            (pack.id, str(pack.title)) for pack in registry.specialties()
        ]


class StartForm(forms.Form):
    """What a case on the telephone is about."""

    specialty = forms.ChoiceField(
        label=_("What is it about?"),
        widget=forms.RadioSelect,
        error_messages={"required": _("Please choose one.")},
    )
    language = forms.ChoiceField(
        label=_("Language of the report"), choices=settings.LANGUAGES, widget=forms.RadioSelect
    )

    def __init__(self, data: Any = None, *, language: str = "en") -> None:
        super().__init__(data, initial={"language": language})
        self.fields["specialty"].choices = [  # type: ignore[attr-defined]
            (pack.id, str(pack.title)) for pack in registry.specialties()
        ]


class FindPersonForm(forms.Form):
    """Who is on the telephone: exact name and birth date."""

    given_name = forms.CharField(
        label=_("First name"), max_length=100, error_messages={"required": _("Please write the first name.")}
    )
    family_name = forms.CharField(
        label=_("Last name"), max_length=100, error_messages={"required": _("Please write the last name.")}
    )
    birth_date = DayMonthYearField(birthday=True, label=_("Birth date"))

    def question(self) -> dict[str, str]:
        """Arguments of queries.persons_named."""
        said = self.cleaned_data
        return {"name": f"{said['given_name']} {said['family_name']}", "birth_date": said["birth_date"].isoformat()}


class RegisterForm(AboutYouForm):
    """A person who has no account: the same details, asked by somebody else."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["birth_date"].help_text = ""
        self.fields["sex"].help_text = _("As it stands in the medical records.")
        self.fields["telephone"].help_text = _("Where we can reach the person.")
        self.fields["country"].label = _("Country where the person lives")
        self.fields["language"].label = _("Language of the report")
