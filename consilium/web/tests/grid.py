"""The reviewed form of the matrix: what each route answers to whom, in which states.

One block a route and method; one line an outcome and set of principals: `outcome: who @ states`. States that make up a
whole phase are written as the phase, in capitals. What is not written is denied: 404 for accounts and guests,
sign-in for the anonymous, the second step for sessions at one factor; a guest's page leads accounts elsewhere. BYTES
are the routes of the data plane: granted or not.
"""

import fcntl
import os
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from consilium.cases.states import PHASE, State

# (method, route) → state → principal → outcome
Cell = dict[str, str]
Grid = dict[tuple[str, str], dict[str, Cell]]
STATES = [str(state) for state in State]
# Every state on SQLite; on the second database the phases that differ most, which is where its SQL could differ.
ON_POSTGRESQL = ["collecting", "blind_read", "delivered", "urgent"]
SURVEYED = ON_POSTGRESQL if os.environ.get("DATABASE_URL", "").startswith("postgres") else STATES
PHASES = {
    phase.upper(): [state for state in STATES if PHASE[state] == phase] for phase in dict.fromkeys(PHASE.values())
}


def usual(name: str, access: str = "") -> str:
    """What somebody gets who has no business there; guests' pages lead accounts to the pages they have themselves."""
    if access == "guest":
        return "404" if name in ("anonymous", "suspended") or name in ("weiss_revoked", "weiss_expired") else "redirect"
    if name in ("anonymous", "suspended"):
        return "login"
    return "step" if name.endswith("_weak") else "404"


def text_of(grid: Grid) -> str:
    """The grid as the reviewed text."""
    blocks: list[str] = []
    for (method, route), by_state in sorted(grid.items(), key=lambda item: (item[0][1], item[0][0])):
        spread: dict[tuple[str, str], list[str]] = defaultdict(list)  # (principal, outcome) → states
        for state in STATES:
            for name, came in by_state.get(state, {}).items():
                spread[name, came].append(state)
        lines: dict[tuple[str, str], list[str]] = defaultdict(list)  # (outcome, states) → principals
        for (name, came), states in spread.items():
            lines[came, shorten(states)].append(name)
        rows = [f"    {came}: {' '.join(sorted(who))} @ {states}" for (came, states), who in sorted(lines.items())]
        blocks.append("\n".join([f"{method} {route}", *(rows or ["    nobody"])]))
    return "\n".join(blocks) + "\n"


def grid_of(text: str) -> Grid:
    """The reviewed text as a grid; the inverse of `text_of`."""
    grid: Grid = {}
    here: dict[str, Cell] = {}
    for line in text.splitlines():
        if not line.startswith(" "):
            method, _, route = line.partition(" ")
            here = grid.setdefault((method, route), {})
        elif line.strip() != "nobody":
            came, _, rest = line.strip().partition(": ")
            who, _, states = rest.partition(" @ ")
            for state in lengthen(states):
                here.setdefault(state, {}).update(dict.fromkeys(who.split(), came))
    return grid


def shorten(states: Iterable[str]) -> str:
    """States in the order of a case's life, whole phases as one word, everything as ALL."""
    left = list(states)
    if len(left) == len(STATES):
        return "ALL"
    words: list[str] = []
    for phase, members in PHASES.items():
        held = [state for state in members if state in left]
        words += [phase] if held == members else held
    return " ".join(words)


def lengthen(words: str) -> list[str]:
    """The states that `shorten` wrote."""
    if words == "ALL":
        return STATES
    return [state for word in words.split() for state in PHASES.get(word, [word])]


def at(grid: Grid, state: str) -> dict[tuple[str, str], Cell]:
    """What the grid says of one state."""
    return {place: by_state[state] for place, by_state in grid.items() if by_state.get(state)}


def renew(path: Path, state: str, found: dict[tuple[str, str], Cell]) -> None:
    """Put one state's findings into the file (several test processes write states of the same file)."""
    path.parent.mkdir(exist_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        grid = grid_of(path.read_text()) if path.is_file() else {}
        for place in [*grid, *found]:
            row = grid.setdefault(place, {})
            row.pop(state, None)
            if found.get(place):
                row[state] = found[place]
        path.write_text(text_of({place: row for place, row in grid.items() if row or place in found}))
    finally:
        os.close(folder)
