"""Drawing Django forms: the template of each widget, the error summary, and a date in three fields."""

import datetime
from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms.boundfield import BoundField
from django.utils.translation import gettext_lazy as _


class DayMonthYearWidget(forms.MultiWidget):
    """Three short number fields instead of a calendar: easier for a birth date, and for a screen reader."""

    use_fieldset = True

    def __init__(self, attrs: dict[str, Any] | None = None, *, autocomplete: bool = False) -> None:
        parts = {}
        for name, size, token in (
            ("day", 2, "bday-day"),
            ("month", 2, "bday-month"),
            ("year", 4, "bday-year"),
        ):
            part = {"inputmode": "numeric", "maxlength": size, "class": f"input date-{name}"}
            if autocomplete:
                part["autocomplete"] = token
            parts[name] = forms.TextInput(attrs=part)
        super().__init__(parts, attrs)

    def decompress(self, value: Any) -> list[Any]:
        if isinstance(value, datetime.date):
            return [value.day, value.month, value.year]
        return [None, None, None]


class DayMonthYearField(forms.MultiValueField):
    """A date from day, month and year; the value is a `datetime.date`."""

    widget = DayMonthYearWidget
    default_error_messages = {
        "required": _("Enter the day, the month and the year."),
        "incomplete": _("Enter the day, the month and the year."),
        "invalid": _("This date does not exist. Check the day and the month."),
    }

    def __init__(self, *, birthday: bool = False, **kwargs: Any) -> None:
        messages = {"invalid": _("Use numbers only, for example 27 3 1961.")}
        parts = (
            forms.IntegerField(min_value=1, max_value=31, error_messages=messages),
            forms.IntegerField(min_value=1, max_value=12, error_messages=messages),
            forms.IntegerField(min_value=1850, max_value=2200, error_messages=messages),
        )
        kwargs.setdefault("widget", DayMonthYearWidget(autocomplete=birthday))
        super().__init__(parts, require_all_fields=True, **kwargs)

    def compress(self, data_list: list[int] | None) -> datetime.date | None:
        if not data_list:
            return None
        day, month, year = data_list
        try:
            return datetime.date(year, month, day)
        except ValueError:
            raise ValidationError(self.error_messages["invalid"], code="invalid")


KINDS: tuple[tuple[type[forms.Widget], str], ...] = (
    (DayMonthYearWidget, "date"),
    (forms.CheckboxSelectMultiple, "options"),
    (forms.RadioSelect, "options"),
    (forms.CheckboxInput, "checkbox"),
    (forms.Textarea, "textarea"),
    (forms.SelectMultiple, "select"),
    (forms.Select, "select"),
    (forms.FileInput, "file"),
)


def kind_of(widget: forms.Widget) -> str:
    """Name of the drawing for a widget: date, options, checkbox, textarea, select, file, hidden or input."""
    if widget.is_hidden:
        return "hidden"
    return next((kind for cls, kind in KINDS if isinstance(widget, cls)), "input")


def field(variables: dict[str, Any], _context: Mapping[str, Any]) -> None:
    """Work out the drawing of one bound field and give its control the class and the length limit."""
    bound: BoundField = variables["field"]
    widget, kind = bound.field.widget, kind_of(bound.field.widget)
    own_class = {"select": "select", "checkbox": "", "file": "input-file"}.get(kind, "input")
    attrs: dict[str, Any] = {"class": " ".join(filter(None, (widget.attrs.get("class"), own_class)))}
    if variables["autocomplete"]:
        attrs["autocomplete"] = variables["autocomplete"]
    limit = variables["counter"] or (bound.field.widget.attrs.get("maxlength") if kind == "textarea" else 0)
    if limit:
        # Without maxlength a pasted text is not cut off silently: the counter and the server say so.
        attrs.update({"data-counter": str(limit), "maxlength": False})
    hint = variables["hint"] or bound.help_text
    is_group = kind in ("options", "date")
    variables.update(
        kind=kind,
        limit=int(limit or 0),
        hint=hint,
        label=variables["label"] or bound.label,
        control="" if is_group else bound.as_widget(attrs=_described(bound, attrs, hint, limit)),
        date_parts=_date_parts(bound) if kind == "date" else (),
        is_group=is_group,
        optional=variables["optional_note"] and not bound.field.required and kind != "checkbox",
    )


def _described(bound: BoundField, attrs: dict[str, Any], hint: str, limit: Any) -> dict[str, Any]:
    """aria-describedby in reading order: hint, counter, error."""
    ids = [
        f"{bound.auto_id}_helptext" if hint else "",
        f"{bound.auto_id}_counter" if limit else "",
        f"{bound.auto_id}_error" if bound.errors else "",
    ]
    described = " ".join(filter(None, ids))
    return {**attrs, "aria-describedby": described} if described else attrs


def _date_parts(bound: BoundField) -> list[dict[str, Any]]:
    labels = (_("Day"), _("Month"), _("Year"))
    kept = ("inputmode", "maxlength", "autocomplete", "class")
    widgets = bound.subwidgets[0].data["subwidgets"]
    return [
        {
            "label": label,
            "name": part["name"],
            "id": part["attrs"].get("id", part["name"]),
            "value": "" if part["value"] is None else part["value"],
            "attrs": {key: value for key, value in part["attrs"].items() if key in kept},
        }
        for label, part in zip(labels, widgets, strict=True)
    ]


def error_summary(variables: dict[str, Any], _context: Mapping[str, Any]) -> None:
    """Every error with the id of the control it belongs to; an unbound or valid form gives none."""
    form = variables["form"]
    entries: list[dict[str, str]] = []
    if form is not None and form.is_bound:
        entries += [{"text": text, "target": ""} for text in form.non_field_errors()]
        for bound in form:
            entries += [{"text": text, "target": control_id(bound)} for text in bound.errors]
    variables["entries"] = entries


def control_id(bound: BoundField) -> str:
    """Id of the first control a person can focus in this field."""
    kind = kind_of(bound.field.widget)
    if kind == "date":
        return f"{bound.auto_id}_0"
    if kind == "options" and bound.subwidgets:
        return str(bound.subwidgets[0].id_for_label)
    return str(bound.id_for_label or bound.auto_id)


def form_fields(variables: dict[str, Any], _context: Mapping[str, Any]) -> None:
    """Visible fields in order; `heading` only makes sense for a form with one of them."""
    form = variables["form"]
    visible = [bound for bound in form if not bound.is_hidden] if form is not None else []
    variables.update(visible=visible, hidden=form.hidden_fields() if form is not None else [])
    variables["heading"] = bool(variables["heading"]) and len(visible) == 1
