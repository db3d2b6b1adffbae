"""Synthetic letters, findings and laboratory sheets as PDF, set on the paper of invented hospitals.

Every document carries a line that says so. The same data give the same bytes.
"""

from __future__ import annotations

import io
import json
import random
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

TEMPLATES = Path(__file__).parent / "templates"
FONTS = Path(__file__).parents[1] / "opinions" / "report" / "fonts"
FIXED_TIME = 1_700_000_000
"""Seconds since 1970 written into every PDF, so that two runs give the same file."""

DEFAULTS: dict[str, Any] = {
    "to": [],
    "facts": [],
    "sections": [],
    "medication": [],
    "medication-title": "",
    "table": [],
    "copy": "",
    "greeting": "",
    "closing": "",
    "values": [],
    "header": [],
    "remark": "",
}
LAB_HEADER = {
    "en": ["Test", "Result", "Unit", "Reference", "Previous"],
    "de": ["Untersuchung", "Ergebnis", "Einheit", "Referenzbereich", "Vorwert"],
}


@cache
def houses() -> dict[str, dict[str, Any]]:
    """The invented hospitals by key."""
    return tomllib.loads((TEMPLATES.parent / "houses.toml").read_text(encoding="utf-8"))


def pdf(template: str, data: dict[str, Any]) -> bytes:
    """The document as PDF. ``template``: "letter", "report" or "laboratory"; ``data`` as the template reads it."""
    return _compile(template, data, {"format": "pdf", "timestamp": FIXED_TIME})[0]


def page_png(template: str, data: dict[str, Any], ppi: float = 130) -> bytes:
    """The first page as PNG: what a phone would photograph."""
    return _compile(template, data, {"format": "png", "ppi": ppi})[0]


def encrypted(plain: bytes, password: str = "geheim") -> bytes:  # noqa: S107  # the demo says it aloud
    """The same PDF, unreadable without ``password``: for the demonstration of the flag."""
    import pikepdf

    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(plain)) as document:
        document.save(out, encryption=pikepdf.Encryption(owner=password, user=password, R=6))
    return out.getvalue()


def complete(data: dict[str, Any], seed: str) -> dict[str, Any]:
    """Fill what the templates expect: the letterhead, empty parts, the signature's strokes."""
    filled = DEFAULTS | data
    filled["house"] = houses()[filled["house"]]
    filled["header"] = LAB_HEADER[filled["language"]]
    filled["values"] = [_lab_row(row) for row in filled["values"]]
    filled["signature"] = _strokes(seed + str(filled.get("signed", "")))
    return filled


def _compile(template: str, data: dict[str, Any], options: dict[str, Any]) -> list[bytes]:
    import typst

    made = typst.compile(
        str(TEMPLATES / f"{template}.typ"),
        root=str(TEMPLATES),
        font_paths=[str(FONTS)],
        ignore_system_fonts=True,
        sys_inputs={"data": json.dumps(data, ensure_ascii=False)},
        **options,
    )
    return made if isinstance(made, list) else [made]


def _lab_row(row: list[str]) -> dict[str, str]:
    """One value as the sheet prints it: [group] or [name, value, unit, range, previous, flag]."""
    keys = ("name", "value", "unit", "range", "before", "flag")
    if len(row) == 1:
        return dict.fromkeys(keys, "") | {"group": row[0]}
    return dict(zip(keys, [*row, "", ""], strict=False)) | {"group": ""}


def _strokes(seed: str) -> list[list[float]]:
    """A pen's path: a start point, then cubic segments of six numbers, in millimetres."""
    dice = random.Random(seed)  # noqa: S311  # a drawing, not a secret
    x, y = 1.0, 8.0
    path: list[list[float]] = [[x, y]]
    for step in range(9):
        reach, lift = dice.uniform(1.8, 5.2), dice.uniform(2.5, 7.5) if step % 3 == 0 else dice.uniform(0.6, 2.6)
        end = (min(x + reach, 40.0), 8.0 + dice.uniform(-1.2, 1.0))
        path.append([x + reach * 0.9, y - lift, x + reach * 0.05, y - lift * dice.uniform(-0.8, 0.6), *end])
        x, y = end
    path.append([x + 4, y - 2, x - 22, y + 5.5, min(x + 3, 41), y + 1.2])
    return path
