"""A suggestion for triage: which pages of a letter seem to state the first opinion's conclusion.

Only a suggestion: a clinician marks the pages (cases.actions.desk.mark_conclusions). Blinding hides
conclusions, never findings, so whole documents are never suggested when one page is enough.
"""

import re

# Words with which letters of discharge and referral open their conclusion, English and German.
OPENERS = re.compile(
    r"\b(recommend|we advise|advised? (?:to|surgery)|impression:|conclusion:|plan:|assessment:|proposed treatment|"
    r"empfehl|procedere|beurteilung|diagnose[n]?:|therapie:|wir raten|indikation zur|op-indikation)",
    re.IGNORECASE,
)


def suggest(pages: list[str]) -> list[int]:
    """Indices (from 0) of pages with the opening words of a conclusion."""
    return [index for index, text in enumerate(pages) if OPENERS.search(text)]
