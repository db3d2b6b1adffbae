"""The words on a picture, by tesseract: our own picture in, words with their places out, nothing on disk."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import groupby
from pathlib import Path

from django.conf import settings

PAGE_SECONDS = 90.0
MEMORY = 1024 * 2**20
MOST_OUTPUT = 8 * 2**20
_ROOT = Path(__file__).resolve().parents[2]


class NotRead(Exception):  # noqa: N818 - a named outcome
    """This page gave nothing: too slow, too large, or the program ended early."""


@dataclass(frozen=True)
class Words:
    """The text of a page, row by row, and how sure tesseract is (0 to 100, weighted by length)."""

    text: str
    confidence: int = 0


@dataclass
class _Line:
    left: int
    top: int
    right: int
    bottom: int
    block: int
    words: list[str] = field(default_factory=list)
    confidences: list[float] = field(default_factory=list)


def program() -> str | None:
    """The path of tesseract, or None where it is not installed or switched off."""
    return shutil.which(settings.TESSERACT) if settings.TESSERACT else None


def languages() -> set[str]:
    """The languages that are installed, by tesseract's names ("deu", "osd", …)."""
    path = program()
    return set(_languages(path)) if path else set()


@lru_cache(maxsize=4)
def _languages(path: str) -> tuple[str, ...]:
    try:
        listed = subprocess.run(
            [path, "--list-langs"], capture_output=True, timeout=20, check=False, env=_environment()
        )
    except (OSError, subprocess.TimeoutExpired):
        return ()
    return tuple(line.strip() for line in listed.stdout.decode("utf-8", "replace").splitlines()[1:] if line.strip())


def read(png: bytes, wanted: list[str]) -> Words:
    """The words of one upright page in these languages. Raises NotRead."""
    there = [one for one in wanted if one in languages()]
    if not there:
        raise NotRead
    table = _run(png, ["-l", "+".join(there), "--psm", "3", "tsv"])
    return _composed(list(_lines(table)))


def look(png: bytes) -> tuple[str, int]:
    """(script, degrees by which to turn it clockwise): "Latin", "Arabic", "Cyrillic", …; ("", 0) when unsure."""
    if "osd" not in languages():
        return "", 0
    try:
        said = _run(png, ["-l", "osd", "--psm", "0"])
    except NotRead:
        return "", 0
    found = dict(re.findall(r"^([A-Z][\w ]+): (\S+)$", said, re.MULTILINE))
    sure = float(found.get("Orientation confidence", "0"))
    turn = int(found.get("Rotate", "0")) if sure >= 3 else 0
    return found.get("Script", ""), turn if turn in (90, 180, 270) else 0


def _run(png: bytes, arguments: list[str]) -> str:
    path = program()
    if path is None:
        raise NotRead
    command = [
        sys.executable, "-s", "-m", "consilium.records.sandbox.program", str(MEMORY), str(int(PAGE_SECONDS)), path,
        "stdin", "stdout", "--dpi", "300", *arguments,
    ]  # fmt: skip
    try:
        done = subprocess.run(
            command, input=png, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=PAGE_SECONDS,
            env=_environment(), cwd="/", check=False,
        )  # fmt: skip
    except (subprocess.TimeoutExpired, BrokenPipeError):
        raise NotRead from None
    if done.returncode or len(done.stdout) > MOST_OUTPUT:
        raise NotRead
    return done.stdout.decode("utf-8", "replace")


def _environment() -> dict[str, str]:
    """No keys, no addresses; one thread (several are nine times slower on a page)."""
    kept = {name: os.environ[name] for name in ("TESSDATA_PREFIX",) if name in os.environ}
    fixed = {"LANG": "C.UTF-8", "OMP_THREAD_LIMIT": "1", "PYTHONPATH": str(_ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    return {**fixed, **kept}


def _lines(table: str) -> Iterator[_Line]:
    """tesseract's TSV: level, page, block, paragraph, line, word, left, top, width, height, confidence, text."""
    rows = (row.split("\t") for row in table.splitlines()[1:])
    words = [row for row in rows if len(row) == 12 and row[0] == "5" and row[11].strip()]
    for _place, group in groupby(words, key=lambda row: tuple(row[1:5])):
        line: _Line | None = None
        for row in group:
            left, top, width, height = (int(number) for number in row[6:10])
            if line is None:
                line = _Line(left, top, left + width, top + height, int(row[2]))
            line.left, line.top = min(line.left, left), min(line.top, top)
            line.right, line.bottom = max(line.right, left + width), max(line.bottom, top + height)
            line.words.append(row[11])
            line.confidences.append(float(row[10]))
        if line is not None:
            yield line


def _composed(lines: list[_Line]) -> Words:
    """The lines in reading order; cells of a table that stand beside each other become one row."""
    rows: list[list[_Line]] = []
    for line in lines:
        row = next((row for row in reversed(rows[-40:]) if _beside(row, line)), None)
        if row is None:
            rows.append([line])
        else:
            row.append(line)
    text = "\n".join(_row_text(row) for row in rows)
    weights = [(len(word), sure) for line in lines for word, sure in zip(line.words, line.confidences, strict=True)]
    total = sum(weight for weight, _sure in weights)
    return Words(text, round(sum(weight * sure for weight, sure in weights) / total) if total else 0)


def _beside(row: list[_Line], line: _Line) -> bool:
    """Whether a line is a further cell of a row: the same height, another column, and short like cells are."""
    if row[0].block == line.block or any(one.left < line.right and line.left < one.right for one in row):
        return False
    overlap = min(row[0].bottom, line.bottom) - max(row[0].top, line.top)
    level = overlap * 2 > min(row[0].bottom - row[0].top, line.bottom - line.top)
    return level and min(len(line.words), *(len(one.words) for one in row)) <= 4


def _row_text(row: list[_Line]) -> str:
    rightwards = sum(char >= "\u0590" and char <= "\u08ff" for line in row for word in line.words for char in word)
    ordered = sorted(
        row, key=lambda line: line.left, reverse=rightwards > sum(len(w) for line in row for w in line.words) // 2
    )
    return "   ".join(" ".join(line.words) for line in ordered)
