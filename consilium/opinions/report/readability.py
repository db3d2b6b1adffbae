"""How hard a text is to read, in English and German, with hints sentence by sentence.

English: Flesch Reading Ease = 206.835 - 1.015·ASL - 84.6·ASW (Flesch 1948).
German: Amstad 1978 = 180 - ASL - 58.5·ASW; first Wiener Sachtextformel (Bamberger & Vanecek 1984)
= 0.1935·MS + 0.1672·SL + 0.1297·IW - 0.0327·ES - 0.875, a school grade.
ASL words a sentence, ASW syllables a word, MS/ES/IW per cent of words with three or more syllables, with one
syllable, with more than six letters; SL = ASL. Syllables are counted by pyphen's hyphenation patterns and vowels.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

LONG_SENTENCE = {"en": 25, "de": 20}  # words
LONG_WORD = 20  # letters
READABLE = {"en": 45.0, "de": 40.0}  # reading ease at which a release is not stopped
MIN_WORDS = 12  # below, a formula says nothing

_SENTENCE = re.compile(r"[^.!?…\n]+[.!?…]*")
_WORD = re.compile(r"[^\W\d_]+(?:[-'’][^\W\d_]+)*")
_VOWELS = re.compile(r"[aeiouyäöüáàâéèêëíîïóôúûAEIOUYÄÖÜ]+")

GRADES: tuple[tuple[float, Promise], ...] = (
    (70.0, _("easy to read")),
    (60.0, _("readable for most people")),
    (45.0, _("somewhat hard")),
    (30.0, _("hard to read")),
    (-1e9, _("very hard to read")),
)


@dataclass(frozen=True)
class Hint:
    """A sentence to shorten, and why."""

    sentence: str
    why: str | Promise


@dataclass(frozen=True)
class Reading:
    """The result: ``ease`` 0–100 (higher is easier), its words, the grade (German only) and hints."""

    ease: float
    grade: str | Promise
    school_grade: float | None
    words: int
    sentences: int
    readable: bool
    hints: list[Hint] = field(default_factory=list)


@lru_cache(maxsize=4)
def _hyphenator(language: str) -> Any:
    import pyphen

    return pyphen.Pyphen(lang="de_DE" if language == "de" else "en_US")


@lru_cache(maxsize=20_000)
def syllables(word: str, language: str) -> int:
    """Syllables of a word: the larger of hyphenation and, for short words, vowel groups."""
    if language == "de":
        return max(1, len(_VOWELS.findall(word)))
    groups = len(_VOWELS.findall(re.sub(r"(?<=[^aeiouyl])e$|es$|ed$", "", word.lower()) or word))
    return max(1, groups, len(_hyphenator(language).positions(word)) + 1)


def measure(text: str, language: str) -> Reading:
    """Reading ease of a text in "en" or "de". An empty or very short text counts as readable."""
    language = "de" if language.startswith("de") else "en"
    sentences = [part.strip() for part in _SENTENCE.findall(text) if _WORD.search(part)]
    words = [word for sentence in sentences for word in _WORD.findall(sentence)]
    if not words:
        return Reading(100.0, GRADES[0][1], None, 0, 0, readable=True)
    counts = [syllables(word, language) for word in words]
    asl, asw = len(words) / len(sentences), sum(counts) / len(words)
    ease = 180 - asl - 58.5 * asw if language == "de" else 206.835 - 1.015 * asl - 84.6 * asw
    ease = round(max(0.0, min(100.0, ease)), 1)
    return Reading(
        ease=ease,
        grade=next(grade for least, grade in GRADES if ease >= least),
        school_grade=_wiener(words, counts, asl) if language == "de" else None,
        words=len(words),
        sentences=len(sentences),
        readable=len(words) < MIN_WORDS or ease >= READABLE[language],
        hints=_hints(sentences, language),
    )


def _wiener(words: list[str], counts: list[int], asl: float) -> float:
    total = len(words)
    ms = 100 * sum(count >= 3 for count in counts) / total
    es = 100 * sum(count == 1 for count in counts) / total
    iw = 100 * sum(len(word) > 6 for word in words) / total
    return round(max(1.0, 0.1935 * ms + 0.1672 * asl + 0.1297 * iw - 0.0327 * es - 0.875), 1)


def _hints(sentences: list[str], language: str) -> list[Hint]:
    found = []
    for sentence in sentences:
        words = _WORD.findall(sentence)
        if len(words) > LONG_SENTENCE[language]:
            why = ngettext_lazy("%(n)s word: make two sentences of it", "%(n)s words: make two sentences of it", "n")
            found.append(Hint(sentence, why % {"n": len(words)}))
        elif long_word := next((word for word in words if len(word) > LONG_WORD), ""):
            found.append(
                Hint(sentence, _("“%(word)s” is a long word: can you say it differently?") % {"word": long_word})
            )
    return found[:12]
