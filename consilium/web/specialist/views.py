"""The specialist's way in: offers, the blind read, the reveal, what follows delivery. The editor is in editor.py."""

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from consilium.access import scopes
from consilium.cases.actions import advance, desk, offers
from consilium.cases.models import Case
from consilium.cases.needs import open_offer
from consilium.cases.states import State
from consilium.cases.workflow import row_for
from consilium.core import audit
from consilium.core.errors import NotFound
from consilium.opinions.actions import addendum, blind
from consilium.packs import registry
from consilium.talks import actions as talks
from consilium.web.guards import member, with_case
from consilium.web.http import Request, posted
from consilium.web.specialist import forms, pane, present

GET_POST = ["GET", "HEAD", "POST"]


@require_safe
@member("specialist")
def home(request: Request) -> HttpResponse:
    """Open offers first, then the cases in hand by due time, then what was delivered."""
    by = request.principal
    offered, mine = [], []
    for case in scopes.cases(by).prefetch_related("blind_reads__specialist"):
        roles = case.roles_of(by)
        if "offered_specialist" in roles:
            offered.append(present.card(case, offered=True, blind=True))
        elif "specialist" in roles:
            mine.append((case, present.card(case, offered=False, blind=pane.is_blind(case, by))))
    active = [
        c for case, c in mine if case.state in (State.BLIND_READ, State.IN_REVIEW, State.CLARIFYING, State.URGENT)
    ]
    others = [c for case, c in mine if c not in active]
    context = {"offers": sorted(offered, key=_when), "active": sorted(active, key=_when), "others": others}
    return render(request, "specialist/home.html", context)


def _when(card: dict[str, Any]) -> datetime:
    return card["at"]


@require_http_methods(GET_POST)
@with_case("summary.view")
def offer(request: Request, case: Case) -> HttpResponse:
    """The de-identified summary; declaring conflicts and accepting in one form."""
    current = open_offer(case, request.principal)
    if current is None:
        raise NotFound()
    form = forms.DeclarationForm(posted(request))
    if request.method == "POST" and form.is_valid():
        none = form.cleaned_data["conflict"] == "none"
        offers.declare_conflicts(case, by=request.principal, none=none, statement=form.cleaned_data["statement"])
        offers.accept(case, by=request.principal)
        messages.success(request, _("Thank you. The records are open to you now."))
        return redirect("review", case.pk)
    audit.read(f"case:{case.pk}", by=request.principal, space=case.pk, action="offer.read")
    view = present.offer_view(case, current, offers.records_for_summary(case))
    return render(request, "specialist/offer.html", {"case": case, "view": view, "form": form})


@require_http_methods(GET_POST)
@with_case("summary.view")
def decline(request: Request, case: Case) -> HttpResponse:
    """Decline with a reason; the next specialist is asked."""
    if open_offer(case, request.principal) is None:
        raise NotFound()
    form = forms.DeclineForm(posted(request))
    if request.method == "POST" and form.is_valid():
        offers.decline(case, by=request.principal, **form.cleaned_data)
        messages.success(request, _("Thank you for answering. The case is closed to you now."))
        return redirect("specialist_home")
    return render(request, "specialist/decline.html", {"case": case, "form": form})


@require_safe
@with_case("story.view")
def review(request: Request, case: Case) -> HttpResponse:
    """One address for a case in hand: leads to the page of its present step."""
    _require_specialist(request, case)
    if case.state == State.BLIND_READ:
        return redirect("blind_read", case.pk)
    read = blind.of(case, request.principal)
    if case.state == State.IN_REVIEW and read and read.revealed_at is None:
        return redirect("reveal", case.pk)
    if case.state == State.IN_REVIEW:
        return redirect("opinion", case.pk, "answers")
    return overview(request, case)


def _require_specialist(request: Request, case: Case) -> None:
    if "specialist" not in case.roles_of(request.principal):
        raise NotFound()


def overview(request: Request, case: Case) -> HttpResponse:
    """What became of the case after signing: questions about the report, addenda, messages."""
    audit.read(f"case:{case.pk}", by=request.principal, space=case.pk)
    reads_blind = pane.is_blind(case, request.principal)  # also while an urgent case stands still
    context = {
        "case": case,
        "heading": case.reference if reads_blind else case.headline or case.reference,
        "next": present.NEXT.get(case.state, ""),
        "clarifications": scopes.clarifications(request.principal, case),
        "answer_form": forms.AnswerForm(),
        "reports": scopes.reports(request.principal, case),
        "addendum": addendum.draft_of(case),
        "can_answer": case.state in (State.CLARIFYING, State.DELIVERED),
        "blind_read": blind.of(case, request.principal),
        "story": present.story(case, blind=reads_blind),
        "thread": pane.thread(request, case),
    }
    return render(request, "specialist/overview.html", context)


