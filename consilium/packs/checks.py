"""What a pack must hold beyond its shape, so that a released case never meets an empty list."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from consilium.packs.schema import RECORD_KINDS, JurisdictionPack, Signature, SpecialtyPack

LEAST = {
    "red_flags": 1,
    "questions": 8,
    "records": 4,
    "sections": 8,
    "release": 5,
    "regions": 1,
    "examples": 3,
}
CITING = ("red_flags", "questions", "records", "sections", "release")


def check_specialty(pack: SpecialtyPack) -> list[str]:
    """Every problem of a specialty pack, as sentences."""
    say = f"{pack.id}: "
    problems = _signature(pack.signature) + _sources(pack, CITING)
    for key, least in LEAST.items():
        rows = getattr(pack, key)
        problems += _unique(key, (row.code for row in rows))
        if len(rows) < least:
            problems.append(f"{key} has {len(rows)} rows; at least {least} are needed")
    if not pack.mandatory_records:
        problems.append("records has no mandatory row; a case could never be incomplete")
    for part in ("goals", "summary", "history"):
        if not pack.part(part):
            problems.append(f"questions has none for the part {part!r}")
    for group in ("key_findings", "red_flags", "recommendations"):
        if all(row.group != group for row in pack.release):
            problems.append(f"release has no row in the group {group!r}")
    return [say + problem for problem in problems + _records(pack) + _questions(pack)]


def check_jurisdiction(pack: JurisdictionPack) -> list[str]:
    """Every problem of a jurisdiction pack, as sentences."""
    problems = _signature(pack.signature) + _sources(pack, ("notes", "excluded_reviewers"))
    for key in ("procedures", "excluded_reviewers", "consents", "notes"):
        problems += _unique(key, (row.code for row in getattr(pack, key)))
    if pack.oral_delivery == "listed" and not pack.procedures:
        problems.append("oral_delivery is 'listed' but procedures is empty")
    if not any(clause.required for clause in pack.consents):
        problems.append("consents has no required clause")
    if pack.hours.start >= pack.hours.end:
        problems.append("hours.start must lie before hours.end")
    return [f"{pack.id}: {problem}" for problem in problems]


def _signature(signature: Signature) -> list[str]:
    if signature.status == "draft":
        filled = signature.owner or signature.review_date or signature.expiry
        return ["a draft must leave owner, review_date and expiry empty"] if filled else []
    missing = [key for key in ("owner", "review_date", "expiry") if not getattr(signature, key)]
    return [f"a signed-off pack needs {key}" for key in missing]


def _sources(pack: Any, keys: tuple[str, ...]) -> list[str]:
    known = {source.code for source in pack.sources}
    problems = _unique("sources", (source.code for source in pack.sources))
    for key in keys:
        for row in getattr(pack, key):
            if row.source and row.source not in known:
                problems.append(f"{key} {row.code!r} cites {row.source!r}, which is not in sources")
    return problems


def _unique(key: str, codes: Iterable[str]) -> list[str]:
    twice = ((code, count) for code, count in Counter(codes).items() if count > 1)
    return [f"{key} has the code {code!r} {count} times" for code, count in twice]


def _records(pack: SpecialtyPack) -> list[str]:
    problems = []
    for item in pack.records:
        unknown = set(item.kinds) - set(RECORD_KINDS)
        if unknown or not item.kinds:
            problems.append(f"records {item.code!r} needs kinds out of: {', '.join(RECORD_KINDS)}")
        if item.imaging is not None and "imaging" not in item.kinds:
            problems.append(f"records {item.code!r} has an imaging hint but does not accept imaging")
    return problems


def _questions(pack: SpecialtyPack) -> list[str]:
    problems = []
    for question in pack.questions:
        if question.type in ("choice", "choices") and len(question.options) < 2:
            problems.append(f"questions {question.code!r} offers fewer than two options")
        if question.type not in ("choice", "choices") and question.options:
            problems.append(f"questions {question.code!r} is no choice but has options")
        if question.type == "scale" and (question.minimum is None or question.maximum is None):
            problems.append(f"questions {question.code!r} is a scale without minimum and maximum")
        problems += _unique(f"questions {question.code!r}", (option.code for option in question.options))
    return problems
