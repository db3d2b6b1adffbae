"""The reading room: every role reads records here, each seeing what the policy and the blinding allow."""

import math
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from consilium.access import scopes
from consilium.cases.models import Case
from consilium.core import audit
from consilium.core.errors import BadInput, NotFound
from consilium.records import previews
from consilium.records.models import Record
from consilium.web.guards import with_case
from consilium.web.http import Request, query_of
from consilium.web.reading import present


def layout_of(request: Request, case: Case) -> str:
    """The frame of the page: the patient's side or the staff's."""
    patient_side = case.roles_of(request.principal) & {"patient", "proxy_view", "proxy_act"}
    return "layouts/patient.html" if patient_side else "layouts/staff.html"


@require_safe
@with_case("record.view")
def record_list(request: Request, case: Case) -> HttpResponse:
    """All records of the case by clinical date, optionally of one kind."""
    found = scopes.records(request.principal, case).exclude(status=Record.Status.REMOVED)
    records = present.by_date(found.prefetch_related("files__previews"))
    kinds = {record.kind for record in records}
    chosen = request.GET.get("kind", "")
    shown = [record for record in records if chosen not in kinds or record.kind == chosen]
    open_conclusions = scopes.sees_conclusion(request.principal, case)
    rows = [present.row(r, case, withheld=bool(r.conclusion_pages) and not open_conclusions) for r in shown]
    audit.read(f"case:{case.pk}", by=request.principal, space=case.pk, action="record.list")
    context = {"case": case, "rows": rows, "kinds": present.kind_tabs(records, chosen), "blind": not open_conclusions}
    return render(request, "reading/list.html", context | {"layout": layout_of(request, case)})


@require_safe
@with_case("record.view")
def record_page(request: Request, case: Case, record_id: UUID) -> HttpResponse:
    """One record: its pages or images, its text, its facts."""
    record = scopes.record(request.principal, case, record_id)
    pages = scopes.visible_pages(request.principal, case, record)
    whole = scopes.sees_original(request.principal, case, record)
    audit.read(f"record:{record.pk}", by=request.principal, space=case.pk)
    context = {
        "case": case,
        "record": record,
        "row": present.row(record, case, withheld=not whole),
        "viewer": present.viewer(record, query_of(request), pages, request.path),
        "texts": present.texts(record, pages),
        "facts": present.facts_of(record),
        "files": present.downloads(record) if whole else [],
        "layout": layout_of(request, case),
    }
    return render(request, "reading/record.html", context)


@require_safe
@with_case("record.view")
def windowed_frame(request: Request, case: Case, record_id: UUID, file_id: UUID, index: int) -> HttpResponse:
    """A frame in another window, rendered in the sandbox now: ?centre=&width= (PS3.3 C.11.2.1.2)."""
    record = scopes.record(request.principal, case, record_id)
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