@require_http_methods(GET_POST)
@with_case("blind_read.write")
def blind_read(request: Request, case: Case) -> HttpResponse:
    """Records on the left, the first impression on the right; saved as it is typed."""
    _require_specialist(request, case)
    read = blind.of(case, request.principal)
    initial = {key: getattr(read, key) for key in ("diagnosis", "treatment", "reasoning", "confidence")}
    form = forms.BlindReadForm(posted(request), initial=initial)
    if request.method == "POST" and form.is_valid():
        blind.save(case, by=request.principal, **form.cleaned_data)
        if request.headers.get("X-Requested-With") == "autosave":
            return HttpResponse(status=204)
        return redirect("lock_blind_read", case.pk)
    audit.read(f"case:{case.pk}", by=request.principal, space=case.pk)
    context = {"case": case, "form": form, "pane": pane.build(request, case), "thread": pane.thread(request, case)}
    context["story"] = present.story(case, blind=True)
    return render(request, "specialist/blind_read.html", context)


@require_http_methods(GET_POST)
@with_case("blind_read.write")
def lock_blind_read(request: Request, case: Case) -> HttpResponse:
    """The last look before the impression is locked for good."""
    _require_specialist(request, case)
    if request.method == "POST":
        blind.lock(case, by=request.principal)
        return redirect("reveal", case.pk)
    row = row_for("lock_blind_read", case.state)
    missing = advance_missing(case, "lock_blind_read", request)
    context = {"case": case, "read": blind.of(case, request.principal), "row": row, "missing": missing}
    return render(request, "specialist/lock.html", context)


def advance_missing(case: Case, verb: str, request: Request) -> list[object]:
    """Sentences of what a verb still needs."""
    from consilium.cases.actions.advance import what_is_missing

    return what_is_missing(case, verb, request.principal)


@require_http_methods(GET_POST)
@with_case("opinion.write")
def reveal(request: Request, case: Case) -> HttpResponse:
    """The first opinion is shown; looking at it is noted with its time and required before drafting."""
    _require_specialist(request, case)
    if request.method == "POST":
        blind.reveal(case, by=request.principal)
        return redirect("reveal", case.pk)
    read = blind.of(case, request.principal)
    shown = read is not None and read.revealed_at is not None
    if shown:
        audit.read(f"case:{case.pk}", by=request.principal, space=case.pk, action="story.read")
    withheld = [r for r in scopes.records(request.principal, case) if r.conclusion_pages] if shown else []
    context = {"case": case, "read": read, "shown": shown, "withheld": withheld}
    context["first"] = present.first_opinion(case) if shown else []
    return render(request, "specialist/reveal.html", context)


STEPS = {
    "urgent": "raise_urgent",
    "hand-back": "hand_back",
}


@require_http_methods(GET_POST)
@with_case("story.view")
def step(request: Request, case: Case, name: str) -> HttpResponse:
    """A step with a reason: raise an urgent alarm, or hand the case back."""
    _require_specialist(request, case)
    row = row_for(STEPS[name], case.state) if name in STEPS else None
    if row is None:
        raise NotFound()
    form = forms.NoteForm(posted(request))
    if request.method == "POST" and form.is_valid():
        advance(case, row.verb, by=request.principal, note=form.cleaned_data["note"])
        messages.success(request, _("Done. The desk has been told."))
        return redirect("specialist_home")
    return render(request, "specialist/step.html", {"case": case, "row": row, "form": form, "name": name})


@require_http_methods(GET_POST)
@with_case("request.manage")
def ask_for_record(request: Request, case: Case) -> HttpResponse:
    """Ask the patient or a provider for a record; the clock pauses until it is there."""
    _require_specialist(request, case)
    pack = registry.specialty(case.specialty)
    if request.method == "POST":
        item, asked_of = request.POST.get("item", ""), request.POST.get("asked_of", "")
        note = request.POST.get("note", "")
        desk.ask_for_record(case, item, asked_of=asked_of, note=note, by=request.principal)
        messages.success(request, _("The request is sent; your clock stands still until the record is here."))
        return redirect("review", case.pk)
    return render(request, "specialist/ask.html", {"case": case, "items": pack.records})


@require_POST
@with_case("clarification.answer")
def answer(request: Request, case: Case) -> HttpResponse:
    """Answer one question about the report; the last answer sends them all."""
    _require_specialist(request, case)
    asked, still_open = request.POST.get("clarification", ""), case.clarifications.filter(answered_at=None)
    waiting = next((one for one in still_open if str(one.pk) == asked), None)
    form = forms.AnswerForm(request.POST)
    if waiting is None or not form.is_valid():
        messages.error(request, _("Please write your answer first."))
        return redirect("review", case.pk)
    talks.answer(waiting, by=request.principal, text=form.cleaned_data["answer"])
    if request.POST.get("then") == "addendum":
        return redirect("addendum", case.pk)
    if case.state == State.CLARIFYING and not case.clarifications.filter(answered_at=None).exists():
        talks.close_round(case, by=request.principal)
    messages.success(request, _("Your answer is with the patient."))
    return redirect("review", case.pk)


@require_POST
@with_case("message.send")
def message(request: Request, case: Case) -> HttpResponse:
    """Write to the patient or to the desk."""
    _require_specialist(request, case)
    audience = request.POST.get("audience", "")
    talks.send_message(case, by=request.principal, audience=audience, body=request.POST.get("body", ""))
    messages.success(request, _("Your message is sent."))
    return redirect("review", case.pk)
