"""Records at the desk: the checklist, doubtful ones, and adding on behalf of somebody."""

from typing import cast
from uuid import UUID

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from consilium.access import scopes
from consilium.cases.actions import desk
from consilium.cases.actions import records as case_records
from consilium.cases.models import Case
from consilium.core import audit
from consilium.core.errors import BadInput
from consilium.gateways.upload import handler
from consilium.records.models import Upload
from consilium.web.desk import forms, queries
from consilium.web.desk.guards import desk_case
from consilium.web.desk.present import records as present
from consilium.web.desk.views.case import GET_POST, page
from consilium.web.http import Request
from consilium.web.programs import sending


@require_safe
@desk_case("record.view")
def records(request: Request, case: Case) -> HttpResponse:
    """What is wanted, what is here, what needs a decision."""
    by = request.principal
    audit.read(f"case:{case.pk}", by=by, space=case.pk, action="record.list")
    found = list(scopes.records(by, case))
    sent = list(scopes.uploads(by, case))
    items = present.checklist(case, case.record_requests.all(), desk.suggest_here(case))
    context = {
        "required": [item for item in items if item["mandatory"]],
        "helpful": [item for item in items if not item["mandatory"]],
        "doubtful": present.doubtful(case, found),
        "rows": present.kept(case, found),
        "uploads": present.uploads(case, sent),
        "checking": present.is_checking(sent),
    }
    return page(request, case, "records", context | sending.context(case, scopes.transfers(by, case)))


@require_http_methods(GET_POST)
@desk_case("request.manage")
def record_request(request: Request, case: Case, item: str) -> HttpResponse:
    """One item of the checklist: here, ask for it, waive it with a reason."""
    row, by = queries.request_row(case, item), request.principal
    form = forms.RequestForm(row, forms.posted(request), request.GET.get("what", ""))
    ready = request.method == "POST" and form.is_valid()
    if ready and forms.tried(form, lambda: desk.set_record_status(case, item, by=by, **form.arguments())):
        messages.success(request, _("The checklist is up to date."))
        return redirect("desk_records", case.pk)
    audit.read(f"case:{case.pk}", by=by, space=case.pk, action="record.list")
    shown = next((one for one in present.checklist(case, [row], desk.suggest_here(case))), {})
    context = {
        "heading": shown.get("title", item),
        "lead": shown.get("why", ""),
        "form": form,
        "submit": _("Save"),
        "back": reverse("desk_records", args=[case.pk]),
        "here_already": shown.get("records", []),
    }
    return page(request, case, "form", context)


@require_POST
@desk_case("request.manage")
def record_here(request: Request, case: Case, item: str) -> HttpResponse:
    """Mark an item as here with one press."""
    queries.request_row(case, item)
    desk.set_record_status(case, item, "here", by=request.principal)
    messages.success(request, _("Marked as here."))
    return redirect("desk_records", case.pk)


@require_POST
@desk_case("record.decide")
def decide(request: Request, case: Case, record_id: UUID) -> HttpResponse:
    """Say whether a doubtful record belongs to the patient."""
    record = scopes.record(request.principal, case, record_id)
    if request.POST.get("belongs") not in ("yes", "no"):
        raise BadInput(_("Please choose whether the record belongs to the patient."))
    belongs = request.POST["belongs"] == "yes"
    case_records.decide_record(case, record, belongs=belongs, by=request.principal)
    kept, out = _("The record stays with the case."), _("The record was taken out. You can bring it back below.")
    messages.success(request, kept if belongs else out)
    return redirect("desk_records", case.pk)


@require_POST
@desk_case("record.remove")
def move(request: Request, case: Case, record_id: UUID) -> HttpResponse:
    """Take a record out, or bring it back."""
    record = scopes.record(request.principal, case, record_id)
    if request.POST.get("to") == "back":
        case_records.restore_record(case, record, by=request.principal)
        messages.success(request, _("The record is back."))
    else:
        case_records.remove_record(case, record, by=request.principal)
        messages.success(request, _("The record was taken out. You can bring it back below."))
    return redirect("desk_records", case.pk)


@csrf_exempt
@require_POST
def upload(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """Add what came by post, fax or disc on behalf of somebody. CSRF is checked inside, once the space is named."""
    return _upload_to(request, case_id=case_id)


@desk_case("record.add")
def _upload_to(request: Request, case: Case) -> HttpResponse:
    """Files are sealed as they arrive; whatever goes wrong leaves no bytes behind."""
    handler.prepare(request, space=case.pk, tenant=case.organisation_id)
    try:
        response = _checked_upload(request, case)
    except BaseException:
        handler.discard(request)
        raise
    if response.status_code >= 400:  # a form without its token: the bytes came with it
        handler.discard(request)
    return response


@csrf_protect
def _checked_upload(request: Request, case: Case) -> HttpResponse:
    files, wants_json = request.FILES.getlist("file"), "application/json" in request.headers.get("Accept", "")
    if handler.was_too_large(request) or not files:
        return _nothing_taken(request, case, wants_json)
    name = request.POST.get("path", "") if len(files) == 1 else ""
    with transaction.atomic():  # all or none; the bytes are sealed on disk already
        sent = [_kept(request, case, file, name) for file in files]
    handler.discard(request, keep={one.blob for one in sent})
    if wants_json:
        context = {"uploads": present.uploads(case, sent), "address": reverse("desk_records", args=[case.pk])}
        html = render_to_string("desk/_received.html", context, request)
        return JsonResponse({"html": html, "message": _("Received. It is being checked now.")})
    messages.success(request, _("Received. It is being checked now."))
    return redirect("desk_records", case.pk)


def _kept(request: Request, case: Case, file: UploadedFile, name: str) -> Upload:
    blob = cast(handler.SealedUpload, file).blob
    return case_records.add_upload(case, blob, name or file.name or "", by=request.principal)


def _nothing_taken(request: Request, case: Case, wants_json: bool) -> HttpResponse:
    large = handler.was_too_large(request)
    handler.discard(request)
    sentence = _("This file is too large.") if large else _("No file has arrived. Please choose a file first.")
    if wants_json:
        return JsonResponse({"message": sentence}, status=413 if large else 400)
    messages.error(request, sentence)
    return redirect("desk_records", case.pk)
