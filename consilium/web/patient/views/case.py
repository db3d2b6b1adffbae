"""The case page and what can be done from it: history, access history, withdrawing, erasure, downloading."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from consilium.access import scopes
from consilium.access.rules import require
from consilium.cases import notices
from consilium.cases.actions import advance, desk
from consilium.cases.models import Case
from consilium.cases.workflow import row_for
from consilium.core import audit
from consilium.core.errors import NotFound
from consilium.people.queries import names_of
from consilium.web.http import Request
from consilium.web.patient import archive, queries
from consilium.web.patient.guards import patient_case
from consilium.web.patient.page import page
from consilium.web.patient.present import case as present
from consilium.web.patient.present import history, report, talk

GET_POST = ["GET", "HEAD", "POST"]


@require_safe
@patient_case()
def case_page(request: Request, case: Case) -> HttpResponse:
    """Where the case stands and the one next action."""
    by = request.principal
    audit.read(f"case:{case.pk}", by=by, space=case.pk, action="case.view")
    erased = case.state == "erased"
    unread = not erased and talk.any_unread(scopes.messages(by, case), by)
    pauses, events = present.pauses(case), list(case.events.all())
    context = {
        "heading": present.heading(case),
        "tracker": present.tracker(case, events),
        "word_from_us": present.word_from_us(case, events),
        "next": present.next_action(case, by, queries.due_follow_up(case), unread),
        "estimate": present.estimate(case, bool(pauses)),
        "pauses": pauses,
        "doctor": present.doctor(queries.specialist_of(case)),
        "coordinator": coordinator(case),
        "urgent": None if erased else report.urgent_message(case),
        "erased": erased,
    }
    return page(request, case, "case", context)


def coordinator(case: Case) -> str:
    """The reachable human: the first coordinator of the organisation."""
    people = notices.holders(case, "coordinator")[:1]
    return next(iter(names_of([user.ref for user in people]).values()), "")


@require_safe
@patient_case("workflow.view")
def steps(request: Request, case: Case) -> HttpResponse:
    """Every step so far, in plain words."""
    audit.read(f"case:{case.pk}", by=request.principal, space=case.pk, action="case.view")
    return page(request, case, "steps", {"entries": history.steps(case, list(case.events.all()))})


@require_safe
@patient_case("access_history.view")
def access_history(request: Request, case: Case) -> HttpResponse:
    """Who looked at what and when."""
    audit.read(f"case:{case.pk}", by=request.principal, space=case.pk, action="access.history")
    others = request.GET.get("show") == "others"
    found = audit.for_space(case.pk)
    found = found.exclude(agent__in=[request.principal.ref, "system"]) if others else found
    shown = Paginator(found, history.PER_PAGE).get_page(request.GET.get("page"))
    context = {"rows": history.looks(case, list(shown)), "shown": shown, "others": others}
    return page(request, case, "access_history", context)


@require_http_methods(GET_POST)
@patient_case()
def withdraw(request: Request, case: Case) -> HttpResponse:
    """Withdraw the case, after saying what that means."""
    row = row_for("withdraw", case.state)
    if row is None or not row.who & case.roles_of(request.principal):
        raise NotFound()
    if request.method == "POST":
        advance(case, "withdraw", by=request.principal)
        messages.success(request, _("Your case is withdrawn. You can start a new one at any time."))
        return redirect("case", case.pk)
    draft = case.state == "draft"
    consequences = [
        row.confirm,
        _("Your records stay available to you for download, until the case is erased."),
    ]
    heading = _("Stop and delete this draft?") if draft else _("Withdraw this case?")
    back = reverse("case_prepare" if draft else "case", args=[case.pk])
    context = {"heading": heading, "consequences": consequences, "confirm_label": row.label, "cancel_url": back}
    return page(request, case, "_confirm", context)


@require_http_methods(GET_POST)
@patient_case("erasure.request")
def erasure(request: Request, case: Case) -> HttpResponse:
    """Ask for erasure (GDPR Art. 17)."""
    require("erasure.request", case, request.principal)
    if request.method == "POST":
        desk.request_erasure(case, by=request.principal)
        messages.success(request, _("We have received your wish. An administrator carries it out and tells you."))
        return redirect("case", case.pk)
    consequences = [
        _("The key of your case is destroyed. Nobody can read it again, not even you."),
        _("Your report can no longer be checked or downloaded. Please download what you need first."),
        _("If a law makes us keep parts of it for some time, we tell you which and how long."),
    ]
    context = {
        "heading": _("Ask for erasure of this case?"),
        "consequences": consequences,
        "confirm_label": _("Ask for erasure"),
        "cancel_url": reverse("case", args=[case.pk]),
    }
    return page(request, case, "_confirm", context)


@require_safe
@patient_case("record.download_all")
def download_all(request: Request, case: Case) -> HttpResponse:
    """Everything as one zip, unsealed while it is sent; nothing is written to a disk."""
    by = request.principal
    require("record.download_all", case, by)
    records = scopes.records(by, case).exclude(status="removed").prefetch_related("files")
    reports = scopes.reports(by, case)
    audit.read(f"case:{case.pk}", by=by, space=case.pk, action="record.download_all")
    response = StreamingHttpResponse(archive.stream(case, list(records), list(reports)), content_type="application/zip")
    response.headers["Content-Disposition"] = f'attachment; filename="consilium-{case.reference}.zip"'
    response.headers["Content-Security-Policy"] = "sandbox"
    return response  # pyright: ignore[reportReturnType]
