"""The structured opinion, part by part; findings; the check; the signature; addenda use the same pages."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from consilium.access.rules import may
from consilium.cases.actions.advance import what_is_missing
from consilium.cases.models import Case
from consilium.cases.states import State
from consilium.cases.workflow import row_for
from consilium.core import audit
from consilium.core.errors import NotFound, Refusal
from consilium.opinions import content
from consilium.opinions.actions import addendum, opinion
from consilium.opinions.models import Opinion
from consilium.opinions.report import readability, tone
from consilium.web.guards import with_case
from consilium.web.http import Request, posted
from consilium.web.specialist import forms, pane, present

FORMS: dict[str, type[forms.PartForm]] = {
    "answers": forms.AnswersForm,
    "comparison": forms.ComparisonForm,
    "assessment": forms.AssessmentForm,
    "recommendation": forms.RecommendationForm,
    "summary": forms.SummaryForm,
}
# part → [(prefix, key of the content, formset)]
FORMSETS: dict[str, list[tuple[str, str, Any]]] = {
    "options": [("options", "options", forms.OptionFormSet)],
    "steps": [
        ("next_steps", "next_steps", forms.NextStepFormSet),
        ("references", "references", forms.ReferenceFormSet),
    ],
}


def draft_for(request: Request, case: Case) -> Opinion:
    """The draft being written: version 1 in review, an addendum after release."""
    if "specialist" not in case.roles_of(request.principal):
        raise NotFound()
    if case.state == State.IN_REVIEW:
        return opinion.draft_of(case, by=request.principal)
    draft = addendum.draft_of(case)
    if draft is None or not may("addendum.write", case, request.principal):
        raise NotFound()
    return draft


@require_http_methods(["GET", "HEAD", "POST"])
@with_case("opinion.view_draft")
def part(request: Request, case: Case, part: str) -> HttpResponse:
    """One part of the opinion: shown, saved, autosaved."""
    draft = draft_for(request, case)
    if part == "findings":
        return findings(request, case, draft)
    if part == "sign":
        return check(request, case, draft)
    if part in FORMSETS:
        return _rows(request, case, draft, part)
    if part not in FORMS:
        raise NotFound()
    form = FORMS[part](posted(request), initial=present.initial(draft, part), **_extra(part, case))
    if request.method == "POST" and form.is_valid():
        return _save(request, case, draft, part, form.part(), form.cleaned_data.get("saved"))
    status = 400 if request.method == "POST" and _is_autosave(request) else 200
    return render(request, "specialist/part.html", _context(request, case, draft, part) | {"form": form}, status=status)


def _extra(part: str, case: Case) -> dict[str, Any]:
    if part == "answers":
        return {"questions": case.questions.all()}
    if part == "assessment":
        return {"sections": content.own_sections(case.specialty)}
    return {}


def _rows(request: Request, case: Case, draft: Opinion, part: str) -> HttpResponse:
    sets = {
        prefix: factory(posted(request), prefix=prefix, initial=_initial_rows(draft, key))
        for prefix, key, factory in FORMSETS[part]
    }
    if request.method == "POST" and all(formset.is_valid() for formset in sets.values()):
        changes = {key: [f.cleaned_data for f in sets[prefix]] for prefix, key, _factory in FORMSETS[part]}
        return _save(request, case, draft, part, changes, None)
    status = 400 if request.method == "POST" and _is_autosave(request) else 200
    context = _context(request, case, draft, part) | {"formsets": sets}
    return render(request, "specialist/rows.html", context, status=status)


def _initial_rows(draft: Opinion, key: str) -> list[dict[str, Any]]:
    from consilium.core.text import iso_date

    return [row | ({"by_date": iso_date(row["by_date"])} if "by_date" in row else {}) for row in draft.content[key]]


def _save(
    request: Request, case: Case, draft: Opinion, part: str, changes: dict[str, Any], saved: int | None
) -> HttpResponse:
    try:
        stored = opinion.save(draft, changes, by=request.principal, saved=saved)
    except Refusal as refused:
        if _is_autosave(request):
            return HttpResponse(str(refused.sentence), status=409, content_type="text/plain; charset=utf-8")
        raise
    if _is_autosave(request):
        return HttpResponse(status=204, headers={"X-Saved": str(stored.saved)})
    messages.success(request, _("Saved."))
    query = f"?{request.GET.urlencode()}" if request.GET else ""
    response = redirect("opinion", case.pk, present.neighbour(part) if "next" in request.POST else part)
    response["Location"] += query
    return response


def _is_autosave(request: Request) -> bool:
    return request.headers.get("X-Requested-With") == "autosave"


def _context(request: Request, case: Case, draft: Opinion, part: str) -> dict[str, Any]:
    audit.read(f"case:{case.pk}", by=request.principal, space=case.pk)
    left = pane.build(request, case, _regions(draft, request))
    returned = draft.quality_reviews.filter(decision="returned").order_by("-decided_at").first()
    return {
        "case": case,
        "opinion": draft,
        "part": part,
        "pane": left,
        "tabs": present.part_tabs(case, part, left["query"]),
        "returned": returned,
        "first": present.first_opinion(case),
        "story": present.story(case, blind=False),
        "meter": _meter(draft, case) if part == "summary" else None,
        "thread": pane.thread(request, case),
    }


def _regions(draft: Opinion, request: Request) -> list[dict[str, Any]]:
    """Marked regions of the open record, for drawing on top: only those on the record shown."""
    wanted = request.GET.get("record", "")
    return [
        {
            **{key: finding.anchor[key] for key in "xywh"},
            "file": finding.anchor["file"],
            "index": finding.anchor["index"],
            "label": finding.text[:80],
        }
        for finding in draft.findings.all()
        if finding.anchor and str(finding.record_id) == wanted
    ]


def _meter(draft: Opinion, case: Case) -> dict[str, Any]:
    summary = draft.content.get("patient_summary", {})
    words = f"{summary.get('opening', '')}\n{summary.get('text', '')}"
    language = "de" if case.language.startswith("de") else "en"
    return {"reading": readability.measure(words, language), "tone": tone.check(words, language)}


def findings(request: Request, case: Case, draft: Opinion) -> HttpResponse:
    """The findings with their places, and a form to add one by marking a region."""
    form = forms.FindingForm(posted(request))
    if request.method == "POST" and form.is_valid():
        anchor = pane.place_of(request, case, form.cleaned_data)
        words = {key: form.cleaned_data[key] for key in ("text", "significance")}
        opinion.add_finding(draft, by=request.principal, anchor=anchor, **words)
        messages.success(request, _("The finding is added."))
        response = redirect("opinion", case.pk, "findings")
        response["Location"] += f"?{request.GET.urlencode()}" if request.GET else ""
        return response
    context = _context(request, case, draft, "findings")
    context |= {"form": form, "rows": present.finding_rows(draft)}
    return render(request, "specialist/findings.html", context)


@require_POST
@with_case("opinion.view_draft")
def remove_finding(request: Request, case: Case, finding_id: UUID) -> HttpResponse:
    """Take a finding out of the draft."""
    draft = draft_for(request, case)
    finding = draft.findings.filter(pk=finding_id).first()
    if finding is None:
        raise NotFound()
    opinion.remove_finding(finding, by=request.principal)
    messages.success(request, _("The finding is removed."))
    return redirect("opinion", case.pk, "findings")


def check(request: Request, case: Case, draft: Opinion) -> HttpResponse:
    """The release checklist, the preview, and the signature with a fresh second step."""
    verb = "sign" if draft.number == 1 else "issue_addendum"
    note = forms.ChangeNoteForm(posted(request), initial={"note": draft.change_note})
    if request.method == "POST":
        return _sign(request, case, draft, note)
    context = _context(request, case, draft, "sign")
    context |= {
        "problems": content.release_problems(draft),
        "missing": what_is_missing(case, verb, request.principal),
        "row": row_for(verb, case.state),
        "note_form": note if draft.number > 1 else None,
        "paper": content.assemble(draft),
    }
    return render(request, "specialist/sign.html", context)


def _sign(request: Request, case: Case, draft: Opinion, note: forms.ChangeNoteForm) -> HttpResponse:
    if draft.number > 1:
        if note.is_valid():
            addendum.save_change_note(draft, note.cleaned_data["note"], by=request.principal)
        addendum.issue(case, by=request.principal)
        messages.success(request, _("The new version is being sealed. Everybody who received the old one is told."))
    else:
        opinion.sign(case, by=request.principal)
        messages.success(request, _("Signed. A colleague now checks the opinion before it is delivered."))
    return redirect("review", case.pk)


@require_http_methods(["GET", "HEAD", "POST"])
@with_case("addendum.write")
def start_addendum(request: Request, case: Case) -> HttpResponse:
    """Begin (or go on with) the next version of the report; a POST with discard gives it up."""
    if "specialist" not in case.roles_of(request.principal):
        raise NotFound()
    if request.method == "POST" and "discard" in request.POST:
        draft = addendum.draft_of(case)
        if draft:
            addendum.discard(draft, by=request.principal)
        return redirect("review", case.pk)
    if request.method == "POST" or addendum.draft_of(case):
        addendum.start(case, by=request.principal)
        return redirect("opinion", case.pk, "answers")
    return render(request, "specialist/addendum.html", {"case": case})
