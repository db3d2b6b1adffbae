"""Triage: read the case, set urgency and re-reads, mark the pages that state the first conclusion."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from consilium.access import scopes
from consilium.cases import story as stories
from consilium.cases.actions import desk
from consilium.cases.models import Case
from consilium.core import audit
from consilium.core.errors import BadInput
from consilium.records.models import Record
from consilium.web.desk import forms, queries
from consilium.web.desk.guards import case_for
from consilium.web.desk.present import board
from consilium.web.desk.present import case as present_case
from consilium.web.desk.present import triage as present
from consilium.web.desk.present.dates import moment
from consilium.web.guards import member
from consilium.web.http import Request

GET_POST = ["GET", "HEAD", "POST"]
PAGE = 25


@require_safe
@member("triage_clinician")
def triage_list(request: Request) -> HttpResponse:
    """Cases that wait for triage, those not looked at first."""
    page = Paginator(queries.triage_cases(request.principal), PAGE).get_page(request.GET.get("page"))
    return render(
        request, "desk/triage_list.html", {"page": page, "cards": [present.card(c) for c in page.object_list]}
    )


@require_http_methods(GET_POST)
@case_for("triage_clinician", action="triage.set")
def triage_case(request: Request, case: Case) -> HttpResponse:
    """Story, questions and records; specialty, urgency, complexity, re-reads."""
    by = request.principal
    form = forms.TriageForm(case, forms.posted(request))
    ready = request.method == "POST" and form.is_valid()
    if ready and forms.tried(form, lambda: desk.set_triage(case, by=by, **form.cleaned_data)):
        messages.success(request, _("Saved. Please mark the pages that state the first conclusion next."))
        return redirect("triage_conclusions", case.pk)
    audit.read(f"case:{case.pk}", by=by, space=case.pk, action="story.read")
    context = {
        "case": case,
        "form": form,
        "tabs": present.tabs(case, "triage_case"),
        "parts": [part for part in stories.parts(case) if part.rows],
        "questions": case.questions.all(),
        "alarm": board.treatment_alarm(case),
        "others": present_case.other_steps(case, by),
        "records": scopes.records(by, case).count(),
    }
    return render(request, "desk/triage_case.html", context)


@require_http_methods(GET_POST)
@case_for("triage_clinician", "coordinator", action="conclusion.mark")
def conclusions(request: Request, case: Case) -> HttpResponse:
    """Tick the pages that state the first opinion's conclusion; everything else stays open to the blind reader."""
    by = request.principal
    found = scopes.records(by, case).exclude(status=Record.Status.REMOVED).prefetch_related("files__previews")
    records = list(found)
    if request.method == "POST":
        if present.unseen(records, request.POST):
            raise BadInput(_("A document has arrived meanwhile. Please look at it, then save again."))
        desk.mark_conclusions(case, present.chosen_pages(records, request.POST), by=by)
        messages.success(request, _("The concluding pages are marked."))
        return redirect("triage_case" if "triage_clinician" in by.roles else "desk_case", case.pk)
    audit.read(f"case:{case.pk}", by=by, space=case.pk, action="record.list")
    context = {
        "case": case,
        "documents": present.documents(case, records),
        "tabs": present.tabs(case, "triage_conclusions") if "triage_clinician" in by.roles else [],
        "marked_at": moment(case.conclusions_marked_at),
    }
    return render(request, "desk/conclusions.html", context)
