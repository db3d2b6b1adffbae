"""What the pages of the form show: task list, steps, advice on questions, stop page, one-page summary."""

from datetime import date
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from consilium.access.principals import Principal
from consilium.access.rules import may
from consilium.cases import story
from consilium.cases.actions.advance import possible
from consilium.cases.models import Case
from consilium.cases.states import State
from consilium.packs import registry
from consilium.web.patient import sections
from consilium.web.patient.forms import story as forms
from consilium.web.patient.forms.pack import StoryForm
from consilium.web.patient.present import body
from consilium.web.patient.present.wording import day

TEMPLATES = {
    "first-opinion": "first_opinion",
    "where": "body",
    "questions": "questions",
    "certainty": "certainty",
    "warning-signs": "warning_signs",
}
OWN_PAGES = {"records": "case_upload", "consents": "case_consents", "summary": "case_summary"}
STATES = {
    "done": (gettext_lazy("Done"), "good"),
    "started": (gettext_lazy("Not finished"), "warn"),
    "todo": (gettext_lazy("To do"), "neutral"),
    "locked": (gettext_lazy("Later"), "neutral"),
    "optional": (gettext_lazy("If you like"), "neutral"),
    "stopped": (gettext_lazy("Please read"), "danger"),
}


def address_of(case: Case, slug: str) -> str:
    """Where a step is done."""
    if slug in OWN_PAGES:
        return reverse(OWN_PAGES[slug], args=[case.pk])
    return reverse("case_section", args=[case.pk, slug])


def template_of(slug: str) -> str:
    """The template of a section's page."""
    return TEMPLATES.get(slug, "section")


# -- task list ---------------------------------------------------------------------------------------------------


def task_list(case: Case) -> dict[str, Any]:
    """Rows of the task list and the one next action."""
    rows = [_task(case, section) for section in sections.SECTIONS] + _last_tasks(case)
    first = next((row for row in rows if row["state"] in ("todo", "started", "stopped") and row["href"]), rows[-1])
    done = sum(row["state"] in ("done",) for row in rows)
    begun = any(row["state"] == "done" for row in rows)
    return {
        "rows": rows,
        "next": first,
        "next_label": _("Go on: %(part)s") % {"part": first["title"]} if begun else _("Begin"),
        "done": done,
        "total": len(rows),
        "specialty": registry.specialty(case.specialty),
        "saved": day(case.intake.saved_at, case),
    }


def _task(case: Case, section: sections.Section) -> dict[str, Any]:
    gate = sections.gate_to_pass(case)
    missing = sections.missing(case, section)
    told = any(value for key, value in section.initial(case).items() if key in sections.bound_to(case, section).fields)
    state = "done" if not missing else "started" if told else "todo"
    if section.optional and not told:
        state = "optional"
    if gate and section.slug not in sections.GATES:
        state = "locked"
    if _failed(case, section.slug):
        state, missing = "stopped", []
    shown = missing if state == "started" else []
    return _row(case, section.slug, section.title, state, shown)


def _failed(case: Case, slug: str) -> bool:
    failed = {"suitability": case.intake.screening_passed, "warning-signs": case.intake.red_flags_clear}
    return failed.get(slug) is False


def _last_tasks(case: Case) -> list[dict[str, Any]]:
    locked = bool(sections.gate_to_pass(case))
    sent = any(request.status == "here" for request in case.record_requests.all())
    consented = sections.consents_given(case)
    ready = consented and not sections.unfinished(case)
    records = "locked" if locked else "done" if sent else "optional"
    return [
        _row(case, "records", _("Your records"), records),
        _row(case, "consents", _("Your consent"), "locked" if locked else "done" if consented else "todo"),
        _row(case, "summary", _("Read everything once more and send it"), "todo" if ready else "locked"),
    ]


def _row(case: Case, slug: str, title: Any, state: str, missing: sections.Missing | None = None) -> dict[str, Any]:
    words, tone = STATES[state]
    href = "" if state == "locked" else address_of(case, slug)
    if state == "stopped":
        href = reverse("case_stopped", args=[case.pk])
    return {
        "slug": slug,
        "title": title,
        "state": state,
        "words": words,
        "tone": tone,
        "href": href,
        "missing": missing,
    }


# -- one page ----------------------------------------------------------------------------------------------------


def section_page(case: Case, section: sections.Section, form: StoryForm) -> dict[str, Any]:
    """Context of layouts/question.html for a section, with what its own template adds."""
    number = sections.STEPS.index(section.slug) + 1
    before = address_of(case, sections.STEPS[number - 2]) if number > 1 else reverse("case_prepare", args=[case.pk])
    context: dict[str, Any] = {
        "form": form,
        "section": section,
        "question": section.title,
        "step": number,
        "steps": len(sections.STEPS),
        "back_url": before,
    }
    if section.autosaves:
        context["autosave_url"] = reverse("case_autosave", args=[case.pk, section.slug])
    return context | EXTRAS.get(section.slug, _nothing)(case, form)


def _nothing(_case: Case, _form: StoryForm) -> dict[str, Any]:
    return {}


def _body(case: Case, form: StoryForm) -> dict[str, Any]:
    chosen = form["regions"].value() or [] if "regions" in form.fields else []
    regions = registry.specialty(case.specialty).regions
    return {"views": body.views(regions, set(chosen))}


def _questions(case: Case, form: StoryForm) -> dict[str, Any]:
    examples = registry.specialty(case.specialty).examples
    hints = [(name, forms.advice(form[name].value() or "")) for name in form.fields if form[name].value()]
    advised = form.is_bound and not form.errors and getattr(form, "advised", False)
    return {"examples": examples, "advised": advised, "hints": dict(hints) if advised else {}}


