"""Numbers as laboratory sheets print them: decimal comma or point, thousands, and what a page makes of them."""

from __future__ import annotations

import re

_CERTAIN = re.compile(r"(?<![\d.,])(?:0([.,])\d{1,4}|\d{1,4}([.,])(?:\d\d?|\d{4}))(?![\d.,]|[.,]\d)")
_DATE = re.compile(r"\d{1,2}\.\s?\d{1,2}\.\s?(?:\d{4}|\d\d)|\d{4}-\d\d-\d\d|\d{1,2}:\d\d|1[.,]73")
NUMBER = re.compile(r"\d{1,3}(?:[.,']\d{3})+(?:[.,]\d{1,3})?(?![\d])|\d{1,7}(?:[.,]\d{1,4})?(?![\d])")


def decimal_sign(lines: list[str]) -> str:
    """The decimal sign of a page, from the numbers that allow one reading only ("11,2"); "" when unknown or mixed."""
    seen = {",": 0, ".": 0}
    for line in lines:
        for match in _CERTAIN.finditer(_DATE.sub(" ", line)):
            seen[match[1] or match[2]] += 1
    if seen[","] and not seen["."]:
        return ","
    if seen["."] and not seen[","]:
        return "."
    return ""


def value_of(text: str, decimal: str) -> float | None:
    """The number a text means; None when it can be read in two ways ("1.234" on a page that gives no hint)."""
    text = text.replace("'", "")
    marks = [char for char in text if char in ".,"]
    if not marks:
        return float(text)
    if len(set(marks)) == 2:
        return _both(text, marks)
    sign = marks[0]
    if len(marks) > 1:  # thousands, repeated
        return (
            float(text.replace(sign, "")) if re.fullmatch(r"\d{1,3}(?:[.,]\d{3})+", text) and sign != decimal else None
        )
    whole, part = text.split(sign)
    if len(part) != 3 or whole.strip("0") == "" or len(whole) > 3:
        return float(f"{whole}.{part}") if decimal in ("", sign) or whole == "0" else None
    if not decimal:
        return None
    return float(f"{whole}.{part}") if sign == decimal else float(whole + part)


def _both(text: str, marks: list[str]) -> float | None:
    """Thousands and decimals: "1.234,5" or "1,234.5"."""
    last = marks[-1]
    other = "," if last == "." else "."
    if marks.count(last) != 1 or not re.fullmatch(r"\d{1,3}(?:[.,]\d{3})+[.,]\d{1,3}", text):
        return None
    return float(text.replace(other, "").replace(last, "."))
