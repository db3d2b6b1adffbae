"""The report as the patient reads it: the summary first, then answers, next steps, versions and questions about it."""

from datetime import date, timedelta
from typing import Any

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from consilium.access.principals import Principal
from consilium.access.rules import may
from consilium.cases.models import Case
from consilium.cases.states import State
from consilium.cases.timers import CLARIFICATION_DAYS, MAX_CLARIFICATIONS
from consilium.core import clock
from consilium.opinions.models import Report
from consilium.talks.models import Clarification
from consilium.web.patient.present.wording import day, moment

COMPARED: dict[str, Promise] = {
    "confirmed": gettext_lazy("confirmed"),
    "clarified": gettext_lazy("made more precise"),
    "changed": gettext_lazy("changed"),
}


def report_page(
    case: Case, by: Principal, report: Report, versions: list[Report], asked: list[Clarification]
) -> dict[str, Any]:
    """Everything the page shows of the chosen version."""
    said, specialist = report.opinion.content, report.opinion.specialist
    summary, comparison = said.get("patient_summary", {}), said.get("comparison", {})
    answers = said.get("answers", {})
    return {
        "report": report,
        "specialist": specialist,
        "issued": day(report.issued_at, case),
        "opening": summary.get("opening", ""),
        "paragraphs": [part.strip() for part in summary.get("text", "").split("\n\n") if part.strip()],
        "answers": [
            {"question": row.text, "short": answers.get(str(row.pk), {}).get("short", "")}
            for row in case.questions.all()
        ],
        "compared": [
            {"term": term, "text": COMPARED.get(comparison.get(key, ""), "")}
            for key, term in (("diagnosis", _("The diagnosis was")), ("treatment", _("The treatment was")))
            if comparison.get(key) in COMPARED
        ],
        "urgent": said.get("urgent", []),
        "next_steps": [_step(row, case) for row in said.get("next_steps", [])],
        "to_ask": said.get("questions_to_ask", []),
        "limitations": said.get("limitations", []),
        "change_note": report.opinion.change_note,
        "files": _files(report),
        "verify_url": f"/verify/{report.verify_code}",
        "versions": [_version(case, row, row.pk == report.pk) for row in versions],
        "asked": [_asked(case, row) for row in asked],
        "asking": asking(case, by, len(asked)),
    }


def _step(row: dict[str, Any], case: Case) -> dict[str, str]:
    try:
        when = day(date.fromisoformat(row.get("by_date", "")), case)
    except ValueError:
        when = ""
    return {"what": row.get("what", ""), "owner": row.get("owner", ""), "when": when}


def _files(report: Report) -> dict[str, str]:
    base = f"/data/reports/{report.pk}"
    return {"patient": f"{base}/patient.pdf", "clinical": f"{base}/clinical.pdf", "fhir": f"{base}/fhir.json"}


def _version(case: Case, row: Report, current: bool) -> dict[str, Any]:
    href = "" if current else f"{reverse('case_report', args=[case.pk])}?version={row.number}"
    note = _("replaced by a newer version") if row.superseded_at else ""
    return {"number": row.number, "issued": day(row.issued_at, case), "href": href, "note": note, "current": current}


def _asked(case: Case, row: Clarification) -> dict[str, Any]:
    return {
        "kind": row.get_kind_display(),
        "question": row.question,
        "when": moment(row.asked_at, case),
        "answer": row.answer if row.answered_at else "",
        "answered": moment(row.answered_at, case) if row.answered_at else "",
    }


def asking(case: Case, by: Principal, count: int) -> dict[str, Any]:
    """Whether one may still ask about the report, how often, and until when."""
    left = max(MAX_CLARIFICATIONS - count, 0)
    until = case.delivered_at + timedelta(days=CLARIFICATION_DAYS) if case.delivered_at else None
    in_time = bool(until and clock.now() < until and case.state in (State.DELIVERED, State.CLARIFYING))
    allowed = may("clarification.ask", case, by)
    return {
        "open": allowed and in_time and left > 0,
        "left": left,
        "until": day(until, case) if until else "",
        "over": not in_time,
        "allowed": allowed,
    }


def urgent_message(case: Case) -> dict[str, str] | None:
    """The doctor's urgent message while it waits to be received."""
    if case.state != State.URGENT:
        return None
    event = case.events.filter(verb="raise_urgent").order_by("-at").first()
    return {"text": event.note, "when": moment(event.at, case), "by": event.by} if event else None
