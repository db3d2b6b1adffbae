"""Readability against hand-computed values, and the tone list."""

import pytest

from consilium.opinions.report import readability, tone


def test_flesch_of_a_counted_text():
    """Two sentences, ten words, ten syllables: 206.835 - 1.015·5 - 84.6·1 = 117.2, shown as 100."""
    reading = readability.measure("The cat sat on it. The dog ran to it.", "en")
    assert (reading.words, reading.sentences, reading.ease) == (10, 2, 100.0)


def test_amstad_of_a_counted_text():
    """One sentence, four words, seven syllables (Die 1, Ban-de 2, ist 1, rei-ßend 2 + …): counted by hand."""
    words = ["Die", "Sonne", "scheint", "heute"]
    counts = [readability.syllables(word, "de") for word in words]
    assert counts == [1, 2, 1, 2]
    expected = round(min(100.0, 180 - 4 - 58.5 * 6 / 4), 1)
    assert readability.measure("Die Sonne scheint heute.", "de").ease == expected


@pytest.mark.parametrize(
    ("word", "count"), [("cake", 1), ("table", 2), ("operation", 4), ("exercise", 3), ("walked", 1)]
)
def test_english_syllables(word, count):
    assert readability.syllables(word, "en") == count


@pytest.mark.parametrize(("word", "count"), [("Bandscheibe", 3), ("Operation", 4), ("heute", 2), ("Übelkeit", 3)])
def test_german_syllables(word, count):
    assert abs(readability.syllables(word, "de") - count) <= 1


def test_hard_text_is_hard_and_says_where():
    hard = (
        "The intervertebral degeneration necessitates multidisciplinary evaluation and consideration of alternatives "
        * 3
    )
    reading = readability.measure(hard + ".", "en")
    assert not reading.readable and reading.hints
    easy = readability.measure(
        "Your disc is worn. It is not dangerous. You can wait. Please do your exercises now.", "en"
    )
    assert easy.readable and easy.ease > reading.ease


def test_german_has_a_school_grade_and_english_has_none():
    assert readability.measure("Ihr Knie ist innen abgenutzt. Das tut weh.", "de").school_grade is not None
    assert readability.measure("Your knee is worn.", "en").school_grade is None


def test_empty_text_is_readable():
    assert readability.measure("  ", "en").readable


@pytest.mark.parametrize(
    ("language", "text", "found"),
    [
        ("en", "You failed the therapy.", ["You failed"]),
        ("en", "This is definitely right.", ["definitely"]),
        ("en", "You can wait.", []),
        ("de", "Das war eine Fehldiagnose.", ["Fehldiagnose"]),
        ("de", "Sie können warten.", []),
    ],
)
def test_tone(language, text, found):
    assert [hint.phrase for hint in tone.check(text, language)] == found
