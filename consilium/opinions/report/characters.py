"""Text of people, made safe to print: only characters our fonts can draw, and never wider than a column.

PDF/A-3 (ISO 19005-3 §6.2.11.8) and PDF/UA-1 (ISO 14289-1 §7.21.8) forbid the ".notdef" glyph, so a single emoji
would make the whole document fail. What cannot be drawn is written out in words instead of being lost.
"""

from __future__ import annotations

import re
import struct
import unicodedata
from functools import lru_cache
from pathlib import Path
from typing import Any

FONT_DIR = Path(__file__).parent / "fonts"
LONG_WORD = 26  # characters; the narrowest column takes about 30
LONG_LETTERS = 40  # words of letters alone are hyphenated by language up to this length
SHY, ZWSP = "\u00ad", "\u200b"
_INVISIBLE = frozenset("\u200c\u200d\ufe0e\ufe0f\ufeff\u2060" + SHY + ZWSP)
_BIDI_CONTROLS = frozenset("\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_BULLET = re.compile(r"^\s*[-*•–]\s+(?=\S)")


@lru_cache(maxsize=1)
def drawable() -> frozenset[int]:
    """Code points that at least one of the bundled fonts can draw."""
    return frozenset().union(*(_cmap(path.read_bytes()) for path in sorted(FONT_DIR.glob("*.ttf"))))


@lru_cache(maxsize=1)
def _base_drawable() -> frozenset[int]:
    return _cmap((FONT_DIR / "SourceSans3_400Regular.ttf").read_bytes())


def _cmap(font: bytes) -> frozenset[int]:
    """Code points of an OpenType font's ``cmap`` table (OpenType 1.9 "cmap", formats 4 and 12)."""
    tables = struct.unpack_from(">H", font, 4)[0]
    entries = (struct.unpack_from(">4sIII", font, 12 + 16 * i) for i in range(tables))
    start = next(offset for tag, _, offset, _ in entries if tag == b"cmap")
    count = struct.unpack_from(">H", font, start + 2)[0]
    points: set[int] = set()
    for i in range(count):
        at = start + struct.unpack_from(">HHI", font, start + 4 + 8 * i)[2]
        kind = struct.unpack_from(">H", font, at)[0]
        if kind == 4:
            points |= _format_4(font, at)
        elif kind == 12:
            points |= _format_12(font, at)
    return frozenset(points)


def _format_4(font: bytes, at: int) -> set[int]:
    segments = struct.unpack_from(">H", font, at + 6)[0] // 2

    def row(index: int, code: str) -> tuple[int, ...]:
        skip = 2 if index else 0  # reservedPad after endCode
        return struct.unpack_from(f">{segments}{code}", font, at + 14 + 2 * segments * index + skip)

    ends, starts, deltas, offsets = row(0, "H"), row(1, "H"), row(2, "h"), row(3, "H")
    found: set[int] = set()
    for i in range(segments):
        for point in range(starts[i], min(ends[i], 0xFFFE) + 1):
            glyph = point
            if offsets[i]:
                slot = at + 16 + 6 * segments + 2 * i + offsets[i] + 2 * (point - starts[i])
                glyph = struct.unpack_from(">H", font, slot)[0]
                if not glyph:
                    continue
            if (glyph + deltas[i]) % 65536:
                found.add(point)
    return found


def _format_12(font: bytes, at: int) -> set[int]:
    groups = struct.unpack_from(">I", font, at + 12)[0]
    found: set[int] = set()
    for i in range(groups):
        first, last, glyph = struct.unpack_from(">III", font, at + 16 + 12 * i)
        found.update(range(first if glyph else first + 1, last + 1))
    return found


def printable(text: str, *, strict: bool = False) -> str:
    """``text`` on one or more lines with every character drawable and every word breakable.

    Bidirectional controls are dropped, so that no text can change the order in which its neighbours are read.
    ``strict`` keeps only what the main font has (Latin, Greek, Cyrillic): the last resort when shaping fails.
    """
    allowed = _base_drawable() if strict else drawable()
    normal = unicodedata.normalize("NFC", text).replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ")
    kept = "".join(_one(char, allowed, strict) for char in normal)
    return re.sub(rf"[^\s]{{{LONG_WORD},}}", _breakable, kept)


def _one(char: str, allowed: frozenset[int], strict: bool) -> str:
    if char == "\n":
        return char
    if char in _BIDI_CONTROLS or char in _INVISIBLE:
        return ""
    category = unicodedata.category(char)
    if category[0] == "Z":
        return "\u00a0" if char == "\u00a0" else " "
    if category in {"Cc", "Cs", "Co", "Cn"} or (strict and category[0] == "M"):
        return ""
    if ord(char) in allowed:
        return char
    return _in_words(char, category, allowed)


def _in_words(char: str, category: str, allowed: frozenset[int]) -> str:
    if category == "So":
        return f"[{unicodedata.name(char, 'symbol').lower()}]"
    if category == "Sk" and 0x1F3FB <= ord(char) <= 0x1F3FF:  # skin tone of the emoji before it
        return ""
    plain = unicodedata.normalize("NFKD", char)
    if all(ord(part) in allowed for part in plain):
        return plain
    return "" if category[0] == "M" else f"[U+{ord(char):04X}]"


def _breakable(match: re.Match[str]) -> str:
    word = match.group()
    if word.isalpha() and len(word) <= LONG_LETTERS:
        return word
    joint = SHY if word.isalpha() else ZWSP
    return joint.join(word[i : i + 12] for i in range(0, len(word), 12))


def undrawable(text: str) -> list[str]:
    """Characters of ``text`` that the documents will write out in words, each once, in order."""
    normal = unicodedata.normalize("NFC", text)
    skip = _BIDI_CONTROLS | _INVISIBLE
    lost = (c for c in normal if ord(c) not in drawable() and c not in skip)
    return list(dict.fromkeys(c for c in lost if unicodedata.category(c)[0] not in "CZ"))


def blocks(text: str, *, strict: bool = False) -> list[dict[str, Any]]:
    """Paragraphs and plain lists of ``text``: ``{"list": False, "lines": [...]}`` in reading order.

    A blank line ends a paragraph; lines that begin with "-" or "•" become a list, as people type them.
    """
    found: list[dict[str, Any]] = []
    fresh = True
    for line in printable(text, strict=strict).split("\n"):
        if not line.strip():
            fresh = True
            continue
        bullet = _BULLET.match(line)
        if fresh or found[-1]["list"] != bool(bullet):
            found.append({"list": bool(bullet), "lines": []})
        found[-1]["lines"].append(line[bullet.end() :] if bullet else line.strip())
        fresh = False
    return found
