"""Searching the words of one case: titles and the text of every page, also what OCR read.

The words are sealed with the case's key, so there is no index on disk: the pages of the opened case are unsealed and
searched here; their folded words stay in memory for the next search (vault/recent.py). Accents, case and the German
spellings of umlauts make no difference; every word must be on the same page; words in quotation marks must follow
each other.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from uuid import UUID

from consilium.records.models import Record, RecordFile
from consilium.records.snippets import Part, Terms, around, folded, stands_on, whole
from consilium.vault import columns

MOST_WORDS = 8
_TERM = re.compile(r'"([^"]+)"|(\S+)')


@dataclass(frozen=True)
class Hit:
    """A page (from 0) on which every word was found, with the words around the first; page -1: the title."""

    record: Record
    page: int
    parts: tuple[Part, ...]

    @property
    def found(self) -> str:
        """The first searched word as it is written there."""
        return next((text for text, marked in self.parts if marked), "")


@dataclass(frozen=True)
class _Place:
    """A page on which every term stands; without a file: the title."""

    record: Record
    plain: str  # its folded words
    file: UUID | None = None
    page: int = -1


def terms_of(query: str) -> list[str]:
    """The folded words and phrases of a query, at most eight."""
    found = [folded(phrase or word) for phrase, word in _TERM.findall(query[:200])]
    return [term for term in found if term][:MOST_WORDS]


def find(
    records: Iterable[Record], query: str, pages_of: Callable[[Record], list[int]], *, most: int | None = None
) -> list[Hit]:
    """At most `most` hits in the order of `records`, which are of one case.

    `pages_of` says which pages of a record may be shown, and so be searched. The title is searched where no page is
    withheld: it may have been read from one. Two queries, three when pages have to be opened first.
    """
    terms = [_spellings(term) for term in terms_of(query)]
    chosen = list(records)
    if not terms or not chosen:
        return []
    places = list(islice(_places(chosen, terms, pages_of), most))
    texts = _originals(chosen[0].space, {place.file for place in places if place.file})
    return [Hit(place.record, place.page, _shown(place, texts, terms)) for place in places]


def _places(records: Sequence[Record], terms: Terms, pages_of: Callable[[Record], list[int]]) -> Iterator[_Place]:
    space = records[0].space
    titles = columns.texts_of(records, "title", space, shape=_folded_title, purpose="folded")
    files = _files(space, records)
    for record in records:
        allowed = pages_of(record)
        title = titles[record.pk][0]
        if len(allowed) >= max(record.pages, 1) and stands_on(title, terms):
            yield _Place(record, title)
        for file, pages in files.get(record.pk, ()):
            for page in allowed:
                if page < len(pages) and stands_on(pages[page], terms):
                    yield _Place(record, pages[page], file, page)


def _files(space: UUID, records: Sequence[Record]) -> dict[UUID, list[tuple[UUID, tuple[str, ...]]]]:
    """Record → its files in their order, each with the folded words of its pages."""
    chosen = {record.pk for record in records}
    rows = RecordFile.objects.filter(space=space, frames=0).annotate(salt=columns.salt("text"))
    owners = {file: (record, bytes(salt)) for file, record, salt in rows.values_list("pk", "record", "salt")}
    salts = {file: salt for file, (record, salt) in owners.items() if record in chosen}
    pages = columns.texts_by_salt(RecordFile, "text", space, salts, shape=_folded_pages, purpose="folded")
    found: dict[UUID, list[tuple[UUID, tuple[str, ...]]]] = {}
    for file in salts:
        found.setdefault(owners[file][0], []).append((file, pages.get(file, ())))
    return found


def _folded_pages(texts: list[str]) -> tuple[str, ...]:
    return tuple(map(folded, texts))


def _folded_title(title: str) -> tuple[str, ...]:
    return (folded(title),)


def _originals(space: UUID, files: set[UUID]) -> dict[UUID, list[str]]:
    """The pages of these files as they were read."""
    unsealed = columns.field_of(RecordFile, "text").opener(space)
    rows = RecordFile.objects.filter(pk__in=files).values_list("pk", "text")
    return {file: unsealed(file, sealed) for file, sealed in rows.iterator()}


def _shown(place: _Place, texts: dict[UUID, list[str]], terms: Terms) -> tuple[Part, ...]:
    if place.file is None:
        return whole(place.record.title, terms)
    return around(texts[place.file][place.page], place.plain, terms)


def _spellings(term: str) -> tuple[str, ...]:
    """A word as typed and with its umlauts the other way: "mueller" also finds "muller"."""
    other = term.replace("ae", "a").replace("oe", "o").replace("ue", "u")
    return (term,) if other == term else (term, other)
