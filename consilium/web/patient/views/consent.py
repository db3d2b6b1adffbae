"""Consents: the exact words, what is agreed to, and taking it back."""

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from consilium.access.rules import require
from consilium.cases.actions import advance, team
from consilium.cases.actions.advance import possible
from consilium.cases.models import Case
from consilium.consents import actions as consents
from consilium.core.errors import NotFound
from consilium.web.http import Request
from consilium.web.patient.guards import patient_case
from consilium.web.patient.page import page
from consilium.web.patient.present import consents as present

GET_POST = ["GET", "HEAD", "POST"]


@require_http_methods(GET_POST)
@patient_case("case.view")
def consent_list(request: Request, case: Case) -> HttpResponse:
    """Every clause of the rule that applies; giving those that are ticked."""
    ticked = set(request.POST.getlist("clause"))
    if request.method == "POST":
        require("consent.give", case, request.principal)
        forgotten = present.forgotten(case, ticked)
        if not forgotten:
            _give(request, case, ticked)
            return redirect(present.after_giving(case))
        return page(request, case, "consents", present.clauses(case, ticked, forgotten))
    return page(request, case, "consents", present.clauses(case))


def _give(request: Request, case: Case, clauses: set[str]) -> None:
    """Record the words in the language they were shown in; a relative agrees on the patient's behalf."""
    by = request.principal
    behalf = "" if "patient" in case.roles_of(by) else f"person:{case.patient_id}"
    language = request.LANGUAGE_CODE
    consents.give(case.pk, clauses, jurisdiction=case.jurisdiction, language=language, by=by, on_behalf_of=behalf)
    messages.success(request, _("Thank you. Your consent is saved. You can take it back at any time."))


@require_http_methods(GET_POST)
@patient_case("consent.give")
def withdraw_consent(request: Request, case: Case, clause: str) -> HttpResponse:
    """Take a consent back (GDPR Art. 7(3)); without a required one the work on the case stops."""
    row = present.clause(case, clause)
    if row is None or not consents.holds(case.pk, clause):
        raise NotFound()
    ends = row.required and case.state != "draft" and possible(case, "withdraw", request.principal)
    if request.method == "POST":
        with transaction.atomic():
            consents.withdraw(case.pk, clause, by=request.principal)
            if clause == consents.SHARE_WITH_TREATING_DOCTOR:
                team.close_links(case, by=request.principal)
            if ends:
                advance(case, "withdraw", by=request.principal)
        messages.success(request, _("Your consent is withdrawn."))
        return redirect("case", case.pk)
    context = present.withdrawal(case, row, ends) | {"cancel_url": reverse("case_consents", args=[case.pk])}
    return page(request, case, "consent_withdraw", context)
