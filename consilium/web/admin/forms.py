"""The forms of the administration."""

import zoneinfo
from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from consilium.packs import registry
from consilium.people.models import Membership, Organisation, Specialist
from consilium.web.components.forms import DayMonthYearField
from consilium.web.components.prepare import PORTRAITS
from consilium.web.patient.forms.about import COUNTRIES

NEEDED = {"required": _("Please fill this in.")}


class InviteForm(forms.Form):
    """A new member of staff."""

    email = forms.EmailField(
        label=_("E-mail address"),
        error_messages={"required": _("Please write the e-mail address."), "invalid": _("Please check the address.")},
    )
    given_name = forms.CharField(label=_("First name"), max_length=100, error_messages=NEEDED)
    family_name = forms.CharField(label=_("Last name"), max_length=100, error_messages=NEEDED)
    language = forms.ChoiceField(
        label=_("Language of mail and pages"), choices=settings.LANGUAGES, widget=forms.RadioSelect, initial="en"
    )
    roles = forms.MultipleChoiceField(
        label=_("Roles"),
        choices=Membership.Role.choices,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Please choose at least one role.")},
    )

    def arguments(self) -> dict[str, Any]:
        """Arguments of administration.invite."""
        return {key: self.cleaned_data[key] for key in ("given_name", "family_name", "language", "roles")}


class RoleForm(forms.Form):
    """One more role."""

    role = forms.ChoiceField(label=_("Another role"), error_messages={"required": _("Please choose a role.")})

    def __init__(self, held: set[str], data: Any = None) -> None:
        super().__init__(data)
        free = [choice for choice in Membership.Role.choices if choice[0] not in held]
        self.fields["role"].choices = [("", _("Please choose")), *free]  # type: ignore[attr-defined]


class OrganisationForm(forms.Form):
    """Who runs this service; reports and the public pages carry these details."""

    name = forms.CharField(label=_("Name"), max_length=200, error_messages=NEEDED)
    address = forms.CharField(
        label=_("Address"), max_length=300, required=False, widget=forms.Textarea(attrs={"rows": 3})
    )
    contact = forms.CharField(
        label=_("Contact"), help_text=_("Whom patients can write to."), max_length=200, required=False
    )
    telephone = forms.CharField(label=_("Telephone"), max_length=40, required=False)
    country = forms.ChoiceField(label=_("Country"), choices=COUNTRIES)
    time_zone = forms.ChoiceField(label=_("Time zone"))
    jurisdiction = forms.ChoiceField(
        label=_("Rule for new cases"),
        help_text=_("The desk can choose another one for each case."),
        widget=forms.RadioSelect,
    )

    def __init__(self, organisation: Organisation, data: Any = None) -> None:
        super().__init__(data, initial={key: getattr(organisation, key) for key in self.base_fields})
        zones = sorted(zone for zone in zoneinfo.available_timezones() if "/" in zone and not zone.startswith("Etc"))
        self.fields["time_zone"].choices = [(zone, zone) for zone in zones]  # type: ignore[attr-defined]
        self.fields["jurisdiction"].choices = [  # type: ignore[attr-defined]
            (pack.id, str(pack.title)) for pack in registry.jurisdictions()
        ]


class ProfileForm(forms.Form):
    """The public face of a specialist."""

    name = forms.CharField(
        label=_("Name as patients read it"),
        help_text=_("For example: Dr Mei Chen"),
        max_length=120,
        error_messages=NEEDED,
    )
    title = forms.CharField(
        label=_("Qualification"), help_text=_("For example: spine surgeon"), max_length=200, required=False
    )
    portrait = forms.ChoiceField(label=_("Portrait"), required=False)
    specialties = forms.MultipleChoiceField(
        label=_("Specialties"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Please choose at least one specialty.")},
    )
    languages = forms.MultipleChoiceField(
        label=_("Writes reports in"),
        choices=settings.LANGUAGES,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Please choose at least one language.")},
    )
    biography_en = forms.CharField(
        label=_("About, in English"), max_length=2000, required=False, widget=forms.Textarea(attrs={"rows": 5})
    )
    biography_de = forms.CharField(
        label=_("About, in German"), max_length=2000, required=False, widget=forms.Textarea(attrs={"rows": 5})
    )
    institution = forms.CharField(
        label=_("Practice or hospital"),
        help_text=_("Used to avoid conflicts of interest as well."),
        max_length=200,
        required=False,
    )
    capacity = forms.IntegerField(
        label=_("Cases at the same time"),
        min_value=0,
        max_value=50,
        initial=4,
        error_messages={"invalid": _("Please write a number.")},
    )

    def __init__(self, specialist: Specialist | None, name: str, data: Any = None) -> None:
        super().__init__(data, initial=self._known(specialist) if specialist else {"name": name})
        kept = [specialist.portrait] if specialist and specialist.portrait not in (*PORTRAITS, "") else []
        pictures = [(one, one.split("/")[-1].split(".")[0].capitalize()) for one in (*kept, *PORTRAITS)]
        self.fields["portrait"].choices = [("", _("Initials")), *pictures]  # type: ignore[attr-defined]
        self.fields["specialties"].choices = [  # type: ignore[attr-defined]
            (pack.id, str(pack.title)) for pack in registry.specialties()
        ]

    @staticmethod
    def _known(specialist: Specialist) -> dict[str, Any]:
        plain = ("name", "title", "portrait", "specialties", "languages", "institution", "capacity")
        about = {f"biography_{code}": specialist.biography.get(code, "") for code in ("en", "de")}
        return {key: getattr(specialist, key) for key in plain} | about

    def profile(self) -> dict[str, Any]:
        """Arguments of administration.save_profile."""
        said = dict(self.cleaned_data)
        about = {code: said.pop(f"biography_{code}") for code in ("en", "de")}
        return said | {"biography": {code: text for code, text in about.items() if text}}


class LicenceForm(forms.Form):
    """A licence as it stands on the document."""

    authority = forms.CharField(label=_("Issued by"), max_length=200, error_messages=NEEDED)
    number = forms.CharField(label=_("Number"), max_length=60, error_messages=NEEDED)
    country = forms.ChoiceField(label=_("Country"), choices=[one for one in COUNTRIES if one[0] != "ZZ"])
    valid_from = DayMonthYearField(label=_("Valid from"))
    valid_until = DayMonthYearField(label=_("Valid until"))


class NoteForm(forms.Form):
    """A short reason."""

    note = forms.CharField(
        label=_("Reason"),
        help_text=_("Coordinators read it. Please write nothing about the illness."),
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": _("Please write a short reason.")},
    )
