"""The shape of `Opinion.content`, how input becomes that shape, and how it becomes the report.

Keys: answers {question id: {short, reasoning}}, comparison {diagnosis, diagnosis_note, treatment,
treatment_note}, missing [text], differential, options [{title, benefits, risks, do_nothing}],
recommendation {text, strength, guideline, guideline_date, no_guideline}, limitations [text], urgent [text],
next_steps [{what, owner, by_date}], references [{citation, date}], patient_summary {opening, text},
questions_to_ask [text], clinician_letter, sections {pack section code: text}.
"""

import re
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override

from consilium.core.errors import BadInput
from consilium.opinions import anchors
from consilium.opinions.models import BlindRead, Opinion, SeenRecord
from consilium.opinions.report import content as paper
from consilium.packs import registry

if TYPE_CHECKING:
    from consilium.opinions.report.checklist import Problem
    from consilium.packs.schema import Section

TEXT, LINES = "text", "lines"
# Sections every report has as structured parts of its own; a pack's other sections are free text.
STRUCTURED = frozenset(
    [
        "short-answer",
        "reviewed",
        "blind-impression",
        "comparison",
        "differential",
        "options",
        "recommendation",
        "limitations",
        "urgent",
        "next-steps",
        "clinician-letter",
    ]
)
SHAPE: dict[str, Any] = {
    "answers": {"*": {"short": TEXT, "reasoning": TEXT}},
    "comparison": {"diagnosis": TEXT, "diagnosis_note": TEXT, "treatment": TEXT, "treatment_note": TEXT},
    "missing": LINES,
    "differential": TEXT,
    "options": [{"title": TEXT, "benefits": TEXT, "risks": TEXT, "do_nothing": bool}],
    "recommendation": {
        "text": TEXT,
        "strength": TEXT,
        "guideline": TEXT,
        "guideline_date": TEXT,
        "no_guideline": bool,
    },
    "limitations": LINES,
    "urgent": LINES,
    "next_steps": [{"what": TEXT, "owner": TEXT, "by_date": TEXT}],
    "references": [{"citation": TEXT, "date": TEXT}],
    "patient_summary": {"opening": TEXT, "text": TEXT},
    "questions_to_ask": LINES,
    "clinician_letter": TEXT,
    "sections": {"*": TEXT},
}
MAX_TEXT = 20_000
MAX_ROWS = 40


def empty() -> dict[str, Any]:
    """An opinion that says nothing yet."""
    return {key: _blank(shape) for key, shape in SHAPE.items()}


def _blank(shape: Any) -> Any:
    if shape == TEXT:
        return ""
    if shape == LINES or isinstance(shape, list):
        return []
    if shape is bool:
        return False
    return {} if "*" in shape else {key: _blank(inner) for key, inner in shape.items()}


def clean(changes: dict[str, Any]) -> dict[str, Any]:
    """Input brought into shape; unknown keys and over-long texts are refused."""
    if unknown := set(changes) - set(SHAPE):
        raise BadInput(_("The opinion has no such part."), code=",".join(sorted(unknown)))
    cleaned = {key: _fit(value, SHAPE[key]) for key, value in changes.items()}
    for text in _dates(cleaned):
        _date(text)
    return cleaned


def _fit(value: Any, shape: Any) -> Any:
    if shape == TEXT:
        text = str(value or "").replace("\r\n", "\n").strip()
        if len(text) > MAX_TEXT:
            raise BadInput(_("One part is longer than %(n)s characters. Please shorten it.") % {"n": MAX_TEXT})
        return text
    if shape is bool:
        return bool(value)
    if shape == LINES:
        return [line for item in list(value or [])[:MAX_ROWS] if (line := _fit(item, TEXT))]
    if isinstance(shape, list):
        rows = [_fit(item, shape[0]) for item in list(value or [])[:MAX_ROWS] if isinstance(item, dict)]
        return [row for row in rows if any(text for text in row.values() if isinstance(text, str))]
    source = value if isinstance(value, dict) else {}
    if "*" in shape:
        return {str(key)[:60]: _fit(inner, shape["*"]) for key, inner in list(source.items())[:MAX_ROWS]}
    return {key: _fit(source.get(key), inner) for key, inner in shape.items()}


def _dates(cleaned: dict[str, Any]) -> list[str]:
    found = [row.get("by_date", "") for row in cleaned.get("next_steps", [])]
    return [*found, cleaned.get("recommendation", {}).get("guideline_date", "")]


def _date(text: str) -> date | None:
    """An ISO date, or None for an empty text and for a year or month alone."""
    if not text or _is_rough(text):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise BadInput(_("Please write dates as year, year-month or year-month-day.")) from None


def _is_rough(text: str) -> bool:
    """A year or a year and month, as guidelines and papers are often dated: "2025", "2025-03"."""
    return bool(re.fullmatch(r"(19|20)\d\d(-(0[1-9]|1[0-2]))?", text))


def _dated(name: str, text: str) -> str:
    """A source with a rough date behind it; an exact date is printed by the document itself."""
    return f"{name} ({text})" if name and _is_rough(text) else name


def _reference_date(text: str) -> date | None:
    try:
        return _date(text)
    except BadInput:
        return None


def own_sections(specialty: str) -> "list[Section]":
    """The sections only this specialty asks for."""
    return [section for section in registry.specialty(specialty).sections if section.code not in STRUCTURED]


