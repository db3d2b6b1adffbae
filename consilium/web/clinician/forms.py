"""Forms of the treating doctor: the code of the link, a reply, an acknowledgement."""

from typing import Any

from django import forms
from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _

from consilium.talks.actions import MAX_MESSAGE

SIX_DIGITS = _("Please enter the six digits of your code.")


class CodeForm(forms.Form):
    """The second factor of a link."""

    code = forms.CharField(
        label=_("Your code"),
        help_text=_("Six digits. You received them in another way than the link, for example by telephone."),
        max_length=20,
        validators=[RegexValidator(r"^\d{6}$", SIX_DIGITS)],
        error_messages={"required": SIX_DIGITS, "max_length": SIX_DIGITS},
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "one-time-code"}),
    )

    def __init__(self, data: Any = None) -> None:
        # People copy "123 456" or "123-456" from a letter.
        super().__init__({"code": data.get("code", "").replace(" ", "").replace("-", "")} if data is not None else None)

    def refused(self, sentence: Any) -> None:
        """Say no, and do not show the code again: the answer must not depend on what was typed."""
        self.data = {"code": ""}
        self.add_error("code", str(sentence))


class ReplyForm(forms.Form):
    """A reply to everybody on the case."""

    body = forms.CharField(
        label=_("Your reply"),
        help_text=_("The patient, the specialist and the coordinators of the case read it. It stays within the case."),
        max_length=MAX_MESSAGE,
        widget=forms.Textarea(attrs={"rows": 5}),
        error_messages={"required": _("Please write your message first.")},
    )


class AcknowledgeForm(forms.Form):
    """What will be done about an urgent message."""

    note = forms.CharField(
        label=_("What you will do, or have done"),
        help_text=_("For example: I have called the patient and see her today."),
        max_length=2000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
