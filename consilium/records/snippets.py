"""Folding words for search, and the words around what was found, as they stand on the page. Pure.

Accents, case, typographic forms and white space make no difference once folded: "Müller" → "muller".
"""

import re
import unicodedata
from collections.abc import Iterator

AROUND = 90  # characters shown before the first hit, and twice as many from it on
MOST_WINDOWS = 3
_MARKS = re.compile("[\u0300-\u036f]+")
_EXPANDED = (("ß", "ss"), ("ø", "o"), ("æ", "ae"), ("œ", "oe"), ("ł", "l"))
_WORD = re.compile(r"\S+")
_SPACES = re.compile(r"\s+")

Terms = list[tuple[str, ...]]  # for each term its spellings, folded
Part = tuple[str, bool]  # words as they stand on the page, and whether they were searched for


def folded(text: str) -> str:
    """Case, accents and typographic forms removed, one space between words: "Müller" → "muller"."""
    return " ".join(_plain(text).split())


def _plain(text: str) -> str:
    if text.isascii():
        return text.lower()
    text = text.casefold()
    for letter, letters in _EXPANDED:
        text = text.replace(letter, letters)
    return _MARKS.sub("", unicodedata.normalize("NFKD", text))


def stands_on(text: str, terms: Terms) -> bool:
    """Whether each term, in one of its spellings, is part of a folded text."""
    return all(any(spelling in text for spelling in term) for term in terms)


def whole(text: str, terms: Terms) -> tuple[Part, ...]:
    """All of a short text, with every term marked."""
    return tuple(_marked(text, terms))


def around(text: str, plain: str, terms: Terms) -> tuple[Part, ...]:
    """What stands around the first hit, and around terms that stand farther off, with every term marked.

    `plain` is the folded text. Cut between words, with an ellipsis where something was left out.
    """
    windows: list[tuple[int, int]] = []
    for at, term in sorted((_first(plain, term), term) for term in terms):
        shown = [folded(text[first:last]) for first, last in windows]
        if at < 0 or len(windows) == MOST_WINDOWS or any(stands_on(one, [term]) for one in shown):
            continue
        first, last = _cuts(text, _place(text, at), AROUND // 2 if windows else AROUND)
        if windows and first <= windows[-1][1]:
            windows[-1] = (windows[-1][0], last)
        else:
            windows.append((first, last))
    return tuple(_joined(text, windows or [(0, 3 * AROUND)], terms))


def _joined(text: str, windows: list[tuple[int, int]], terms: Terms) -> Iterator[Part]:
    for first, last in windows:
        if first:
            yield "… " if first == windows[0][0] else " … ", False
        yield from _marked(text[first:last], terms)
    if windows[-1][1] < len(text.rstrip()):
        yield " …", False


def _first(plain: str, term: tuple[str, ...]) -> int:
    """Where a term stands first in a folded text; -1: nowhere."""
    return min((at for at in map(plain.find, term) if at >= 0), default=-1)


def _place(text: str, at: int) -> int:
    """Where the folded character `at` stands in the original: the folded words are counted up to it."""
    passed = 0
    for word in _WORD.finditer(text):
        piece = folded(word[0])
        if at < passed + len(piece):
            return word.start() + _mapped(word[0])[1][at - passed]
        passed += len(piece) + 1 if piece else 0
    return 0


def _cuts(text: str, start: int, width: int) -> tuple[int, int]:
    """Where to cut before and after, so that no word is cut in two (unless it is longer than what is shown)."""
    first, last = max(0, start - width), min(len(text), start + 2 * width)
    if first:
        space = _SPACES.search(text, first, start)
        first = space.end() if space else first
    if last < len(text):
        spaces = [space.start() for space in _SPACES.finditer(text, start, last)]
        last = spaces[-1] if spaces and spaces[-1] > start + width else last
    return first, last


def _marked(text: str, terms: Terms) -> Iterator[Part]:
    """The text in pieces, those that are a term marked."""
    plain, places = _mapped(text)
    end = 0
    for first, last in _spans(plain, terms):
        start = places[first]
        if text[end:start]:
            yield _SPACES.sub(" ", text[end:start]), False
        end = places[last - 1] + 1
        yield _SPACES.sub(" ", text[start:end]), True
    if text[end:]:
        yield _SPACES.sub(" ", text[end:]), False


def _spans(plain: str, terms: Terms) -> list[tuple[int, int]]:
    """Where the terms stand in a folded text, in order; what overlaps is one."""
    every = (re.finditer(re.escape(spelling), plain) for term in terms for spelling in term)
    spans: list[tuple[int, int]] = []
    for start, end in sorted(found.span() for one in every for found in one):
        if spans and start < spans[-1][1]:
            spans[-1] = (spans[-1][0], max(end, spans[-1][1]))
        else:
            spans.append((start, end))
    return spans


def _mapped(text: str) -> tuple[str, list[int]]:
    """The folded text, and for each of its characters where it stands in the original."""
    plain: list[str] = []
    places: list[int] = []
    for index, character in enumerate(text):
        for one in _plain(character):
            letter = " " if one.isspace() else one
            if letter != " " or (plain and plain[-1] != " "):
                plain.append(letter)
                places.append(index)
    return "".join(plain), places
