"""The table of components: one row a component; the tags, the gallery and the README come from it.

A row names the template `components/<name>.html`, its required parameters (in positional order), its
optional parameters with defaults, and whether it wraps a body (`{% card %}…{% endcard %}`).
Unknown parameters are an error, so that a typo is seen at once.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from consilium.web.components import charts, forms, navigation, prepare

Preparer = Callable[[dict[str, Any], Mapping[str, Any]], None]


@dataclass(frozen=True)
class Component:
    """One row: what it is for, what it takes, and how its parameters are prepared for the template."""

    name: str
    purpose: str
    required: tuple[str, ...] = ()
    optional: Mapping[str, Any] = field(default_factory=dict)
    body: bool = False
    prepare: Preparer | None = None
    # drawn once for each set of parameters and kept: only for what never holds words about a person
    kept: bool = False

    @property
    def template(self) -> str:
        return f"components/{self.name}.html"

    def bind(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """Turn tag arguments into template variables; TypeError names what is wrong."""
        names = (*self.required, *self.optional)
        if len(args) > len(names):
            raise TypeError(f"{{% {self.name} %}} takes at most {len(names)} values")
        given = {**dict(zip(names, args, strict=False)), **kwargs}
        unknown, missing = set(given) - set(names), set(self.required) - set(given)
        if unknown or missing:
            raise TypeError(
                f"{{% {self.name} %}} unknown: {sorted(unknown)}, missing: {sorted(missing)}; knows {names}"
            )
        return {**self.optional, **given}


ROWS = (
    # --- page frame -----------------------------------------------------------------------------------
    Component(
        "page_head",
        "Heading of a page; the body holds actions",
        ("title",),
        {"lead": "", "eyebrow": "", "badge": "", "tone": "neutral"},
        body=True,
    ),
    Component(
        "role_nav",
        "Main navigation, 'patient' or 'staff' (rows in navigation.py)",
        ("kind",),
        {"items": None},
        prepare=navigation.role_nav,
    ),
    Component("account_menu", "Name, account, language and sign-out of the person signed in"),
    Component("nav_sign_in", "Sign-in and sign-up links of public pages"),
    Component("language_switcher", "One button a language; works without JavaScript"),
    Component("toasts", "Django messages as notices"),
    Component("tabs", "Segmented navigation by links; item: label, href, current, count", ("items", "label")),
    Component("breadcrumb", "Path to this page; item: label, href (last without)", ("items",)),
    Component("back_link", "One step back", ("href",), {"label": ""}),
    Component(
        "pagination",
        "Pages of a Django Page; keeps the query string",
        ("page",),
        {"param": "page"},
        prepare=prepare.pagination,
    ),
    # --- actions and states -----------------------------------------------------------------------------
    Component(
        "button",
        "Button or, with href, link that looks like one; kind primary|secondary|quiet|danger",
        ("label",),
        {
            "href": "",
            "kind": "primary",
            "icon": "",
            "name": "",
            "value": "",
            "type": "submit",
            "wide": False,
            "small": False,
            "form": "",
            "download": False,
            "describedby": "",
            "formaction": "",
            "disabled": False,
            "hidden_text": "",
        },
    ),
    Component(
        "button_post",
        "A whole form with one button (POST, with CSRF); fields is a dict of hidden values",
        ("label", "action"),
        {"kind": "primary", "icon": "", "fields": None, "small": False, "hidden_text": ""},
    ),
    Component(
        "next_action",
        "'What happens next': one action, whose turn, estimate; turn you|us|other",
        ("title",),
        {"turn": "you", "turn_label": "", "href": "", "label": "", "estimate": "", "action": "", "icon": ""},
        body=True,
        prepare=prepare.next_action,
    ),
    Component(
        "status_tracker",
        "Vertical steps; step: title, state done|current|next|stopped, when, note, href",
        ("steps",),
        {"label": ""},
    ),
    Component("step_progress", "'Step 3 of 8' with a progress bar", ("step", "steps"), {"label": ""}),
    Component(
        "badge",
        "Short state; tone neutral|info|good|warn|danger|accent",
        ("text",),
        {"tone": "neutral", "icon": ""},
    ),
    Component(
        "notice",
        "Message in the page; tone info|success|warning|urgent",
        (),
        {"tone": "info", "title": "", "role": "", "focus": False},
        body=True,
    ),
    Component(
        "empty_state",
        "Nothing here yet, and what to do",
        ("title",),
        {"text": "", "href": "", "label": "", "art": "art-cup"},
    ),
    Component(
        "icon",
        "Icon from the sprite; decorative unless label is given",
        ("name",),
        {"label": "", "size": ""},
        kept=True,
    ),
    # --- people and cases -------------------------------------------------------------------------------
    Component(
        "card",
        "Plain container with optional heading; level is 2 or 3",
        (),
        {"title": "", "level": 2, "tone": "", "href": "", "icon": "", "id": ""},
        body=True,
    ),
    Component(
        "case_card",
        "A case in a list; facts: term, text; badges: text, tone",
        ("title", "href"),
        {
            "reference": "",
            "status": "",
            "tone": "neutral",
            "facts": None,
            "next": "",
            "due": "",
            "due_tone": "",
            "badges": None,
            "level": 3,
        },
    ),
    Component(
        "doctor_card",
        "Named, pictured doctor; facts: strings; the body is their own words",
        ("name",),
        {
            "role": "",
            "portrait": "",
            "place": "",
            "facts": None,
            "href": "",
            "label": "",
            "illustration": True,
            "level": 3,
        },
        body=True,
        prepare=prepare.portrait,
    ),
    Component(
        "portrait",
        "Round portrait; portrait is a name from static/portraits or a URL",
        ("name",),
        {"portrait": "", "size": "m"},
        prepare=prepare.portrait,
    ),
    Component("key_facts", "Big short facts in a row; item: term, text, note, tone", ("items",), {"label": ""}),
    Component(
        "definition_list",
        "Terms and values; item: term, text, href, change_href, change_label",
        ("items",),
        {"compact": False},
    ),
    Component("timeline", "Events; entry: when, title, text, who, tone, href, iso", ("entries",), {"label": ""}),
    Component(
        "checklist",
        "Checks; item: text, passed True|False|None, note, href, label",
        ("items",),
        {"label": ""},
    ),
    Component(
        "message_bubble",
        "One message of a conversation",
        ("who", "when"),
        {"mine": False, "portrait": "", "role": "", "iso": ""},
        body=True,
        prepare=prepare.portrait,
    ),
    Component("disclosure", "details/summary", ("summary",), {"open": False, "id": "", "tone": ""}, body=True),
    Component(
        "copy_text",
        "Read-only text with a copy button",
        ("value",),
        {"label": "", "id": ""},
        prepare=prepare.unique_id,
    ),
    # --- forms ----------------------------------------------------------------------------------------
    Component(
        "error_summary",
        "What to correct, linked to the fields; takes focus",
        ("form",),
        {"title": ""},
        prepare=forms.error_summary,
    ),
    Component(
        "field",
        "One form field: label, hint, error, control",
        ("field",),
        {
            "label": "",
            "hint": "",
            "width": "",
            "counter": 0,
            "cards": True,
            "heading": False,
            "optional_note": True,
            "autocomplete": "",
            "inline": False,
        },
        prepare=forms.field,
    ),
    Component(
        "form_fields",
        "All fields of a form; a single field becomes the page's heading with heading=True",
        ("form",),
        {"heading": False},
        prepare=forms.form_fields,
    ),
    Component("fieldset", "Group of fields under one legend", ("legend",), {"hint": ""}, body=True),
    Component("form_actions", "Row of buttons under a form; the body holds them", (), {"sticky": False}, body=True),
    Component(
        "upload",
        "Upload form with drop zone; works as a plain multipart form; the body holds more fields; tus: resumable",
        ("action",),
        {
            "name": "file",
            "label": "",
            "hint": "",
            "accept": "",
            "multiple": True,
            "id": "upload",
            "button": "",
            "target": "",
            "capture": False,
            "folder": False,
            "tus": "",
            "after": "",
        },
        body=True,
    ),
    Component(
        "file_item",
        'A record with its state received|checking|ready|flagged|decision|failed, or "" for none; body: actions',
        ("name", "state"),
        {
            "kind": "",
            "size": "",
            "note": "",
            "text": "",
            "href": "",
            "thumbnail": "",
            "when": "",
            "poll": "",
            "id": "",
            "tag": "li",
        },
        body=True,
        prepare=prepare.file_item,
    ),
    # --- data -------------------------------------------------------------------------------------------
    Component(
        "data_table",
        "Table that becomes cards on a phone; columns: label, numeric; rows: lists of text or "
        "{text, href, tone, note, iso}",
        ("columns", "rows"),
        {"caption": "", "empty": "", "hide_caption": False},
        prepare=prepare.data_table,
    ),
    Component(
        "meter_bar",
        "Value on a scale with words, e.g. readability",
        ("label", "value"),
        {"min": 0, "max": 100, "low": "", "high": "", "optimum": "", "text": "", "note": ""},
    ),
    Component(
        "sparkline",
        "Tiny trend without axes; values oldest first; range low–high shaded",
        ("values", "label"),
        {"low": None, "high": None, "unit": "", "width": 120, "height": 32},
        prepare=charts.sparkline,
    ),
    Component(
        "trend",
        "Trend with dates and reference range; point: when, value, text",
        ("points", "label"),
        {"low": None, "high": None, "unit": "", "level": 3},
        prepare=charts.trend,
    ),
    # --- images -----------------------------------------------------------------------------------------
    Component(
        "image_viewer",
        "Figure with slider, previous/next, zoom and region marking; frames: list of URLs",
        ("frames", "label"),
        {
            "current": 1,
            "series": None,
            "windows": None,
            "id": "viewer",
            "noun": "",
            "page_href": "",
            "frame_name": "frame",
            "caption": "",
            "select_form": "",
            "regions": None,
            "record": "",
            "note": True,
        },
        prepare=prepare.image_viewer,
    ),
    Component(
        "region_fields",
        "Number fields x, y, w, h, page that mark a region by keyboard; filled by dragging",
        (),
        {"prefix": "", "viewer": "viewer", "record": "", "x": "", "y": "", "w": "", "h": "", "page": ""},
    ),
)
COMPONENTS: dict[str, Component] = {row.name: row for row in ROWS}
