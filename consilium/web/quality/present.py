"""What the pages of the quality check show."""

from typing import Any

from django.urls import reverse
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from consilium.access.principals import Principal
from consilium.cases.actions.advance import what_is_missing
from consilium.cases.models import Case
from consilium.cases.states import Phase, State
from consilium.core import clock
from consilium.opinions.models import BlindRead, Opinion, QualityReview
from consilium.opinions.report import readability, tone
from consilium.packs import registry
from consilium.people.queries import names_of
from consilium.web import report_view
from consilium.web.specialist.present import due, place_query

TONES = {"passed": "good", "returned": "info"}


def card(case: Case, by: Principal) -> dict[str, Any]:
    """An opinion that waits, as a card."""
    opinion = max(case.opinions.all(), key=lambda one: one.number, default=None)
    own = opinion is not None and is_own(opinion, by)
    late = bool(case.due_at and case.due_at < clock.now())
    badges = [{"text": case.get_urgency_display(), "tone": "warn"}] if case.urgency != "routine" else []
    return {
        "title": str(registry.specialty(case.specialty).title),
        "href": reverse("quality_case", args=[case.pk]),
        "reference": case.reference,
        "facts": [{"term": _("Written by"), "text": opinion.specialist.name}] if opinion else [],
        "due": due(case.due_at),
        "due_tone": "danger" if late else "neutral",
        "next": _("You wrote this one: a colleague checks it") if own else _("Read it and decide"),
        "badges": badges,
    }


def is_own(opinion: Opinion, by: Principal) -> bool:
    """Whether the reviewer wrote it: nobody passes their own opinion."""
    return bool(opinion.specialist.user_id == by.id)


def decisions(found: list[QualityReview]) -> list[list[Any]]:
    """Rows of the table of recent decisions."""
    names = names_of(sorted({review.reviewer for review in found}))
    return [
        [
            {"text": review.case.reference, "href": reverse("quality_case", args=[review.case_id])},
            {"text": review.get_decision_display(), "tone": TONES[review.decision]},
            review.opinion.specialist.name,
            names.get(review.reviewer, ""),
            date_format(localtime(review.decided_at), "DATETIME_FORMAT") if review.decided_at else "",
        ]
        for review in found
    ]


def check_page(opinion: Opinion, read: BlindRead | None, by: Principal) -> dict[str, Any]:
    """The opinion in full, as both readers will see it, beside what was thought before."""
    shown = report_view.of_draft(opinion)
    return shown | {
        "opinion": opinion,
        "own": is_own(opinion, by),
        "columns": [_("About"), _("First opinion"), _("First impression, blind"), _("Second opinion")],
        "differences": differences(opinion, read, shown["compared"]),
        "read": read,
        "findings": places(opinion),
        "meter": meter(opinion),
    }


def differences(opinion: Opinion, read: BlindRead | None, compared: list[dict[str, Any]]) -> list[list[Any]]:
    """Diagnosis and treatment side by side: first opinion, blind impression, second opinion."""
    blind = (read.diagnosis, read.treatment) if read else ("", "")
    return [
        [
            str(row["term"]),
            row["first"] or "–",
            impression or "–",
            {"text": row["verdict"], "tone": row["tone"], "note": row["note"]},
        ]
        for row, impression in zip(compared, blind, strict=True)
    ]


def places(opinion: Opinion) -> list[dict[str, Any]]:
    """Findings with the link that opens their place on the left."""
    found = opinion.findings.select_related("record").all()
    return [{"text": one.text, "href": place_query(one.anchor, one.record)} for one in found]


def regions(opinion: Opinion, record: str) -> list[dict[str, Any]]:
    """Marked regions of the record that is open on the left."""
    return [
        {key: one.anchor[key] for key in ("x", "y", "w", "h", "file", "index")} | {"label": one.text[:80]}
        for one in opinion.findings.all()
        if one.anchor and str(one.record_id) == record
    ]


def meter(opinion: Opinion) -> dict[str, Any]:
    """Readability and tone of what the patient reads."""
    said = opinion.content.get("patient_summary", {})
    answers = [answer.get("short", "") for answer in opinion.content.get("answers", {}).values()]
    words = "\n".join([said.get("opening", ""), said.get("text", ""), *answers])
    return {
        "reading": readability.measure(words, opinion.case.language),
        "tone": tone.check(words, opinion.case.language),
    }


def progress(case: Case, by: Principal) -> dict[str, Any]:
    """Where the case stands once it left the check; `building` says that the page should ask again."""
    built = case.reports.exists()
    building = case.state == State.SIGNED and not built
    return {
        "case": case,
        "building": building,
        "title": _title(case, built),
        "text": _text(case, built, by),
        "tone": "us" if building or case.phase in (Phase.REVIEW, Phase.BLIND) else "other",
    }


def _title(case: Case, built: bool) -> str:
    if case.state == State.SIGNED:
        return _("The report is sealed") if built else _("The report is being built")
    if case.state == State.URGENT:
        return _("Urgent: waiting to be received")
    if case.phase == Phase.HALTED:
        return _("The case is on hold")
    return _("The report is delivered") if case.phase == Phase.RELEASED else _("With the author again")


def _text(case: Case, built: bool, by: Principal) -> str:
    if case.state == State.SIGNED and not built:
        return _("Both documents are written and sealed. This takes some seconds.")
    if case.state == State.SIGNED:
        oral = what_is_missing(case, "deliver", by)
        return (
            _("An oral explanation comes first. The desk books it, then the report goes out.")
            if oral
            else _("It goes out in a moment.")
        )
    if case.state == State.URGENT:
        return _("The patient and the desk were told. The check goes on once somebody has received the message.")
    if case.phase == Phase.HALTED:
        return _("The desk tells you when it goes on.")
    if case.phase == Phase.RELEASED:
        return _("Thank you. The patient and everybody they chose can read it now.")
    return _("The author has your comments, writes on and signs again. Then it comes back to this list.")
