"""Telling the case, page by page; the table of pages is sections.py."""

from django.contrib import messages
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from consilium.access.rules import require
from consilium.cases.actions import advance, intake
from consilium.cases.models import Case
from consilium.core import audit
from consilium.core.errors import BadInput, NotFound, Refusal
from consilium.packs import registry
from consilium.web.http import Request, posted
from consilium.web.patient import sections
from consilium.web.patient.guards import editable_story, patient_case
from consilium.web.patient.page import page
from consilium.web.patient.present import case as case_present
from consilium.web.patient.present import prepare as present

GET_POST = ["GET", "HEAD", "POST"]


@require_safe
@editable_story
def task_list(request: Request, case: Case) -> HttpResponse:
    """Every part with its state; one button leads to the next thing to do."""
    word = case_present.word_from_us(case, list(case.events.all()))
    return page(request, case, "prepare", present.task_list(case) | {"word_from_us": word})


@require_http_methods(GET_POST)
@editable_story
def section(request: Request, case: Case, section: str) -> HttpResponse:
    """One page of the form: save and go on, or save and come back later."""
    row, gate = _row(section), sections.gate_to_pass(case)
    if gate and section not in sections.GATES:
        return redirect("case_section", case.pk, gate)
    if request.method == "POST":
        form = sections.bound_to(case, row, request.POST, lenient="later" in request.POST and row.autosaves)
        answer = present.added_example(case, form, request.POST.get("example", "")) or _saved(request, case, row, form)
        if isinstance(answer, HttpResponse):
            return answer
        form = answer
    else:
        audit.read(f"case:{case.pk}", by=request.principal, space=case.pk, action="story.read")
        form = sections.bound_to(case, row)
    return page(request, case, present.template_of(section), present.section_page(case, row, form))


def _row(slug: str) -> sections.Section:
    if slug not in sections.BY_SLUG:
        raise NotFound()
    return sections.BY_SLUG[slug]


def _saved(request: Request, case: Case, row: sections.Section, form: sections.StoryForm) -> object:
    """Save a valid form and say where to go; else the form with what to correct, nothing typed is lost."""
    if not form.is_valid() or present.wants_advice(form, request.POST):
        return form
    try:
        outcome = row.save(case, form, request.principal)
    except BadInput as error:
        form.add_error(None, str(error))
        return form
    if outcome is False:
        return redirect("case_stopped", case.pk)
    for sentence in present.remarks(case, row):
        messages.info(request, sentence)
    if "later" in request.POST:
        messages.success(request, _("Saved. You can go on at any time."))
        return redirect("case_prepare", case.pk)
    return redirect(present.address_of(case, sections.next_slug(row.slug)))


@require_POST
@editable_story
def autosave(request: Request, case: Case, section: str) -> HttpResponse:
    """Keep what is typed, finished or not; answers 204."""
    row = _row(section)
    if not row.autosaves or sections.gate_to_pass(case):
        raise NotFound()
    form = sections.bound_to(case, row, request.POST, lenient=True)
    form.is_valid()
    try:
        row.save(case, form, request.principal)
    except BadInput as error:
        return JsonResponse({"message": str(error)}, status=400)
    return HttpResponse(status=204)


@require_http_methods(GET_POST)
@editable_story
def specialty(request: Request, case: Case) -> HttpResponse:
    """Another specialty after all; the questions on warning signs are asked again."""
    packs = {pack.id: pack for pack in registry.specialties()}
    chosen = request.POST.get("specialty", "")
    if chosen in packs:
        intake.choose_specialty(case, chosen, by=request.principal)
        return redirect("case_prepare", case.pk)
    context = {"packs": packs.values(), "nothing_chosen": request.method == "POST"}
    return page(request, case, "specialty", context)


@require_safe
@editable_story
def stopped(request: Request, case: Case) -> HttpResponse:
    """A remote opinion is not the right thing now: what to do instead, kindly and at once."""
    if not sections.gate_to_pass(case):
        return redirect("case_prepare", case.pk)
    return page(request, case, "stopped", present.stopped(case))


@require_http_methods(GET_POST)
@editable_story
def close(request: Request, case: Case) -> HttpResponse:
    """Close a request that a remote opinion does not fit."""
    if request.method == "POST":
        advance(case, "redirect", by=request.principal, note=present.redirect_note(case))
        messages.success(request, _("Your request is closed. We wish you all the best."))
        return redirect("case", case.pk)
    context = {"heading": _("Close this request?"), "cancel_url": reverse("case_stopped", args=[case.pk])}
    return page(request, case, "close", context)


@require_http_methods(GET_POST)
@patient_case("story.view")
def summary(request: Request, case: Case) -> HttpResponse:
    """The one-page case: read it, confirm it, send it."""
    if request.method == "POST":
        try:
            return _confirmed(request, case)
        except Refusal as error:
            for sentence in getattr(error, "missing", None) or [error.sentence]:
                messages.error(request, str(sentence))
            return redirect("case_summary", case.pk)
    audit.read(f"case:{case.pk}", by=request.principal, space=case.pk, action="story.read")
    return page(request, case, "summary", present.summary(case, request.principal))


def _confirmed(request: Request, case: Case) -> HttpResponse:
    """Confirm the page as it reads now and take the step that waits for it."""
    by = request.principal
    require("story.correct", case, by)
    verb = "submit" if case.state == "draft" else "confirm_recap"
    if verb == "submit" and (open_ones := sections.unfinished(case)):
        raise Refusal(_("Please finish this part first: %(part)s") % {"part": open_ones[0].title})
    if "correct" not in request.POST:
        raise BadInput(_("Please tick that everything is right, or go back and correct it."))
    intake.confirm_recap(case, by=by)
    advance(case, verb, by=by)
    messages.success(request, present.thanks(verb))
    return redirect("case", case.pk)


@require_http_methods(GET_POST)
@patient_case("story.correct")
def correct(request: Request, case: Case) -> HttpResponse:
    """In the recap step: reword the questions, add what is missing."""
    if case.state == "draft":
        return redirect("case_prepare", case.pk)
    audit.read(f"case:{case.pk}", by=request.principal, space=case.pk, action="story.read")
    form = present.correction_form(case, posted(request))
    if request.method == "POST" and form.is_valid():
        try:
            remark = form.cleaned_data["remark"]
            intake.correct_recap(case, by=request.principal, questions=form.texts(), remark=remark)
            messages.success(request, _("Saved. Please read the page once more."))
            return redirect("case_summary", case.pk)
        except BadInput as error:
            form.add_error("question_1", str(error))
    return page(request, case, "correct", {"form": form, "back_url": reverse("case_summary", args=[case.pk])})
