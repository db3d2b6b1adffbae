"""The reading room: every role reads records here, each seeing what the policy and the blinding allow."""

import math
from typing import Any
from uuid import UUID

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from consilium.access import scopes
from consilium.access.rules import may
from consilium.cases import adequacy
from consilium.cases.models import Case
from consilium.core import audit, clock
from consilium.core.errors import BadInput, NotFound
from consilium.packs import registry
from consilium.records import previews, queries
from consilium.records.models import Record
from consilium.records.search import find
from consilium.web.guards import with_case
from consilium.web.http import Request, query_of
from consilium.web.labs import document as documents
from consilium.web.reading import present, timeline

MOST_HITS = 100
PATIENT_SIDE = "layouts/patient.html"


def layout_of(request: Request, case: Case) -> str:
    """The frame of the page: the patient's side or the staff's."""
    patient_side = case.roles_of(request.principal) & {"patient", "proxy_view", "proxy_act"}
    return PATIENT_SIDE if patient_side else "layouts/staff.html"


@require_safe
@with_case("record.view")
def record_list(request: Request, case: Case) -> HttpResponse:
    """The timeline: everything on the case by clinical date, narrowed by filters or searched by words."""
    query = query_of(request)
    records = scopes.records(request.principal, case).exclude(status=Record.Status.REMOVED)
    blind = not scopes.sees_conclusion(request.principal, case)
    withheld = _withheld(records, blind=blind)
    every = timeline.items(queries.outlines(case.pk, records), queries.events(case.pk, records, withheld=withheld))
    page = Paginator(timeline.choose(every, query), timeline.PAGE).get_page(query.get("page"))
    shown = queries.whole(case.pk, records, (one.record for one in page))
    pictures = queries.thumbnails(one.record for one in page if one.event is None)
    audit.read(f"case:{case.pk}", by=request.principal, space=case.pk, action="record.list")
    context = {
        "case": case,
        "groups": timeline.by_year(list(page), case, shown, pictures, withheld),
        "page": page,
        "filters": timeline.filters(every, query),
        "filtered": any(query.get(name) for name in ("kind", "year", "language")),
        "any": bool(every),
        "blind": blind,
        "may_key": may("key.read", case, request.principal),
    }
    return render(request, "reading/list.html", context | {"layout": layout_of(request, case)})


def _withheld(records: "QuerySet[Record]", *, blind: bool) -> set[UUID]:
    """Records of which some pages stay closed to a reader who reads blind."""
    return queries.with_conclusions(records) if blind else set()


@require_http_methods(["GET", "HEAD", "POST"])
@with_case("record.view")
def search(request: Request, case: Case) -> HttpResponse:
    """Words in the titles and pages of the case, also of scans. Sent by POST: the words belong in no address."""
    words = request.POST.get("q", "").strip()[:200]
    found = scopes.records(request.principal, case).exclude(status=Record.Status.REMOVED)
    records = queries.newest_first(case.pk, scopes.named(request.principal, case, found)) if words else []
    hits = find(records, words, scopes.pages_of(request.principal, case), most=MOST_HITS + 1)
    audit.read(f"case:{case.pk}", by=request.principal, space=case.pk, action="record.search")
    context = {
        "case": case,
        "words": words,
        "results": timeline.results(hits[:MOST_HITS], case),
        "count": min(len(hits), MOST_HITS),
        "more": len(hits) > MOST_HITS,
        "layout": layout_of(request, case),
    }
    return render(request, "reading/search.html", context)


@require_safe
@with_case("record.view")
def compare(request: Request, case: Case) -> HttpResponse:
    """Two records side by side, each with its own page or image."""
    query = query_of(request)
    records = scopes.records(request.principal, case).exclude(status=Record.Status.REMOVED)
    every = timeline.items(queries.outlines(case.pk, records), [])
    closed = _withheld(records, blind=not scopes.sees_conclusion(request.principal, case))
    titles = queries.titles(case.pk, records, withheld=closed)
    sides = [_side(request, case, records, query, name) for name in ("left", "right")]
    audit.read(f"case:{case.pk}", by=request.principal, space=case.pk, action="record.list")
    context = {"case": case, "sides": sides, "choices": timeline.sides(every, titles, query)}
    return render(request, "reading/compare.html", context | {"layout": layout_of(request, case)})


