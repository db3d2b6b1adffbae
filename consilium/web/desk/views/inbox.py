"""Images that a hospital sent without naming a case: look at what they say, add them to a case, or discard them."""

from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from consilium.access import scopes
from consilium.cases.actions import inbox as verbs
from consilium.core import audit
from consilium.web.desk import forms, queries
from consilium.web.desk.present import inbox as present
from consilium.web.guards import member
from consilium.web.http import Request

GET_POST = ["GET", "HEAD", "POST"]
PAGE = 25
MOST = 20  # lines of what was decided


@require_safe
@member("coordinator")
def inbox(request: Request) -> HttpResponse:
    """What waits, what is on its way to a case, and what was added lately."""
    by = request.principal
    audit.read(f"organisation:{by.organisation_id}", by=by, space=None, action="inbox.list")
    page = Paginator(scopes.inbox(by).filter(status="waiting"), PAGE).get_page(request.GET.get("page"))
    moving, moved = (list(scopes.inbox(by).filter(status=status)[:MOST]) for status in ("moving", "moved"))
    studies = list(page.object_list)
    references = queries.references_of(by, [one.case_space for one in [*moving, *moved] if one.case_space])
    context = {
        "page": page,
        "waiting": present.waiting(studies, queries.suggested_cases(by, studies)),
        "moving": [present.on_its_way(one, references) for one in moving],
        "moved": [present.added(one, references) for one in moved],
        "gateway": present.gateway(),
    }
    return render(request, "desk/inbox.html", context)


@require_http_methods(GET_POST)
@member("coordinator")
def study(request: Request, study_id: UUID) -> HttpResponse:
    """One study: which case does it belong to?"""
    by = request.principal
    found = scopes.inbox_study(by, study_id)
    audit.read(f"inbox:{found.pk}", by=by, space=None)
    suggested = queries.suggested_cases(by, [found])[found.pk]
    form = forms.AssignForm(found, suggested, lambda text: queries.case_called(by, text), forms.posted(request))
    if request.method == "POST" and form.is_valid():
        case, although = form.case, form.cleaned_data.get("although", False)
        if forms.tried(form, lambda: verbs.assign(found, case, by=by, although_another=although)):
            messages.success(request, _("The images are on their way to case %(case)s.") % {"case": case.reference})
            return redirect("desk_inbox")
    context = {"study": present.details(found), "form": form, "back": reverse("desk_inbox")}
    return render(request, "desk/inbox_study.html", context)


@require_http_methods(GET_POST)
@member("coordinator")
def discard(request: Request, study_id: UUID) -> HttpResponse:
    """Ask, then throw away for good."""
    by = request.principal
    found = scopes.inbox_study(by, study_id)
    if request.method == "POST":
        verbs.discard(found, by=by)
        messages.success(request, _("The images are gone for good."))
        return redirect("desk_inbox")
    audit.read(f"inbox:{found.pk}", by=by, space=None)
    context = {
        "heading": _("Discard these images?"),
        "study": present.details(found),
        "consequences": present.consequences(found),
        "confirm_label": _("Discard for good"),
        "cancel_url": reverse("desk_inbox_study", args=[found.pk]),
    }
    return render(request, "desk/inbox_discard.html", context)
