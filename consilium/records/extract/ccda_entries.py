"""Entries of a C-CDA document (HL7 CDA R2, Consolidated CDA 2.1): by template, in other CDA by the section's code."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from lxml import etree

from consilium.records.extract import blocks
from consilium.records.extract.entry import interpretation, number

if TYPE_CHECKING:
    from lxml.etree import _Element, _ElementTree

NS = {"c": "urn:hl7-org:v3"}
_C = "{urn:hl7-org:v3}"
_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
_SYSTEMS = {
    "2.16.840.1.113883.6.1": "http://loinc.org", "2.16.840.1.113883.6.96": "http://snomed.info/sct",
    "2.16.840.1.113883.6.88": "http://www.nlm.nih.gov/research/umls/rxnorm",
    "2.16.840.1.113883.6.90": "http://hl7.org/fhir/sid/icd-10-cm", "2.16.840.1.113883.12.292": "http://hl7.org/fhir/sid/cvx",
}  # fmt: skip
_ROOT = "2.16.840.1.113883.10.20.22.4."
MAX_STATEMENTS = 20_000
# Sections that hold problems, by LOINC: elsewhere a problem observation is a reason or an indication.
_PROBLEMS = frozenset({"11450-4", "11348-0", "46241-6", "42347-5", "11535-2", "75310-3", "C-CDAV2-DDN", "51848-0"})
# A CDA document without C-CDA templates (other countries' profiles): what an observation of these sections is.
_BY_SECTION = {"30954-2": "laboratory", "8716-3": "vital", "18725-2": "laboratory"}


def entries(tree: _ElementTree) -> Iterator[dict[str, Any]]:
    """Every entry of the structured body, unbounded and unchecked (entry.batches does both)."""
    named = _Names(tree)
    for number_of, section in enumerate(_sections(tree)):
        code = section.find("c:code", NS)
        where = code.get("code", "") if code is not None else ""
        for count, node in enumerate(section.iterfind("c:entry//*", NS)):
            if count > MAX_STATEMENTS:
                return
            maker = _maker(node, where)
            if maker is not None and node.get("moodCode", "EVN") in ("EVN", "INT"):
                source = f"section {number_of + 1} ({where})"
                yield from ({"source": source, **found} for found in maker(node, named))


def _sections(tree: _ElementTree) -> list[_Element]:
    found = tree.xpath("//c:structuredBody//c:section", namespaces=NS)
    return [one for one in found[:300] if isinstance(one, etree._Element)] if isinstance(found, list) else []


class _Names:
    """Words of the narrative by ID: an entry may say only where its name stands (CDA R2 §4.3.5.1)."""

    def __init__(self, tree: _ElementTree) -> None:
        found = tree.xpath("//c:section/c:text//*[@ID]", namespaces=NS)
        nodes = found if isinstance(found, list) else []
        self._nodes = {node.get("ID"): node for node in nodes if isinstance(node, etree._Element)}
        self._words: dict[str, str] = {}

    def of(self, element: _Element | None) -> str:
        """The words a <text> or <originalText> holds or points to."""
        if element is None:
            return ""
        own = " ".join("".join(str(part) for part in element.itertext()).split())
        reference = element.find("c:reference", NS)
        return own[:1000] or (self._at(reference.get("value", "").lstrip("#")) if reference is not None else "")

    def _at(self, place: str) -> str:
        """Read once: many entries may point to the same, large place."""
        if place not in self._words:
            target = self._nodes.get(place)
            self._words[place] = " ".join(blocks.words(target).split())[:1000] if target is not None else ""
        return self._words[place]


def _maker(node: _Element, section: str) -> Callable[[_Element, _Names], Iterator[dict[str, Any]]] | None:
    if not isinstance(node.tag, str):
        return None
    tag = node.tag.removeprefix(_C)
    if tag not in ("observation", "substanceAdministration", "procedure", "act"):
        return None
    templates = {one.get("root", "").removeprefix(_ROOT) for one in node.iterfind("c:templateId", NS)}
    if tag == "observation" and "4" in templates and section not in _PROBLEMS:
        return None
    found = next((maker for template, maker in _MAKERS.items() if template in templates), None)
    if found is None and tag == "observation" and section in _BY_SECTION and not templates & {"2", "27"}:
        value = node.find("c:value", NS)
        if value is not None and value.get(_TYPE, "").split(":")[-1] == "PQ":
            return _vital if _BY_SECTION[section] == "vital" else _laboratory
    return found


def _observation(kind: str, node: _Element, named: _Names) -> Iterator[dict[str, Any]]:
    result = _result(node.find("c:value", NS), named)
    if not result or node.get("negationInd") == "true":
        return
    flag = next((f for c in node.iterfind("c:interpretationCode", NS) if (f := interpretation(c.get("code", "")))), "")
    yield _coded(node.find("c:code", NS), named, node) | result | _range(node, named) | {
        "kind": kind, "date": _dates(node)[0], "flag": flag, "state": _status(node),
    }  # fmt: skip


def _laboratory(node: _Element, named: _Names) -> Iterator[dict[str, Any]]:
    return _observation("laboratory", node, named)


def _vital(node: _Element, named: _Names) -> Iterator[dict[str, Any]]:
    return _observation("vital", node, named)


def _result(value: _Element | None, named: _Names) -> dict[str, Any]:
    """An observation's value by its data type: PQ, REAL/INT, IVL_PQ, CD/CE/CO, ST/ED; {} when there is none."""
    if value is None or value.get("nullFlavor"):
        return {}
    kind = value.get(_TYPE, "").split(":")[-1]
    if kind in ("PQ", "REAL", "INT", "MO"):
        found, shown = number(value.get("value")), value.get("value", "")
        unit = value.get("unit", "")
        return {"value": found, "shown": shown, "unit": unit, "ucum": unit} if found is not None else {}
    if kind == "IVL_PQ":
        return _interval(value)
    if kind in ("CD", "CE", "CO", "CV"):
        words = value.get("displayName", "") or named.of(value.find("c:originalText", NS)) or value.get("code", "")
    else:
        words = value.get("value", "") or named.of(value)
    return {"shown": words} if words else {}


