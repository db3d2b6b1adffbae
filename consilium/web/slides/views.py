"""One slide with zoom. Its tiles come from the data plane; without JavaScript, links go from part to part."""

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from consilium.access import scopes
from consilium.cases.models import Case
from consilium.core import audit
from consilium.core.errors import NotFound
from consilium.records import slide_tiles
from consilium.records.models import Record
from consilium.web.guards import with_case
from consilium.web.http import Request, query_of
from consilium.web.reading.views import layout_of
from consilium.web.slides import present


@require_safe
@with_case("record.view")
def slide_page(request: Request, case: Case, record_id: UUID, file_id: UUID) -> HttpResponse:
    """A slide: ?z=&x=&y= choose the part that is shown without JavaScript."""
    record = scopes.record(request.principal, case, record_id)
    if record.status == Record.Status.REMOVED:
        raise NotFound()
    slide = slide_tiles.of_file(file_id)
    if slide is None or slide.file.record_id != record.pk or not scopes.sees_original(request.principal, case, record):
        raise NotFound()
    audit.read(f"record:{record.pk}", by=request.principal, space=case.pk)
    query = query_of(request)
    context = {
        "case": case,
        "record": record,
        "name": record.title or record.get_kind_display(),
        "slide": present.shown(slide, query, f"{request.path}?"),
        "facts": present.facts_of(slide),
        "others": present.others(slide, case),
        "layout": layout_of(request, case),
    }
    return render(request, "slides/slide.html", context)
