"""FHIR R4 JSON (a bundle or one resource): whose it is, what it holds as entries and sections, a summary in words.

Not validated against profiles: what can be read is shown, what cannot is left out.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

from consilium.records.extract import blocks, entry, fhir_entries
from consilium.records.extract import sections as parts
from consilium.records.extract.fhir_entries import Bundle, dicts, text
from consilium.records.extract.plain import decode, html_text, send_pages

if TYPE_CHECKING:
    from consilium.records.extract.reader import Job

MAX_BYTES = 48 * 2**20
MAX_RESOURCES = 20_000
MAX_LINES = 60  # of one kind of entry in the text that is searched
_TYPES = {"DiagnosticReport": "laboratory", "Observation": "laboratory"}


def parse(job: Job) -> None:
    """Facts, entries, sections and text pages. Too deep or broken JSON is flagged."""
    if job.size > MAX_BYTES or job.options["cut"]:
        job.problem("too_large")
        return
    try:
        document = json.loads(decode(job.data())[0], parse_float=entry.Written, parse_constant=lambda _name: None)
    except (ValueError, RecursionError):
        job.problem("damaged_text")
        return
    if not isinstance(document, dict):
        job.problem("damaged_text")
        return
    bundle = Bundle(_resources(document))
    patient = _of_type(bundle, "Patient")
    composition = _of_type(bundle, "Composition")
    found = [one for group in entry.batches(fhir_entries.entries(bundle)) for one in group]
    report = fhir_entries.concept(_of_type(bundle, "DiagnosticReport").get("code"))
    title = text(composition.get("title")) or report
    job.facts(**_patient(patient), resources=_counts(bundle), title=title)
    newest = max((text(one.get("date"))[:10] for one in found), default="")
    date = text(composition.get("date") or document.get("timestamp"))[:10] or newest
    job.suggest(type=_type(document, bundle, composition, found), date=date)
    sections = _sections(composition, bundle)
    job.entries(found)
    job.sections(sections)
    send_pages(job, _summary(patient, composition, sections, found))


def _type(document: dict[str, Any], bundle: Bundle, composition: dict[str, Any], found: list[dict[str, Any]]) -> str:
    """A bundle of nothing but results is the laboratory's, whatever holds it together."""
    if len(bundle.resources) <= 1:
        return _TYPES.get(text(document.get("resourceType")), "other")
    results = not composition and {one.get("kind") for one in found} == {"laboratory"}
    return "laboratory" if results else "summary"


def _resources(document: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """(fullUrl, resource) of a bundle's entries, or the one resource."""
    if document.get("resourceType") != "Bundle":
        return [("", document)]
    found = [(text(one.get("fullUrl")), one.get("resource")) for one in dicts(document.get("entry"))[:MAX_RESOURCES]]
    return [(url, resource) for url, resource in found if isinstance(resource, dict)]


def _of_type(bundle: Bundle, kind: str) -> dict[str, Any]:
    return next((one for one in bundle.resources if one.get("resourceType") == kind), {})


def _counts(bundle: Bundle) -> dict[str, int]:
    return dict(Counter(text(one.get("resourceType"))[:60] for one in bundle.resources).most_common(100))


def _patient(patient: dict[str, Any]) -> dict[str, Any]:
    name = next(iter(dicts(patient.get("name"))), {})
    given = name.get("given")
    return {
        "patient_family": text(name.get("family")),
        "patient_given": " ".join(map(text, given)) if isinstance(given, list) else "",
        "patient_name": text(name.get("text")),
        "patient_birth_date": text(patient.get("birthDate"))[:10],
        "patient_id": text(next(iter(dicts(patient.get("identifier"))), {}).get("value")),
        "patient_sex": text(patient.get("gender")),
    }


def _sections(composition: dict[str, Any], bundle: Bundle) -> list[dict[str, Any]]:
    """Sections of the Composition (two levels) and conclusions of reports, as blocks of words."""
    found: list[dict[str, Any]] = []
    for section in dicts(composition.get("section")):
        for one in [section, *dicts(section.get("section"))]:
            code = next((text(c.get("code")) for c in dicts(_concept_of(one).get("coding"))), "")
            found.append({"title": text(one.get("title")), "code": code, "blocks": _narrative(one)})
    for report in bundle.resources:
        if report.get("resourceType") == "DiagnosticReport" and text(report.get("conclusion")):
            title = fhir_entries.concept(report.get("code"))
            found.append({"title": title, "code": "", "blocks": [{"p": text(report.get("conclusion"))}]})
    return found[: parts.MAX_SECTIONS]


def _concept_of(section: dict[str, Any]) -> dict[str, Any]:
    code = section.get("code")
    return code if isinstance(code, dict) else {}


def _narrative(section: dict[str, Any]) -> list[dict[str, Any]]:
    narrative = section.get("text")
    div = narrative.get("div") if isinstance(narrative, dict) else None
    if not isinstance(div, str) or len(div) > 500_000:
        return []
    found = blocks.of_xhtml(div)
    return found or [{"p": line.strip()} for line in html_text(div).split("\n") if line.strip()]


def _summary(
    patient: dict[str, Any], composition: dict[str, Any], sections: list[dict[str, Any]], found: list[dict[str, Any]]
) -> str:
    """All words of the document, for search: the structured view shows entries and sections instead."""
    facts = _patient(patient)
    name = facts["patient_name"] or f"{facts['patient_given']} {facts['patient_family']}".strip()
    lines = [text(composition.get("title")), f"{name}  *{facts['patient_birth_date']}" if name else ""]
    for section in sections:
        lines += ["", section["title"], *parts.lines(section["blocks"])]
    seen: Counter[str] = Counter()
    for one in found:
        seen[one["kind"]] += 1
        if seen[one["kind"]] == 1:
            lines.append("")
        if seen[one["kind"]] <= MAX_LINES:
            cells = (one["date"], one["name"], f"{one['shown']} {one['unit']}".strip(), one["text"])
            lines.append("- " + " · ".join(cell for cell in cells if cell))
    return "\n".join(lines)
