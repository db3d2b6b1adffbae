"""The vocabulary of German and English laboratory sheets: qualifiers, specimens, heads of columns, flags."""

from __future__ import annotations

import re

from consilium.records import analytes

# Words between a name and its value that change nothing about what was measured.
QUALIFIERS = frozenset(
    {
        "im", "i", "in", "serum", "plasma", "vollblut", "blut", "blood", "quant", "quantitativ", "gesamt", "total",
        "ges", "basal", "nuchtern", "fasting", "hs", "enzymatisch", "enzym", "jaffe", "photometrisch", "ifcc", "ngsp",
        "dcct", "idms", "ckd-epi", "mdrd", "hplc", "naf", "edta", "citrat", "heparin", "s", "p", "b", "hp", "eclia",
        "clia", "automatisch", "maschinell", "kapillar", "venos",
    }
)  # fmt: skip
OTHER_SPECIMEN = re.compile(
    r"\b(?:im |i\.? ?u\b|spontan|sammel|24-?h-?)?"
    r"(urine|urin|harn(?!stoff|s(?:ä|ae|a)ure)|liquor|csf|stuhl|stool|punktat|aszites|ascites)",
    re.I,
)
BLOOD = re.compile(
    r"\b(blutbild|serum|klinische chemie|h(?:ä|ae)matologie|h(?:a|ae)matology|gerinnung|coagulation|blut|blood|"
    r"chemistry|elektrolyte|electrolytes|leberwerte|nierenwerte|lipid|hormone|schilddr)",
    re.I,
)
HIGH = frozenset({"H", "HH", "+", "++", "+++", "↑", "↑↑", "▲", "hoch", "high", "erhöht"})
LOW = frozenset({"L", "LL", "-", "--", "---", "↓", "↓↓", "▼", "niedrig", "low", "erniedrigt"})
_RESULT = frozenset(
    {"ergebnis", "wert", "resultat", "result", "value", "messwert", "ergebnisse", "results", "befund", "values"}
)
_EARLIER = frozenset({"vorwert", "vorwerte", "vorbefund", "vorergebnis", "previous", "prior"})
_OTHERS = frozenset(
    {
        "einheit", "unit", "units", "referenzbereich", "referenz", "reference", "normalbereich", "normbereich",
        "normwert", "normwerte", "range", "parameter", "analyse", "test", "untersuchung", "component", *_EARLIER,
    }
)  # fmt: skip
_LOWER, _UPPER = frozenset({"von", "min", "lower", "untere"}), frozenset({"bis", "max", "upper", "obere"})


def _words(line: str) -> list[str]:
    return re.findall(r"[a-z]+", analytes.fold(line))


def qualifies(word: str) -> bool:
    """Whether a printed word ("i.S.", "(Jaffé)") only says how or in what was measured."""
    return set(analytes.fold(word.strip("(),:|")).split()) <= QUALIFIERS


def heads_columns(line: str) -> bool:
    """Whether a line names the columns of a table of results."""
    found = set(_words(line)) if len(line) < 200 else set()
    return bool(found & _RESULT and found & _OTHERS)


def columns(line: str) -> tuple[bool, bool, bool]:
    """(a column of earlier values, columns for both bounds, earlier values stand before the result)."""
    found = _words(line)
    result = next((index for index, word in enumerate(found) if word in _RESULT), 0)
    earlier = next((index for index, word in enumerate(found) if word in _EARLIER), -1)
    return earlier > result, bool(_LOWER & set(found) and _UPPER & set(found)), 0 <= earlier < result
