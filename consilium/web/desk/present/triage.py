"""Triage: what is waiting, and the pages of each record for marking the conclusion."""

from collections.abc import Iterable
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from consilium.cases.models import Case
from consilium.records.models import Record
from consilium.web.desk.present import board
from consilium.web.desk.present.dates import day_of
from consilium.web.desk.present.records import name_of

EXCERPT = 280
MAX_PAGES = 60


def card(case: Case) -> dict[str, Any]:
    """A case as triage sees it in the list."""
    shown = board.card(case, {}, href="triage_case")
    done = bool(case.triaged_at)
    shown["status"] = _("done, waiting for the desk") if done else _("to be done")
    shown["tone"] = "good" if done else "accent"
    return shown


def field_of(record: Record) -> str:
    """Name of the form field with a record's marked pages."""
    return f"pages_{record.pk}"


def documents(
    case: Case, records: Iterable[Record], marked: dict[str, list[int]] | None = None
) -> list[dict[str, Any]]:
    """Every record with pages, each page with picture or text; suggested or marked pages are ticked."""
    found = []
    for record in records:
        file = next(iter(record.files.all()), None)
        if file is None or record.images or not record.pages:
            continue
        pictures = {preview.index for preview in file.previews.all() if preview.kind == "page"}
        found.append(
            {
                "name": name_of(record),
                "kind": record.get_kind_display(),
                "when": day_of(record.clinical_date) if record.clinical_date else _("no date"),
                "href": reverse("record", args=[case.pk, record.pk]),
                "field": field_of(record),
                "suggested": bool(record.conclusion_pages) and not case.conclusions_marked_at,
                "pages": [
                    {
                        "index": index,
                        "number": index + 1,
                        "ticked": index in record.conclusion_pages,
                        "picture": f"/data/files/{file.pk}/page/{index}" if index in pictures else "",
                        "text": _excerpt(file.text, index),
                    }
                    for index in range(min(record.pages, MAX_PAGES))
                ],
            }
        )
    return found


def _excerpt(texts: list[str], index: int) -> str:
    text = " ".join(texts[index].split()) if index < len(texts) else ""
    return text[:EXCERPT] + ("…" if len(text) > EXCERPT else "")


def chosen_pages(records: Iterable[Record], data: Any) -> dict[Record, list[int]]:
    """The ticked pages of each record; what is no number is left out. Pages that have no box keep their mark."""
    return {
        record: [int(value) for value in data.getlist(field_of(record)) if value.isdecimal() and len(value) < 6]
        + [page for page in record.conclusion_pages if page >= MAX_PAGES]
        for record in records
        if record.pages and not record.images
    }


def unseen(records: Iterable[Record], data: Any) -> bool:
    """Whether a document came after the page was drawn: nobody has looked for a conclusion in it."""
    shown = set(data.getlist("shown"))
    return bool(shown) and any(field_of(r) not in shown for r in records if r.pages and not r.images)


def tabs(case: Case, current: str) -> list[dict[str, Any]]:
    """The two parts of triage."""
    pages = [("triage_case", _("Case and urgency")), ("triage_conclusions", _("First conclusion"))]
    return [
        {"label": label, "href": reverse(name, args=[case.pk]), "current": name == current} for name, label in pages
    ]
