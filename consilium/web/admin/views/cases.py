"""Cases without clinical content: dates, holds, erasure, and who looked at what."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from consilium.access.rules import require, require_fresh
from consilium.cases.actions import advance, desk
from consilium.cases.actions.advance import possible
from consilium.cases.models import Case
from consilium.cases.states import State
from consilium.cases.workflow import row_for
from consilium.core import audit
from consilium.core.errors import NotFound
from consilium.web.admin import forms, queries
from consilium.web.admin.guards import admin_case, administrator
from consilium.web.admin.present import cases as present
from consilium.web.desk.forms import posted, tried
from consilium.web.desk.present.case import step_words
from consilium.web.http import Request

GET_POST = ["GET", "HEAD", "POST"]
PAGE = 50


@require_safe
@administrator
def cases(request: Request) -> HttpResponse:
    """By reference and state; names and stories stay closed."""
    which = request.GET.get("which", "all")
    which = which if which in queries.CASE_FILTERS else "all"
    reference = request.GET.get("reference", "")[:20]
    found = Paginator(queries.cases(request.principal, which, reference), PAGE).get_page(request.GET.get("page"))
    context = {
        "tabs": present.tabs(which),
        "columns": [_("Reference"), _("State"), _("Submitted"), _("In this state since"), _("Note")],
        "rows": present.rows(found.object_list),
        "page": found,
        "reference": reference,
    }
    return render(request, "admin/cases.html", context)


@require_safe
@admin_case()
def case(request: Request, case: Case) -> HttpResponse:
    """One case: dates, marks, steps, and its history without notes."""
    by = request.principal
    audit.read(f"case:{case.pk}", by=by, space=case.pk, action="case.read_dates")
    events = list(case.events.all())
    names = queries.staff_names({event.by for event in events}, by)
    context = {
        "case": case,
        "facts": present.facts(case),
        "steps": present.steps(case, by),
        "history": present.history(events, names, queries.roles_on(case)),
        "erased": case.state == State.ERASED,
    }
    return render(request, "admin/case.html", context)


@require_safe
@admin_case("access_history.view")
def access(request: Request, case: Case) -> HttpResponse:
    """Who looked at what and when, newest first."""
    by = request.principal
    audit.read(f"case:{case.pk}", by=by, space=case.pk, action="access_history.read")
    page = Paginator(audit.for_space(case.pk), PAGE).get_page(request.GET.get("page"))
    names = queries.staff_names({event.agent for event in page.object_list}, by)
    context = {
        "case": case,
        "columns": [_("When"), _("Who"), _("What"), _("Outcome")],
        "rows": present.accesses(page.object_list, names, queries.roles_on(case)),
        "page": page,
    }
    return render(request, "admin/access.html", context)


@require_http_methods(GET_POST)
@admin_case()
def step(request: Request, case: Case, verb: str) -> HttpResponse:
    """Hold, resume, archive or erase, after asking; erasing asks for the second step first."""
    by, row = request.principal, row_for(verb, case.state)
    if row is None or verb not in present.VERBS or not possible(case, verb, by):
        raise NotFound()
    require_fresh(row.step_up, by)
    form: Any = forms.NoteForm(posted(request)) if "note_given" in row.needs else None
    if request.method == "POST" and (form is None or form.is_valid()):
        note = form.cleaned_data["note"] if form else ""
        asked = form or forms.NoteForm({"note": "-"})
        if tried(asked, lambda: advance(case, verb, by=by, note=note)):
            messages.success(request, _("Done."))
            return redirect("admin_case", case.pk)
        form = asked
    context = step_words(case, verb) | {"form": form, "danger": verb == "erase", "case": case}
    return render(request, "desk/step.html", context | {"cancel_url": reverse("admin_case", args=[case.pk])})


@require_http_methods(GET_POST)
@admin_case("legal_hold.set")
def legal_hold(request: Request, case: Case) -> HttpResponse:
    """Set or lift a legal hold, after asking."""
    require("legal_hold.set", case, request.principal)
    held = not case.legal_hold
    if request.method == "POST":
        desk.set_legal_hold(case, request.POST.get("to") == "hold", by=request.principal)
        messages.success(request, _("The legal hold is set.") if held else _("The legal hold is lifted."))
        return redirect("admin_case", case.pk)
    sentence = _("The case cannot be erased while it holds.") if held else _("The case can be erased when it is due.")
    context = {
        "heading": _("Set a legal hold?") if held else _("Lift the legal hold?"),
        "consequences": [sentence],
        "confirm_label": _("Set the hold") if held else _("Lift the hold"),
        "hidden": {"to": "hold" if held else "lift"},
        "danger": False,
        "cancel_url": reverse("admin_case", args=[case.pk]),
    }
    return render(request, "layouts/confirm.html", context)