def _side(
    request: Request, case: Case, records: "QuerySet[Record]", query: dict[str, str], name: str
) -> dict[str, Any] | None:
    try:
        found = records.filter(pk=UUID(query.get(name, "")))
    except ValueError:
        return None
    record = next(iter(scopes.named(request.principal, case, found)), None)
    if record is None:
        return None
    pages = scopes.visible_pages(request.principal, case, record)
    whole = scopes.sees_original(request.principal, case, record)
    audit.read(f"record:{record.pk}", by=request.principal, space=case.pk)
    return present.side(record, case, query, name, pages, withheld=not whole)


@require_safe
@with_case("record.view")
def enough(request: Request, case: Case) -> HttpResponse:
    """Is this enough? A verdict for each item of the specialty's checklist, with the reasons."""
    records = scopes.records(request.principal, case).exclude(status=Record.Status.REMOVED)
    withheld = _withheld(records, blind=not scopes.sees_conclusion(request.principal, case))
    items = registry.specialty(case.specialty).records if case.specialty else []
    found = adequacy.verdicts(items, records, clock.now().date())
    audit.read(f"case:{case.pk}", by=request.principal, space=case.pk, action="record.list")
    context = {
        "case": case,
        "verdicts": [present.verdict(one, case, withheld) for one in found],
        "may_add": may("record.add", case, request.principal),
        "layout": layout_of(request, case),
    }
    return render(request, "reading/enough.html", context)


@require_safe
@with_case("record.view")
def record_page(request: Request, case: Case, record_id: UUID) -> HttpResponse:
    """One record: its pages or images, its text, its facts."""
    record = scopes.record(request.principal, case, record_id)
    pages = scopes.visible_pages(request.principal, case, record)
    whole = scopes.sees_original(request.principal, case, record)
    audit.read(f"record:{record.pk}", by=request.principal, space=case.pk)
    viewer = present.viewer(record, query_of(request), pages, request.path)
    context = {
        "case": case,
        "record": record,
        "row": present.row(record, case, withheld=not whole),
        "viewer": viewer,
        "texts": present.texts(record, pages),
        "words_only": not viewer.frames,
        "document": documents.document(record, scopes.entries(request.principal, case, within=record), whole=whole),
        "facts": present.facts_of(record),
        "files": present.downloads(record) if whole and record.status != Record.Status.REMOVED else [],
        "layout": layout_of(request, case),
        "decide_href": _where_to_decide(request, case, record),
    }
    return render(request, "reading/record.html", context)


def _where_to_decide(request: Request, case: Case, record: Record) -> str:
    """The page on which this reader says whether the record belongs to the patient; empty when there is no need."""
    if record.status != Record.Status.UNDECIDED or not may("record.decide", case, request.principal):
        return ""
    page = "case_upload" if layout_of(request, case) == PATIENT_SIDE else "desk_records"
    return reverse(page, args=[case.pk])


@require_safe
@with_case("record.view")
def windowed_frame(request: Request, case: Case, record_id: UUID, file_id: UUID, index: int) -> HttpResponse:
    """A frame in another window, rendered in the sandbox now: ?centre=&width= (PS3.3 C.11.2.1.2)."""
    record = scopes.record(request.principal, case, record_id)
    if not scopes.sees_original(request.principal, case, record):
        raise NotFound()
    file = record.files.filter(pk=file_id).first()
    try:
        centre, width = float(request.GET.get("centre", "")), float(request.GET.get("width", ""))
        if not (math.isfinite(centre) and math.isfinite(width)):
            raise ValueError
    except ValueError:
        raise BadInput(_("Please choose a brightness from the list.")) from None
    picture = previews.windowed(file, index, centre=centre, width=max(1.0, width)) if file else None
    if picture is None:
        raise NotFound()
    audit.read(f"record:{record.pk}", by=request.principal, space=case.pk)
    return HttpResponse(picture, content_type="image/png")
