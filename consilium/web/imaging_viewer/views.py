"""The page around the image viewer. The images themselves come from the case's DICOMweb root in the data plane."""

from uuid import UUID

from csp.decorators import csp_replace
from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from consilium.access import scopes
from consilium.cases.models import Case
from consilium.core import audit
from consilium.core.errors import NotFound
from consilium.records.models import Record
from consilium.web.guards import with_case
from consilium.web.http import Request
from consilium.web.imaging_viewer import present


@require_safe
@with_case("record.view")
@csp_replace(settings.VIEWER_CONTENT_SECURITY_POLICY)
def case_viewer(request: Request, case: Case) -> HttpResponse:
    """The newest images of the case; all others are in the viewer's list of studies."""
    images = scopes.records(request.principal, case).exclude(status=Record.Status.REMOVED).filter(images__gt=0)
    return _page(request, case, present.newest(list(images)))


@require_safe
@with_case("record.view")
@csp_replace(settings.VIEWER_CONTENT_SECURITY_POLICY)
def record_viewer(request: Request, case: Case, record_id: UUID) -> HttpResponse:
    """The images of one record; ?file= opens it at that file."""
    found = [scopes.record(request.principal, case, record_id)]
    if found[0].status == Record.Status.REMOVED:
        raise NotFound()
    return _page(request, case, scopes.named(request.principal, case, found)[0])


def _page(request: Request, case: Case, record: Record | None) -> HttpResponse:
    # The images' own addresses and their reading are audited by the data plane; this is the look at the record.
    thing = f"record:{record.pk}" if record else f"case:{case.pk}"
    audit.read(thing, by=request.principal, space=case.pk)
    whole = record is not None and scopes.sees_original(request.principal, case, record)
    context = {
        "case": case,
        "record": record,
        "opening": present.opening(record, request.GET.get("file", "")) if record and whole else {},
        "places": present.places(case, record),
        "viewer": present.installed(),
    }
    response = render(request, "imaging_viewer/viewer.html", context)
    response.headers["Referrer-Policy"] = "no-referrer"
    return response
