"""The report for computer systems: an HL7 FHIR R4 (4.0.1) document Bundle.

Ids are derived from reference and version (RFC 4122 §4.3, UUID version 5), so building twice gives the same
document. SHA-256 of a record is an identifier in the form of RFC 6920 (``ni:///sha-256;…``), because
``Attachment.hash`` is SHA-1 by definition.
"""

from __future__ import annotations

import base64
import html
import uuid
from typing import Any

from .content import Finding, RecordSeen, ReportContent
from .views import full_name
from .wording import WORDS, limitations, on_day

Json = dict[str, Any]
LOINC = "http://loinc.org"
_NAMESPACE = uuid.UUID("6f0d5a0c-0c83-5d0e-8f2e-1c2a7f5b9d31")  # ours, fixed for ever: it makes the ids stable
_SEX = frozenset({"male", "female", "other", "unknown"})


def fhir_document(content: ReportContent) -> Json:
    """R4 document Bundle (FHIR R4 §3.3.1), validated against the resource models before it is returned.

    Raises ``pydantic.ValidationError`` when a value does not fit its FHIR type.
    """
    from fhir.resources.R4B.bundle import Bundle

    ids = _Ids(content)
    records = [_record(record, content, ids, n) for n, record in enumerate(content.records_seen)]
    findings = [_finding(finding, content, ids, n) for n, finding in enumerate(content.findings)]
    resources = [
        _composition(content, ids),
        _report(content, ids),
        _patient(content, ids),
        _practitioner(content, ids),
        _organisation(content, ids),
        *findings,
        *records,
        _provenance(content, ids),
    ]
    bundle = {
        "resourceType": "Bundle",
        "type": "document",
        "identifier": {"system": "urn:ietf:rfc:3986", "value": ids.url("bundle")},
        "timestamp": _instant(content),
        "entry": [{"fullUrl": f"urn:uuid:{resource['id']}", "resource": resource} for resource in resources],
    }
    Bundle.model_validate(bundle)
    return bundle


class _Ids:
    """Stable ids of the entries of one version of one report."""

    def __init__(self, content: ReportContent) -> None:
        self.base = f"{content.reference}/{content.version}"

    def id(self, key: str) -> str:
        return str(uuid.uuid5(_NAMESPACE, f"{self.base}/{key}"))

    def url(self, key: str) -> str:
        return f"urn:uuid:{self.id(key)}"

    def ref(self, key: str) -> Json:
        return {"reference": self.url(key)}


def _clean(text: str) -> str:
    """FHIR strings hold no control characters but tab, line feed and carriage return (R4 §2.24.0.1)."""
    return "".join(
        c for c in text if c in "\t\n\r" or (c >= " " and not "\ud800" <= c <= "\udfff" and c not in "\ufffe\uffff")
    )


def _text(value: str) -> Json:
    return {"text": _clean(value)}


def _instant(content: ReportContent) -> str:
    return content.issued_at.isoformat(timespec="seconds")


def _without_empty(resource: Json) -> Json:
    """FHIR has no empty strings, arrays or objects (R4 §2.6.2)."""
    return {key: value for key, value in resource.items() if value not in ("", [], {}, None)}


