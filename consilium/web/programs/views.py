"""Keys for other programs, and what was begun to be sent and is not wanted any more."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from consilium.access import scopes
from consilium.access.rules import may
from consilium.cases.actions import programs as verbs
from consilium.cases.actions import records as case_records
from consilium.cases.models import Case
from consilium.core import clock
from consilium.core.errors import BadInput, NotFound
from consilium.web.guards import with_case
from consilium.web.http import Request, posted
from consilium.web.patient.guards import SIDE
from consilium.web.programs import present, sending
from consilium.web.programs.forms import KeyForm
from consilium.web.reading.views import layout_of

GET_POST = ["GET", "HEAD", "POST"]


def _page(request: Request, case: Case, template: str, context: dict[str, Any]) -> HttpResponse:
    known = {"case": case, "layout": layout_of(request, case), **present.addresses(case)}
    return render(request, f"programs/{template}.html", known | context)


@require_safe
@with_case("key.make")
def programs(request: Request, case: Case) -> HttpResponse:
    """Who needs another program, where it finds the records, and which keys there are."""
    keys = [present.key(case, one, clock.now()) for one in scopes.data_tokens(request.principal, case)[:50]]
    return _page(request, case, "programs", {"keys": keys, "may_add": may("record.add", case, request.principal)})


@require_http_methods(GET_POST)
@with_case("key.make")
def new_key(request: Request, case: Case) -> HttpResponse:
    """Make a key; it is shown once, in the answer to this very request."""
    by = request.principal
    verbs.require_making(case, by=by)
    form = KeyForm(posted(request), may_read=may("key.read", case, by), may_add=may("record.add", case, by))
    if request.method == "POST" and form.is_valid():
        try:
            token, text = verbs.issue_token(case, by=by, **form.arguments())
        except BadInput as error:
            form.add_error(None, str(error))
        else:
            response = _page(request, case, "made", {"key": present.key(case, token, clock.now()), "text": text})
            response.headers["Cache-Control"] = "no-store"
            return response
    back = reverse("programs", args=[case.pk])
    return _page(request, case, "key", {"form": form, "back_url": back, "submit_label": _("Make the key")})


@require_POST
@with_case("key.make")
def end_key(request: Request, case: Case, token_id: UUID) -> HttpResponse:
    """End a key now."""
    token = scopes.data_tokens(request.principal, case).filter(pk=token_id).first()
    if token is None:
        raise NotFound()
    verbs.revoke_token(case, token, by=request.principal)
    messages.success(request, _("The key has ended. Programs that use it are turned away within half a minute."))
    return redirect("programs", case.pk)


@require_http_methods(GET_POST)
@with_case("record.add")
def discard(request: Request, case: Case, transfer_id: UUID) -> HttpResponse:
    """Throw away an unfinished upload with what arrived of it, after asking."""
    transfer = scopes.transfers(request.principal, case).filter(pk=transfer_id).first()
    if transfer is None:
        raise NotFound()
    back = reverse("case_upload" if case.roles_of(request.principal) & SIDE else "desk_records", args=[case.pk])
    if request.method == "POST":
        case_records.discard_transfer(case, transfer, by=request.principal)
        messages.success(request, _("Discarded. Nothing of it is kept."))
        return redirect(back)
    context = {
        "heading": _("Discard this upload?"),
        "name": sending.title(case, transfer),
        "confirm_label": _("Yes, discard"),
        "cancel_label": _("No, keep it"),
        "cancel_url": back,
    }
    return _page(request, case, "discard", context)
