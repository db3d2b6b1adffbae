"""The check of one opinion: ticks and comments."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from consilium.packs.schema import SpecialtyPack

GROUPS = {
    "key_findings": _("Key findings"),
    "red_flags": _("Warning signs"),
    "recommendations": _("Recommendations"),
}
MAX_COMMENTS = 10_000


class ReviewForm(forms.Form):
    """One tick for every release item of the pack, by group, and words to the author."""

    comments = forms.CharField(
        label=_("Comments for the author"),
        help_text=_("What is good, and what would make it better. Only the author and the quality team read this."),
        required=False,
        max_length=MAX_COMMENTS,
        widget=forms.Textarea(attrs={"rows": 4}),
    )

    def __init__(self, data: Any, *, pack: SpecialtyPack, checklist: dict[str, bool], comments: str) -> None:
        initial = {group: list(checklist) for group in GROUPS} | {"comments": comments}
        super().__init__(data, initial=initial)
        for group, label in GROUPS.items():
            choices = [(item.code, str(item.text)) for item in pack.release if item.group == group]
            if choices:
                self.fields[group] = forms.MultipleChoiceField(
                    label=label, choices=choices, required=False, widget=forms.CheckboxSelectMultiple
                )
        self.order_fields([*GROUPS, "comments"])

    def checklist(self) -> dict[str, bool]:
        """The ticked codes, as `opinions.actions.quality.save` takes them."""
        return {code: True for group in GROUPS for code in self.cleaned_data.get(group, [])}


class CommentsForm(forms.Form):
    """Why the opinion goes back."""

    comments = forms.CharField(
        label=_("What should be looked at again?"),
        help_text=_("Please be concrete and friendly. The author reads exactly these words."),
        max_length=MAX_COMMENTS,
        widget=forms.Textarea(attrs={"rows": 6}),
        error_messages={"required": _("Please write what should be looked at again.")},
    )


class AlarmForm(forms.Form):
    """What was seen, and what should happen today."""

    note = forms.CharField(
        label=_("What did you see, and what should happen today?"),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 4}),
        error_messages={"required": _("Please write what you saw.")},
    )
