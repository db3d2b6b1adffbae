"""What the specialist's pages show: offers, reviews, the parts of an opinion. Pure preparation."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from consilium.cases import story as stories
from consilium.cases.matching import REASONS
from consilium.cases.models import Case, Offer
from consilium.cases.states import State
from consilium.core import clock
from consilium.core.text import iso_date
from consilium.opinions.models import Opinion
from consilium.packs import registry
from consilium.records.models import Record

PARTS = ("answers", "comparison", "findings", "assessment", "options", "recommendation", "steps", "summary", "sign")


def part_tabs(case: Case, current: str, record_query: str) -> list[dict[str, Any]]:
    """The parts of the opinion as links; the record that is open stays open."""
    labels = {
        "answers": _("Answers"),
        "comparison": _("Comparison"),
        "findings": _("Findings"),
        "assessment": _("Assessment"),
        "options": _("Options"),
        "recommendation": _("Recommendation"),
        "steps": _("Next steps"),
        "summary": _("Summary & letter"),
        "sign": _("Check & sign"),
    }
    return [
        {
            "label": labels[part],
            "href": reverse("opinion", args=[case.pk, part]) + record_query,
            "current": part == current,
        }
        for part in PARTS
    ]


def neighbour(part: str) -> str:
    """The part after `part`."""
    return PARTS[min(PARTS.index(part) + 1, len(PARTS) - 1)]


def due(at: datetime | None) -> str:
    """A due time in words: how long there is, or since when it is over."""
    if at is None:
        return _("no deadline")
    hours = int((at - clock.now()).total_seconds() // 3600)
    when = date_format(localtime(at), "DATETIME_FORMAT")
    if hours < 0:
        return _("overdue since %(when)s") % {"when": when}
    if hours < 48:
        return ngettext("%(n)s hour left", "%(n)s hours left", hours) % {"n": hours}
    return ngettext("%(n)s day left", "%(n)s days left", hours // 24) % {"n": hours // 24}


def card(case: Case, *, offered: bool, blind: bool) -> dict[str, Any]:
    """A case in a specialist's list. Offers and blind reads never show the headline: it may name the treatment."""
    pack = registry.specialty(case.specialty)
    title = str(pack.title) if offered or blind or not case.headline else case.headline
    href = reverse("offer" if offered else "review", args=[case.pk])
    late = bool(case.due_at and case.due_at < clock.now())
    return {
        "title": title,
        "href": href,
        "reference": case.reference,
        "status": case.get_state_display(),
        "due": due(case.due_at),
        "due_tone": "danger" if late else "neutral",
        "next": NEXT.get(case.state, ""),
        "at": case.due_at or case.state_since,
        "badges": [{"text": case.get_urgency_display(), "tone": "warn"}] if case.urgency != "routine" else [],
    }


NEXT: dict[str, Any] = {
    State.OFFERED: gettext_lazy("Please answer this offer"),
    State.BLIND_READ: gettext_lazy("Write and lock your first impression"),
    State.IN_REVIEW: gettext_lazy("Write the opinion and sign it"),
    State.QUALITY_CHECK: gettext_lazy("A colleague is checking your opinion"),
    State.SIGNED: gettext_lazy("The report is being delivered"),
    State.DELIVERED: gettext_lazy("Delivered; the patient may still ask"),
    State.CLARIFYING: gettext_lazy("The patient has asked about the report"),
}


@dataclass(frozen=True)
class OfferView:
    """What an offer shows before acceptance: nothing that identifies, nothing of the first conclusion."""

    specialty: str
    age_band: str
    sex: str
    language: str
    urgency: str
    planned: str
    records: list[tuple[str, int]]
    reasons: list[dict[str, Any]]
    answer_by: str


def offer_view(case: Case, offer: Offer, records: list[Record]) -> OfferView:
    """The de-identified summary of an offer."""
    counts: dict[str, int] = {}
    for record in records:
        label = str(record.get_kind_display())
        counts[label] = counts.get(label, 0) + 1
    reasons = [
        {"text": str(REASONS[row["code"]][0 if row["ok"] else 1]), "passed": row["ok"]}
        for row in offer.match_reasons
        if row["code"] in REASONS
    ]
    return OfferView(
        specialty=str(registry.specialty(case.specialty).title),
        age_band=age_band(case.patient.birth_date),
        sex=dict(case.patient.Sex.choices).get(case.patient.sex, ""),
        language=str(dict(settings.LANGUAGES).get(case.language, case.language)),
        urgency=case.get_urgency_display(),
        planned=_("a treatment date is planned") if case.planned_treatment_on else _("no treatment date is planned"),
        records=sorted(counts.items()),
        reasons=reasons,
        answer_by=due(offer.expires_at),
    )