def release_problems(opinion: Opinion) -> "list[Problem]":
    """What the release checklist still finds: empty means the opinion may be signed."""
    from consilium.opinions.report import checklist

    sections = [section for section in own_sections(opinion.case.specialty) if section.required]
    return checklist.release_problems(assemble(opinion), sections)


def assemble(
    opinion: Opinion,
    *,
    issued_at: datetime | None = None,
    verify_code: str = "",
    seen: list[SeenRecord] | None = None,
    thumbnails: bool = False,
) -> paper.ReportContent:
    """Everything both documents say, as the report room's frozen values."""
    from consilium.core import clock

    case, said = opinion.case, empty() | opinion.content
    specialist, organisation = opinion.specialist, case.organisation
    first = case.first_opinion or {}
    return paper.ReportContent(
        reference=case.reference,
        version=opinion.number,
        supersedes=opinion.number - 1 or None,
        change_note=opinion.change_note,
        language="de" if case.language.startswith("de") else "en",
        issued_at=issued_at or clock.now(),
        organisation=paper.Organisation(organisation.name, organisation.address, organisation.contact),
        specialist=_specialist(opinion),
        patient=paper.Patient(case.patient.full_name, _date(case.patient.birth_date), case.patient.sex),
        first_opinion=paper.FirstOpinion(
            first.get("diagnosis", ""), first.get("treatment", ""), first.get("doctor", "")
        ),
        comparison=paper.Comparison(**said["comparison"]),
        blind_read=_blind_read(opinion),
        questions=tuple(
            paper.Answer(question.text, answer.get("short", ""), answer.get("reasoning", ""))
            for question in case.questions.all()
            for answer in [said["answers"].get(str(question.pk), {})]
        ),
        findings=tuple(anchors.paper_finding(finding, thumbnails=thumbnails) for finding in opinion.findings.all()),
        missing=tuple(said["missing"]),
        differential=said["differential"],
        options=tuple(
            paper.Option(row["title"], row["benefits"], row["risks"], row["do_nothing"]) for row in said["options"]
        ),
        recommendation=_recommendation(said["recommendation"]),
        limitations=tuple(said["limitations"]),
        urgent=tuple(paper.UrgentItem(text, *_acknowledged(case)) for text in said["urgent"]),
        next_steps=tuple(
            paper.NextStep(row["what"], row["owner"], _date(row["by_date"])) for row in said["next_steps"]
        ),
        references=tuple(paper.Reference(row["citation"], _reference_date(row["date"])) for row in said["references"]),
        patient_summary=_summary(said["patient_summary"]),
        patient_questions_to_ask=tuple(said["questions_to_ask"]),
        clinician_letter=said["clinician_letter"],
        records_seen=tuple(_seen(row, case.language) for row in seen or []),
        verify_code=verify_code,
        verify_url=f"{settings.PUBLIC_URL}/verify/{verify_code}" if verify_code else f"{settings.PUBLIC_URL}/verify/",
        seal=paper.SealInfo(organisation.name, specialist.name),
        sections=tuple(
            paper.SectionAnswer(section.code, section.title.in_(case.language), said["sections"].get(section.code, ""))
            for section in own_sections(case.specialty)
        ),
    )


def _specialist(opinion: Opinion) -> paper.Specialist:
    person = opinion.specialist
    licence = person.licences.order_by("-valid_until").first()
    pack = registry.specialty(opinion.case.specialty)
    return paper.Specialist(
        name=person.name,
        specialty=person.title or pack.title.in_(opinion.case.language),
        licence=f"{licence.authority}, {licence.number}" if licence else "",
        portrait=anchors.portrait(person.portrait),
    )


def _blind_read(opinion: Opinion) -> paper.BlindRead | None:
    read = BlindRead.objects.filter(case=opinion.case, specialist=opinion.specialist).first()
    if read is None or read.locked_at is None:
        return None
    impression = "\n".join(text for text in (read.diagnosis, read.treatment) if text)
    return paper.BlindRead(read.locked_at, impression, read.confidence)


def _recommendation(said: dict[str, Any]) -> paper.Recommendation:
    return paper.Recommendation(
        text=said["text"],
        strength=said["strength"] if said["strength"] in paper.STRENGTHS else "",
        guideline=_dated(said["guideline"], said["guideline_date"]),
        guideline_date=_date(said["guideline_date"]),
        no_guideline=said["no_guideline"],
    )


def _acknowledged(case: Any) -> tuple[str, datetime | None]:
    """Who acknowledged the urgent message of this case, and when."""
    event = case.events.filter(verb="acknowledge_urgent").order_by("-at").first()
    return (event.role, event.at) if event else ("", None)


def _summary(said: dict[str, str]) -> paper.PatientSummary:
    paragraphs = tuple(part.strip() for part in said["text"].split("\n\n") if part.strip())
    return paper.PatientSummary(said["opening"], paragraphs)


def _seen(row: SeenRecord, language: str) -> paper.RecordSeen:
    record = row.record
    with override(language):
        kind = str(record.get_kind_display())
    images = record.images > 0
    return paper.RecordSeen(
        title=row.title,
        kind=kind,
        sha256=row.sha256,
        date=_reference_date(record.clinical_date),
        extent=(record.images if images else record.pages) or None,
        extent_unit="images" if images else "pages" if record.pages else "",
    )
