"""After signing: the oral explanation, the delivered report with its receipts, links for treating doctors."""

from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from consilium.access import scopes
from consilium.access.rules import require
from consilium.cases.actions import desk, team
from consilium.cases.models import Case
from consilium.cases.states import State
from consilium.consents import actions as consents
from consilium.core import audit
from consilium.core.errors import NotFound
from consilium.people.queries import names_of
from consilium.web.desk import forms, queries
from consilium.web.desk.guards import desk_case
from consilium.web.desk.present import case as present_case
from consilium.web.desk.present import sharing as present
from consilium.web.desk.present.dates import moment
from consilium.web.desk.views.case import GET_POST, page
from consilium.web.http import Request


@require_http_methods(["GET", "HEAD"])
@desk_case()
def report(request: Request, case: Case) -> HttpResponse:
    """Versions, to whom they went, who opened them; links for the treating doctor."""
    if case.state == State.ERASED:
        raise NotFound()
    by = request.principal
    audit.read(f"case:{case.pk}", by=by, space=case.pk, action="report.list")
    links = list(case.guest_links.order_by("-granted_at"))
    delivered = list(queries.deliveries(case))
    names = names_of([one.to for one in delivered])
    context = {
        "reports": present.reports(scopes.reports(by, case)),
        "columns": [_("Recipient"), _("Version"), _("Told"), _("Opened"), _("Downloaded")],
        "receipts": present.receipts(delivered, names, links),
        "links": present.links(case, links),
        "consented": consents.holds(case.pk, consents.SHARE_WITH_TREATING_DOCTOR),
        "oral_missing": present_case.oral_is_missing(case) and case.state == State.SIGNED,
        "oral_at": moment(case.oral_explanation_held_at),
    }
    return page(request, case, "report", context)


@require_http_methods(GET_POST)
@desk_case("oral.record")
def oral(request: Request, case: Case) -> HttpResponse:
    """Record that the result was explained by voice."""
    label, hint = _("Who spoke with whom, when and how?"), _("For example: Dr Chen with Ms Berger, by video.")
    form = forms.NoteForm(forms.posted(request), label=label, hint=hint)
    if request.method == "POST" and form.is_valid():
        note = form.cleaned_data["note"]
        if forms.tried(form, lambda: desk.record_oral_explanation(case, by=request.principal, note=note)):
            messages.success(request, _("Recorded. The report can be delivered now."))
            return redirect("desk_case", case.pk)
    context = {
        "heading": _("Oral explanation"),
        "lead": _("For this procedure the rule asks that a doctor explains the result by voice first."),
        "form": form,
        "submit": _("It was held"),
        "back": reverse("desk_case", args=[case.pk]),
    }
    return page(request, case, "form", context)


@require_http_methods(GET_POST)
@desk_case("link.manage")
def new_link(request: Request, case: Case) -> HttpResponse:
    """Make a link; link and code are shown once, in the answer to this very request."""
    require("link.manage", case, request.principal)  # asks for the second step before anything is typed
    said = case.first_opinion
    known = {"name": said.get("doctor", ""), "institution": said.get("institution", ""), "days": team.LINK_DAYS}
    form = forms.LinkForm(forms.posted(request), initial=known)
    made: list[team.NewLink] = []
    if request.method == "POST" and form.is_valid():
        recipient, days = form.recipient(), form.cleaned_data["days"]
        if forms.tried(
            form, lambda: made.append(team.make_link(case, by=request.principal, recipient=recipient, days=days))
        ):
            return _shown_once(request, case, made[0])
    audit.read(f"case:{case.pk}", by=request.principal, space=case.pk, action="story.read")  # whom the letter names
    context = {
        "heading": _("Link for the treating doctor"),
        "lead": _("The link opens this one report, with a code, until it runs out or you close it."),
        "form": form,
        "submit": _("Make the link"),
        "back": reverse("desk_report", args=[case.pk]),
    }
    return page(request, case, "form", context)


def _shown_once(request: Request, case: Case, made: team.NewLink) -> HttpResponse:
    address = f"{settings.PUBLIC_URL}{reverse('guest_open', args=[made.token])}"
    team.mail_link(made, address)
    context = {"case": case, "address": address, "code": made.code, "link": made.link}
    return render(request, "desk/link_made.html", context | {"until": moment(made.link.expires_at)})


@require_http_methods(GET_POST)
@desk_case("link.manage")
def revoke_link(request: Request, case: Case, link_id: UUID) -> HttpResponse:
    """Close a link, after asking."""
    link = queries.link(case, link_id)
    if request.method == "POST":
        team.revoke_link(link, by=request.principal)
        messages.success(request, _("The link is closed. It opens nothing any more."))
        return redirect("desk_report", case.pk)
    context = {
        "heading": _("Close this link?"),
        "consequences": [_("Whoever has it open is signed out at once."), _("You can make a new link at any time.")],
        "confirm_label": _("Close the link"),
        "cancel_url": reverse("desk_report", args=[case.pk]),
    }
    return render(request, "layouts/confirm.html", context)
