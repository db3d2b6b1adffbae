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
    assert all(" ".join(piece.split()) in " ".join(text.split()) for piece in shown.split(" … "))
    assert any(marked for _words, marked in parts)


def test_all_terms_are_marked_and_words_are_not_cut():
    text = "Filler words before it. " * 20 + "The nerve root at L5: nerves are free." + " And words after it." * 20
    parts = around(text, folded(text), [("nerve",), ("root",)])
    assert [words for words, marked in parts if marked] == ["nerve", "root", "nerve"]
    shown = "".join(words for words, _marked in parts)
    assert shown.startswith("… ") and shown.endswith(" …")
    assert set(shown.split()) - {"…"} <= set(text.split())
    assert len(shown) < 3 * snippets.AROUND + 10


def test_terms_that_stand_far_off_are_shown_too():
    text = "The nerve is free. " + "Words between them. " * 30 + "The root is not. " + "And more words. " * 30
    parts = around(text, folded(text), [("nerve",), ("root",)])
    assert [words for words, marked in parts if marked] == ["nerve", "root"]
    shown = "".join(words for words, _marked in parts)
    assert shown.startswith("The nerve is free.") and shown.count(" … ") == 1 and shown.endswith(" …")
    assert set(shown.split()) - {"…"} <= set(text.split())


def test_at_most_three_pieces_of_a_page():
    text = " ".join(f"{word} " + "between " * 60 for word in ("one", "two", "three", "four"))
    parts = around(text, folded(text), [("four",), ("three",), ("two",), ("one",)])
    assert [words for words, marked in parts if marked] == ["one", "two", "three"]


def test_overlapping_terms_are_one_mark():
    assert whole("Herzinsuffizienz", [("herzins",), ("insuff",)]) == (("Herzinsuff", True), ("izienz", False))


def test_a_word_longer_than_the_snippet_is_cut():
    text = "x" * 500 + "needle" + "y" * 500
    parts = around(text, folded(text), [("needle",)])
    assert [words for words, marked in parts if marked] == ["needle"]
    assert sum(len(words) for words, _marked in parts) < 3 * snippets.AROUND + 10
