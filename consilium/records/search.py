"""Searching the words of one case: titles and the text of every page, also what OCR read.

The words are sealed with the case's key, so there is no index on disk: the pages of the opened case are unsealed and
searched here, a few milliseconds a hundred pages. Accents, case and the German spellings of umlauts make no
difference; every word must be on the same page; words in quotation marks must follow each other.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from consilium.records.models import Record, RecordFile

MOST_WORDS = 8
AROUND = 70  # characters shown on each side of a hit
_MARKS = re.compile("[\u0300-\u036f]+")
_EXPANDED = str.maketrans({"ß": "ss", "ø": "o", "æ": "ae", "œ": "oe", "ł": "l"})
_TERM = re.compile(r'"([^"]+)"|(\S+)')


@dataclass(frozen=True)
class Hit:
    """A page (from 0) on which every word was found, with the words around the first; page -1: the title."""

    record: Record
    page: int
    before: str
    found: str
    after: str


def terms_of(query: str) -> list[str]:
    """The folded words and phrases of a query, at most eight."""
    found = [folded(phrase or word).strip() for phrase, word in _TERM.findall(query[:200])]
    return [term for term in found if term][:MOST_WORDS]


def folded(text: str) -> str:
    """Case, accents and typographic forms removed: "Müller" → "muller", "Straße" → "strasse"."""
    plain = _MARKS.sub("", unicodedata.normalize("NFKD", text.casefold().translate(_EXPANDED)))
    return " ".join(plain.split())


def find(records: Iterable[Record], query: str, pages_of: Callable[[Record], list[int]]) -> Iterator[Hit]:
    """Hits in the order of `records`; `pages_of` says which pages of a record may be shown, and so be searched.

    The title is searched where no page is withheld: it may have been read from one.
    """
    terms = [_spellings(term) for term in terms_of(query)]
    chosen = list(records)
    if not terms:
        return
    texts = _texts(chosen)
    for record in chosen:
        allowed = set(pages_of(record))
        if len(allowed) >= max(record.pages, 1) and _on(folded(record.title), terms):
            yield Hit(record, -1, "", record.title, "")
        for page, text in texts.get(record.pk, []):
            if page in allowed and _on(folded(text), terms):
                yield Hit(record, page, *_snippet(text, terms))


def _texts(records: list[Record]) -> dict[object, list[tuple[int, str]]]:
    """The pages with words of each record, by one query."""
    found: dict[object, list[tuple[int, str]]] = {}
    files = RecordFile.objects.filter(record__in=[record.pk for record in records], frames=0)
    for file in files.only("id", "space", "record_id", "text").iterator():
        found.setdefault(file.record_id, []).extend((page, text) for page, text in enumerate(file.text) if text)
    return found


def _spellings(term: str) -> tuple[str, ...]:
    """A word as typed and with its umlauts the other way: "mueller" also finds "muller"."""
    other = term.replace("ae", "a").replace("oe", "o").replace("ue", "u")
    return (term,) if other == term else (term, other)


def _on(text: str, terms: list[tuple[str, ...]]) -> bool:
    return all(any(spelling in text for spelling in term) for term in terms)


def _snippet(text: str, terms: list[tuple[str, ...]]) -> tuple[str, str, str]:
    """The words around the first hit, as they stand on the page."""
    plain, places = _mapped(text)
    at = min((plain.find(s), s) for term in terms for s in term if s in plain)
    start, end = places[at[0]], places[min(at[0] + len(at[1]) - 1, len(places) - 1)] + 1
    before, after = text[max(0, start - AROUND) : start], text[end : end + AROUND]
    return " ".join(before.split()), " ".join(text[start:end].split()), " ".join(after.split())


def _mapped(text: str) -> tuple[str, list[int]]:
    """The folded text, and for each of its characters where it stands in the original."""
    plain: list[str] = []
    places: list[int] = []
    for index, character in enumerate(text):
        piece = " " if character.isspace() else folded(character)
        if piece == " " and (not plain or plain[-1] == " "):
            continue
        plain.extend(piece)
        places.extend([index] * len(piece))
    return "".join(plain), places
