"""A report in words for pages: what the two documents say, prepared once for every role that reads it.

The templates `reports/summary.html` (plain words) and `reports/clinical.html` (for doctors) show what `words` gives.
"""

from typing import Any

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from consilium.opinions import content
from consilium.opinions.models import Opinion, Report
from consilium.opinions.report import content as paper
from consilium.opinions.report.wording import PLAIN_LIMITATIONS, limitations

VERDICTS: dict[str, Promise] = {
    "confirmed": _("confirmed"),
    "clarified": _("made more precise"),
    "changed": _("changed"),
    "not_assessed": _("not assessed"),
}
TONES = {"confirmed": "good", "clarified": "info", "changed": "accent", "not_assessed": "neutral"}
STRENGTHS: dict[str, Promise] = {
    "strong": _("Strong recommendation"),
    "conditional": _("Conditional recommendation"),
    "expert_opinion": _("Expert opinion"),
    "none": _("No recommendation possible"),
}


def of_report(report: Report) -> dict[str, Any]:
    """A released version, with everything that names and proves it."""
    seen = list(report.seen_records.select_related("record"))
    said = content.assemble(report.opinion, issued_at=report.issued_at, verify_code=report.verify_code, seen=seen)
    base = f"/data/reports/{report.pk}"
    return words(said) | {
        "report": report,
        "doctor": doctor(report.opinion),
        "files": {"clinical": f"{base}/clinical.pdf", "patient": f"{base}/patient.pdf", "fhir": f"{base}/fhir.json"},
        "verify_href": reverse("verify_code", args=[report.verify_code]),
    }


def of_draft(opinion: Opinion) -> dict[str, Any]:
    """An opinion before release, as both readers will see it."""
    return words(content.assemble(opinion)) | {"doctor": doctor(opinion)}


def words(said: paper.ReportContent) -> dict[str, Any]:
    """Labels and lists beside the content itself; the content keeps the language of the case."""
    plain = PLAIN_LIMITATIONS[said.language]
    own = tuple(text for text in said.limitations if text.strip() and text not in plain)
    first, now = said.first_opinion, said.comparison
    return {
        "paper": said,
        "lang": said.language,
        "compared": [
            compared(_("Diagnosis"), first.diagnosis, now.diagnosis, now.diagnosis_note),
            compared(_("Treatment"), first.treatment, now.treatment, now.treatment_note),
        ],
        "strength": STRENGTHS.get(said.recommendation.strength, ""),
        "sections": [section for section in said.sections if section.text.strip()],
        "limitations": limitations(said.language, said.limitations),
        "plain_limitations": [*plain, *own],
    }


def compared(term: Any, first: str, verdict: str, note: str) -> dict[str, Any]:
    """One row of the comparison: what was said first, and what the second opinion does with it."""
    verdict = verdict or "not_assessed"
    return {"term": term, "first": first, "verdict": VERDICTS[verdict], "tone": TONES[verdict], "note": note}


def doctor(opinion: Opinion) -> dict[str, Any]:
    """The card of who wrote it."""
    person = opinion.specialist
    return {
        "name": person.name,
        "role": person.title,
        "place": person.institution,
        "portrait": person.portrait.rsplit("/", 1)[-1].removesuffix(".svg"),
    }
