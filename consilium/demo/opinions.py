"""The demo's opinions: blind reads, findings with their places, content, addenda."""

from datetime import timedelta
from typing import Any

from consilium.access.principals import Principal
from consilium.cases.models import Case
from consilium.core import clock
from consilium.opinions.actions import addendum, blind
from consilium.opinions.actions import opinion as opinions
from consilium.opinions.models import Opinion
from consilium.records.models import Record, RecordFile

DIRECT = ("comparison", "missing", "differential", "options", "limitations", "references", "sections")


def concluding_pages(letter: Record) -> list[int]:
    """The pages a triage clinician would withhold: the suggestion, or the whole of a one-page letter."""
    return letter.conclusion_pages or [max(letter.pages, 1) - 1]


def read_blind(case: Case, told: dict[str, str], *, by: Principal) -> None:
    """Write and lock the first impression."""
    blind.save(case, by=by, **{key: told[key] for key in ("diagnosis", "treatment", "reasoning", "confidence")})
    blind.lock(case, by=by)


def write(case: Case, told: dict[str, Any], *, by: Principal) -> Opinion:
    """Reveal, then write what the story holds; a partial story makes a partial draft."""
    blind.reveal(case, by=by)
    draft = opinions.draft_of(case, by=by)
    for finding in told.get("findings", []):
        opinions.add_finding(
            draft,
            by=by,
            text=finding["text"],
            significance=finding["significance"],
            anchor=_anchor(case, finding["on"], finding["region"]),
        )
    return opinions.save(draft, _content(case, told), by=by)


def _content(case: Case, told: dict[str, Any]) -> dict[str, Any]:
    content = {key: told[key] for key in DIRECT if key in told}
    questions = case.questions.all()
    content["answers"] = {str(q.pk): answer for q, answer in zip(questions, told["answers"], strict=False)}
    if "recommendation" in told:
        content["recommendation"] = told["recommendation"]
    if "next_steps" in told:
        content["next_steps"] = [_step(step) for step in told["next_steps"]]
    if "summary" in told:
        content["patient_summary"] = {"opening": told["opening"], "text": told["summary"]}
        content["questions_to_ask"] = told["ask"]
        content["clinician_letter"] = told["letter"]
    return content


def _step(step: dict[str, Any]) -> dict[str, str]:
    due = (clock.now() + timedelta(days=step["in_days"])).date().isoformat()
    return {"what": step["what"], "owner": step["owner"], "by_date": due}


def _anchor(case: Case, name: str, region: list[float]) -> dict[str, Any]:
    """The place of a finding: the middle image of the study, or the first page of a named file."""
    files = RecordFile.objects.filter(space=case.pk).select_related("record")
    if name == "imaging":
        images = [file for file in files if file.frames]
        file, kind = images[len(images) // 2], "frame"
    else:
        file, kind = next(file for file in files if file.name == name), "page"
    x, y, w, h = region
    return {"file": str(file.pk), "kind": kind, "index": 0, "x": x, "y": y, "w": w, "h": h}


def add_addendum(case: Case, told: dict[str, Any], *, by: Principal) -> None:
    """Version 2 after a question of the patient."""
    draft = addendum.start(case, by=by)
    steps = [*draft.content["next_steps"], _step(told["add_step"])]
    opinions.save(draft, {"next_steps": steps}, by=by)
    addendum.save_change_note(draft, told["change_note"], by=by)
    case.refresh_from_db()
    addendum.issue(case, by=by)
