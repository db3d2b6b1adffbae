"""Times and words as patients read them."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from django.utils.formats import date_format, number_format
from django.utils.functional import Promise
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from consilium.cases.models import Case
from consilium.cases.states import State

# Patients read what is happening, not the name of a state.
STATE_WORDS: dict[str, tuple[Promise, str]] = {
    State.DRAFT: (_("In preparation"), "info"),
    State.SUBMITTED: (_("Received"), "info"),
    State.COLLECTING: (_("Collecting records"), "info"),
    State.RECAP: (_("Please confirm"), "accent"),
    State.TRIAGE: (_("Finding your specialist"), "info"),
    State.OFFERED: (_("Finding your specialist"), "info"),
    State.BLIND_READ: (_("The specialist is reading"), "info"),
    State.IN_REVIEW: (_("The specialist is reading"), "info"),
    State.QUALITY_CHECK: (_("Being checked"), "info"),
    State.SIGNED: (_("Almost ready"), "info"),
    State.DELIVERED: (_("Your report is here"), "good"),
    State.CLARIFYING: (_("Your question is being answered"), "info"),
    State.FOLLOW_UP: (_("Your report is here"), "good"),
    State.CLOSED: (_("Closed"), "neutral"),
    State.ARCHIVED: (_("Closed"), "neutral"),
    State.ERASED: (_("Erased"), "neutral"),
    State.REDIRECTED: (_("Closed"), "neutral"),
    State.WITHDRAWN: (_("Withdrawn"), "neutral"),
    State.EXPIRED: (_("Expired"), "neutral"),
    State.INCIDENT_HOLD: (_("Paused"), "warn"),
    State.URGENT: (_("Please read today"), "danger"),
}


# DICOM PS3.3 §C.7.3.1.1.1 (Modality), as far as patients send them; other codes stay as they are.
MODALITY_WORDS: dict[str, Promise] = {
    "CR": _("X-ray"),
    "DX": _("X-ray"),
    "RG": _("X-ray"),
    "RF": _("X-ray film sequence"),
    "XA": _("Picture of blood vessels (angiography)"),
    "MG": _("Mammography"),
    "CT": _("CT"),
    "MR": _("MRI"),
    "US": _("Ultrasound"),
    "IVUS": _("Ultrasound from inside a vessel"),
    "PT": _("PET"),
    "NM": _("Nuclear medicine scan"),
    "BMD": _("Bone density measurement"),
    "ES": _("Endoscopy"),
    "SM": _("Microscope slide"),
    "GM": _("Microscope picture"),
    "XC": _("Photo"),
    "OP": _("Eye photo"),
    "OPT": _("Eye scan (OCT)"),
    "OCT": _("Scan (OCT)"),
    "IO": _("X-ray of teeth"),
    "PX": _("X-ray of teeth"),
    "ECG": _("ECG"),
    "SC": _("Picture"),
    "OT": _("Picture"),
    "DOC": _("Document"),
    "SR": _("Report"),
}


def titled(title: str) -> str:
    """A title as people read it: one that is nothing but a modality's code becomes its word."""
    return str(MODALITY_WORDS.get(title.strip(), title))


def zone(case: Case) -> ZoneInfo:
    """The organisation's time zone."""
    return ZoneInfo(case.organisation.time_zone)


def day(at: datetime | date, case: Case) -> str:
    """A day in words: "14 May 2026"."""
    local = at.astimezone(zone(case)) if isinstance(at, datetime) else at
    return date_format(local, "j. F Y" if (get_language() or "").startswith("de") else "j F Y")


def moment(at: datetime, case: Case) -> str:
    """A day with its time: "14 May 2026, 09:30"."""
    return f"{day(at, case)}, {at.astimezone(zone(case)):%H:%M}"


def iso(at: datetime) -> str:
    """For the datetime attribute."""
    return at.astimezone(UTC).isoformat(timespec="seconds")


def size(count: int) -> str:
    """Bytes as people read them, in steps of 1000 and as static_src/ts/amounts.ts says it while they are sent."""
    for unit, step, digits in (("GB", 10**9, 1), ("MB", 10**6, 1), ("kB", 1000, 0)):
        if count >= step:
            amount = round(count / step, digits)
            return f"{number_format(amount, 0 if amount == int(amount) else digits)} {unit}"
    return f"{count} B"
