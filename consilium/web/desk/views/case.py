"""One case at the desk: overview, story, history, messages, and the steps of the workflow."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from consilium.access import scopes
from consilium.cases import story as stories
from consilium.cases.actions import advance, desk
from consilium.cases.actions.advance import possible
from consilium.cases.models import Case
from consilium.cases.states import State
from consilium.consents import actions as consents
from consilium.core import audit
from consilium.core.errors import NotFound
from consilium.people.queries import names_of
from consilium.talks import actions as talks
from consilium.web.desk import forms, queries, steps
from consilium.web.desk.guards import case_for, desk_case
from consilium.web.desk.present import board
from consilium.web.desk.present import case as present
from consilium.web.desk.present.dates import moment
from consilium.web.http import Request

GET_POST = ["GET", "HEAD", "POST"]


def page(request: Request, case: Case, name: str, context: dict[str, Any]) -> HttpResponse:
    """Draw `desk/<name>.html` with what every page of a case knows."""
    known = {
        "case": case,
        "tabs": present.tabs(case, f"desk_{name}"),
        "may": present.sees(case, request.principal),
        "alarm": board.treatment_alarm(case),
        "state_tone": board.STATE_TONES.get(State(case.state), "neutral"),
    }
    return render(request, f"desk/{name}.html", known | context)


@require_safe
@desk_case()
def overview(request: Request, case: Case) -> HttpResponse:
    """What is next, who the patient is, pauses, and the other steps that are possible."""
    if case.state == State.ERASED:
        return render(request, "desk/erased.html", {"case": case})
    by = request.principal
    audit.read(f"case:{case.pk}", by=by, space=case.pk, action="case.read")
    case = queries.board(by).get(pk=case.pk)
    stops = queries.pauses(case)
    events = list(case.events.all())
    names = names_of([event.by for event in events])
    action = present.next_action(case, by)
    words, tone = board.due(case, paused=bool(stops))
    context = {
        "action": action,
        "due": words,
        "due_tone": tone,
        "identity": present.identity(case),
        "facts": present.facts(case),
        "pauses": present.pauses(stops),
        "pause_form": forms.PauseForm(),
        "note_form": forms.DeskNoteForm(initial={"text": case.desk_note}),
        "urgent": present.urgent_story(events, names, case),
        "others": present.other_steps(case, by, but=[action["verb"]] if action["href"] else ()),
        "history": present.history(events, names, case)[:5],
    }
    return page(request, case, "case", context)


@require_safe
@desk_case("story.view")
def story(request: Request, case: Case) -> HttpResponse:
    """What the patient told, with the first opinion and the consents."""
    audit.read(f"case:{case.pk}", by=request.principal, space=case.pk, action="story.read")
    recap = case.recaps.exclude(confirmed_at=None).last()
    context = {
        "parts": [part for part in stories.parts(case) if part.rows],
        "questions": case.questions.all(),
        "confirmed": moment(recap.confirmed_at) if recap else "",
        "consents": sorted(consents.in_force(case.pk)),
    }
    return page(request, case, "story", context)


@require_safe
@desk_case("workflow.view")
def history(request: Request, case: Case) -> HttpResponse:
    """Every step with names and notes."""
    if case.state == State.ERASED:
        raise NotFound()
    audit.read(f"case:{case.pk}", by=request.principal, space=case.pk, action="case.read")
    events = list(case.events.all())
    names = names_of([event.by for event in events])
    return page(request, case, "history", {"history": present.history(events, names, case)})


@require_http_methods(GET_POST)
@desk_case("message.view")
def conversation(request: Request, case: Case) -> HttpResponse:
    """The messages the desk is party to, and writing one."""
    by, roles = request.principal, case.roles_of(request.principal)
    form = forms.MessageForm(roles, forms.posted(request))
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        if forms.tried(form, lambda: talks.send_message(case, by=by, audience=said["audience"], body=said["body"])):
            messages.success(request, _("Your message is on its way."))
            return redirect("desk_messages", case.pk)
    found = list(scopes.messages(by, case).order_by("sent_at"))
    audit.read(f"case:{case.pk}", by=by, space=case.pk, action="message.read")
    talks.mark_read(found, by=by)
    names = names_of([message.by for message in found])
    context = {"messages_found": [_bubble(message, names, by.ref) for message in found], "form": form}
    return page(request, case, "messages", context)


def _bubble(message: Any, names: dict[str, str], own: str) -> dict[str, Any]:
    return {
        "who": names.get(message.by) or _("The treating doctor (by link)"),
        "when": moment(message.sent_at),
        "iso": message.sent_at.isoformat(),
        "audience": message.get_audience_display(),
        "body": message.body,
        "mine": message.by == own,
    }


@require_http_methods(GET_POST)
@desk_case("identity.check")
def identity(request: Request, case: Case) -> HttpResponse:
    """Check who it is and which rule applies; the case then goes on to collecting records."""
    form = forms.IdentityForm(case, forms.posted(request))
    if request.method == "POST" and form.is_valid() and forms.tried(form, lambda: _check_in(request, case, form)):
        messages.success(request, _("Identity and eligibility are checked."))
        return redirect("desk_case", case.pk)
    context = {
        "heading": _("Check identity and eligibility"),
        "identity": present.identity(case),
        "form": form,
        "submit": _("Everything is checked"),
        "back": reverse("desk_case", args=[case.pk]),
    }
    audit.read(f"case:{case.pk}", by=request.principal, space=case.pk, action="case.read")
    return page(request, case, "form", context)


def _check_in(request: Request, case: Case, form: forms.IdentityForm) -> None:
    said, by = form.cleaned_data, request.principal
    desk.check_identity(case, by=by, jurisdiction=said["jurisdiction"], procedure=said["procedure"])
    if possible(case, "check_in", by):
        advance(case, "check_in", by=by)


@require_http_methods(GET_POST)
@case_for("coordinator", "triage_clinician")
def step(request: Request, case: Case, verb: str) -> HttpResponse:
    """Confirm a step, with the words it asks for, and take it."""
    row, by = steps.step_for(verb), request.principal
    if not possible(case, verb, by):
        raise NotFound()
    home = _home(case, request)
    form = (
        forms.NoteForm(forms.posted(request), label=row.note, hint=row.hint, required=row.required)
        if row.note
        else None
    )
    if request.method == "POST" and (form is None or form.is_valid()):
        note = form.cleaned_data["note"] if form else ""
        asked = form or forms.NoteForm({"note": "-"}, label="")
        if forms.tried(asked, lambda: row.take(case, note, by=by)):
            messages.success(request, _("Done."))
            return redirect(home)
        form = asked
    context = present.step_words(case, verb) | {"form": form, "danger": row.danger, "cancel_url": home, "case": case}
    return render(request, "desk/step.html", context)


def _home(case: Case, request: Request) -> str:
    """The page of the case for this role, or its list when triage cannot see the case any more."""
    if "coordinator" in case.roles_of(request.principal):
        return reverse("desk_case", args=[case.pk])
    return reverse("triage_list")


@require_POST
@desk_case("clock.stop")
def clock_stop(request: Request, case: Case) -> HttpResponse:
    """Stop the clock with a coded reason."""
    desk.stop_clock(case, request.POST.get("reason", ""), by=request.principal)
    messages.success(request, _("The clock stands still. Deadlines move with it."))
    return redirect("desk_case", case.pk)


@require_POST
@desk_case("clock.stop")
def clock_start(request: Request, case: Case, stop_id: UUID) -> HttpResponse:
    """End a pause."""
    desk.start_clock(queries.clock_stop(case, stop_id), by=request.principal)
    messages.success(request, _("The clock runs again."))
    return redirect("desk_case", case.pk)


@require_POST
@desk_case("request.manage")
def note(request: Request, case: Case) -> HttpResponse:
    """Save the coordinators' own note."""
    desk.save_desk_note(case, request.POST.get("text", ""), by=request.principal)
    messages.success(request, _("The note is saved."))
    return redirect("desk_case", case.pk)
