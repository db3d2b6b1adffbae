"""The shape of a pack. Every class is one table in ``pack.toml``; field names are the keys of that table."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Literal

from django.utils.translation import get_language

LANGUAGES = ("en", "de")
"""Every text of every pack is complete in these; further languages are extra keys of the same table."""

RECORD_KINDS = (
    "letter",
    "discharge",
    "operation_note",
    "imaging",
    "imaging_report",
    "pathology_report",
    "slides",
    "laboratory",
    "medication",
    "device",
    "functional_test",
    "summary",
    "other",
)


@dataclass(frozen=True)
class Text:
    """One sentence or title in several languages."""

    translations: tuple[tuple[str, str], ...]

    def in_(self, language: str) -> str:
        """The text in ``language`` ("de", "de-AT"); English when the pack does not speak it."""
        texts = dict(self.translations)
        return texts.get(language) or texts.get(language.split("-", maxsplit=1)[0]) or texts["en"]

    def __str__(self) -> str:
        return self.in_(get_language() or "en")


@dataclass(frozen=True)
class Source:
    """Where a fact comes from. ``date`` is as exact as the citation is: "2020" or "2023-07-06"."""

    code: str
    citation: str
    url: str = ""
    date: str = ""


@dataclass(frozen=True)
class ImagingHint:
    """What the headers of a study must show for it to be adequate. Body parts are DICOM PS3.16 CID 2 code
    strings (Body Part Examined, 0018,0015); lengths in millimetres, field strength in tesla."""

    modalities: tuple[str, ...]
    body_parts: tuple[str, ...] = ()
    laterality: bool = False
    min_images: int = 1
    max_slice_mm: float | None = None
    max_gap_mm: float | None = None
    min_field_tesla: float | None = None
    contrast: Literal["required", "wanted", ""] = ""


@dataclass(frozen=True)
class RecordItem:
    """One line of the record checklist. ``unverified``: no source here backs a figure in this line."""

    code: str
    title: Text
    why: Text
    need: Literal["mandatory", "wanted"]
    kinds: tuple[str, ...]
    fresh_months: int | None = None
    imaging: ImagingHint | None = None
    source: str = ""
    unverified: bool = False


@dataclass(frozen=True)
class Option:
    """One answer of a choice question."""

    code: str
    text: Text


@dataclass(frozen=True)
class Question:
    """One intake question. ``minimum``/``maximum`` bound numbers and scales, in ``unit``."""

    code: str
    part: Literal["goals", "summary", "history"]
    type: Literal["choice", "choices", "number", "text", "yesno", "scale"]
    text: Text
    help: Text | None = None
    options: tuple[Option, ...] = ()
    required: bool = False
    minimum: float | None = None
    maximum: float | None = None
    unit: str = ""
    source: str = ""
    unverified: bool = False


@dataclass(frozen=True)
class RedFlag:
    """A danger sign: the question to the patient, and the emergency sentence shown when the answer is yes."""

    code: str
    question: Text
    action: Text
    source: str = ""
    unverified: bool = False


@dataclass(frozen=True)
class ScreenQuestion:
    """Suitability: a remote opinion fits when the answer equals ``fits``; else ``otherwise`` says where."""

    code: str
    text: Text
    fits: Literal["yes", "no"]
    otherwise: Text
    help: Text | None = None
    blocks: bool = True


@dataclass(frozen=True)
class Section:
    """A section of the structured opinion, with a hint for the author."""

    code: str
    title: Text
    hint: Text
    required: bool = True
    source: str = ""
    unverified: bool = False


@dataclass(frozen=True)
class ReleaseItem:
    """A line the quality gate asks before a report may go out."""

    code: str
    group: Literal["key_findings", "red_flags", "recommendations"]
    text: Text
    source: str = ""
    unverified: bool = False


@dataclass(frozen=True)
class BodyRegion:
    """A region of the symptom map; ``code`` matches the element id in the drawing."""

    code: str
    title: Text
    view: Literal["front", "back", "both"] = "both"


@dataclass(frozen=True)
class Example:
    """An answerable question the builder offers; ``kind`` says what the answer will be about."""

    code: str
    kind: Literal["diagnosis", "treatment", "alternatives", "timing", "risk"]
    text: Text


@dataclass(frozen=True)
class Signature:
    """Who answers for this version. A draft has no owner and no dates, and the product shows that."""

    status: Literal["draft", "signed-off"]
    owner: str
    review_date: dt.date | None = None
    expiry: dt.date | None = None

    def state(self, today: dt.date) -> Literal["draft", "signed-off", "expired"]:
        """The state to show on ``today``."""
        if self.status == "signed-off" and self.expiry is not None and self.expiry < today:
            return "expired"
        return self.status


@dataclass(frozen=True)
class SpecialtyPack:
    """What one specialty asks of the patient, of the records and of the report; common rows come first."""

    id: str
    version: str
    title: Text
    summary: Text
    signature: Signature
    sources: tuple[Source, ...]
    suitability: tuple[ScreenQuestion, ...]
    red_flags: tuple[RedFlag, ...]
    questions: tuple[Question, ...]
    records: tuple[RecordItem, ...]
    sections: tuple[Section, ...]
    release: tuple[ReleaseItem, ...]
    regions: tuple[BodyRegion, ...]
    examples: tuple[Example, ...]

    @property
    def mandatory_records(self) -> tuple[RecordItem, ...]:
        """The lines that must be present or waived before a specialist is asked."""
        return tuple(item for item in self.records if item.need == "mandatory")

    def part(self, part: str) -> tuple[Question, ...]:
        """The intake questions of one part: "goals", "summary" or "history"."""
        return tuple(question for question in self.questions if question.part == part)

    def source(self, code: str) -> Source | None:
        """The source a row's ``source`` key points at."""
        return next((source for source in self.sources if source.code == code), None)


