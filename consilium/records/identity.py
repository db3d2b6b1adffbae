"""Is this file about the patient of the case? A helper for a person who decides; it never rejects anything."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

Verdict = Literal["match", "unclear", "mismatch"]
_TITLES = {
    "dr",
    "prof",
    "med",
    "mr",
    "mrs",
    "ms",
    "miss",
    "herr",
    "frau",
    "mme",
    "mlle",
    "sr",
    "sra",
    "jr",
    "ii",
    "iii",
}
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "ø": "oe", "å": "aa", "æ": "ae", "ł": "l"})
_NOBODY = {
    "",
    "anonymous",
    "anonym",
    "anonymized",
    "anonymised",
    "unknown",
    "noname",
    "nn",
    "xxx",
    "test",
    "patient",
}


@dataclass(frozen=True)
class Match:
    """`reasons`: codes "name_same", "name_similar", "name_different", "name_missing" and the same for "birth_date"."""

    verdict: Verdict
    reasons: tuple[str, ...] = ()


def compare(facts: Mapping[str, Any], *, given: str, family: str, birth_date: date | str | None) -> Match:
    """Compare what a file says (`Extraction.facts`) with the patient of the case.

    Different birth dates or names without a common part are a mismatch; missing values leave it unclear, and so
    does a typing error even with the same birth date (it may be a twin). The order of names, case, umlauts, accents,
    titles, middle names and DICOM's carets (PS3.5 §6.2) make no difference.
    """
    name = _compare_name(_names_in(facts), _tokens(given), _tokens(family))
    birth = _compare_birth(_day(facts.get("patient_birth_date")), _day(birth_date))
    reasons = (f"name_{name}", f"birth_date_{birth}")
    if "different" in (name, birth):
        return Match("mismatch", reasons)
    if name == "same" and birth in ("same", "missing"):
        return Match("match", reasons)
    return Match("unclear", reasons)


def _names_in(facts: Mapping[str, Any]) -> set[str]:
    """Name parts of every spelling that the file gives: DICOM PN groups (alphabetic=ideographic) are all used."""
    values = [str(facts.get(key) or "") for key in ("patient_name", "patient_given", "patient_family")]
    return _tokens(" ".join(values).replace("^", " ").replace("=", " "))


def _tokens(name: str) -> set[str]:
    """Comparable parts: "Müller-Lüdenscheidt, Jörg Dr." → {"mueller", "luedenscheidt", "joerg"}."""
    folded = unicodedata.normalize("NFC", name).casefold().translate(_UMLAUTS)
    bare = "".join(c for c in unicodedata.normalize("NFKD", folded) if not unicodedata.combining(c))
    parts = set(re.findall(r"[^\W\d_]+", bare))
    return {p for p in parts if p not in _TITLES and p not in _NOBODY}


def _loose(parts: set[str]) -> set[str]:
    """Old systems write ü as u: fold "ue" and "u" together."""
    return {p.replace("ae", "a").replace("oe", "o").replace("ue", "u") for p in parts}


def _compare_name(found: set[str], given: set[str], family: set[str]) -> str:
    if not found or not (given or family):
        return "missing"
    found, given, family = _loose(found), _loose(given), _loose(family)
    given_hit = bool(found & given) or _initial(found, given)
    if found & family and (given_hit or not given):
        return "same"
    if found & family or found & given:
        return "similar" if _near(found, given | family) or len(found) == 1 else "different"
    return "same" if _run_together(found, given, family) else "different"


def _initial(found: set[str], given: set[str]) -> bool:
    """ "A." for "Anna"."""
    return any(len(f) == 1 and g.startswith(f) for f in found for g in given)


def _near(found: set[str], wanted: set[str]) -> bool:
    """Every unexplained part of the file's name resembles a part of the patient's (a typing error apart)."""
    rest, open_parts = found - wanted, wanted - found
    return bool(rest) and any(_one_edit(r, o) for r in rest for o in open_parts)


def _one_edit(a: str, b: str) -> bool:
    if min(len(a), len(b)) < 3 or abs(len(a) - len(b)) > 1:
        return False
    i = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
    return a[i + 1 :] == b[i + 1 :] or a[i:] == b[i + 1 :] or a[i + 1 :] == b[i:] or _swapped(a, b, i)


def _swapped(a: str, b: str, i: int) -> bool:
    return a[i : i + 2] == b[i : i + 2][::-1] and a[i + 2 :] == b[i + 2 :]


def _run_together(found: set[str], given: set[str], family: set[str]) -> bool:
    """ "AnnaBecker" or "beckeranna" in one piece."""
    return any(g + f in found or f + g in found for g in given for f in family)


def _day(value: Any) -> date | None:
    if isinstance(value, date):
        return value
    digits = re.sub(r"\D", "", str(value or ""))[:8]
    try:
        return date.fromisoformat(digits) if len(digits) == 8 else None
    except ValueError:
        return None


def _compare_birth(found: date | None, wanted: date | None) -> str:
    if found is None or wanted is None or found.year < 1890:  # 1700-01-01 and the like stand for "unknown"
        return "missing"
    return "same" if found == wanted else "different"
