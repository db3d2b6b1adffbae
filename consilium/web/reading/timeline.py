"""The timeline of a case: every record, and what structured documents tell, by clinical date. Pure preparation."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import urlencode
from uuid import UUID

from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import get_language_info
from django.utils.translation import gettext as _

from consilium.cases.models import Case
from consilium.records.models import Record
from consilium.records.queries import Event, Outline
from consilium.records.search import Hit
from consilium.web.patient.present.wording import titled
from consilium.web.reading import present

PAGE = 60  # entries a page


class Item(NamedTuple):
    """A record or an event of the timeline."""

    date: str
    kind: str
    language: str
    record: UUID
    added_at: datetime
    event: Event | None = None


def items(records: Iterable[Outline], events: Iterable[Event]) -> list[Item]:
    """Newest clinical date first; what has no date comes last, newest arrival first."""
    known = {one.id: one for one in records}
    found = [Item(one.date, one.kind, one.language, one.id, one.added_at) for one in known.values()]
    for event in events:
        if source := known.get(event.record):
            found.append(Item(event.date, event.kind, source.language, source.id, source.added_at, event))
    return sorted(found, key=lambda one: (one.date, one.event is None, one.added_at), reverse=True)


def choose(found: Sequence[Item], query: dict[str, str]) -> list[Item]:
    """What the filters leave: kind, year, language."""
    kind, year, language = (query.get(name, "") for name in ("kind", "year", "language"))
    return [
        one
        for one in found
        if (not kind or one.kind == kind)
        and (not year or (one.date[:4] or "none") == year)
        and (not language or one.language == language)
    ]


def by_year(
    found: Sequence[Item], case: Case, records: dict[UUID, Record], thumbnails: dict[UUID, UUID], withheld: set[UUID]
) -> list[dict[str, Any]]:
    """Groups with a heading, each with rows for the page; `records`: those of the page."""
    groups: list[dict[str, Any]] = []
    for one in found:
        if one.record not in records:
            continue  # removed in this moment
        year = one.date[:4] or _("Without a date")
        if not groups or groups[-1]["year"] != year:
            groups.append({"year": year, "rows": []})
        record, hidden = records[one.record], one.record in withheld
        if one.event:
            groups[-1]["rows"].append(event_row(one.event, record, case, withheld=hidden))
        else:
            groups[-1]["rows"].append(record_row(record, case, thumbnails, withheld=hidden))
    return groups


def record_row(record: Record, case: Case, thumbnails: dict[UUID, UUID], *, withheld: bool) -> dict[str, Any]:
    """A record with its picture, source and language."""
    found = present.row(record, case, withheld=withheld, drawn=thumbnails.get(record.pk))
    note = " · ".join(words for words in (source(record), language(record.language)) if words)
    return found | {"note": note, "state": "" if found["state"] == "ready" else found["state"]}


def event_row(event: Event, record: Record, case: Case, *, withheld: bool) -> dict[str, Any]:
    """An event with the document that tells of it."""
    return {
        "event": True,
        "when": present.shown_date(event.date),
        "name": event.name,
        "kind": present.kind_label(event.kind, event=True),
        "source": present.safe_name(record, withheld=withheld),
        "href": reverse("record", args=[case.pk, record.pk]),
    }


def source(record: Record) -> str:
    """Where it was made, as far as it says so."""
    return str(record.facts.get("institution") or record.facts.get("author") or "")


def language(code: str) -> str:
    """The language of a record in words; empty when unknown."""
    try:
        return str(_(get_language_info(code)["name"])) if code else ""
    except KeyError:
        return code


def filters(found: Sequence[Item], query: dict[str, str]) -> list[dict[str, Any]]:
    """Select boxes that narrow the timeline: only those with something to choose."""
    told = {one.kind for one in found if one.event}
    kinds = {kind: capfirst(present.kind_label(kind, event=True)) for kind in told}
    kinds |= {kind: capfirst(present.kind_label(kind)) for kind in {one.kind for one in found if not one.event}}
    languages = {one.language for one in found} - {""}
    choices = [
        ("kind", _("Kind"), kinds),
        ("year", _("Year"), {year or "none": year or _("Without a date") for year in {one.date[:4] for one in found}}),
        ("language", _("Language"), {code: language(code) for code in languages}),
    ]
    return [
        {"name": name, "label": label, "options": _options(options, query.get(name, ""), newest=name == "year")}
        for name, label, options in choices
        if len(options) > 1
    ]


def _options(options: dict[str, str], chosen: str, *, newest: bool) -> list[dict[str, Any]]:
    ordered = sorted(options.items(), key=lambda pair: pair[1], reverse=newest)
    return [{"value": value, "label": label, "chosen": value == chosen} for value, label in ordered]


def results(hits: Iterable[Hit], case: Case) -> list[dict[str, Any]]:
    """The records in which the searched words stand, each with its title or its pages where they do."""
    found: dict[UUID, dict[str, Any]] = {}
    for hit in hits:
        one = found.get(hit.record.pk) or found.setdefault(hit.record.pk, _result(hit.record, case))
        if hit.page < 0:
            one["title"] = hit.parts
        else:
            query = urlencode({"frame": hit.page + 1})
            one["pages"].append({"number": hit.page + 1, "href": f"{one['href']}?{query}", "parts": hit.parts})
    return list(found.values())


def _result(record: Record, case: Case) -> dict[str, Any]:
    return {
        "href": reverse("record", args=[case.pk, record.pk]),
        "name": titled(record.title) or present.kind_label(record.kind),
        "title": (),
        "kind": present.kind_label(record.kind),
        "when": present.shown_date(record.clinical_date),
        "pages": [],
    }


def sides(found: Sequence[Item], titles: dict[UUID, str], chosen: dict[str, str]) -> list[dict[str, Any]]:
    """The two select boxes of the comparison."""
    options = [(str(one.record), _label(one, titles.get(one.record, ""))) for one in found]
    return [
        {
            "name": side,
            "label": label,
            "options": [{"value": key, "label": words, "chosen": key == chosen.get(side)} for key, words in options],
        }
        for side, label in (("left", _("On the left")), ("right", _("On the right")))
    ]


def _label(one: Item, title: str) -> str:
    return f"{present.shown_date(one.date)} · {titled(title) or present.kind_label(one.kind)}"[:80]