def _interval(value: _Element) -> dict[str, Any]:
    low, high = _end(value, "low"), _end(value, "high")
    if low[0] is not None and high[0] is not None:
        return {"shown": f"{low[1]}–{high[1]}", "unit": low[2]}
    one, sign = (high, "<") if high[0] is not None else (low, ">")
    if one[0] is None:
        return {}
    sign += "" if one[3] == "false" else "="
    return {"value": one[0], "comparator": sign, "shown": f"{sign}{one[1]}", "unit": one[2], "ucum": one[2]}


def _end(value: _Element, name: str) -> tuple[float | None, str, str, str]:
    """(number, as written, unit, whether inclusive) of one end of an interval."""
    found = value.find(f"c:{name}", NS)
    if found is None:
        return None, "", "", ""
    return number(found.get("value")), found.get("value", ""), found.get("unit", ""), found.get("inclusive", "")


def _range(node: _Element, named: _Names) -> dict[str, Any]:
    """The reference range; of several ranges (for other ages or sexes) none is chosen, their words are kept."""
    ranges = node.findall("c:referenceRange/c:observationRange", NS)
    words = "; ".join(filter(None, (named.of(one.find("c:text", NS)) for one in ranges)))
    value = ranges[0].find("c:value", NS) if len(ranges) == 1 else None
    if value is None or value.get(_TYPE, "").split(":")[-1] not in ("IVL_PQ", "IVL_REAL", "IVL_INT"):
        return {"range": words}
    return {"low": _end(value, "low")[0], "high": _end(value, "high")[0], "range": words}


def _medication(node: _Element, named: _Names) -> Iterator[dict[str, Any]]:
    material = node.find("c:consumable/c:manufacturedProduct/c:manufacturedMaterial", NS)
    if material is None or node.get("negationInd") == "true":
        return
    began, ended = _dates(node)
    yield _material(material, named, node) | {
        "kind": "medication", "text": _dose(node), "date": began, "end": ended, "state": _status(node),
    }  # fmt: skip


def _material(material: _Element, named: _Names, node: _Element) -> dict[str, Any]:
    found = _coded(material.find("c:code", NS), named, node)
    name = material.find("c:name", NS)
    return found if found["name"] else found | {"name": named.of(name)}


def _dose(node: _Element) -> str:
    """Dose, rhythm (PIVL_TS) and route in words."""
    dose, route = node.find("c:doseQuantity", NS), node.find("c:routeCode", NS)
    parts: list[str] = []
    if dose is not None and dose.get("value"):
        parts.append(f"{dose.get('value')} {dose.get('unit', '').replace('1', '')}".strip())
    period = node.find("c:effectiveTime/c:period", NS)
    if period is not None and period.get("value"):
        parts.append(f"1 × / {period.get('value')} {period.get('unit', '')}".strip())
    if route is not None and route.get("displayName"):
        parts.append(route.get("displayName", ""))
    return ", ".join(parts)


