"""What follows a transition, inside its transaction: jobs are queued, deadlines are set, roles begin or end.

Rooms above register with `@after("verb", …)`; a function gets the case, the row, the principal and the note.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from consilium.access.principals import Principal
from consilium.cases.models import Case, CaseEvent
from consilium.cases.workflow import Row


@dataclass(frozen=True)
class Step:
    """One transition that has just been written and is not committed yet."""

    case: Case
    row: Row
    event: CaseEvent
    by: Principal
    data: dict[str, Any]


Effect = Callable[[Step], None]
AFTER: dict[str, list[Effect]] = {}


def after(*verbs: str) -> Callable[[Effect], Effect]:
    """Run the function after each of `verbs` ("*" for all), in its transaction, in order of registration."""

    def register(function: Effect) -> Effect:
        for verb in verbs:
            AFTER.setdefault(verb, []).append(function)
        return function

    return register


def run(step: Step) -> None:
    """Run what was registered for the step's verb, then what was registered for all."""
    for effect in (*AFTER.get(step.row.verb, ()), *AFTER.get("*", ())):
        effect(step)