EXTRAS = {"where": _body, "questions": _questions}


def wants_advice(form: StoryForm, posted: Any) -> bool:
    """Whether to show hints once before the questions are taken as they are."""
    if not isinstance(form, forms.QuestionsForm) or {"keep", "later"} & set(posted):
        return False
    from consilium.cases.actions.intake import question_problem

    texts = form.texts()
    form.advised = question_problem(texts) is None and any(forms.advice(text) for text in texts)  # pyright: ignore[reportAttributeAccessIssue]
    return form.advised  # pyright: ignore[reportAttributeAccessIssue]


def added_example(case: Case, form: StoryForm, code: str) -> StoryForm | None:
    """The form with an example put into the first empty box; None when none was chosen."""
    example = next((row for row in registry.specialty(case.specialty).examples if row.code == code), None)
    if example is None or not isinstance(form, forms.QuestionsForm):
        return None
    data = form.data.copy()
    empty = next((name for name in form.fields if not data.get(name, "").strip()), None)
    if empty:
        data[empty] = str(example.text)
    return forms.QuestionsForm(initial={name: data.get(name, "") for name in form.fields})


def remarks(case: Case, section: sections.Section) -> list[str]:
    """What a saved page has to say: answers that do not stop but matter."""
    said = case.intake.readiness if section.slug == "readiness" else {}
    if said.get("help") in ("call", "paper"):
        reach = case.organisation.telephone or case.organisation.contact
        return [_("Thank you. Our coordinator will help you. You can also reach us here: %(reach)s") % {"reach": reach}]
    if section.slug != "suitability":
        return []
    rows = registry.specialty(case.specialty).suitability
    answers = case.intake.screening
    return [str(row.otherwise) for row in rows if not row.blocks and answers.get(row.code) not in (row.fits, None)]


# -- stopping kindly ---------------------------------------------------------------------------------------------


def stopped(case: Case) -> dict[str, Any]:
    """Why the form stops and where to go: emergency first."""
    pack, intake = registry.specialty(case.specialty), case.intake
    if intake.screening_passed is False:
        rows = [row for row in pack.suitability if row.blocks and intake.screening.get(row.code) != row.fits]
        sentences = [str(row.otherwise) for row in rows]
        emergency = any(row.code == "no-emergency" for row in rows)
        slug = "suitability"
    else:
        flags = [flag for flag in pack.red_flags if intake.red_flags.get(flag.code) == "yes"]
        sentences, emergency, slug = [str(flag.action) for flag in flags], True, "warning-signs"
    number = "911" if case.patient.contact.get("country") == "US" else "112"
    return {
        "sentences": sentences,
        "emergency": emergency,
        "number": number,
        "again_url": address_of(case, slug),
        "may_close": True,
    }


def redirect_note(case: Case) -> str:
    """The coded reason of closing, for the history."""
    if case.intake.redirect_code:
        return case.intake.redirect_code
    flags = [code for code, answer in case.intake.red_flags.items() if answer == "yes"]
    return ", ".join(flags)


# -- the one page ------------------------------------------------------------------------------------------------


def summary(case: Case, by: Principal) -> dict[str, Any]:
    """The one-page case with links to correct each part, and the button that waits for it."""
    draft, may_edit = case.state == State.DRAFT, may("story.edit", case, by)
    told = [_told(case, part, may_edit) for part in story.parts(case)]
    verb = "submit" if draft else "confirm_recap"
    unfinished = sections.unfinished(case) if may_edit else []
    return {
        "person": case.patient,
        "born": _born(case),
        "specialty": registry.specialty(case.specialty),
        "parts": told,
        "questions": [question.text for question in case.questions.all()],
        "questions_href": address_of(case, "questions") if may_edit else "",
        "unfinished": [{"title": row.title, "href": address_of(case, row.slug)} for row in unfinished],
        "consents_missing": draft and may_edit and not sections.consents_given(case),
        "may_confirm": possible(case, verb, by) and may("story.correct", case, by),
        "may_correct": not draft and _correctable(case) and may("story.correct", case, by),
        "draft": draft,
        "step": len(sections.STEPS),
        "steps": len(sections.STEPS),
    }


def _born(case: Case) -> str:
    return day(date.fromisoformat(case.patient.birth_date), case) if case.patient.birth_date else ""


def _correctable(case: Case) -> bool:
    return case.state in (State.SUBMITTED, State.COLLECTING, State.RECAP)


PAGES = {
    "goals": "goals",
    "symptoms": "where",
    "answers": "details",
    "history": "history",
    "first-opinion": "first-opinion",
}


def _told(case: Case, part: story.Part, may_edit: bool) -> dict[str, Any]:
    rows = [{"term": row.label, "text": row.text} for row in part.rows]
    href = address_of(case, PAGES[part.code]) if may_edit else ""
    return {"title": part.title, "rows": rows, "href": href}


def correction_form(case: Case, data: Any) -> Any:
    """The questions and one box for what is missing, for the recap step."""
    texts = {f"question_{number}": row.text for number, row in enumerate(case.questions.all(), start=1)}
    made = type("CorrectionForm", (forms.QuestionsForm,), {"remark": forms.area(_("What should we correct or add?"))})
    return made(data, initial=texts | {"remark": case.intake.goals.get("remark", "")})


def thanks(verb: str) -> str:
    """What is said after the step."""
    if verb == "submit":
        return _("Thank you. Your case has arrived safely. A person will look at it by the next working day.")
    return _("Thank you. We now look for the right specialist for you.")