def _problem(node: _Element, named: _Names) -> Iterator[dict[str, Any]]:
    if node.get("negationInd") == "true":  # "no known problems": the narrative says so
        return
    began, ended = _dates(node)
    state = node.find("c:entryRelationship/c:observation[c:code='33999-4']/c:value", NS)
    yield _coded(node.find("c:value", NS), named, node) | {
        "kind": "problem", "date": began, "end": ended,
        "state": state.get("displayName", "") if state is not None else "",
    }  # fmt: skip


def _allergy(node: _Element, named: _Names) -> Iterator[dict[str, Any]]:
    substance = node.find("c:participant/c:participantRole/c:playingEntity", NS)
    if node.get("negationInd") == "true" or substance is None:
        return
    found = _coded(substance.find("c:code", NS), named, node)
    name = substance.find("c:name", NS)
    found["name"] = found["name"] or named.of(name)
    reactions = [
        _coded(one.find("c:value", NS), named, one)["name"]
        for one in node.iterfind(".//c:observation", NS)
        if any(t.get("root") == _ROOT + "9" for t in one.iterfind("c:templateId", NS))
    ]
    yield found | {"kind": "allergy", "date": _dates(node)[0], "text": ", ".join(filter(None, reactions))}


def _procedure(node: _Element, named: _Names) -> Iterator[dict[str, Any]]:
    site = node.find("c:targetSiteCode", NS)
    where = site.get("displayName", "") if site is not None else ""
    found = _coded(node.find("c:code", NS), named, node)
    yield found | {"kind": "procedure", "date": _dates(node)[0], "state": _status(node), "text": where}


def _immunization(node: _Element, named: _Names) -> Iterator[dict[str, Any]]:
    material = node.find("c:consumable/c:manufacturedProduct/c:manufacturedMaterial", NS)
    if material is None:
        return
    lot = material.find("c:lotNumberText", NS)
    yield _material(material, named, node) | {
        "kind": "immunization", "date": _dates(node)[0], "text": (lot.text or "").strip() if lot is not None else "",
        "state": "not-done" if node.get("negationInd") == "true" else _status(node),
    }  # fmt: skip


# C-CDA R2.1 entry templates, below 2.16.840.1.113883.10.20.22.4
_MAKERS: dict[str, Callable[[_Element, _Names], Iterator[dict[str, Any]]]] = {
    "2": _laboratory, "27": _vital, "16": _medication, "4": _problem, "7": _allergy, "14": _procedure, "13": _procedure,
    "12": _procedure, "52": _immunization,
}  # fmt: skip


def _coded(code: _Element | None, named: _Names, node: _Element) -> dict[str, Any]:
    """Name, code and system of a CD element, its translation or the narrative it points to."""
    if code is None:
        return {"name": named.of(node.find("c:text", NS))}
    best = code if code.get("code") else code.find("c:translation[@code]", NS)
    best = code if best is None else best
    name = best.get("displayName") or named.of(code.find("c:originalText", NS)) or named.of(node.find("c:text", NS))
    system = best.get("codeSystem", "")
    return {
        "name": name or best.get("code", ""), "code": best.get("code", ""),
        "system": _SYSTEMS.get(system, f"urn:oid:{system}" if system else ""),
    }  # fmt: skip


def _status(node: _Element) -> str:
    found = node.find("c:statusCode", NS)
    return found.get("code", "") if found is not None else ""


def _dates(node: _Element) -> tuple[str, str]:
    """(from, to) of effectiveTime as ISO dates of the precision given (HL7 V3 TS)."""
    for one in node.iterfind("c:effectiveTime", NS):
        low, high = one.find("c:low", NS), one.find("c:high", NS)
        began = _iso(one.get("value") or (low.get("value") if low is not None else ""))
        ended = _iso(high.get("value") if high is not None else "")
        if began or ended:
            return began or ended, ended if began else ""
    return "", ""


def _iso(value: str | None) -> str:
    """YYYY[MM[DD…]] as an ISO date of the same precision."""
    digits = (value or "")[:8]
    if not digits.isdigit():
        digits = "".join(c for c in digits if c.isdigit())
    parts = [digits[:4], digits[4:6], digits[6:8]]
    return "-".join(part for part, size in zip(parts, (4, 2, 2), strict=True) if len(part) == size)
