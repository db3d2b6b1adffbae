"""Form fields made from the questions of a specialty pack; nothing here knows a specialty."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from consilium.cases.story import KEYS, YES_NO
from consilium.packs.schema import Question

TEXT_LIMIT = 3000
ANSWER = _("Please answer this question.")
CHOOSE = _("Please choose an answer.")


def field_for(question: Question) -> forms.Field:
    """The form field of one question."""
    common: dict[str, Any] = {
        "label": str(question.text),
        "help_text": str(question.help or ""),
        "required": question.required,
    }
    return MAKERS[question.type](question, common)


def _text(_question: Question, common: dict[str, Any]) -> forms.Field:
    area = forms.Textarea(attrs={"rows": 4})
    return forms.CharField(widget=area, max_length=TEXT_LIMIT, error_messages=_errors(ANSWER), **common)


def _number(question: Question, common: dict[str, Any]) -> forms.Field:
    if question.unit:
        common["label"] = f"{common['label']} ({question.unit})"
    return forms.IntegerField(
        min_value=None if question.minimum is None else int(question.minimum),
        max_value=None if question.maximum is None else int(question.maximum),
        widget=forms.TextInput(attrs={"inputmode": "numeric"}),
        error_messages=_errors(ANSWER) | {"invalid": _("Please write a whole number, for example 12.")},
        **common,
    )


def _choice(question: Question, common: dict[str, Any]) -> forms.Field:
    options = [(option.code, str(option.text)) for option in question.options]
    return forms.ChoiceField(choices=options, widget=forms.RadioSelect, error_messages=_errors(CHOOSE), **common)


def _choices(question: Question, common: dict[str, Any]) -> forms.Field:
    options = [(option.code, str(option.text)) for option in question.options]
    widget = forms.CheckboxSelectMultiple
    return forms.MultipleChoiceField(choices=options, widget=widget, error_messages=_errors(CHOOSE), **common)


def _yesno(_question: Question, common: dict[str, Any]) -> forms.Field:
    options = list(YES_NO.items())
    return forms.ChoiceField(choices=options, widget=forms.RadioSelect, error_messages=_errors(CHOOSE), **common)


def _scale(question: Question, common: dict[str, Any]) -> forms.Field:
    low, high = int(question.minimum or 0), int(question.maximum or 10)
    options = [(str(step), str(step)) for step in range(low, high + 1)]
    widget = forms.RadioSelect(attrs={"class": "scale"})
    return forms.ChoiceField(choices=options, widget=widget, error_messages=_errors(CHOOSE), **common)


MAKERS = {
    "text": _text,
    "number": _number,
    "choice": _choice,
    "choices": _choices,
    "yesno": _yesno,
    "scale": _scale,
}


def _errors(required: Any) -> dict[str, Any]:
    return {"required": required, "max_length": _("Please shorten this to %(limit_value)d characters.")}


class StoryForm(forms.Form):
    """A page of the story. `lenient` asks for nothing: used by autosave and by "come back later"."""

    def __init__(self, data: Any = None, *, initial: dict[str, Any] | None = None, lenient: bool = False) -> None:
        super().__init__(data, initial=initial)
        self.lenient = lenient
        if lenient:
            for field in self.fields.values():
                field.required = False

    def told(self) -> dict[str, Any]:
        """The valid answers that say something, as JSON values."""
        return {name: value for name, value in self.cleaned_data.items() if value not in (None, "", [])}


def pack_form(questions: Iterable[Question], extra: dict[str, forms.Field] | None = None) -> type[StoryForm]:
    """A form class of pack questions; names are the keys of the intake. `extra` fields come after them."""
    fields = {KEYS.get(question.code, question.code): field_for(question) for question in questions}
    return type("PackForm", (StoryForm,), fields | (extra or {}))


def yes_no_form(rows: Iterable[tuple[str, str, str]]) -> type[StoryForm]:
    """A form of yes/no questions from (code, words, help); every one must be answered."""
    fields = {
        code: forms.ChoiceField(
            choices=list(YES_NO.items()),
            widget=forms.RadioSelect,
            label=words,
            help_text=hint,
            error_messages={"required": _("Please answer with yes or no.")},
        )
        for code, words, hint in rows
    }
    return type("YesNoForm", (StoryForm,), fields)