def age_band(birth_date: str) -> str:
    """Ten-year band of the age, e.g. "50–59"; nothing when unknown."""
    born = iso_date(birth_date)
    if born is None:
        return _("not known")
    today = clock.now().date()
    age = today.year - born.year - ((today.month, today.day) < (born.month, born.day))
    low = age // 10 * 10
    return f"{low}–{low + 9}"


def story(case: Case, *, blind: bool) -> list[dict[str, str]]:
    """What the patient told, as terms and values; while blind without what names the first conclusion."""
    told = stories.parts(case, first_opinion=False)
    rows = [{"term": row.label, "text": row.text} for part in told for row in part.rows if row.code != "first-opinion"]
    if not blind:
        for number, question in enumerate(case.questions.all(), start=1):
            rows.append({"term": _("Question %(n)s") % {"n": number}, "text": question.text})
    return rows


def first_opinion(case: Case) -> list[dict[str, str]]:
    """The first opinion as the patient and the letters told it."""
    first = case.first_opinion or {}
    labels = {
        "diagnosis": _("Diagnosis"),
        "treatment": _("Proposed treatment"),
        "doctor": _("Doctor"),
        "institution": _("Institution"),
    }
    rows = [{"term": label, "text": str(first.get(key, ""))} for key, label in labels.items()]
    if case.planned_treatment_on:
        rows.append({"term": _("Planned for"), "text": date_format(case.planned_treatment_on, "DATE_FORMAT")})
    return [row for row in rows if row["text"]]


def initial(opinion: Opinion, part: str) -> dict[str, Any]:
    """The initial values of a part's form from the stored content."""
    said = opinion.content
    if part == "answers":
        found = {"saved": opinion.saved}
        for key, answer in said.get("answers", {}).items():
            found |= {f"short-{key}": answer.get("short", ""), f"reasoning-{key}": answer.get("reasoning", "")}
        return found
    if part == "assessment":
        sections = {f"section-{key}": text for key, text in said.get("sections", {}).items()}
        return {
            "saved": opinion.saved,
            "missing": "\n".join(said["missing"]),
            "differential": said["differential"],
        } | sections
    if part == "recommendation":
        values = said["recommendation"]
        return values | {
            "saved": opinion.saved,
            "limitations": "\n".join(said["limitations"]),
            "urgent": "\n".join(said["urgent"]),
        }
    if part == "summary":
        return said["patient_summary"] | {
            "saved": opinion.saved,
            "questions_to_ask": "\n".join(said["questions_to_ask"]),
            "clinician_letter": said["clinician_letter"],
        }
    return said.get("comparison", {}) | {"saved": opinion.saved}


def finding_rows(opinion: Opinion) -> list[dict[str, Any]]:
    """Findings with the words of their place and the link that opens it."""
    return [
        {
            "finding": finding,
            "place": place_words(finding.anchor, finding.record),
            "query": place_query(finding.anchor, finding.record),
        }
        for finding in opinion.findings.select_related("record").all()
    ]


def place_words(anchor: dict[str, Any], record: Record | None) -> str:
    """Where a finding was seen, in words."""
    if not anchor or record is None:
        return _("not linked to a record")
    noun = _("page %(n)s") if anchor["kind"] == "page" else _("image %(n)s")
    region = _(", marked region") if anchor.get("w") and anchor.get("h") else ""
    if anchor["kind"] == "slide":
        return f"{record.title}{region}"
    return f"{record.title}, {noun % {'n': int(anchor['index']) + 1}}{region}"


def place_query(anchor: dict[str, Any], record: Record | None) -> str:
    """The query string that opens the record beside the editor."""
    return f"?record={record.pk}&file={anchor['file']}&index={anchor['index']}" if anchor and record else ""
