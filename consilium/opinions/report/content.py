"""Everything the two documents of a report say, as plain frozen values.

No Django model reaches this package: ``opinions.actions`` fills a :class:`ReportContent` from its rows and gets
bytes back. All text is *data*: it may hold any characters and is never read as markup. Dates are ``date``;
times are aware UTC ``datetime``. ``portrait`` and ``thumbnail`` are PNG or JPEG bytes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

Language = Literal["en", "de"]
Verdict = Literal["confirmed", "clarified", "changed", "not_assessed"]
Strength = Literal["strong", "conditional", "expert_opinion", "none"]
VERDICTS: tuple[str, ...] = ("confirmed", "clarified", "changed", "not_assessed")
STRENGTHS: tuple[str, ...] = ("strong", "conditional", "expert_opinion", "none")


@dataclass(frozen=True)
class Organisation:
    name: str
    address: str = ""
    contact: str = ""  # the reachable human: name, telephone, e-mail, one line each


@dataclass(frozen=True)
class Specialist:
    name: str
    title: str = ""  # "Prof. Dr. med."
    specialty: str = ""
    licence: str = ""
    portrait: bytes | None = None


@dataclass(frozen=True)
class Patient:
    name: str
    birth_date: date | None = None
    sex: str = ""  # FHIR administrative-gender code: male | female | other | unknown | ""


@dataclass(frozen=True)
class FirstOpinion:
    diagnosis: str = ""
    treatment: str = ""
    by: str = ""


@dataclass(frozen=True)
class Comparison:
    """What the second opinion does with the first, for diagnosis and for treatment separately."""

    diagnosis: Verdict | Literal[""] = ""
    diagnosis_note: str = ""
    treatment: Verdict | Literal[""] = ""
    treatment_note: str = ""


@dataclass(frozen=True)
class BlindRead:
    locked_at: datetime
    impression: str
    confidence: str = ""  # in the specialist's words or a percentage


@dataclass(frozen=True)
class Answer:
    question: str
    short_answer: str = ""
    reasoning: str = ""


@dataclass(frozen=True)
class Region:
    """Part of a page or frame; origin top left, all four as a fraction 0..1 of width or height."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Anchor:
    """Where in the records a finding was seen. Give ``page`` (from 1) or ``frame`` (from 1) or ``place``."""

    record_title: str
    record_sha256: str
    page: int | None = None
    frame: int | None = None
    region: Region | None = None
    thumbnail: bytes | None = None
    place: str = ""  # for values without a page: "haemoglobin, 3 May 2026"


@dataclass(frozen=True)
class Finding:
    text: str
    significance: str = ""
    anchor: Anchor | None = None


@dataclass(frozen=True)
class Option:
    title: str
    benefits: str = ""
    risks: str = ""
    is_do_nothing: bool = False  # waiting, watching or doing nothing


@dataclass(frozen=True)
class Recommendation:
    text: str = ""
    strength: Strength | Literal[""] = ""
    guideline: str = ""  # title; empty together with no_guideline=True when there is none
    guideline_date: date | None = None
    no_guideline: bool = False


@dataclass(frozen=True)
class UrgentItem:
    text: str
    acknowledged_by: str = ""
    acknowledged_at: datetime | None = None


@dataclass(frozen=True)
class NextStep:
    what: str
    owner: str = ""
    by_date: date | None = None


@dataclass(frozen=True)
class Reference:
    citation: str
    date: date | None = None


@dataclass(frozen=True)
class PatientSummary:
    opening: str = ""  # personal, by the named doctor; line breaks are kept
    paragraphs: tuple[str, ...] = ()


@dataclass(frozen=True)
class RecordSeen:
    title: str
    kind: str
    sha256: str
    date: date | None = None
    extent: int | None = None  # pages or images
    extent_unit: Literal["pages", "images", ""] = ""


@dataclass(frozen=True)
class SealInfo:
    """Who seals and what that means; see :mod:`.seal_key`."""

    organisation: str = ""
    on_behalf_of: str = ""


@dataclass(frozen=True)
class SectionAnswer:
    """A section that the case's specialty pack asks for, e.g. ``level_symptom_match``."""

    key: str
    title: str
    text: str = ""


@dataclass(frozen=True)
class ReportContent:
    reference: str
    version: int
    language: Language
    issued_at: datetime
    organisation: Organisation
    specialist: Specialist
    patient: Patient
    verify_code: str
    verify_url: str
    supersedes: int | None = None
    change_note: str = ""
    first_opinion: FirstOpinion = FirstOpinion()
    comparison: Comparison = Comparison()
    blind_read: BlindRead | None = None
    questions: tuple[Answer, ...] = ()
    findings: tuple[Finding, ...] = ()
    missing: tuple[str, ...] = ()
    differential: str = ""
    options: tuple[Option, ...] = ()
    recommendation: Recommendation = Recommendation()
    limitations: tuple[str, ...] = ()  # added to the mandatory ones, which nothing can remove
    urgent: tuple[UrgentItem, ...] = ()
    next_steps: tuple[NextStep, ...] = ()
    references: tuple[Reference, ...] = ()
    patient_summary: PatientSummary = PatientSummary()
    patient_questions_to_ask: tuple[str, ...] = ()
    clinician_letter: str = ""
    records_seen: tuple[RecordSeen, ...] = ()
    seal: SealInfo = SealInfo()
    sections: tuple[SectionAnswer, ...] = field(default=())  # the specialty pack's own sections
