"""The files of a demo case, made when it is loaded: letters, reports, laboratory sheets, photos, discs."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from consilium.core import clock
from consilium.demo import dicom, documents, photo

GREETING = {"en": "Dear colleague,", "de": "Sehr geehrte Kollegin, sehr geehrter Kollege,"}
CLOSING = {"en": "With kind regards", "de": "Mit freundlichen Grüßen"}
LABELS = {
    "en": {"date": "Date", "our": "Our reference", "collected": "Collected"},
    "de": {"date": "Datum", "our": "Unser Zeichen", "collected": "Entnahme"},
}
FAMILY_DOCTOR = {
    "en": ["To the family doctor", "Practice in the market square"],
    "de": ["An die Hausarztpraxis", "am Marktplatz"],
}


def make(record: dict[str, Any], case: dict[str, Any], slug: str) -> bytes:
    """The bytes of one record of a case."""
    when = clock.now().date() - timedelta(days=record["days_ago"])
    person = case["patient"]
    if what := record.get("imaging"):
        shown = {**person, **record.get("foreign", {})}
        subject = dicom.Subject(shown["given"], shown["family"], shown["born"], shown.get("sex", "other"))
        return dicom.disc(what, subject, when, f"{slug}/{record['name']}")
    data = documents.complete(_data(record, case, when), slug + record["name"])
    if record.get("photo"):
        return photo.phone_photo(documents.page_png(record["template"], data), slug)
    made = documents.pdf(record["template"], data)
    return documents.encrypted(made) if record.get("locked") else made


def _data(record: dict[str, Any], case: dict[str, Any], when: date) -> dict[str, Any]:
    language, person = case["language"], case["patient"]
    labels = LABELS[language]
    shown = when.strftime("%d.%m.%Y") if language == "de" else f"{when.day} {when:%B %Y}"
    number = f"SYN {when:%y}-{sum(map(ord, person['family'])):04d}"
    facts = [[labels["date"], shown], [labels["our"], number]]
    laboratory = record["template"] == "laboratory"
    born = date.fromisoformat(person["born"])
    keep = ("house", "subject", "sections", "values", "medication", "medication-title", "signed", "signed-role")
    return {
        "language": language,
        "title": record["subject"],
        "patient": {
            "name": f"{person['given']} {person['family']}",
            "born": born.strftime("%d.%m.%Y") if language == "de" else f"{born.day} {born:%B %Y}",
            "address": person["city"],
        },
        "number": number,
        "to": FAMILY_DOCTOR[language],
        "facts": [[labels["collected"], shown]] if laboratory else facts + record.get("facts", []),
        "greeting": GREETING[language],
        "closing": CLOSING[language],
    } | {key: record[key] for key in keep if key in record}