@dataclass(frozen=True)
class Procedure:
    """A procedure a country lists by law, and the specialties whose cases may fall under it."""

    code: str
    title: Text
    specialties: tuple[str, ...] = ()


@dataclass(frozen=True)
class Exclusion:
    """A person who may not give the opinion; ``code`` is what matching tests for."""

    code: str
    text: Text
    source: str = ""


@dataclass(frozen=True)
class Clause:
    """A consent clause, shown word for word and stored with the pack's version."""

    code: str
    title: Text
    text: Text
    required: bool = True
    unverified: bool = False


@dataclass(frozen=True)
class LegalNote:
    """A written note on a rule, with its source."""

    code: str
    text: Text
    source: str = ""
    unverified: bool = False


@dataclass(frozen=True)
class WorkingHours:
    """Local working time: weekdays 0 = Monday … 6 = Sunday, times as local wall clock in ``timezone``."""

    timezone: str
    start: dt.time
    end: dt.time
    weekdays: tuple[int, ...] = (0, 1, 2, 3, 4)


@dataclass(frozen=True)
class JurisdictionPack:
    """What one country's rule asks of the process."""

    id: str
    version: str
    title: Text
    summary: Text
    signature: Signature
    sources: tuple[Source, ...]
    countries: tuple[str, ...]
    mode: Literal["patient", "physician-to-physician"]
    oral_delivery: Literal["always", "listed", "never"]
    notice_days: int
    conflicts_disclosure: Literal["always", "on_request"]
    missing_tests_reported: bool
    licence: Literal["patient-location", "provider-location"]
    retention_years: int
    retention_unverified: bool
    holidays: str
    hours: WorkingHours
    excluded_reviewers: tuple[Exclusion, ...]
    consents: tuple[Clause, ...]
    notes: tuple[LegalNote, ...]
    procedures: tuple[Procedure, ...] = field(default=())

    def oral_delivery_required(self, procedure: str = "") -> bool:
        """Whether the result must be explained by voice before it is delivered in writing."""
        if self.oral_delivery == "listed":
            return self.procedure(procedure) is not None
        return self.oral_delivery == "always"

    def procedure(self, code: str) -> Procedure | None:
        """The listed procedure with this code."""
        return next((row for row in self.procedures if row.code == code), None)

    def procedures_for(self, specialty: str) -> tuple[Procedure, ...]:
        """The listed procedures a case of this specialty may be about."""
        return tuple(row for row in self.procedures if specialty in row.specialties)
