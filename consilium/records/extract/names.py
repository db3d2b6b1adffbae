"""Names of members of archives: in which encoding they were written, and a form that can do no harm."""

from __future__ import annotations

import re
import unicodedata

_UNSAFE = re.compile(r'[\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff<>:"|?*]')
_LONGEST_PART, _MOST_PARTS = 120, 12
# Single bytes first (they always decode), then East Asia; each is believed only when everything becomes a letter.
_ENCODINGS = ("cp437", "cp850", "cp1252", "shift_jis", "gb18030")
_CAPITAL_INSIDE = re.compile(r"[a-zß-ÿ][À-Þ](?![A-ZÀ-Þ])")  # "rÚsumÚ" is Latin-1 read as cp850


def decoded(raw: bytes) -> str:
    """The likeliest reading of a name whose encoding nobody wrote down; never fails."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        pass
    for encoding in _ENCODINGS:
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        if all(_is_wordy(char) for char in text if char > "\x7f") and not _CAPITAL_INSIDE.search(text):
            return text
    return raw.decode("cp437")


def _is_wordy(char: str) -> bool:
    """A letter as names have them: no Greek sign of a DOS table, no half-width kana, no raised letter."""
    category, code = unicodedata.category(char), ord(char)
    if 0x0370 <= code <= 0x03FF or 0xFF61 <= code <= 0xFF9F or char in "ªºƒµ":
        return False
    return category in ("Lu", "Ll", "Lo") or (category == "Lm" and code > 0x3000)


def safe_name(raw: str) -> tuple[str, bool]:
    """(a relative name without tricks, whether it had any): no root, no drive, no "..", no control characters."""
    text = unicodedata.normalize("NFC", raw).replace("\\", "/")
    parts = [p for p in text.split("/") if p not in ("", ".")]
    kept = [_UNSAFE.sub("_", p)[:_LONGEST_PART] for p in parts]
    kept = [p for p in kept if p != ".."]
    unsafe = raw.startswith(("/", "\\")) or ".." in parts or kept != [p[:_LONGEST_PART] for p in parts]
    return "/".join(kept[-_MOST_PARTS:]) or "file", unsafe
