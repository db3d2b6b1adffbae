"""The quality check: a second person reads every opinion once more before it is released."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from consilium.access import scopes
from consilium.cases.actions import advance
from consilium.cases.actions.advance import what_is_missing
from consilium.cases.models import Case
from consilium.cases.states import State
from consilium.cases.workflow import row_for
from consilium.core import audit
from consilium.core.errors import NotFound
from consilium.opinions.actions import quality
from consilium.opinions.models import Opinion
from consilium.packs import registry
from consilium.web.guards import View, member, with_case
from consilium.web.http import Request, posted
from consilium.web.quality import present, queries
from consilium.web.quality.forms import AlarmForm, CommentsForm, ReviewForm
from consilium.web.specialist import pane
from consilium.web.specialist.present import story

BOTH = ["GET", "POST"]
AFTER = {"pass": "quality_pass", "return": "quality_return"}


def checked_case(action: str) -> Callable[[View], View]:
    """Give the view the case when the person is a quality reviewer of it and `action` is granted, else 404."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: Request, case: Case, *args: Any, **kwargs: Any) -> HttpResponse:
            if "quality_reviewer" not in case.roles_of(request.principal):
                raise NotFound()
            return view(request, case, *args, **kwargs)

        return with_case(action)(guarded)

    return decorate


@member("quality_reviewer")
@require_safe
def home(request: Request) -> HttpResponse:
    """What waits, by due time, and what was decided lately."""
    by = request.principal
    context = {
        "waiting": [present.card(case, by) for case in queries.waiting(by)],
        "columns": [_("Case"), _("Decision"), _("Written by"), _("Checked by"), _("When")],
        "decided": present.decisions(queries.decided(by)),
    }
    return render(request, "quality/home.html", context)


@require_http_methods(BOTH)
@checked_case("case.view")
def case_page(request: Request, case: Case) -> HttpResponse:
    """Records left, the opinion and the checklist right; afterwards where the case stands."""
    opinion = queries.opinion_of(case) if case.state == State.QUALITY_CHECK else None
    if opinion is None:
        return _after(request, case)
    kept, pack = queries.saved(opinion, request.principal), registry.specialty(case.specialty)
    values = {"checklist": kept.checklist if kept else {}, "comments": kept.comments if kept else ""}
    form = ReviewForm(posted(request), pack=pack, **values)
    if request.method == "POST" and form.is_valid():
        return _save(request, case, form)
    audit.read(f"case:{case.pk}", by=request.principal, space=case.pk)
    context = present.check_page(opinion, queries.blind_read_of(opinion), request.principal)
    context |= {"case": case, "form": form, "story": story(case, blind=False)}
    context |= {"pane": pane.build(request, case, present.regions(opinion, request.GET.get("record", "")))}
    context |= {"returned": queries.returned_before(opinion)}
    return render(request, "quality/case.html", context)


def _save(request: Request, case: Case, form: ReviewForm) -> HttpResponse:
    comments = form.cleaned_data["comments"]
    quality.save(case, by=request.principal, checklist=form.checklist(), comments=comments)
    if request.headers.get("X-Requested-With") == "autosave":
        return HttpResponse(status=204)
    then = request.POST.get("then", "")
    if then not in AFTER:
        messages.success(request, _("Saved."))
    response = redirect(AFTER.get(then, "quality_case"), case.pk)
    if then not in AFTER and request.GET:
        response["Location"] += f"?{request.GET.urlencode()}"
    return response


def _after(request: Request, case: Case) -> HttpResponse:
    audit.read(f"case:{case.pk}", by=request.principal, space=case.pk)
    context = present.progress(case, request.principal) | {"reports": scopes.reports(request.principal, case)}
    return render(request, "quality/after.html", context)


@require_safe
@checked_case("case.view")
def progress(request: Request, case: Case) -> HttpResponse:
    """The part of the page that asks again while the report is being built."""
    return render(request, "quality/progress.html", present.progress(case, request.principal))


def _under_check(request: Request, case: Case) -> Opinion:
    opinion = queries.opinion_of(case)
    if case.state != State.QUALITY_CHECK or opinion is None:
        raise NotFound()
    return opinion


@require_http_methods(BOTH)
@checked_case("quality.review")
def pass_opinion(request: Request, case: Case) -> HttpResponse:
    """Pass it, after asking; needs every tick, an independent reader and a fresh second step."""
    opinion = _under_check(request, case)
    if request.method == "POST":
        quality.pass_quality(case, by=request.principal)
        messages.success(request, _("Passed. Thank you for reading so carefully."))
        return redirect("quality_case", case.pk)
    context = {
        "case": case,
        "opinion": opinion,
        "row": row_for("pass_quality", case.state),
        "missing": what_is_missing(case, "pass_quality", request.principal),
        "own": present.is_own(opinion, request.principal),
    }
    return render(request, "quality/pass.html", context)


@require_http_methods(BOTH)
@checked_case("quality.review")
def return_opinion(request: Request, case: Case) -> HttpResponse:
    """Give it back with comments; the draft opens again for its author."""
    opinion = _under_check(request, case)
    kept = queries.saved(opinion, request.principal)
    form = CommentsForm(posted(request), initial={"comments": kept.comments if kept else ""})
    if request.method == "POST" and form.is_valid():
        quality.return_for_revision(case, by=request.principal, comments=form.cleaned_data["comments"])
        messages.success(request, _("The author has your comments now."))
        return redirect("quality_home")
    row = row_for("return_for_revision", case.state)
    return render(request, "quality/return.html", {"case": case, "opinion": opinion, "form": form, "row": row})


@require_http_methods(BOTH)
@checked_case("quality.review")
def urgent(request: Request, case: Case) -> HttpResponse:
    """Danger that cannot wait: everything else stops."""
    row = row_for("raise_urgent", case.state)
    form = AlarmForm(posted(request))
    if request.method == "POST" and form.is_valid():
        advance(case, "raise_urgent", by=request.principal, note=form.cleaned_data["note"])
        messages.success(request, _("The patient and the desk are being told now."))
        return redirect("quality_case", case.pk)
    return render(request, "quality/urgent.html", {"case": case, "row": row, "form": form})
