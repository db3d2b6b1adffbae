"""Correcting what was read from a record."""

from datetime import date
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from consilium.records.models import Record
from consilium.web.components.forms import DayMonthYearField


class CorrectionForm(forms.Form):
    """Type, title and date; the file itself is never changed."""

    kind = forms.ChoiceField(label=_("What is it?"), choices=Record.Kind.choices)
    title = forms.CharField(
        label=_("Name in the list"), max_length=200, error_messages={"required": _("Please give it a name.")}
    )
    clinical_date = DayMonthYearField(
        label=_("Date of the letter or examination"), help_text=_("Not the day you sent it."), required=False
    )

    @staticmethod
    def of(record: Record) -> dict[str, Any]:
        """The present values."""
        when = date.fromisoformat(record.clinical_date) if record.clinical_date else None
        return {"kind": record.kind, "title": record.title, "clinical_date": when}

    def changes(self) -> dict[str, str]:
        """Arguments of the verb."""
        said = self.cleaned_data
        when = said["clinical_date"].isoformat() if said["clinical_date"] else ""
        return {"kind": said["kind"], "title": said["title"], "clinical_date": when}
