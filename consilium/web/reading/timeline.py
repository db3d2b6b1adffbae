"""The timeline of a case: every record, and what structured documents tell, by clinical date. Pure preparation."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.urls import reverse
from django.utils.translation import get_language_info
from django.utils.translation import gettext as _

from consilium.cases.models import Case
from consilium.core.text import iso_date
from consilium.records.models import Entry, Record
from consilium.web.reading import present

PAGE = 60  # entries a page


@dataclass(frozen=True)
class Item:
    """A record or an event of the timeline."""

    date: str
    kind: str
    record: Record
    entry: Entry | None = None


def items(records: Iterable[Record], events: Iterable[Entry]) -> list[Item]:
    """Newest clinical date first; what has no date comes last, newest arrival first."""
    found = [Item(record.clinical_date, record.kind, record) for record in records]
    found += [Item(str(e.body.get("date") or "")[:10], e.kind, e.record, e) for e in events if e.body.get("name")]
    return sorted(found, key=lambda one: (one.date, one.entry is None, one.record.added_at.isoformat()), reverse=True)


def choose(found: Sequence[Item], query: dict[str, str]) -> list[Item]:
    """What the filters leave: kind, year, language."""
    kind, year, language = (query.get(name, "") for name in ("kind", "year", "language"))
    return [
        one
        for one in found
        if (not kind or one.kind == kind)
        and (not year or (one.date[:4] or "none") == year)
        and (not language or one.record.language == language)
    ]


def by_year(
    found: Sequence[Item], case: Case, thumbnails: dict[UUID, UUID], withheld: set[UUID]
) -> list[dict[str, Any]]:
    """Groups with a heading, each with rows for the page."""
    groups: list[dict[str, Any]] = []
    for one in found:
        year = one.date[:4] or _("Without a date")
        if not groups or groups[-1]["year"] != year:
            groups.append({"year": year, "rows": []})
        groups[-1]["rows"].append(row(one, case, thumbnails, withheld))
    return groups


def row(one: Item, case: Case, thumbnails: dict[UUID, UUID], withheld: set[UUID]) -> dict[str, Any]:
    """One line: a record with its picture, or an event with the document that tells of it."""
    if one.entry is not None:
        name = present.safe_name(one.record, withheld=one.record.pk in withheld)
        return {
            "event": True,
            "when": present.shown_date(one.date),
            "name": one.entry.body.get("name", ""),
            "kind": one.entry.get_kind_display(),
            "source": name,
            "href": reverse("record", args=[case.pk, one.record.pk]),
        }
    hidden = one.record.pk in withheld
    found = present.row(one.record, case, withheld=hidden, drawn=thumbnails.get(one.record.pk))
    return found | {"source": source(one.record), "language": language(one.record.language)}


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
    kinds: dict[str, Any] = dict(Record.Kind.choices) | {str(k): label for k, label in Entry.Kind.choices}
    choices = [
        ("kind", _("Kind"), {one.kind: str(kinds.get(one.kind, one.kind)) for one in found}),
        ("year", _("Year"), {one.date[:4] or "none": one.date[:4] or _("Without a date") for one in found}),
        (
            "language",
            _("Language"),
            {o.record.language: language(o.record.language) for o in found if o.record.language},
        ),
    ]
    return [
        {"name": name, "label": label, "options": _options(options, query.get(name, ""), newest=name == "year")}
        for name, label, options in choices
        if len(options) > 1
    ]


def _options(options: dict[str, str], chosen: str, *, newest: bool) -> list[dict[str, Any]]:
    ordered = sorted(options.items(), key=lambda pair: pair[1], reverse=newest)
    return [{"value": value, "label": label, "chosen": value == chosen} for value, label in ordered]


def result(hit: Any, case: Case) -> dict[str, Any]:
    """A place where the searched words stand."""
    page = f"?{urlencode({'frame': hit.page + 1})}" if hit.page >= 0 else ""
    return {
        "href": reverse("record", args=[case.pk, hit.record.pk]) + page,
        "name": hit.record.title or hit.record.get_kind_display(),
        "kind": hit.record.get_kind_display(),
        "when": present.shown_date(hit.record.clinical_date),
        "page": hit.page + 1,
        "before": hit.before,
        "found": hit.found,
        "after": hit.after,
    }


def sides(records: Sequence[Record], chosen: dict[str, str]) -> list[dict[str, Any]]:
    """The two select boxes of the comparison."""
    return [
        {
            "name": side,
            "label": label,
            "options": [
                {"value": str(r.pk), "label": _label(r), "chosen": str(r.pk) == chosen.get(side)} for r in records
            ],
        }
        for side, label in (("left", _("On the left")), ("right", _("On the right")))
    ]


def _label(record: Record) -> str:
    when = iso_date(record.clinical_date)
    words = [when.isoformat() if when else "", record.title or str(record.get_kind_display())]
    return " · ".join(word for word in words if word)[:80]
