"""Who the patient is, and what the request is about."""

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from consilium.people.models import Person
from consilium.web.components.forms import DayMonthYearField

# ISO 3166-1 alpha-2; the countries this service can ask about, the rest as "other".
COUNTRIES = (
    ("DE", _("Germany")),
    ("AT", _("Austria")),
    ("CH", _("Switzerland")),
    ("FR", _("France")),
    ("GB", _("United Kingdom")),
    ("IT", _("Italy")),
    ("NL", _("Netherlands")),
    ("PL", _("Poland")),
    ("ES", _("Spain")),
    ("TR", _("Turkey")),
    ("UA", _("Ukraine")),
    ("US", _("United States")),
    ("ZZ", pgettext_lazy("country", "Another country")),
)


class AboutYouForm(forms.Form):
    """Identity and contact details, as they stand on the records."""

    given_name = forms.CharField(
        label=_("First name"),
        max_length=100,
        error_messages={"required": _("Please write your first name.")},
        widget=forms.TextInput(attrs={"autocomplete": "given-name"}),
    )
    family_name = forms.CharField(
        label=_("Last name"),
        max_length=100,
        error_messages={"required": _("Please write your last name.")},
        widget=forms.TextInput(attrs={"autocomplete": "family-name"}),
    )
    birth_date = DayMonthYearField(
        birthday=True,
        label=_("Birth date"),
        help_text=_("We compare it with your records, so that nothing is mixed up."),
    )
    sex = forms.ChoiceField(
        label=_("Sex"),
        help_text=_("As it stands in your medical records. Some findings are read differently."),
        choices=[(value, label) for value, label in Person.Sex.choices],
        widget=forms.RadioSelect,
        initial=Person.Sex.UNKNOWN,
    )
    telephone = forms.CharField(
        label=_("Telephone"),
        help_text=_("For questions, and for urgent messages from the doctor."),
        max_length=40,
        required=False,
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "tel"}),
    )
    address = forms.CharField(
        label=_("Address"),
        max_length=300,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3, "autocomplete": "street-address"}),
    )
    country = forms.ChoiceField(
        label=_("Country where you live"),
        help_text=_("Its rules decide who may give you an opinion."),
        choices=COUNTRIES,
        initial="DE",
    )
    language = forms.ChoiceField(
        label=_("Language of your report"), choices=settings.LANGUAGES, widget=forms.RadioSelect
    )

    def details(self) -> dict[str, Any]:
        """Arguments of people.actions.register_person and correct_person."""
        said = self.cleaned_data
        return {
            "given_name": said["given_name"],
            "family_name": said["family_name"],
            "birth_date": said["birth_date"].isoformat(),
            "sex": said["sex"],
            "telephone": said["telephone"],
            "contact": {key: said[key] for key in ("address", "country", "language")},
        }


def initial(person: Person) -> dict[str, Any]:
    """What the form shows of a person who is known already."""
    from datetime import date

    born = date.fromisoformat(person.birth_date) if person.birth_date else None
    known = {key: getattr(person, key) for key in ("given_name", "family_name", "sex", "telephone")}
    return known | {"birth_date": born} | {key: value for key, value in person.contact.items() if value}
