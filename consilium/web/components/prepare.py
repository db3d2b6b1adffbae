"""What components need worked out before their template is drawn (no queries, no request)."""

import math
from collections.abc import Mapping
from typing import Any

from django.templatetags.static import static
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _

PORTRAITS = (
    "amara",
    "benedikt",
    "chen",
    "dora",
    "farid",
    "helena",
    "ingrid",
    "mateo",
    "yasmin",
)
TITLES = frozenset({"Dr", "Prof", "med", "MD", "PD"})
FILE_STATES = {
    "received": ("info", "inbox", _("Received")),
    "checking": ("info", "search", _("Being checked")),
    "ready": ("good", "check", _("Ready")),
    "flagged": ("warn", "flag", _("Please have a look")),
    "decision": ("warn", "question", _("Needs your decision")),
    "failed": ("danger", "cross", _("Cannot be used")),
}
TURNS = {
    "you": ("hand", _("Your turn")),
    "us": ("clock", _("We are working on it")),
    "other": ("hourglass", _("Waiting for somebody else")),
}


def portrait(variables: dict[str, Any], _context: Mapping[str, Any]) -> None:
    """Turn a portrait's short name into its address; a person without one gets initials."""
    value = str(variables.get("portrait") or "")
    if value in PORTRAITS:
        value = static(f"portraits/{value}.svg")
    name = str(variables.get("name") or variables.get("who") or "")
    words = [word for word in name.replace(".", "").split() if word[:1].isalpha() and word not in ("Dr", "Prof")]
    variables["portrait_url"] = value
    variables["initials"] = "".join(word[0] for word in (words[:1] + words[1:][-1:])).upper()


def next_action(variables: dict[str, Any], _context: Mapping[str, Any]) -> None:
    """Say in words whose turn it is when the page does not."""
    icon, words = TURNS[str(variables["turn"])]
    variables["turn_label"] = variables["turn_label"] or words
    variables["icon"] = variables["icon"] or icon


def file_item(variables: dict[str, Any], _context: Mapping[str, Any]) -> None:
    """Give a file's state its colour, icon and words; without a state there is nothing to say."""
    state = str(variables["state"])
    tone, icon, label = FILE_STATES[state] if state else ("plain", "", "")
    variables.update(tone=tone, state_icon=icon, state_label=label)


def unique_id(variables: dict[str, Any], _context: Mapping[str, Any]) -> None:
    """Derive an element id from the label so that label and control belong together."""
    variables["id"] = variables["id"] or f"copy-{slugify(str(variables['label'])) or 'text'}"


def data_table(variables: dict[str, Any], _context: Mapping[str, Any]) -> None:
    """Pair every cell with its column, so that a phone can show the label beside the value."""
    columns = [column if isinstance(column, Mapping) else {"label": column} for column in variables["columns"]]
    variables["columns"] = columns
    variables["rows"] = [
        [
            {"column": column, "first": index == 0, **(cell if isinstance(cell, Mapping) else {"text": cell})}
            for index, (column, cell) in enumerate(zip(columns, row, strict=True))
        ]
        for row in variables["rows"]
    ]


def pagination(variables: dict[str, Any], context: Mapping[str, Any]) -> None:
    """Addresses of the neighbouring pages with the rest of the query string kept."""
    page, request = variables["page"], context.get("request")
    query = request.GET.copy() if request is not None else None

    def address(number: int) -> str:
        if query is None:
            return f"?{variables['param']}={number}"
        query[variables["param"]] = str(number)
        return f"?{query.urlencode()}"

    variables["previous"] = address(page.previous_page_number()) if page.has_previous() else ""
    variables["next"] = address(page.next_page_number()) if page.has_next() else ""
    variables["numbers"] = [
        {"number": number, "href": address(number), "current": number == page.number}
        if isinstance(number, int)
        else {"gap": True}
        for number in page.paginator.get_elided_page_range(page.number, on_each_side=1, on_ends=1)
    ]


def image_viewer(variables: dict[str, Any], _context: Mapping[str, Any]) -> None:
    """Frame list as data for the script, and plain links for those who have none."""
    frames = [frame if isinstance(frame, Mapping) else {"url": frame} for frame in variables["frames"]]
    count = len(frames)
    current = min(max(int(variables["current"] or 1), 1), max(count, 1))
    variables.update(
        count=count,
        current=current,
        frame=frames[current - 1] if frames else None,
        urls=[str(frame["url"]) for frame in frames],
        data_id=f"{variables['id']}-frames",
        noun=variables["noun"] or _("Image"),
        previous=max(current - 1, 1),
        next=min(current + 1, count),
        frame_href=f"{variables['page_href']}{'&' if '?' in variables['page_href'] else '?'}{variables['frame_name']}=",
        regions=[_region(region) for region in variables["regions"] or ()],
    )


def _region(region: Mapping[str, Any]) -> dict[str, Any]:
    """A region in 0..1 becomes SVG percentages; `page` says on which frame it belongs."""
    scaled = {key: f"{_clamp(float(region[key])) * 100:.2f}" for key in ("x", "y", "w", "h")}
    return {**scaled, "label": region.get("label", ""), "page": region.get("page", 1)}


def _clamp(value: float) -> float:
    return 0.0 if math.isnan(value) else min(max(value, 0.0), 1.0)
