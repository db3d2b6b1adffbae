"""Entries of FHIR R4 resources: observations, medication, conditions, procedures, allergies, immunisations."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from consilium.records import analytes
from consilium.records.extract.entry import interpretation, number, written

LOINC = "http://loinc.org"
VITALS = frozenset(
    {"8302-2", "29463-7", "39156-5", "85354-9", "8480-6", "8462-4", "8867-4", "9279-1", "8310-5", "8331-1", "59408-5",
     "2708-6", "55284-4", "3141-9", "8287-5"}
)  # fmt: skip
_NOT_TRUE = frozenset({"entered-in-error", "refuted"})
MAX_COMPONENTS = 50


class Bundle:
    """The resources of a bundle and what refers to what: fullUrl, "Type/id" and contained resources (R4 §3.3.6.1)."""

    def __init__(self, pairs: list[tuple[str, dict[str, Any]]]) -> None:
        self.resources = [resource for _url, resource in pairs]
        self._known: dict[str, dict[str, Any]] = {}
        for url, resource in pairs:
            for name in (url, f"{text(resource.get('resourceType'))}/{text(resource.get('id'))}"):
                self._known.setdefault(name, resource)
        self.laboratory = {
            text(reference.get("reference"))
            for report in self.resources
            if report.get("resourceType") == "DiagnosticReport" and "LAB" in _codes(report.get("category"))
            for reference in dicts(report.get("result"))
        }

    def resolve(self, reference: Any, owner: dict[str, Any]) -> dict[str, Any]:
        """The resource a Reference means, {} when it is not in the bundle; nothing is fetched."""
        target = text(reference.get("reference")) if isinstance(reference, dict) else ""
        if target.startswith("#"):
            return next((one for one in dicts(owner.get("contained")) if one.get("id") == target[1:]), {})
        return self._known.get(target) or self._known.get("/".join(target.split("/")[-2:]), {}) if target else {}


def entries(bundle: Bundle) -> Iterator[dict[str, Any]]:
    """Every entry the resources hold, unbounded and unchecked (entry.batches does both)."""
    for resource in bundle.resources:
        maker = _MAKERS.get(text(resource.get("resourceType")))
        if maker is None or _status(resource) in _NOT_TRUE:
            continue
        source = f"{resource.get('resourceType')}/{text(resource.get('id'))}"
        for found in maker(resource, bundle):
            yield {"source": source, **found}


def _observation(resource: dict[str, Any], bundle: Bundle) -> Iterator[dict[str, Any]]:
    kind = _observed(resource, bundle)
    if not kind or _status(resource) == "cancelled":
        return
    when = date_of(resource, "effectiveDateTime", "effectivePeriod", "effectiveInstant", "issued")
    shared = {"kind": kind, "date": when, "state": _status(resource)}
    note = "; ".join(filter(None, (text(one.get("text")) for one in dicts(resource.get("note")))))
    for part in [resource, *dicts(resource.get("component"))[:MAX_COMPONENTS]]:
        result = _result(part)
        if result:
            yield shared | _coded(part.get("code")) | result | {"text": note if part is resource else ""}


def _observed(resource: dict[str, Any], bundle: Bundle) -> str:
    categories = _codes(resource.get("category"))
    codes = _codes([resource.get("code")])
    if "laboratory" in categories or "LAB" in categories:
        return "laboratory"
    if "vital-signs" in categories or codes & VITALS:
        return "vital"
    if categories:
        return ""
    refers = {f"Observation/{text(resource.get('id'))}", f"urn:uuid:{text(resource.get('id'))}"}
    known = any(code in analytes.BY_LOINC for code in codes)
    return "laboratory" if known or refers & bundle.laboratory else ""


def _result(part: dict[str, Any]) -> dict[str, Any]:
    """Value, unit, range and flag of an Observation or one of its components; {} without a value."""
    quantity = part.get("valueQuantity")
    if isinstance(quantity, dict):
        found = _quantity(quantity)
    else:
        words = concept(part.get("valueCodeableConcept")) or text(part.get("valueString"))
        for key in ("valueInteger", "valueBoolean", "valueDateTime", "valueTime"):
            words = words or (str(part[key])[:100] if isinstance(part.get(key), int | str) else "")
        found = {"shown": words} if words else _ratio(part)
    if not found:
        return {}
    flag = next((f for c in _codes(part.get("interpretation")) if (f := interpretation(c))), "")
    return found | _range(part) | {"flag": flag}


def _quantity(quantity: dict[str, Any]) -> dict[str, Any]:
    value = number(quantity.get("value"))
    if value is None:
        return {}
    comparator, unit = text(quantity.get("comparator")), text(quantity.get("unit"))
    code = text(quantity.get("code")) if quantity.get("system") == "http://unitsofmeasure.org" else ""
    shown = f"{comparator}{written(quantity.get('value'))}"
    return {"value": value, "comparator": comparator, "shown": shown, "unit": unit or code, "ucum": code}


def _ratio(part: dict[str, Any]) -> dict[str, Any]:
    for key, names, joint in (("valueRatio", ("numerator", "denominator"), ":"), ("valueRange", ("low", "high"), "–")):
        value = part.get(key)
        if isinstance(value, dict):
            ends = [_quantity(value[name]) for name in names if isinstance(value.get(name), dict)]
            if len(ends) == 2 and all(ends):
                return {"shown": joint.join(end["shown"] for end in ends), "unit": ends[0]["unit"]}
    return {}


def _range(part: dict[str, Any]) -> dict[str, Any]:
    """Observation.referenceRange: the normal one; of several for different people none is chosen."""
    ranges = dicts(part.get("referenceRange"))
    words = "; ".join(filter(None, (text(one.get("text")) for one in ranges)))
    if len(ranges) != 1:
        return {"range": words}
    low, high = (ranges[0].get(name) for name in ("low", "high"))
    ends = [number(end.get("value")) if isinstance(end, dict) else None for end in (low, high)]
    return {"low": ends[0], "high": ends[1], "range": words}


def _medication(resource: dict[str, Any], bundle: Bundle) -> Iterator[dict[str, Any]]:
    medicine = resource.get("medicationCodeableConcept")
    if not isinstance(medicine, dict):
        reference = resource.get("medicationReference")
        medicine = bundle.resolve(reference, resource).get("code") or reference
    found = _coded(medicine)
    doses = dicts(resource.get("dosage")) or dicts(resource.get("dosageInstruction"))
    period = resource.get("effectivePeriod")
    yield found | {
        "kind": "medication", "text": "; ".join(filter(None, map(_dose, doses))), "state": _status(resource),
        "date": date_of(resource, *_GIVEN),
        "end": text(period.get("end"))[:10] if isinstance(period, dict) else "",
    }  # fmt: skip


_GIVEN = ("effectiveDateTime", "effectivePeriod", "authoredOn", "dateAsserted", "whenHandedOver")


def _dose(dosage: dict[str, Any]) -> str:
    """Dosage (R4 §2.24.0.12) in words: its text, else amount, rhythm and route."""
    if text(dosage.get("text")):
        return text(dosage.get("text"))
    rate = next(iter(dicts(dosage.get("doseAndRate"))), {})
    amount = rate.get("doseQuantity")
    timing = dosage.get("timing")
    parts = [
        f"{written(amount.get('value'))} {text(amount.get('unit'))}".strip() if isinstance(amount, dict) else "",
        _rhythm(timing) if isinstance(timing, dict) else "",
        concept(dosage.get("route")),
    ]
    return ", ".join(filter(None, parts))


def _rhythm(timing: dict[str, Any]) -> str:
    repeat = timing.get("repeat")
    words = concept(timing.get("code"))
    if words or not isinstance(repeat, dict):
        return words
    times, period, unit = (repeat.get(name) for name in ("frequency", "period", "periodUnit"))
    if times is None and period is None:
        return ""
    return f"{written(times) or 1} × / {written(period) or 1} {text(unit)}".strip()


def _condition(resource: dict[str, Any], _bundle: Bundle) -> Iterator[dict[str, Any]]:
    yield _coded(resource.get("code")) | {
        "kind": "problem", "date": date_of(resource, "onsetDateTime", "onsetPeriod", "recordedDate"),
        "end": date_of(resource, "abatementDateTime"), "state": _first_code(resource.get("clinicalStatus")),
        "text": concept(resource.get("severity")),
    }  # fmt: skip


def _procedure(resource: dict[str, Any], _bundle: Bundle) -> Iterator[dict[str, Any]]:
    sites = ", ".join(filter(None, map(concept, dicts(resource.get("bodySite")))))
    when = date_of(resource, "performedDateTime", "performedPeriod")
    yield _coded(resource.get("code")) | {"kind": "procedure", "date": when, "state": _status(resource), "text": sites}


def _allergy(resource: dict[str, Any], _bundle: Bundle) -> Iterator[dict[str, Any]]:
    reactions = dicts(resource.get("reaction"))
    felt = [concept(one) for reaction in reactions for one in dicts(reaction.get("manifestation"))]
    grave = [text(resource.get("criticality")), *(text(reaction.get("severity")) for reaction in reactions)]
    yield _coded(resource.get("code")) | {
        "kind": "allergy", "date": date_of(resource, "onsetDateTime", "recordedDate"),
        "state": _first_code(resource.get("clinicalStatus")), "text": ", ".join(filter(None, felt)),
        "flag": "A" if "high" in grave or "severe" in grave else "",
    }  # fmt: skip


def _immunization(resource: dict[str, Any], _bundle: Bundle) -> Iterator[dict[str, Any]]:
    yield _coded(resource.get("vaccineCode")) | {
        "kind": "immunization", "date": date_of(resource, "occurrenceDateTime", "recorded"), "state": _status(resource),
        "text": text(resource.get("lotNumber")),
    }  # fmt: skip


_MAKERS: dict[str, Callable[[dict[str, Any], Bundle], Iterator[dict[str, Any]]]] = {
    "Observation": _observation, "MedicationStatement": _medication, "MedicationRequest": _medication,
    "MedicationAdministration": _medication, "MedicationDispense": _medication, "Condition": _condition,
    "Procedure": _procedure, "AllergyIntolerance": _allergy, "Immunization": _immunization,
}  # fmt: skip


# --- reading elements of any shape -----------------------------------------------------------------------


def _status(resource: dict[str, Any]) -> str:
    verified = _first_code(resource.get("verificationStatus"))
    return verified if verified in _NOT_TRUE else text(resource.get("status"))[:40]


def _first_code(value: Any) -> str:
    return next(iter(_codes([value])), "")


def _codes(value: Any) -> set[str]:
    """The codes of CodeableConcepts."""
    return {text(coding.get("code")) for one in dicts(value) for coding in dicts(one.get("coding"))} - {""}


def _coded(value: Any) -> dict[str, Any]:
    """Name, code and system of a CodeableConcept; LOINC is preferred when there are several codings."""
    if not isinstance(value, dict):
        return {"name": ""}
    codings = dicts(value.get("coding"))
    best = next((one for one in codings if one.get("system") == LOINC), codings[0] if codings else {})
    name = text(value.get("text")) or next((d for one in codings if (d := text(one.get("display")))), "")
    name = name or text(value.get("display")) or text(best.get("code"))
    return {"name": name, "code": text(best.get("code")), "system": text(best.get("system"))}


def concept(value: Any) -> str:
    """The words of a CodeableConcept."""
    return value[:500] if isinstance(value, str) else _coded(value)["name"]


def date_of(resource: dict[str, Any], *names: str) -> str:
    """The first date among elements of type dateTime, instant or Period (its start)."""
    for name in names:
        value = resource.get(name)
        if isinstance(value, dict):
            value = value.get("start") or value.get("end")
        if isinstance(value, str) and value[:4].isdigit():
            return value[:10]
    return ""


def dicts(value: Any) -> list[dict[str, Any]]:
    """The objects of a list, whatever it is."""
    return [one for one in value[:20_000] if isinstance(one, dict)] if isinstance(value, list) else []


def text(value: Any) -> str:
    """A string, whatever it is."""
    return value[:4000] if isinstance(value, str) else ""
