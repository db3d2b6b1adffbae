"""The key for another program: what it is for, what it allows, how long it lives."""

from datetime import timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

READ, ADD, BOTH = "read", "add", "both"
ALLOWED = [
    (READ, _("Read the records")),
    (ADD, _("Add records")),
    (BOTH, _("Read and add records")),
]
HOURS = [("1", _("1 hour")), ("4", _("4 hours")), ("12", _("12 hours"))]


class KeyForm(forms.Form):
    """may_read, may_add: what the person may allow a program at all."""

    label = forms.CharField(
        label=_("Which program is it for?"),
        help_text=_("For your own list, such as “viewer at the practice”."),
        max_length=60,
        error_messages={"required": _("Please name the program, so that you find the key again.")},
    )
    allowed = forms.ChoiceField(label=_("What may it do?"), choices=ALLOWED, widget=forms.RadioSelect, initial=READ)
    hours = forms.ChoiceField(
        label=_("How long does the key work?"), choices=HOURS, widget=forms.RadioSelect, initial="4"
    )

    def __init__(self, data: Any = None, *, may_read: bool, may_add: bool) -> None:
        super().__init__(data)
        open_ones = {READ: may_read, ADD: may_add, BOTH: may_read and may_add}
        allowed = self.fields["allowed"]
        allowed.choices = [one for one in ALLOWED if open_ones[one[0]]]  # type: ignore[attr-defined]
        allowed.initial = READ if may_read else ADD

    def arguments(self) -> dict[str, Any]:
        """Arguments of the verb."""
        said = self.cleaned_data
        return {
            "label": said["label"],
            "read": said["allowed"] in (READ, BOTH),
            "add": said["allowed"] in (ADD, BOTH),
            "life": timedelta(hours=int(said["hours"])),
        }
