"""The rest of a laboratory row, after the name, as tokens: numbers, limits, ranges, units, flags, words."""

from __future__ import annotations

import re
from dataclasses import dataclass

from consilium.records import units
from consilium.records.extract.lab_numbers import NUMBER, value_of

MAX_TOKENS = 40
_FLAGS = frozenset(
    {"H", "L", "HH", "LL", "N", "A", "*", "**", "!", "!!", "+", "++", "+++", "-", "--", "---", "↑", "↑↑", "↓", "↓↓",
     "▲", "▼", "(H)", "(L)", "(+)", "(-)", "[H]", "[L]", "*H", "*L", "H*", "L*",
     "+*", "-*", "*+", "*-"}
)  # fmt: skip
_FLAG_WORDS = frozenset({"hoch", "niedrig", "high", "low", "normal", "erhöht", "erniedrigt"})
_LIMITS = {"<": "<", ">": ">", "≤": "<=", "≥": ">=", "<=": "<=", ">=": ">=", "=<": "<=", "=>": ">=", "bis": "<=",
           "unter": "<", "über": ">", "ab": ">=", "up to": "<=", "below": "<", "above": ">", "kleiner": "<",
           "größer": ">"}  # fmt: skip
_LIMIT = re.compile(r"(<=|>=|=<|=>|<|>|≤|≥|bis|unter|über|ab|up to|below|above|kleiner|größer) ?(?=\d)", re.I)
_DASH = re.compile(r"(?: ?- ?| bis | to |\.\.\.? ?)(?=\d)")
_OPEN = re.compile(r"[(\[] ?(?=[\d<>≤≥])")
_FILLERS = frozenset(
    {"|", ":", "=", ";", "(", ")", "[", "]", "ref", "ref.", "ref.:", "ref:", "norm:", "normal:", "referenz:",
     "reference:", "range:"}
)  # fmt: skip
MAX_UNIT_WORDS = 3


@dataclass(frozen=True)
class Token:
    """`kind`: number, limit (a number behind a comparator), range, unit, flag, word. `text` as printed."""

    kind: str
    text: str
    value: float = 0
    comparator: str = ""
    low: float | None = None
    high: float | None = None


def tokens(rest: str, decimal: str, *, signed: bool = False) -> list[Token] | None:
    """The tokens of a row; None when a number in it can be read in two ways. signed: negative values exist."""
    found: list[Token] = []
    at = 0
    while at < len(rest):
        if rest[at] in " |:;=" or (rest[at] in "()[]," and not found_flag(rest, at)):
            at += 1
            continue
        step = _number(rest, at, decimal, signed) or _unit(rest, at) or _word(rest, at)
        if step is None or len(found) >= MAX_TOKENS:
            return None
        token, at = step
        if token.kind != "filler":
            found.append(token)
    return found


def found_flag(rest: str, at: int) -> bool:
    """Whether a bracket opens a flag like (H)."""
    return rest[at : at + 3] in _FLAGS


def _number(rest: str, at: int, decimal: str, signed: bool) -> tuple[Token, int] | None:
    """A number, a limit or a range from `at`; raises nothing, gives a word for a number that is unclear."""
    limit = _LIMIT.match(rest, at)
    start = limit.end() if limit else at
    sign = 1.0
    if not limit and rest[start : start + 1] in "+-" and rest[start + 1 : start + 2].isdigit():
        if rest[start] == "-" and not signed:
            return Token("word", rest[start : start + 8]), len(rest)
        if rest[start] == "+" and not signed:
            return Token("flag", "+"), start + 1
        sign, start = -1.0 if rest[start] == "-" else 1.0, start + 1
    first = NUMBER.match(rest, start)
    if first is None or not _ends(rest, first.end()):
        return None
    low = value_of(first[0], decimal)
    if low is None:
        return Token("word", first[0]), first.end()
    if limit:
        return Token("limit", rest[at : first.end()], value=low, comparator=_LIMITS[limit[1].casefold()]), first.end()
    printed = f"-{first[0]}" if sign < 0 else first[0]
    whole = _range(rest, first, printed, sign * low, decimal)
    return whole or (Token("number", printed, value=sign * low), first.end())


def _range(rest: str, first: re.Match[str], printed: str, low: float, decimal: str) -> tuple[Token, int] | None:
    dash = _DASH.match(rest, first.end())
    second = NUMBER.match(rest, dash.end()) if dash else None
    if dash is None or second is None:
        return None
    high = value_of(second[0], decimal)
    third = _DASH.match(rest, second.end())
    if third is not None:
        # "11,2 - 12,0-16,0": a value, the flag "-" and a range; anything else of three numbers is no range ("1-0-1")
        if dash[0].strip() == "-" and dash[0] != "-" and third[0] == "-":
            return Token("number", printed, value=low), first.end()
        return Token("word", "?"), len(rest)
    if high is None or high <= low or not _ends(rest, second.end()):
        return Token("word", "?"), second.end()
    return Token("range", f"{printed} - {second[0]}", low=low, high=high), second.end()


def _ends(rest: str, end: int) -> bool:
    """A number ends at a space or a mark; "12h" and "3x" are none, "11,2g/dl" is one."""
    after = rest[end : end + 1]
    if not after or after in " |)];:*+-!%↑↓▲▼/µ":
        return True
    word = re.match(r"[^\s|;)\]]{1,20}", rest[end:])
    return word is not None and "/" in word[0] and units.ucum(word[0]) != ""


def _unit(rest: str, at: int) -> tuple[Token, int] | None:
    """The longest known unit from `at`, over up to three words ("mg/l FEU", "10^9 / l")."""
    ends = [match.end() for match in re.finditer(r"[^\s|;]+", rest[at : at + 40])][:MAX_UNIT_WORDS]
    for end in reversed(ends):
        text = rest[at : at + end]
        bare = text.rstrip("),]:") if not text.startswith(("(", "[")) else text.strip("()[],:")
        if bare and units.ucum(bare) and bare not in ("1", "d", "m", "g", "U", "L", "l", "h", "min"):
            return Token("unit", bare), at + end
    return None


def _word(rest: str, at: int) -> tuple[Token, int]:
    match = re.compile(r"[^\s|;]+").match(rest, at)
    text = match[0] if match else rest[at]
    end = match.end() if match else at + 1
    bare = text.strip("[]()") if text.strip("[]()") in _FLAGS else text
    if bare.casefold() in _FLAG_WORDS:
        return Token("flag", bare.casefold()), end
    if bare in _FLAGS:
        return Token("flag", bare.strip("*()[]") or "*"), end
    if text.casefold() in _FILLERS:
        return Token("filler", text), end
    return Token("word", text), end
