"""Messages, the report, questions about it, the urgent message, and the follow-up questionnaire."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from consilium.access import scopes
from consilium.access.rules import may
from consilium.cases.actions import advance, follow_up
from consilium.cases.models import Case
from consilium.core import audit
from consilium.core.errors import BadInput, Refusal
from consilium.opinions.actions import report as reports
from consilium.people.queries import names_of
from consilium.talks import actions as talks
from consilium.web.http import Request, posted
from consilium.web.patient import queries
from consilium.web.patient.forms.talk import AskForm, MessageForm, follow_up_form
from consilium.web.patient.guards import patient_case
from consilium.web.patient.page import page
from consilium.web.patient.present import report as present
from consilium.web.patient.present import talk

GET_POST = ["GET", "HEAD", "POST"]


@require_http_methods(GET_POST)
@patient_case("message.view")
def message_list(request: Request, case: Case) -> HttpResponse:
    """Read and write messages."""
    by = request.principal
    form = MessageForm(posted(request), audiences=talk.audiences(case, by))
    if request.method == "POST" and form.is_valid():
        try:
            if not talk.just_sent(scopes.messages(by, case), by, form.cleaned_data):
                talks.send_message(case, by=by, **form.cleaned_data)
            messages.success(request, _("Your message is sent."))
            return redirect("case_messages", case.pk)
        except BadInput as error:
            form.add_error("body", str(error))
    shown = list(scopes.messages(by, case))
    audit.read(f"case:{case.pk}", by=by, space=case.pk, action="message.read")
    talks.mark_read(shown, by=by)
    context = {"form": form, "bubbles": talk.bubbles(case, shown, by), "audiences": talk.audiences(case, by)}
    return page(request, case, "messages", context)


@require_safe
@patient_case("report.view")
def report_page(request: Request, case: Case) -> HttpResponse:
    """The report: the newest version, or the one asked for."""
    by, wanted = request.principal, request.GET.get("version", "")
    report = scopes.report(by, case, int(wanted) if wanted.isdecimal() and len(wanted) < 5 else None)
    audit.read(f"report:{report.pk}", by=by, space=case.pk, action="report.read")
    reports.note_receipt(report, by=by)
    asked = list(scopes.clarifications(by, case))
    context = present.report_page(case, by, report, list(scopes.reports(by, case)), asked)
    return page(request, case, "report", context)


@require_http_methods(GET_POST)
@patient_case("clarification.ask")
def ask(request: Request, case: Case) -> HttpResponse:
    """Ask about the report or correct a fact."""
    asking = present.asking(case, request.principal, scopes.clarifications(request.principal, case).count())
    form = AskForm(posted(request))
    if request.method == "POST" and form.is_valid():
        try:
            talks.ask(case, by=request.principal, **form.cleaned_data)
        except Refusal as error:
            form.add_error("question", str(error))
        else:
            messages.success(request, _("Thank you. Your specialist answers within two working days."))
            return redirect("case_report", case.pk)
    context = {"form": form, "asking": asking, "back_url": reverse("case_report", args=[case.pk])}
    return page(request, case, "ask", context)


@require_http_methods(GET_POST)
@patient_case()
def urgent(request: Request, case: Case) -> HttpResponse:
    """The urgent message, and the button that says it has arrived."""
    message = present.urgent_message(case) if may("urgent.view", case, request.principal) else None
    if message is None:
        return redirect("case", case.pk)
    if request.method == "POST":
        advance(case, "acknowledge_urgent", by=request.principal)
        messages.success(request, _("Thank you. Your specialist now knows that you have read it."))
        return redirect("case", case.pk)
    audit.read(f"case:{case.pk}", by=request.principal, space=case.pk, action="urgent.read")
    sender = names_of([message["by"]]).get(message["by"], "")
    return page(request, case, "urgent", {"message": message, "sender": sender})


@require_http_methods(GET_POST)
@patient_case("follow_up.answer")
def follow_up_page(request: Request, case: Case, day: int) -> HttpResponse:
    """The questionnaire of day 30, 90 or 180, once it is due."""
    row = queries.follow_up(case, day)
    if row.answered_at:
        messages.info(request, _("You have answered this already. Thank you."))
        return redirect("case", case.pk)
    form = follow_up_form()(posted(request))
    if request.method == "POST" and form.is_valid():
        follow_up.answer(row, form.told(), by=request.principal)
        messages.success(request, _("Thank you. Your answers help the next patient, too."))
        return redirect("case", case.pk)
    return page(request, case, "follow_up", {"form": form, "back_url": reverse("case", args=[case.pk])})
