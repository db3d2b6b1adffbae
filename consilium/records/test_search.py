"""Search in the words of a case: spellings, phrases, snippets as on the page, and nothing from withheld pages."""

from uuid import uuid4

import pytest

from consilium.records import search
from consilium.records.models import Record, RecordFile, Upload
from consilium.vault import keys

pytestmark = pytest.mark.django_db


@pytest.fixture
def letter(cast):
    assert cast.anna
    space = uuid4()
    keys.create_space(space, tenant=uuid4())
    upload = Upload.objects.create(space=space, blob=uuid4(), size=1, sha256="", uploaded_by="x")
    record = Record(space=space, upload=upload, kind="letter", pages=3)
    record.title = "Arztbrief Schröder"
    record.save()
    pages = ["Die Müdigkeit nahm zu. Straße 5.", "Empfehlung: Versteifung\nL4/L5", "Naïve fusion of L4 and L5"]
    RecordFile.objects.create(
        space=space, record=record, blob=uuid4(), size=1, sha256="", media_type="", kind="pdf", text=pages
    )
    return record


def hits(record, words, pages=(0, 1, 2)):
    return [(hit.page, hit.found) for hit in search.find([record], words, lambda _r: list(pages))]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("müdigkeit", [(0, "Müdigkeit")]),
        ("MUEDIGKEIT", [(0, "Müdigkeit")]),
        ("strasse", [(0, "Straße")]),
        ("naive", [(2, "Naïve")]),
        ('"versteifung l4/l5"', [(1, "Versteifung L4/L5")]),
        ("l4 fusion", [(2, "fusion")]),
        ("fusion versteifung", []),
        ("schroder", [(-1, "Schröder")]),
        ("", []),
        ('"', []),
    ],
)
def test_words_are_found(letter, words, found):
    assert hits(letter, words) == found


def test_withheld_pages_and_titles_are_not_searched(letter):
    assert hits(letter, "versteifung", pages=(0, 2)) == []
    assert hits(letter, "schröder", pages=(0, 2)) == []
    assert hits(letter, "müdigkeit", pages=(0, 2)) == [(0, "Müdigkeit")]


def test_the_snippet_shows_the_words_around(letter):
    (hit,) = search.find([letter], "nahm", lambda _r: [0, 1, 2])
    assert hit.parts == (("Die Müdigkeit ", False), ("nahm", True), (" zu. Straße 5.", False))
