"""What the slide viewer shows: progress, facts, and the tiles of one part for people without JavaScript."""

from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _

from consilium.cases.models import Case
from consilium.core.text import iso_date
from consilium.imaging.slides import TILE
from consilium.records import slide_tiles, slides
from consilium.records.models import Slide
from consilium.records.slide_tiles import Layout
from consilium.web.reading.present import Viewer

WINDOW = 2  # tiles across and down that are shown at once without JavaScript


def shown(
    slide: Slide, query: dict[str, str], href: str, *, number: int = 1, regions: list[dict[str, Any]] | None = None
) -> dict[str, Any]:
    """Context of slides/viewer.html. `href` ends so that z=… can follow; `number` is its place in a record."""
    base = f"/data/cases/{slide.space}/slides/{slide.file.pk}/"
    found = slide_tiles.layout_of(slide)
    has_overview = slide.file.previews.filter(kind="page", index=0).exists()
    return {
        "id": str(slide.file.pk),
        "tiles": base,
        "number": number,
        "status": slide.status,
        "percent": slides.percent(slide),
        "overview": f"/data/files/{slide.file.pk}/page/0" if has_overview else "",
        "plain": part(found, query, base, href) if found.ready else None,
        "regions": regions or [],
    }


def beside(viewer: Viewer, query: dict[str, str], href: str, marks: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The slide that is open beside the writing. `marks`: stored regions with the number of their slide."""
    assert viewer.place
    slide = slide_tiles.of_file(viewer.place[0])
    mine = [mark for mark in marks if mark["page"] == viewer.current]
    links = [
        {
            "label": _("Slide %(n)s") % {"n": number},
            "href": f"{href}&frame={number}",
            "current": number == viewer.current,
        }
        for number in range(1, len(viewer.places) + 1)
        if len(viewer.places) > 1
    ]
    here = f"{href}&frame={viewer.current}&"
    return shown(slide, query, here, number=viewer.current, regions=mine) | {"links": links} if slide else None


def part(found: Layout, query: dict[str, str], base: str, href: str) -> dict[str, Any]:
    """Up to WINDOW × WINDOW tiles of one level as a drawing whose tiles link to the next finer level."""
    level = max(0, min(_number(query, "z"), found.ready - 1))
    columns, rows = found.levels[level].grid
    left = max(0, min(_number(query, "x"), columns - WINDOW))
    top = max(0, min(_number(query, "y"), rows - WINDOW))
    size = found.levels[level]
    tiles = [
        {
            "src": f"{base}{level}/{column}_{row}.jpg",
            "x": (column - left) * TILE,
            "y": (row - top) * TILE,
            "width": min(TILE, size.width - column * TILE),
            "height": min(TILE, size.height - row * TILE),
            "href": _at(href, level + 1, 2 * column, 2 * row) if level + 1 < found.ready else "",
            "row": row - top + 1,
            "column": column - left + 1,
        }
        for row in range(top, min(rows, top + WINDOW))
        for column in range(left, min(columns, left + WINDOW))
    ]
    moves = [
        ("out", _("Zoom out"), level > 0, (level - 1, left // 2, top // 2)),
        ("left", _("Left"), left > 0, (level, left - 1, top)),
        ("right", _("Right"), left + WINDOW < columns, (level, left + 1, top)),
        ("up", _("Up"), top > 0, (level, left, top - 1)),
        ("down", _("Down"), top + WINDOW < rows, (level, left, top + 1)),
    ]
    return {
        "width": min(WINDOW * TILE, size.width - left * TILE),
        "height": min(WINDOW * TILE, size.height - top * TILE),
        "tiles": tiles,
        "moves": [{"label": label, "href": _at(href, *to)} for _key, label, open_, to in moves if open_],
        "finest": level + 1 == len(found.levels),
    }


def _at(href: str, level: int, column: int, row: int) -> str:
    return f"{href}{urlencode({'z': level, 'x': column, 'y': row})}#slide"


def _number(query: dict[str, str], key: str) -> int:
    text = query.get(key, "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 8 else 0


def facts_of(slide: Slide) -> list[dict[str, str]]:
    """What the file says, in words. A label or overview picture is named and not shown."""
    facts = slide.file.facts
    rows: list[tuple[Any, str]] = [(_("Scanner"), str(facts.get("vendor") or ""))]
    if slide.width:
        size = f"{number_format(slide.width, force_grouping=True)} × {number_format(slide.height, force_grouping=True)}"
        rows.append((_("Size in pixels"), size))
    if slide.mpp:
        rows.append((_("Micrometres a pixel"), number_format(slide.mpp, 3)))
        field = (
            f"{number_format(slide.width * slide.mpp / 1000, 1)} × {number_format(slide.height * slide.mpp / 1000, 1)}"
        )
        rows.append((_("Size in millimetres"), field))
    if facts.get("objective"):
        rows.append((_("Objective"), f"{number_format(facts['objective'], 0)}×"))
    if taken := iso_date(str(facts.get("taken") or facts.get("study_date") or "")):
        rows.append((_("Scanned on"), date_format(taken, "DATE_FORMAT")))
    withheld = {"label": _("Picture of the label"), "macro": _("Picture of the whole glass")}
    for name in facts.get("withheld", []):
        rows.append((withheld[name], _("Not shown, because it may state a name. It is kept in the original.")))
    return [{"term": str(term), "text": text} for term, text in rows if text]


def others(slide: Slide, case: Case) -> list[dict[str, Any]]:
    """Links to the slides of the same record, when there are several."""
    found = slide_tiles.of_record(slide.file.record_id)
    return [
        {
            "label": str(one.file.facts.get("series_description") or _("Slide %(n)s") % {"n": number}),
            "href": address(one, case),
            "current": one.pk == slide.pk,
        }
        for number, one in enumerate(found, start=1)
        if len(found) > 1
    ]


def address(slide: Slide, case: Case) -> str:
    """The page of a slide."""
    return reverse("slide", args=[case.pk, slide.file.record_id, slide.file.pk])
