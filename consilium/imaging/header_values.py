"""Values of data elements from their bytes, by VR (PS3.5 §6.2), equal to pydicom's; what is doubtful is NotFast.

Every decoder takes (raw bytes, encodings) and returns the list of values, [] when empty; an empty one among
several is None (PS3.18 §F.2.5).
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from pydicom import charset
from pydicom.valuerep import TEXT_VR_DELIMS

Encodings = tuple[str, ...]
Decoder = Callable[[bytes, Encodings], list[Any]]
DEFAULT: Encodings = (charset.default_encoding,)


class NotFast(Exception):  # noqa: N818 - a named outcome
    """These bytes need the slow reader. `reason` "short": at least the first `needed` bytes of the file are."""

    def __init__(self, reason: str, needed: int = 0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.needed = needed


# Latin-9 (PS3.3 2023b), which pydicom does not know yet
charset.python_encoding.setdefault("ISO_IR 203", "iso8859_15")
charset.python_encoding.setdefault("ISO 2022 IR 203", "iso8859_15")
charset.CODES_TO_ENCODINGS.setdefault(b"\x1b-b", "iso8859_15")
charset.ENCODINGS_TO_CODES.setdefault("iso8859_15", b"\x1b-b")
_SIMPLIFIED_CHINESE = "\x1b$)A"  # Python's codec for ISO-IR 58 leaves the escape sequence in the text

_UI = re.compile(r"[0-9.\\]*").fullmatch
_SHORT = 160  # bytes: without exponent, a number of no more digits is finite
_DECIMAL = re.compile(r"[0-9+\-.eE\\ ]*").fullmatch
_INTEGER = re.compile(r"[0-9+\-\\ ]*").fullmatch
_ESCAPES = re.compile(rb"\x1b(?:\$[()].|..)?", re.DOTALL).findall
_EXACT_BELOW = 2**53  # beyond, an integer string no longer equals its float and pydicom changes its type


@lru_cache(maxsize=256)
def encodings_of(raw: bytes) -> Encodings:
    """Python codecs for a value of (0008,0005), PS3.3 §C.12.1.1.2. Raises NotFast on terms the standard lacks."""
    terms = raw.decode("latin-1").rstrip(" \0").split("\\")
    if any(term not in charset.python_encoding for term in terms):
        raise NotFast("charset")
    if len(terms) > 1 and any(term in charset.STAND_ALONE_ENCODINGS for term in terms):
        raise NotFast("charset")
    found = tuple(charset.convert_encodings(terms))
    if found[0] in charset.handled_encodings:  # escape sequences only: no first character set
        raise NotFast("charset")
    return found


def text_of(raw: bytes, encodings: Encodings) -> str:
    """Decoded with code extensions (PS3.5 §6.1.2.5). Raises NotFast where a character is lost."""
    if b"\x1b" not in raw:
        try:
            return raw.decode(encodings[0])
        except UnicodeError:
            raise NotFast("text") from None
    for escape in _ESCAPES(raw):
        encoding = charset.CODES_TO_ENCODINGS.get(escape)
        if encoding is None or (encoding not in encodings and encoding != charset.default_encoding):
            raise NotFast("text")
    try:
        return charset.decode_bytes(raw, encodings, TEXT_VR_DELIMS).replace(_SIMPLIFIED_CHINESE, "")
    except (ValueError, LookupError):
        raise NotFast("text") from None


def _strings(raw: bytes, _encodings: Encodings) -> list[Any]:
    """AS, CS, DA, DT, TM: the default repertoire, only the end is padding."""
    parts = raw.decode("latin-1").rstrip(" \0").split("\\")
    return parts if "" not in parts else _without_empty(parts)


def _without_empty(parts: list[str]) -> list[Any]:
    return [part or None for part in parts] if len(parts) > 1 else []


def _titles(raw: bytes, _encodings: Encodings) -> list[Any]:
    """AE: spaces at both ends are padding."""
    parts = [part.strip() or None for part in raw.decode("latin-1").split("\\")]
    return [] if parts == [None] else parts


def _uids(raw: bytes, _encodings: Encodings) -> list[Any]:
    one = raw.rstrip(b"\0 ")
    if one.translate(None, b".").isdigit():
        return [one.decode("ascii")]
    text = raw.decode("latin-1").rstrip(" \0")
    if not text:
        return []
    if not _UI(text):
        raise NotFast("value")
    return [part or None for part in text.split("\\")] if "\\" in text else [text]


def _decimals(raw: bytes, _encodings: Encodings) -> list[Any]:
    known = _DECIMALS_SEEN.get(raw)
    if known is not None:
        return [*known]
    found = _read_decimals(raw)
    if len(raw) < _SHORT:
        if len(_DECIMALS_SEEN) >= 2048:
            _DECIMALS_SEEN.clear()
        _DECIMALS_SEEN[raw] = found[:]
    return found


_DECIMALS_SEEN: dict[bytes, list[Any]] = {}  # the slices of a series share nearly all of them


def _read_decimals(raw: bytes) -> list[Any]:
    if len(raw) < _SHORT and not raw.translate(None, b"0123456789.-\\ "):
        try:
            return [*map(float, raw.split(b"\\"))]
        except ValueError:  # an empty one among several, or nonsense: below
            pass
    text = raw.decode("latin-1").strip().rstrip(" \0")
    if not text:
        return []
    if not _DECIMAL(text):
        raise NotFast("value")
    try:
        found = [float(part) if part else None for part in text.split("\\")]
    except ValueError:
        raise NotFast("value") from None
    if not all(value is None or math.isfinite(value) for value in found):
        raise NotFast("value")
    return found


def _integers(raw: bytes, _encodings: Encodings) -> list[Any]:
    one = raw.strip(b" ")
    if len(one) < 16 and one.isdigit():
        return [int(one)]
    text = raw.decode("latin-1").rstrip(" \0")
    if not text:
        return []
    if not _INTEGER(text):
        raise NotFast("value")
    try:
        found = [int(part) if part else None for part in text.split("\\")]
    except ValueError:
        raise NotFast("value") from None
    if not all(value is None or -_EXACT_BELOW < value < _EXACT_BELOW for value in found):
        raise NotFast("value")
    return found


def _texts(raw: bytes, encodings: Encodings) -> list[Any]:
    """LO, SH, UC: several values, each padded."""
    text = raw.decode("ascii") if raw.isascii() and b"\x1b" not in raw else text_of(raw, encodings)
    if "\\" not in text:
        text = text.rstrip("\0 ")
        return [text] if text else []
    return [part.rstrip("\0 ") or None for part in text.split("\\")]


def _long_text(raw: bytes, encodings: Encodings) -> list[Any]:
    """LT, ST, UT: one value, backslashes are text."""
    text = text_of(raw, encodings).rstrip("\0 ")
    return [text] if text else []


def _address(raw: bytes, _encodings: Encodings) -> list[Any]:
    text = raw.decode("latin-1").rstrip()
    return [text] if text else []


def _names(raw: bytes, encodings: Encodings) -> list[Any]:
    """PN as "Alphabetic=Ideographic=Phonetic" without empty groups at the end."""
    text = text_of(raw.rstrip(b"\0 "), encodings)
    if "\\" not in text:
        text = text.rstrip("=")
        return [text] if text else []
    return [part.rstrip("=") or None for part in text.split("\\")]


def _tags(raw: bytes, _encodings: Encodings) -> list[Any]:
    if len(raw) % 4:
        raise NotFast("value")
    words = struct.unpack(f"<{len(raw) // 2}H", raw)
    return [f"{group:04X}{element:04X}" for group, element in zip(words[::2], words[1::2], strict=True)]


def _numbers(code: str) -> Decoder:
    size = struct.calcsize("<" + code)
    real = code in "fd"
    signed = code.islower()

    def decode(raw: bytes, _encodings: Encodings) -> list[Any]:
        if len(raw) == size and not real:
            return [int.from_bytes(raw, "little", signed=signed)]
        if len(raw) % size:
            raise NotFast("value")
        found = list(struct.unpack(f"<{len(raw) // size}{code}", raw))
        # JSON has no word for these
        return [value if math.isfinite(value) else None for value in found] if real else found

    return decode


DECODERS: dict[str, Decoder] = {
    "AE": _titles, "AS": _strings, "AT": _tags, "CS": _strings, "DA": _strings, "DS": _decimals, "DT": _strings,
    "FD": _numbers("d"), "FL": _numbers("f"), "IS": _integers, "LO": _texts, "LT": _long_text, "PN": _names,
    "SH": _texts, "SL": _numbers("l"), "SS": _numbers("h"), "ST": _long_text, "SV": _numbers("q"), "TM": _strings,
    "UC": _texts, "UI": _uids, "UL": _numbers("L"), "UR": _address, "US": _numbers("H"), "UT": _long_text,
    "UV": _numbers("Q"),
}  # fmt: skip
BINARY = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "UN"})
# PS3.5 Table 7.1-1: two reserved bytes and a length of 32 bits
LONG = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"})
EXPLICIT = frozenset(DECODERS) | BINARY | {"SQ"}
LONG_BYTES = frozenset(vr.encode() for vr in LONG)
EXPLICIT_BYTES = frozenset(vr.encode() for vr in EXPLICIT)


def person_name(value: str | None) -> dict[str, str] | None:
    """A PN value in the DICOM JSON model (PS3.18 §F.2.2): only the groups that are not empty."""
    if value is None:
        return None
    groups = zip(("Alphabetic", "Ideographic", "Phonetic"), value.split("="), strict=False)
    return {name: group for name, group in groups if group}


def attribute(vr: str, values: list[Any]) -> dict[str, Any]:
    """The DICOM JSON object of one element."""
    if not values:
        return {"vr": vr}
    return {"vr": vr, "Value": [person_name(value) for value in values] if vr == "PN" else values}
