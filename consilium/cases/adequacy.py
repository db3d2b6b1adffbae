"""Is this enough? A verdict for each item of the specialty's checklist, with the reasons that headers and dates give.

Pure: records, pack items and a day in, verdicts out. It judges whether the material can be read, never what it
shows, and it decides nothing: people accept an item, ask for more, or waive it (cases.actions.desk).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from consilium.cases.actions.records import answers_by_type, may_answer
from consilium.packs.schema import ImagingHint, RecordItem
from consilium.records.models import Record

Status = Literal["enough", "doubt", "missing"]

# Code → (does it speak against the item?, sentence with the facts in it). "serious" reasons make a doubt.
# fmt: off
REASONS: dict[str, tuple[bool, str | Promise]] = {
    "nothing": (True, _("Nothing that answers this has arrived yet.")),
    "recent": (False, _("From %(when)s: recent enough.")),
    "old": (True, _("From %(when)s: older than the %(months)s months that are asked for.")),
    "no_date": (True, _("We could not read a date, so we do not know how old it is.")),
    "modality": (True, _("These are %(found)s images; %(wanted)s is asked for.")),
    "body_part": (True, _("The images say %(found)s; this item is about another part of the body.")),
    "body_part_unknown": (True, _("The images do not say which part of the body they show.")),
    "side": (False, _("Side according to the images: %(side)s.")),
    "no_side": (True, _("The images do not say which side they show.")),
    "few": (True, _("Only %(n)s images; at least %(wanted)s are usual.")),
    "thick": (True, _("The thinnest slices are %(found)s mm; at most %(wanted)s mm are asked for.")),
    "thin": (False, _("Slices of %(found)s mm.")),
    "spread": (True, _("The slices lie %(found)s mm apart; at most %(wanted)s mm are asked for.")),
    "gaps": (True, _("Images seem to be missing: the series “%(series)s” has %(n)s gaps.")),
    "contrast": (False, _("With contrast medium.")),
    "no_contrast": (True, _("No contrast medium is noted, and it is asked for.")),
    "contrast_wanted": (False, _("No contrast medium is noted; it would help.")),
    "field": (True, _("Made at %(found)s tesla; at least %(wanted)s tesla are asked for.")),
    "screenshots": (True, _("These are pictures of a screen, not the original images. Please ask for the originals.")),
    "report_only": (True, _("There is a written report, but the images themselves are missing.")),
    "damaged": (True, _("Part of it is damaged or incomplete.")),
    "locked": (True, _("A password protects it, so nobody can read it. Please ask for a copy without one.")),
    "unshown": (True, _("It cannot be shown here, so we do not know what it says: please open the original.")),
    "undecided": (True, _("Somebody has to decide first whether this belongs to the patient.")),
    "unread": (False, _("We are still looking at the images.")),
    "perhaps": (True, _("It may be part of this document (%(kind)s): please look.")),
    "readable": (False, _("It is here and can be read.")),
}
# fmt: on
KINDS: dict[str, str | Promise] = dict(Record.Kind.choices)  # put into words only where a reason is shown
DAMAGE = {"truncated_dicom", "damaged_pdf", "damaged_image", "damaged_text"}
CLOSED = {"encrypted_pdf": "locked", "no_preview": "unshown", "unsupported": "unshown"}  # documents without words


WRONG = {"modality": 2, "body_part": 1}  # something else altogether, whatever else may be said for it


@dataclass(frozen=True)
class Reason:
    """One sentence; `against` when it speaks against the item."""

    code: str
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def against(self) -> bool:
        return REASONS[self.code][0]

    def __str__(self) -> str:
        return str(REASONS[self.code][1]) % self.facts


@dataclass(frozen=True)
class Verdict:
    """What we think of one checklist item: the record that answers it best, and why."""

    item: RecordItem
    status: Status
    reasons: tuple[Reason, ...]
    record: Record | None = None


def verdicts(items: Iterable[RecordItem], records: Sequence[Record], today: date) -> list[Verdict]:
    """One verdict an item, in the pack's order."""
    return [verdict(item, records, today) for item in items]


def verdict(item: RecordItem, records: Sequence[Record], today: date) -> Verdict:
    """The best of the records that could answer the item, as `_rank` has it."""
    candidates = [record for record in records if record.kind in item.kinds and record.status != "removed"]
    if not candidates:
        report = any(record.kind == "imaging_report" for record in records) and item.imaging is not None
        return Verdict(item, "missing", (Reason("report_only" if report else "nothing"),))
    judged = [(record, tuple(judge(item, record, today))) for record in candidates]
    record, reasons = min(judged, key=lambda pair: _rank(item, *pair))
    if any(reason.code == "modality" for reason in reasons):
        return Verdict(item, "missing", reasons, record)
    return Verdict(item, "doubt" if any(r.against for r in reasons) else "enough", reasons, record)