def _narrative(*paragraphs: str) -> Json:
    lines = [html.escape(_clean(line)) for text in paragraphs for line in text.split("\n") if line.strip()]
    body = "".join(f"<p>{line}</p>" for line in lines)
    return {"status": "generated", "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{body}</div>'}


def _composition(content: ReportContent, ids: _Ids) -> Json:
    words = WORDS[content.language]
    composition: Json = {
        "resourceType": "Composition",
        "id": ids.id("composition"),
        "language": content.language,
        "identifier": {"value": f"{content.reference}/{content.version}"},
        "status": "amended" if content.version > 1 else "final",
        "type": {"coding": [{"system": LOINC, "code": "11488-4", "display": "Consult note"}]},
        "subject": ids.ref("patient"),
        "date": _instant(content),
        "author": [ids.ref("practitioner")],
        "title": f"{words['clinical_title']} {_clean(content.reference)}",
        "attester": [
            {"mode": "professional", "time": _instant(content), "party": ids.ref("practitioner")},
            {"mode": "official", "time": _instant(content), "party": ids.ref("organization")},
        ],
        "custodian": ids.ref("organization"),
        "section": _sections(content, ids),
    }
    if content.supersedes:
        old = f"{content.reference}/{content.supersedes}"
        composition["relatesTo"] = [{"code": "replaces", "targetIdentifier": {"value": old}}]
    return composition


def _sections(content: ReportContent, ids: _Ids) -> list[Json]:
    words = WORDS[content.language]
    advice, both, blind = content.recommendation, content.comparison, content.blind_read
    strength = words[f"strength_{advice.strength}"] if advice.strength else ""
    guideline = " ".join(part for part in (advice.guideline, on_day(advice.guideline_date, content.language)) if part)
    compared = [
        f"{words[part]}: {words[verdict or 'not_assessed']}. {note}"
        for part, verdict, note in (
            ("diagnosis", both.diagnosis, both.diagnosis_note),
            ("treatment", both.treatment, both.treatment_note),
        )
    ]
    answers = [text for a in content.questions for text in (a.question, a.short_answer, a.reasoning)]
    options = [f"{o.title}: {o.benefits} / {o.risks}" for o in content.options]
    steps = [
        " · ".join(part for part in (s.what, s.owner, on_day(s.by_date, content.language)) if part)
        for s in content.next_steps
    ]
    texts: list[tuple[str, list[str], list[Json]]] = [
        (words["urgent"], [item.text for item in content.urgent], []),
        (words["comparison"], compared, []),
        (words["answers"], answers, []),
        (words["recommendation"], [advice.text, strength, guideline], [ids.ref("report")]),
        (words["findings"], [f.text for f in content.findings], _refs(ids, "finding", content.findings)),
        *((s.title, [s.text], []) for s in content.sections),
        (words["differential"], [content.differential], []),
        (words["options"], options, []),
        (words["next_steps"], steps, []),
        (words["limitations"], list(limitations(content.language, content.limitations)), []),
        (words["missing"], list(content.missing), []),
        (words["letter"], [content.clinician_letter], []),
        (words["blind_read"], [blind.impression] if blind else [], []),
        (words["records"], [r.title for r in content.records_seen], _refs(ids, "record", content.records_seen)),
        (words["references"], [r.citation for r in content.references], []),
        (words["p_summary"], [content.patient_summary.opening, *content.patient_summary.paragraphs], []),
    ]
    return [
        _without_empty({"title": _clean(title), "text": _narrative(*lines), "entry": entries})
        for title, lines, entries in texts
        if any(line.strip() for line in lines) and title.strip()
    ]


def _refs(ids: _Ids, kind: str, things: tuple[Any, ...]) -> list[Json]:
    return [ids.ref(f"{kind}/{n}") for n in range(len(things))]


def _report(content: ReportContent, ids: _Ids) -> Json:
    first = "\n".join(a.short_answer for a in content.questions if a.short_answer.strip())
    return _without_empty(
        {
            "resourceType": "DiagnosticReport",
            "id": ids.id("report"),
            "identifier": [{"value": f"{content.reference}/{content.version}"}],
            "status": "amended" if content.version > 1 else "final",
            "code": {
                "coding": [{"system": LOINC, "code": "11488-4", "display": "Consult note"}],
                "text": WORDS[content.language]["clinical_title"],
            },
            "subject": ids.ref("patient"),
            "effectiveDateTime": _instant(content),
            "issued": _instant(content),
            "performer": [ids.ref("organization")],
            "resultsInterpreter": [ids.ref("practitioner")],
            "result": _refs(ids, "finding", content.findings),
            "conclusion": _clean(content.recommendation.text or first),
        }
    )


def _patient(content: ReportContent, ids: _Ids) -> Json:
    patient = content.patient
    return _without_empty(
        {
            "resourceType": "Patient",
            "id": ids.id("patient"),
            "name": [_text(patient.name)],
            "gender": patient.sex if patient.sex in _SEX else "unknown",
            "birthDate": patient.birth_date.isoformat() if patient.birth_date else "",
        }
    )


def _practitioner(content: ReportContent, ids: _Ids) -> Json:
    who = content.specialist
    qualifications = [who.specialty, who.licence]
    return _without_empty(
        {
            "resourceType": "Practitioner",
            "id": ids.id("practitioner"),
            "name": [_text(full_name(content))],
            "qualification": [{"code": _text(text)} for text in qualifications if text.strip()],
        }
    )


def _organisation(content: ReportContent, ids: _Ids) -> Json:
    house = content.organisation
    return _without_empty(
        {
            "resourceType": "Organization",
            "id": ids.id("organization"),
            "name": _clean(house.name),
            "address": [_text(house.address)] if house.address.strip() else [],
        }
    )


def _finding(finding: Finding, content: ReportContent, ids: _Ids, number: int) -> Json:
    anchor = finding.anchor
    hashes = [record.sha256 for record in content.records_seen]
    source = anchor.record_sha256 if anchor else ""
    derived = [ids.ref(f"record/{hashes.index(source)}")] if source in hashes else []
    return _without_empty(
        {
            "resourceType": "Observation",
            "id": ids.id(f"finding/{number}"),
            "status": "amended" if content.version > 1 else "final",
            "code": _text(WORDS[content.language]["findings"]),
            "subject": ids.ref("patient"),
            "performer": [ids.ref("practitioner")],
            "effectiveDateTime": _instant(content),
            "valueString": _clean(finding.text),
            "note": [_text(finding.significance)] if finding.significance.strip() else [],
            "derivedFrom": derived,
            "component": _places(finding),
        }
    )


def _places(finding: Finding) -> list[Json]:
    anchor = finding.anchor
    if anchor is None:
        return []
    parts: list[Json] = []
    if anchor.page is not None:
        parts.append({"code": {"text": "page"}, "valueInteger": anchor.page})
    if anchor.frame is not None:
        parts.append({"code": {"text": "frame"}, "valueInteger": anchor.frame})
    if anchor.region is not None:  # W3C Media Fragments 1.0 §4.2.2
        r = anchor.region
        numbers = ",".join(f"{100 * value:.2f}" for value in (r.x, r.y, r.width, r.height))
        parts.append({"code": {"text": "region"}, "valueString": f"xywh=percent:{numbers}"})
    if anchor.place.strip():
        parts.append({"code": {"text": "place"}, "valueString": _clean(anchor.place)})
    return parts


def _record(record: RecordSeen, content: ReportContent, ids: _Ids, number: int) -> Json:
    return _without_empty(
        {
            "resourceType": "DocumentReference",
            "id": ids.id(f"record/{number}"),
            "identifier": _hash_identifier(record.sha256),
            "status": "current",
            "type": _text(record.kind) if record.kind.strip() else {},
            "subject": ids.ref("patient"),
            "description": _clean(record.title),
            "content": [
                {
                    "attachment": _without_empty(
                        {
                            "title": _clean(record.title) or "-",
                            "creation": record.date.isoformat() if record.date else "",
                        }
                    )
                }
            ],
        }
    )


def _hash_identifier(sha256: str) -> list[Json]:
    try:
        digest = base64.urlsafe_b64encode(bytes.fromhex(sha256)).decode().rstrip("=")
    except ValueError:
        return []
    return [{"system": "urn:ietf:rfc:3986", "value": f"ni:///sha-256;{digest}"}] if digest else []


def _provenance(content: ReportContent, ids: _Ids) -> Json:
    agent_type = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"
    return _without_empty(
        {
            "resourceType": "Provenance",
            "id": ids.id("provenance"),
            "target": [ids.ref("composition"), ids.ref("report")],
            "recorded": _instant(content),
            "agent": [
                {"type": {"coding": [{"system": agent_type, "code": "author"}]}, "who": ids.ref("practitioner")},
                {"type": {"coding": [{"system": agent_type, "code": "custodian"}]}, "who": ids.ref("organization")},
            ],
            "entity": [{"role": "source", "what": ref} for ref in _refs(ids, "record", content.records_seen)],
        }
    )
