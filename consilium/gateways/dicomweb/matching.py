"""Attribute matching of a search (PS3.18 §8.3.4, PS3.4 §C.2.2.2): single value, wildcard, range, UID list, sequence."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from consilium.gateways.dicomweb import attributes
from consilium.gateways.dicomweb.reply import Refused
from consilium.vault.blind import normalise

Test = Callable[[Any], bool]  # of one value
WILD = frozenset({"AE", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UR", "UT"})
NUMERIC = frozenset({"DS", "IS", "FL", "FD", "SL", "SS", "UL", "US", "SV", "UV"})
DIGITS = {"DA": 8, "TM": 16, "DT": 26}
LONGEST = 1024
_MOMENT = re.compile(r"[0-9.:+\-]*")


@dataclass(frozen=True)
class Key:
    """One attribute the search asks for. `path`: its tag, or the tags down to one inside sequences."""

    path: tuple[str, ...]
    test: Test | None  # None: any value will do (universal matching)

    @property
    def level(self) -> int:
        return attributes.level_of(self.path[0])


def key(name: str, text: str, *, fuzzy: bool) -> Key:
    """What one query parameter asks for. Raises Refused (400)."""
    if len(text) > LONGEST * 64:
        raise Refused(400, "A value in the search is too long.")
    path = tuple(attributes.key_of(part) for part in name.split("."))
    if not 1 <= len(path) <= 8:
        raise Refused(400, "The search goes too deep into sequences.")
    return Key(path, _test(attributes.vr_of(path[len(path) - 1]), text, fuzzy=fuzzy) if text.strip("*") else None)


def matches(key: Key, tags: dict[str, list[Any]]) -> bool:
    """Whether the header of an instance has what a key asks for."""
    if key.test is None:
        return True
    entry = tags.get(key.path[0])
    return entry is not None and _reaches(key.path[1:], entry[1], key.test)


def _reaches(path: tuple[str, ...], values: list[Any], test: Test) -> bool:
    if not path:
        return any(test(value) for value in values if value is not None)
    for item in values:
        inner = item.get(path[0]) if isinstance(item, dict) else None
        if inner is not None and _reaches(path[1:], inner.get("Value", []), test):
            return True
    return False


def _test(vr: str, text: str, *, fuzzy: bool) -> Test:
    if vr == "UI":
        listed = {part.strip() for part in re.split(r"[,\\]", text) if part.strip()}
        return lambda value: value in listed
    if vr in DIGITS:
        return _moment(text, vr)
    if vr in NUMERIC:
        return _number(text)
    if vr == "PN":
        return _name(text, fuzzy=fuzzy)
    if vr == "SQ":
        raise Refused(400, "A sequence is searched by an attribute inside it, as in Sequence.Attribute=value.")
    tests = [_text(part) for part in re.split(r"\\", text)]
    return tests[0] if len(tests) == 1 else lambda value: any(one(value) for one in tests)


def _text(text: str) -> Test:
    if "*" not in text and "?" not in text:
        wanted = text.strip()
        return lambda value: str(value).strip() == wanted
    pattern = _pattern(text)
    return lambda value: pattern(str(value)) is not None


def _pattern(text: str) -> Callable[[str], Any]:
    """`*` any characters, `?` exactly one. Nothing is tried twice: what follows a star is taken where it comes first.

    Without that (the atomic groups) a handful of stars and a long value keep the whole process busy for hours.
    """
    if len(text) > LONGEST or text.count("*") > 32:
        raise Refused(400, "This pattern is too long to search by.")
    first, *others = (_literal(part) for part in re.split(r"\*+", text))
    if not others:
        return re.compile(first, re.DOTALL).fullmatch
    *inner, last = others
    pattern = first + "".join(f"(?>.*?{part})" for part in inner if part) + f".*{last}"
    return re.compile(pattern, re.DOTALL).fullmatch


def _literal(part: str) -> str:
    return "".join("." if one == "?" else re.escape(one) for one in part)


def _number(text: str) -> Test:
    try:
        wanted = {float(part) for part in re.split(r"[,\\]", text)}
    except ValueError:
        raise Refused(400, "The search compares a number with something that is none.") from None
    return lambda value: isinstance(value, (int, float)) and float(value) in wanted


def _moment(text: str, vr: str) -> Test:
    """A date or time, or a range `from-to` open at either side (PS3.4 §C.2.2.2.5)."""
    if not _MOMENT.fullmatch(text):
        raise Refused(400, "A date is searched as YYYYMMDD, a span of dates as YYYYMMDD-YYYYMMDD.")
    low, dash, high = text.partition("-")
    if vr == "DA" and text.count("-") == 2 and len(text) == 10:  # 2024-01-31, as people write it
        low, dash, high = text.replace("-", ""), "", ""
    low, high = _digits(low), _digits(high)
    if vr == "DA" and any(part and len(part) != 8 for part in (low, high)):
        raise Refused(400, "A date is searched as YYYYMMDD, a span of dates as YYYYMMDD-YYYYMMDD.")
    if not dash:
        return lambda value: _digits(str(value)).startswith(low)
    return lambda value: _within(_digits(str(value)), low, high)


def _within(value: str, low: str, high: str) -> bool:
    """As far as the bounds are given: 10 as the upper bound of a time lasts until 10:59."""
    return bool(value) and value >= low and (not high or value[: len(high)] <= high)


def _digits(text: str) -> str:
    return text.strip().replace(".", "").replace(":", "")


def _name(text: str, *, fuzzy: bool) -> Test:
    """Case does not count; with fuzzy matching every word must begin a word of the name, marks aside."""
    if fuzzy:
        words = [normalise(word) for word in re.split(r"[\s^=*?,]+", text) if word]
        return lambda value: all(any(part.startswith(word) for part in _words(value)) for word in words)
    wild = "*" in text or "?" in text
    pattern = _pattern(text.casefold()) if wild else None
    wanted = _plain(text)

    def test(value: Any) -> bool:
        forms = [str(value), *str(value).split("=")]
        if pattern is not None:
            return any(pattern(form.casefold()) or pattern(_plain(form)) for form in forms)
        return any(_plain(form) == wanted for form in forms)

    return test


def _plain(name: str) -> str:
    return name.casefold().strip(" ^=")


def _words(name: Any) -> list[str]:
    return [normalise(word) for word in re.split(r"[\s^=,-]+", str(name)) if word]
