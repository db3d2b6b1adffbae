"""A small checklist of tone: phrases that frighten, blame or promise, with kinder wording, English and German."""

from __future__ import annotations

import re
from dataclasses import dataclass

# phrase (word boundaries are added) → kinder wording
PHRASES: dict[str, tuple[tuple[str, str], ...]] = {
    "en": (
        ("failed treatment", "a treatment that did not help enough"),
        ("you failed", "this did not work for you"),
        ("you refused", "you decided against"),
        ("you claim", "you told us"),
        ("denies", "does not report"),
        ("non-compliant|noncompliant", "found it hard to follow"),
        ("unnecessary surgery", "an operation that I do not think you need now"),
        ("wrong diagnosis|misdiagnos\\w+", "a different view of the diagnosis"),
        ("there is nothing (?:we|anyone) can do", "the disease cannot be cured, and much can be done to help"),
        ("guarantee\\w*|definitely|without any risk|risk-free", "very likely / with few risks"),
        ("simply|just (?:lose|stop|do)", "leave the word out"),
        ("should have", "another way would have been"),
        ("catastrophic|devastating|hopeless", "serious"),
        ("don't worry|do not worry", "I understand that this worries you"),
    ),
    "de": (
        ("therapieversager\\w*|versagt\\w*", "die Behandlung hat nicht genug geholfen"),
        ("sie haben sich geweigert|verweigert\\w*", "Sie haben sich dagegen entschieden"),
        ("sie behaupten|angeblich\\w*", "Sie haben berichtet"),
        ("non-compliant|uneinsichtig\\w*", "es fiel schwer"),
        ("unnötige operation", "eine Operation, die ich jetzt nicht für nötig halte"),
        ("fehldiagnose\\w*|falsche diagnose", "eine andere Sicht auf die Diagnose"),
        ("man kann nichts (?:mehr )?(?:tun|machen)", "nicht heilbar, aber vieles kann helfen"),
        ("garantier\\w*|hundertprozentig|risikolos\\w*|auf jeden fall", "sehr wahrscheinlich / mit wenigen Risiken"),
        ("einfach nur", "weglassen"),
        ("hätten sie|hätte man", "ein anderer Weg wäre gewesen"),
        ("katastroph\\w*|verheerend\\w*|hoffnungslos\\w*", "ernst"),
        ("keine sorge|machen sie sich keine sorgen", "ich verstehe, dass Sie das beunruhigt"),
    ),
}


@dataclass(frozen=True)
class ToneHint:
    """A phrase that was found and what could stand there instead."""

    phrase: str
    kinder: str


def check(text: str, language: str) -> list[ToneHint]:
    """Phrases of the list that occur in the text, once each, in order of the list."""
    found = []
    for pattern, kinder in PHRASES["de" if language.startswith("de") else "en"]:
        match = re.search(rf"\b(?:{pattern})\b", text, re.IGNORECASE)
        if match:
            found.append(ToneHint(match.group(), kinder))
    return found
