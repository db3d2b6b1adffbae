"""Finding a specialist: candidates with reasons, whom to ask in which order."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from consilium.cases import matching as reasons
from consilium.cases.actions import offers
from consilium.cases.actions.advance import possible
from consilium.cases.models import Case
from consilium.cases.states import State
from consilium.core import audit
from consilium.core.errors import NotFound
from consilium.web.desk import forms
from consilium.web.desk.guards import desk_case
from consilium.web.desk.present import matching as present
from consilium.web.desk.views.case import GET_POST, page
from consilium.web.http import Request


@require_http_methods(GET_POST)
@desk_case()
def matching(request: Request, case: Case) -> HttpResponse:
    """Who could answer, why and why not; in triage the case is offered from here."""
    if case.state == State.ERASED:
        raise NotFound()
    by = request.principal
    audit.read(f"case:{case.pk}", by=by, space=case.pk, action="case.read")
    found = reasons.candidates(case)
    open_now = possible(case, "offer", by)
    waits = present.waits(case, by) if open_now else []
    form = forms.OfferForm(found, forms.posted(request))
    ready = request.method == "POST" and open_now and form.is_valid()
    if ready and forms.tried(form, lambda: offers.offer(case, form.in_order(), by=by)):
        messages.success(request, _("The specialist has been asked. The answer is due in 12 hours."))
        return redirect("desk_matching", case.pk)
    context = {
        "candidates": present.candidates(found),
        "offers": present.offers(case.offers.select_related("specialist")),
        "form": form if open_now and not waits and form.specialists else None,
        "waits": waits,
        "nobody": open_now and not form.specialists,
        "is_open": case.state == State.OFFERED,
    }
    return page(request, case, "matching", context)
