"""Forms of the pages for anyone."""

from django import forms
from django.utils.translation import gettext_lazy as _


class CodeForm(forms.Form):
    """The verification code of a report, in any spelling."""

    code = forms.CharField(
        label=_("The code on the report"),
        help_text=_("It stands at the bottom of every page, for example 7K4M-92QX-PD3T."),
        max_length=40,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}),
    )


class FileForm(forms.Form):
    """The report itself, as a PDF."""

    file = forms.FileField(
        label=_("The report as a PDF file"),
        help_text=_("At most 25 MB. We compare it and keep nothing."),
        widget=forms.FileInput(attrs={"accept": "application/pdf,.pdf"}),
    )
