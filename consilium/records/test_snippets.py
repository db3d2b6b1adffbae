"""Folding, and the words around a hit: marked as they stand on the page, cut between words."""

import random

import pytest

from consilium.records import snippets
from consilium.records.snippets import around, folded, whole

# what trips a search that counts characters: expanding letters, spaces that folding makes, marks, wide spaces
ODD = [
    "Straße",
    "´",
    "a´b",
    "¨",
    "ﬁbrin",
    "½",
    "\u00a0",
    "\u2003",
    "é",
    "e\u0301",
    "İ",
    "Ω",
    "ø",
    "\n\n",
    "\t",
    " ",
    "L4/L5",
    "Ⅳ",
]


def text_of(seed):
    chosen = random.Random(seed)
    return "".join(chosen.choice([*ODD, "nerve", "root ", " pain"]) for _ in range(60))


@pytest.mark.parametrize("seed", range(40))
def test_every_folded_character_is_found_in_the_original(seed):
    text = text_of(seed)
    plain = folded(text)
    for at in range(0, len(plain), 7):
        if plain[at] != " ":
            assert plain[at] in folded(text[snippets._place(text, at)]), (at, plain[at])
    assert " ".join(snippets._mapped(text)[0].split()) == plain


@pytest.mark.parametrize("seed", range(40))
def test_a_snippet_is_what_stands_on_the_page(seed):
    text = text_of(seed)
    plain = folded(text)
    term = plain[20:30].strip()
    parts = around(text, plain, [(term,)])
    shown = "".join(words for words, _marked in parts).removeprefix("… ").removesuffix(" …")
    assert " ".join(shown.split()) in " ".join(text.split())
    assert any(marked for _words, marked in parts)


def test_all_terms_are_marked_and_words_are_not_cut():
    text = "Filler words before it. " * 20 + "The nerve root at L5: nerves are free." + " And words after it." * 20
    parts = around(text, folded(text), [("nerve",), ("root",)])
    assert [words for words, marked in parts if marked] == ["nerve", "root", "nerve"]
    shown = "".join(words for words, _marked in parts)
    assert shown.startswith("… ") and shown.endswith(" …")
    assert set(shown.split()) - {"…"} <= set(text.split())
    assert len(shown) < 3 * snippets.AROUND + 10


def test_overlapping_terms_are_one_mark():
    assert whole("Herzinsuffizienz", [("herzins",), ("insuff",)]) == (("Herzinsuff", True), ("izienz", False))


def test_a_word_longer_than_the_snippet_is_cut():
    text = "x" * 500 + "needle" + "y" * 500
    parts = around(text, folded(text), [("needle",)])
    assert [words for words, marked in parts if marked] == ["needle"]
    assert sum(len(words) for words, _marked in parts) < 3 * snippets.AROUND + 10