def _rank(item: RecordItem, record: Record, reasons: tuple[Reason, ...]) -> tuple[int, int, int, int]:
    """The right device and body part, then few reasons against it, then the type asked for first, then the newest."""
    wrong = max((WRONG.get(reason.code, 0) for reason in reasons), default=0)
    return wrong, sum(reason.against for reason in reasons), item.kinds.index(record.kind), _age_key(record)


def judge(item: RecordItem, record: Record, today: date) -> Iterable[Reason]:
    """Every reason for and against one record as the answer to one item."""
    if record.status == "undecided":
        yield Reason("undecided")
    if DAMAGE & set(record.problems):
        yield Reason("damaged")
    yield from _age(item, record, today)
    if item.imaging is not None and record.kind == "imaging":
        yield from _images(item, item.imaging, record)
    elif closed := {CLOSED[code] for code in record.problems if code in CLOSED}:
        yield from map(Reason, sorted(closed))
    elif answers_by_type(item, record):
        yield Reason("readable")
    else:
        yield Reason("perhaps", {"kind": KINDS.get(record.kind, record.kind)})


def _age_key(record: Record) -> int:
    digits = (record.clinical_date or "0001-01-01").replace("-", "")
    return -int(digits) if digits.isdigit() else 0


def _age(item: RecordItem, record: Record, today: date) -> Iterable[Reason]:
    if item.fresh_months is None:
        return
    try:
        when = date.fromisoformat(record.clinical_date)
    except ValueError:
        yield Reason("no_date")
        return
    months = (today.year - when.year) * 12 + today.month - when.month - (today.day < when.day)
    facts = {"when": when.isoformat(), "months": item.fresh_months}
    yield Reason("old" if months > item.fresh_months else "recent", facts)


def _images(item: RecordItem, hint: ImagingHint, record: Record) -> Iterable[Reason]:
    series = record.facts.get("series")
    if not series:
        yield from _what(item, hint, record, [record.facts])
        yield Reason("unread")
        return
    right = [one for one in series if one.get("modality") in hint.modalities] or series
    yield from _what(item, hint, record, right)
    originals = [one for one in right if not one.get("secondary")]
    if not originals:
        yield Reason("screenshots")
        return
    yield from _amount(hint, originals)
    yield from _slices(hint, originals)
    yield from _contrast(hint, right)


def _what(item: RecordItem, hint: ImagingHint, record: Record, series: list[dict[str, Any]]) -> Iterable[Reason]:
    """Device, body part and side."""
    found = sorted({str(one.get("modality", "")) for one in series} - {""})
    if not set(found) & set(hint.modalities):
        yield Reason("modality", {"found": ", ".join(found) or "?", "wanted": " / ".join(hint.modalities)})
    parts = sorted({str(one.get("body_part", "")) for one in series} - {""})
    if hint.body_parts and not parts:
        yield Reason("body_part_unknown")
    elif hint.body_parts and not may_answer(item, record) and set(found) & set(hint.modalities):
        yield Reason("body_part", {"found": ", ".join(parts)})
    if hint.laterality:
        sides = sorted({str(one.get("laterality", "")) for one in series} - {""})
        yield Reason("side", {"side": ", ".join(sides)}) if sides else Reason("no_side")


def _amount(hint: ImagingHint, series: list[dict[str, Any]]) -> Iterable[Reason]:
    images = sum(int(one.get("images", 0)) for one in series)
    if images < hint.min_images:
        yield Reason("few", {"n": images, "wanted": hint.min_images})
    for one in series:
        if one.get("gaps"):
            yield Reason("gaps", {"series": one.get("description", "?"), "n": one["gaps"]})


def _slices(hint: ImagingHint, series: list[dict[str, Any]]) -> Iterable[Reason]:
    thick = [float(one["thickness"]) for one in series if one.get("thickness")]
    if hint.max_slice_mm is not None and thick:
        facts = {"found": _mm(min(thick)), "wanted": _mm(hint.max_slice_mm)}
        yield Reason("thick" if min(thick) > hint.max_slice_mm else "thin", facts)
    apart = [float(one["spacing"]) for one in series if one.get("spacing")]
    if hint.max_gap_mm is not None and apart and min(apart) > hint.max_gap_mm + (min(thick) if thick else 0):
        yield Reason("spread", {"found": _mm(min(apart)), "wanted": _mm(hint.max_gap_mm)})
    fields = [float(one["field_strength"]) for one in series if one.get("field_strength")]
    if hint.min_field_tesla is not None and fields and max(fields) < hint.min_field_tesla:
        yield Reason("field", {"found": _mm(max(fields)), "wanted": _mm(hint.min_field_tesla)})


def _contrast(hint: ImagingHint, series: list[dict[str, Any]]) -> Iterable[Reason]:
    if any(one.get("contrast") for one in series):
        yield Reason("contrast")
    elif hint.contrast == "required":
        yield Reason("no_contrast")
    elif hint.contrast == "wanted":
        yield Reason("contrast_wanted")


def _mm(value: float) -> str:
    return f"{value:g}"
