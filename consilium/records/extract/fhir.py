"""FHIR R4 JSON (a bundle or one resource): whose it is, what is in it, a summary in words. Not validated here."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

from consilium.records.extract.plain import decode, html_text, send_pages

if TYPE_CHECKING:
    from consilium.records.extract.reader import Job

MAX_BYTES = 48 * 2**20
MAX_LINES = 60  # of one kind of resource
_LISTED = (
    ("Condition", "code"), ("AllergyIntolerance", "code"), ("MedicationStatement", "medicationCodeableConcept"),
    ("MedicationRequest", "medicationCodeableConcept"), ("Procedure", "code"), ("Immunization", "vaccineCode"),
    ("DiagnosticReport", "code"), ("Observation", "code"), ("ImagingStudy", "description"),
)  # fmt: skip


def parse(job: Job) -> None:
    """Facts and readable pages. Too deep or broken JSON is flagged."""
    if job.size > MAX_BYTES or job.options["cut"]:
        job.problem("too_large")
        return
    try:
        document = json.loads(decode(job.data())[0])
    except (ValueError, RecursionError):
        job.problem("damaged_text")
        return
    if not isinstance(document, dict):
        job.problem("damaged_text")
        return
    resources = _resources(document)
    patient = next((r for r in resources if r.get("resourceType") == "Patient"), {})
    composition = next((r for r in resources if r.get("resourceType") == "Composition"), {})
    job.facts(**_patient(patient), resources=_counts(resources), title=_str(composition.get("title")))
    date = _str(composition.get("date") or document.get("timestamp"))[:10]
    job.suggest(type="summary" if len(resources) > 1 else "other", date=date)
    send_pages(job, _summary(patient, composition, resources))


def _resources(document: dict[str, Any]) -> list[dict[str, Any]]:
    if document.get("resourceType") != "Bundle":
        return [document]
    entries = document.get("entry")
    found = [e.get("resource") for e in entries if isinstance(e, dict)] if isinstance(entries, list) else []
    return [r for r in found[:20_000] if isinstance(r, dict)]


def _counts(resources: list[dict[str, Any]]) -> dict[str, int]:
    return dict(Counter(_str(r.get("resourceType"))[:60] for r in resources).most_common(100))


def _patient(patient: dict[str, Any]) -> dict[str, Any]:
    name = _first(patient.get("name"))
    given = name.get("given")
    return {
        "patient_family": _str(name.get("family")),
        "patient_given": " ".join(map(_str, given)) if isinstance(given, list) else "",
        "patient_name": _str(name.get("text")),
        "patient_birth_date": _str(patient.get("birthDate"))[:10],
        "patient_id": _str(_first(patient.get("identifier")).get("value")),
        "patient_sex": _str(patient.get("gender")),
    }


def _summary(patient: dict[str, Any], composition: dict[str, Any], resources: list[dict[str, Any]]) -> str:
    facts = _patient(patient)
    name = facts["patient_name"] or f"{facts['patient_given']} {facts['patient_family']}".strip()
    lines = [_str(composition.get("title")), f"{name}  *{facts['patient_birth_date']}" if name else ""]
    lines += _sections(composition)
    for kind, field in _LISTED:
        rows = [r for r in resources if r.get("resourceType") == kind]
        if rows:
            lines += ["", f"{kind} ({len(rows)})", *(f"- {_line(r, field)}" for r in rows[:MAX_LINES])]
    return "\n".join(line for line in lines if line is not None)


def _sections(composition: dict[str, Any]) -> list[str]:
    sections = composition.get("section")
    out: list[str] = []
    for section in sections[:200] if isinstance(sections, list) else []:
        if isinstance(section, dict):
            narrative = section.get("text")
            words = html_text(_str(narrative.get("div"))) if isinstance(narrative, dict) else ""
            out += ["", _str(section.get("title")), words.strip()]
    return out


def _line(resource: dict[str, Any], field: str) -> str:
    when = next((_str(resource[k])[:10] for k in _DATES if isinstance(resource.get(k), str)), "")
    return " · ".join(part for part in (when, _concept(resource.get(field)), _value(resource)) if part)


_DATES = ("effectiveDateTime", "onsetDateTime", "performedDateTime", "authoredOn", "occurrenceDateTime", "issued",
          "recordedDate", "started")  # fmt: skip


def _concept(value: Any) -> str:
    if isinstance(value, str):
        return value
    if not isinstance(value, dict):
        return ""
    coding = _first(value.get("coding"))
    return _str(value.get("text") or coding.get("display") or coding.get("code"))


def _value(resource: dict[str, Any]) -> str:
    quantity = resource.get("valueQuantity")
    if isinstance(quantity, dict):
        return f"{quantity.get('value', '')} {_str(quantity.get('unit') or quantity.get('code'))}".strip()
    return _concept(resource.get("valueCodeableConcept")) or _str(resource.get("valueString"))


def _first(value: Any) -> dict[str, Any]:
    return value[0] if isinstance(value, list) and value and isinstance(value[0], dict) else {}


def _str(value: Any) -> str:
    return value[:4000] if isinstance(value, str) else ""
