"""Blinding and disclosure as pure functions: who sees what, in which phase.

Blinding hides the first opinion's *conclusion*, never findings or images (product.md): the typed first
opinion and the pages marked as concluding are withheld from the specialist until the blind read is
locked; everything else about the records is open to them from acceptance on.
"""

from collections.abc import Iterable

from consilium.access.rules import granted

BLINDED_ROLES = frozenset({"specialist", "offered_specialist", "re_reader"})

# Message audiences and the roles on a case that belong to them.
AUDIENCES: dict[str, frozenset[str]] = {
    "patient_desk": frozenset({"patient", "proxy_view", "proxy_act", "coordinator"}),
    "patient_specialist": frozenset({"patient", "proxy_view", "proxy_act", "coordinator", "specialist", "interpreter"}),
    "care_team": frozenset(
        {"patient", "proxy_view", "proxy_act", "coordinator", "specialist", "interpreter", "treating_clinician"}
    ),
    "staff": frozenset({"coordinator", "specialist", "triage_clinician", "quality_reviewer", "re_reader"}),
}


def sees_conclusion(roles: frozenset[str], phase: str, *, reads_blind: bool) -> bool:
    """Whether the first opinion's conclusion is open to `roles`.

    reads_blind: the person has an unlocked blind read on this case (also true while halted in it).
    A person who reads blind stays blind whatever other role they hold.
    """
    if reads_blind:
        return False
    return granted("first_opinion.view", phase, roles)


def visible_pages(count: int, conclusion_pages: Iterable[int], *, conclusion: bool) -> list[int]:
    """Page indices (from 0) of a document that may be shown."""
    hidden: set[int] = set() if conclusion else set(conclusion_pages)
    return [page for page in range(count) if page not in hidden]


def sees_original(conclusion_pages: Iterable[int], *, conclusion: bool) -> bool:
    """The unchanged file holds every page, so it opens only when no page of it is withheld."""
    return conclusion or not list(conclusion_pages)


def sees_record(status: str, roles: frozenset[str]) -> bool:
    """Undecided records (perhaps another person's) and removed ones stay with those who decide on them."""
    if status in ("undecided", "removed"):
        return bool(roles & {"patient", "proxy_act", "coordinator"})
    return True


def hears(audience: str, roles: frozenset[str], *, reads_blind: bool = False) -> bool:
    """Whether a message to `audience` may be read or written by somebody with `roles`.

    The patient's words may carry the first conclusion: who reads blind hears only the staff.
    """
    return bool(AUDIENCES[audience] & roles) and (audience == "staff" or not reads_blind)
