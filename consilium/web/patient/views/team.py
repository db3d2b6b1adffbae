"""People around the patient: relatives who read along or act, and links for the treating doctor."""

from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from consilium.access.rules import may, require
from consilium.cases.actions import team
from consilium.cases.models import Case
from consilium.consents import actions as consents
from consilium.core.errors import BadInput, NotFound
from consilium.web.http import Request, posted
from consilium.web.patient import queries
from consilium.web.patient.forms.talk import InviteForm, LinkForm
from consilium.web.patient.guards import patient_case
from consilium.web.patient.page import page
from consilium.web.patient.present import team as present

GET_POST = ["GET", "HEAD", "POST"]


@require_safe
@patient_case("case.view")
def people(request: Request, case: Case) -> HttpResponse:
    """Who may see the case on the patient's side."""
    relatives = present.relatives(case, list(queries.relatives(case)), request.principal)
    return page(request, case, "people", {"relatives": relatives})


@require_http_methods(GET_POST)
@patient_case("team.manage")
def invite(request: Request, case: Case) -> HttpResponse:
    """Invite a relative; asks for the second step first."""
    require("team.manage", case, request.principal)
    form = InviteForm(posted(request))
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        try:
            team.invite_proxy(case, said["email"], said["role"], by=request.principal, days=int(said["days"]))
        except BadInput as error:
            form.add_error("email", str(error))
        else:
            messages.success(request, _("Invited. Your relative finds the invitation under “My cases”."))
            return redirect("case_people", case.pk)
    context = {"form": form, "back_url": reverse("case_people", args=[case.pk]), "submit_label": _("Invite")}
    return page(request, case, "invite", context)


@require_http_methods(GET_POST)
@patient_case("case.view")
def end(request: Request, case: Case, grant_id: int) -> HttpResponse:
    """End a relative's access: by the patient, or by the relative who steps back."""
    grant, by = queries.grant(case, grant_id), request.principal
    mine = grant.user_id == by.id
    if not mine and not may("team.manage", case, by):
        raise NotFound()
    if request.method == "POST":
        team.end_grant(grant, by=by)
        messages.success(request, _("The access has ended."))
        return redirect("my_cases") if mine else redirect("case_people", case.pk)
    return page(request, case, "_confirm", present.ending(case, grant, mine))


@require_safe
@patient_case("case.view")
def links(request: Request, case: Case) -> HttpResponse:
    """Links for the treating doctor: open, used, expired, closed."""
    context = {
        "links": present.links(case),
        "consented": consents.holds(case.pk, consents.SHARE_WITH_TREATING_DOCTOR),
        "may_make": may("link.manage", case, request.principal),
        "released": bool(case.delivered_at),
    }
    return page(request, case, "links", context)


@require_http_methods(GET_POST)
@patient_case("link.manage")
def new_link(request: Request, case: Case) -> HttpResponse:
    """Make a link; link and code are shown once, in the answer to this very request."""
    require("link.manage", case, request.principal)
    form = LinkForm(posted(request), initial=present.known_doctor(case))
    if request.method == "POST" and form.is_valid():
        try:
            return _made(request, case, form)
        except BadInput as error:
            form.add_error(None, str(error))
    context = {"form": form, "back_url": reverse("case_links", args=[case.pk]), "submit_label": _("Make the link")}
    return page(request, case, "link_new", context)


def _made(request: Request, case: Case, form: LinkForm) -> HttpResponse:
    recipient, days = form.recipient(), int(form.cleaned_data["days"])
    with transaction.atomic():
        made = team.make_link(case, by=request.principal, recipient=recipient, days=days)
        address = f"{settings.PUBLIC_URL}{reverse('guest_open', args=[made.token])}"
        team.mail_link(made, address)
    return page(request, case, "link_made", present.made(case, made, address))


@require_http_methods(GET_POST)
@patient_case("link.manage")
def revoke(request: Request, case: Case, link_id: UUID) -> HttpResponse:
    """Close a link, after asking."""
    link = queries.link(case, link_id)
    if request.method == "POST":
        team.revoke_link(link, by=request.principal)
        messages.success(request, _("The link is closed. It opens nothing any more."))
        return redirect("case_links", case.pk)
    return page(request, case, "_confirm", present.revoking(case, link))
