"""Sending records: the upload page, the list of what was sent, and putting things right."""

from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.multipartparser import MultiPartParserError
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from consilium.access import scopes
from consilium.cases.actions import records as verbs
from consilium.cases.models import Case
from consilium.core import audit
from consilium.core.errors import BadInput, NotFound
from consilium.gateways.upload import handler
from consilium.web.http import Request, posted
from consilium.web.patient import sections
from consilium.web.patient.forms.records import CorrectionForm
from consilium.web.patient.guards import patient_case
from consilium.web.patient.page import page
from consilium.web.patient.present import records as present
from consilium.web.programs import sending


@require_safe
@patient_case("record.view")
def upload_page(request: Request, case: Case) -> HttpResponse:
    """Send files; see the state of each, and what is still missing."""
    audit.read(f"case:{case.pk}", by=request.principal, space=case.pk, action="records.list")
    gate = sections.gate_to_pass(case) if case.state == "draft" else ""
    return redirect("case_section", case.pk, gate) if gate else page(request, case, "upload", _listed(request, case))


def _listed(request: Request, case: Case) -> dict[str, object]:
    by = request.principal
    uploads, records = list(scopes.uploads(by, case)), list(scopes.records(by, case))
    shown = present.upload_page(case, by, uploads, records, scopes.files(by, case))
    return shown | sending.context(case, scopes.transfers(by, case))


@require_safe
@patient_case("record.view")
def upload_list(request: Request, case: Case) -> HttpResponse:
    """Only the list and the checklist: asked for every other second while something is being checked."""
    audit.read(f"case:{case.pk}", by=request.principal, space=case.pk, action="records.list")
    return page(request, case, "_sent", _listed(request, case))


@csrf_exempt
@require_POST
def upload(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """Take files: sealed while they arrive. CSRF is checked inside, once it is known where the bytes belong."""
    return _case_of_upload(request, case_id=case_id)


@patient_case("record.add")
def _case_of_upload(request: Request, case: Case) -> HttpResponse:
    """Name the space before anything reads the body; whatever goes wrong leaves no bytes behind."""
    if int(request.META.get("CONTENT_LENGTH") or 0) > settings.MAX_UPLOAD_BYTES + 1024 * 1024:
        return _refused(request, case, present.too_large(), 413)
    handler.prepare(request, space=case.pk, tenant=case.organisation_id)
    try:
        response = _checked_upload(request, case)
    except (MultiPartParserError, RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent):
        handler.discard(request)
        sentence = _("This did not arrive as it should, and nothing of it is kept. Please send fewer files at once.")
        return _refused(request, case, sentence, 400)
    except BaseException:
        handler.discard(request)
        raise
    if response.status_code >= 400:
        handler.discard(request)
    return response


@csrf_protect
def _checked_upload(request: Request, case: Case) -> HttpResponse:
    files = request.FILES.getlist("file")
    if handler.was_too_large(request) or not files:
        return _nothing_taken(request, case)
    name = request.POST.get("path", "") if len(files) == 1 else ""
    with transaction.atomic():  # all or none; the bytes are sealed on disk already
        sent = [verbs.add_upload(case, file.blob, name or file.name, by=request.principal) for file in files]  # pyright: ignore[reportAttributeAccessIssue]
    handler.discard(request, keep={upload.blob for upload in sent})
    if _wants_json(request):
        html = page(request, case, "_sent", _listed(request, case)).content.decode()
        return JsonResponse({"html": html, "message": _("Received")})
    messages.success(request, _("Thank you. Your files have arrived and are being checked now."))
    return redirect("case_upload", case.pk)


def _nothing_taken(request: Request, case: Case) -> HttpResponse:
    large = handler.was_too_large(request)
    handler.discard(request)
    sentence = present.too_large() if large else _("No file has arrived. Please choose a file first.")
    return _refused(request, case, sentence, 413 if large else 400)


def _wants_json(request: Request) -> bool:
    return "application/json" in request.headers.get("Accept", "")


def _refused(request: Request, case: Case, sentence: str, status: int) -> HttpResponse:
    """The sentence beside the file for scripts; on the page for plain forms."""
    if _wants_json(request):
        return JsonResponse({"message": sentence}, status=status)
    messages.error(request, sentence)
    response = redirect("case_upload", case.pk)
    response.headers["Connection"] = "close"
    return response


@require_POST
@patient_case("record.view")
def record_verb(request: Request, case: Case, record_id: UUID, verb: str) -> HttpResponse:
    """Take out, bring back, or decide whose record it is."""
    record, by = scopes.record(request.principal, case, record_id), request.principal
    if verb == "remove":
        verbs.remove_record(case, record, by=by)
    elif verb == "restore":
        verbs.restore_record(case, record, by=by)
    elif verb in ("mine", "not-mine"):
        verbs.decide_record(case, record, belongs=verb == "mine", by=by)
    elif verb in ("all-mine", "none-mine"):
        verbs.decide_alike(case, record, belongs=verb == "all-mine", by=by)
    else:
        raise NotFound()
    messages.success(request, present.done(verb))
    return redirect(reverse("case_upload", args=[case.pk]) + "#sent")


@require_http_methods(["GET", "HEAD", "POST"])
@patient_case("record.correct")
def correct_record(request: Request, case: Case, record_id: UUID) -> HttpResponse:
    """Type, title and date, when we read them wrongly."""
    record = scopes.record(request.principal, case, record_id)
    audit.read(f"record:{record.pk}", by=request.principal, space=case.pk)
    form = CorrectionForm(posted(request), initial=CorrectionForm.of(record))
    if request.method == "POST" and form.is_valid():
        try:
            verbs.correct_record(case, record, by=request.principal, **form.changes())
            return redirect(reverse("case_upload", args=[case.pk]) + "#sent")
        except BadInput as error:
            form.add_error("clinical_date", str(error))
    context = {"form": form, "record": record, "back_url": reverse("case_upload", args=[case.pk])}
    return page(request, case, "record_correct", context)
