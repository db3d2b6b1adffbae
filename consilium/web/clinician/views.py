"""The treating doctor's pages: through a link and its code, or by account. Read, download, reply, acknowledge."""

from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from consilium.access import scopes
from consilium.access.rules import may
from consilium.cases.actions import advance, team
from consilium.cases.models import Case, GuestLink
from consilium.cases.states import State
from consilium.core import audit
from consilium.core.errors import NotFound, Refusal
from consilium.opinions.actions import report as reports
from consilium.talks import actions as talks
from consilium.web.clinician import present, queries
from consilium.web.clinician.forms import AcknowledgeForm, CodeForm, ReplyForm
from consilium.web.clinician.guards import Place
from consilium.web.guards import signed_in
from consilium.web.http import Request, posted
from consilium.web.limits import limited
from consilium.web.principal import GUEST_KEY

LINK_KEY = "consilium_link"  # hash of the token between the link and its code
CLEARED = '"cache", "storage"'


@limited("guest_link", "30/m/ip")
@require_safe
def open_link(request: HttpRequest, token: str) -> HttpResponse:
    """Take the token out of the address at once: neither the history nor a Referer header keeps it."""
    request.session[LINK_KEY] = team.hash_token(token)
    response = redirect("guest_code")
    response["Referrer-Policy"] = "no-referrer"
    return response


@limited("guest_code", "20/m/ip")
@require_http_methods(["GET", "POST"])
def enter_code(request: HttpRequest) -> HttpResponse:
    """Ask for the code; says nothing of whose link it is, or whether there is one."""
    form = CodeForm(posted(request))
    if request.method == "POST" and form.is_valid():
        try:
            return _enter(request, team.open_by_hash(request.session.get(LINK_KEY, ""), form.cleaned_data["code"]))
        except NotFound as refused:
            form.refused(refused.sentence)
    return render(request, "clinician/code.html", {"form": form})


def _enter(request: HttpRequest, link: GuestLink) -> HttpResponse:
    """A new session that holds the link and nothing else: who was signed in here before is signed out."""
    logout(request)
    request.session[GUEST_KEY] = str(link.pk)
    return redirect("guest_case")


@require_safe
def left(request: HttpRequest) -> HttpResponse:
    """After closing."""
    return render(request, "clinician/left.html")


@require_POST
def leave(request: HttpRequest) -> HttpResponse:
    """Close what was shared on this computer; the link stays usable."""
    if GUEST_KEY in request.session:
        logout(request)
    response = redirect("guest_left")
    response["Clear-Site-Data"] = CLEARED
    return response


@require_safe
def case_page(request: Request, case: Case | None, place: Place) -> HttpResponse:
    """What was shared: an urgent message, the report, or nothing yet."""
    if case is None:
        return render(request, "clinician/waiting.html", {"place": place, "link": place.link})
    if case.state == State.URGENT:
        return redirect(place.urgent)
    return _report(request, case, place, ReplyForm())


def _report(request: Request, case: Case, place: Place, form: ReplyForm) -> HttpResponse:
    by, asked = request.principal, request.GET.get("version", "")
    report = scopes.report(by, case, int(asked) if asked.isdecimal() and len(asked) < 4 else None)
    audit.read(f"report:{report.pk}", by=by, space=case.pk)
    reports.note_receipt(report, by=by)
    thread = list(scopes.messages(by, case))
    talks.mark_read(thread, by=by)
    versions = list(scopes.reports(by, case).select_related("opinion"))
    context = present.report_page(case, by, report, versions, place)
    context |= {"thread": present.bubbles(case, thread, by), "form": form}
    return render(request, "clinician/case.html", context)


@require_POST
def reply(request: Request, case: Case | None, place: Place) -> HttpResponse:
    """Write to everybody on the case."""
    if case is None or case.state == State.URGENT:
        return redirect(place.home)
    form = ReplyForm(request.POST)
    if not form.is_valid():
        return _report(request, case, place, form)
    talks.send_message(case, by=request.principal, audience="care_team", body=form.cleaned_data["body"])
    messages.success(request, _("Thank you. Your reply is sent: the patient, the specialist and the desk can read it."))
    return redirect(place.home)


@require_http_methods(["GET", "POST"])
def urgent(request: Request, case: Case | None, place: Place) -> HttpResponse:
    """Read the urgent message and say that it was received; only then does the case go on."""
    if case is None or case.state != State.URGENT:
        return redirect(place.home)
    form = AcknowledgeForm(posted(request))
    if request.method == "POST" and form.is_valid():
        try:
            advance(case, "acknowledge_urgent", by=request.principal, note=form.cleaned_data["note"])
        except Refusal as refused:
            form.add_error(None, str(refused.sentence))
        else:
            messages.success(request, _("Thank you. The specialist and the desk know that you have the message."))
            stays = place.link or may("report.view", case, request.principal)
            return redirect(place.home if stays else "clinician_cases")
    audit.read(f"case:{case.pk}", by=request.principal, space=case.pk, action="urgent.read")
    return render(request, "clinician/urgent.html", present.urgent_page(case, place) | {"form": form})


@signed_in
@require_safe
def cases(request: Request) -> HttpResponse:
    """Everything that was shared with this account."""
    found = [present.card(case) for case in queries.shared_with(request.principal)]
    return render(request, "clinician/cases.html", {"cases": found})
