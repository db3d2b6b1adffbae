"""Start-up checks: every need of the workflow table has an answer, every state an owner and a phase."""

from typing import Any

from django.core.checks import CheckMessage, Error, register

from consilium.cases.needs import NEEDS
from consilium.cases.states import OWNER, PHASE, State
from consilium.cases.workflow import RETURN, TABLE


@register("consilium")
def workflow_is_whole(**_kwargs: Any) -> list[CheckMessage]:
    """Rows name known states and registered needs; no (verb, state) has two rows."""
    problems: list[CheckMessage] = []
    seen: set[tuple[str, str]] = set()
    for row in TABLE:
        for name in row.needs:
            if name not in NEEDS:
                problems.append(Error(f"Need {name!r} of verb {row.verb!r} is not registered.", id="cases.E001"))
        for state in row.sources:
            if (row.verb, state) in seen:
                problems.append(Error(f"Verb {row.verb!r} leaves {state!r} twice.", id="cases.E002"))
            seen.add((row.verb, state))
        if row.target != RETURN and row.target not in State.values:
            problems.append(Error(f"Verb {row.verb!r} leads to an unknown state.", id="cases.E003"))
    for state in State.values:
        if state not in OWNER or state not in PHASE:
            problems.append(Error(f"State {state!r} has no owner or no phase.", id="cases.E004"))
    return problems
