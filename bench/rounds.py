"""Paired rounds: two servers do the same, one after the other, in alternating order; only their ratio counts."""

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bench.servers import Server, rest

if TYPE_CHECKING:
    from bench.stage import Stage

PEER, OURS = "peer", "ours"
Values = dict[str, list[float]]


@dataclass
class Measured:
    """What a row found. `value`: the figure that is compared with the goal; `raw`: name → one value a round."""

    value: float
    raw: Values
    unit: str
    ratios: list[float] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Row:
    """One thing to measure. `goal`: the first to reach; `at_most`: whether smaller is better. key: in results.json."""

    key: str
    title: str
    goal: float | None
    measure: "Callable[[Stage], Measured]"
    at_most: bool = False
    extra: bool = False
    shown: str = "×"

    def reached(self, value: float) -> bool | None:
        """Whether the goal is reached; None without a goal."""
        if self.goal is None:
            return None
        return value <= self.goal if self.at_most else value >= self.goal


class Table:
    """Collects the rows of the modules in bench/rows."""

    def __init__(self) -> None:
        self.rows: list[Row] = []

    def row(self, key: str, title: str, goal: float | None, **fields: Any) -> Callable[..., Any]:
        """Decorate a function of the stage as the measurement of a row."""

        def decorate(function: "Callable[[Stage], Measured]") -> "Callable[[Stage], Measured]":
            self.rows.append(Row(key, title, goal, function, **fields))
            return function

        return decorate


TABLE = Table()


def timed(action: Callable[[], Any]) -> float:
    """Seconds that an action takes, after everything earlier is on disk."""
    rest()
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def alternate(rounds: int, servers: Sequence[Server], once: Callable[[Server], float]) -> Values:
    """`once(server)` for each server in each round, the order turning round; name → values of the rounds."""
    found: Values = {server.name: [] for server in servers}
    for number in range(rounds):
        for server in servers if number % 2 == 0 else list(reversed(servers)):
            found[server.name].append(once(server))
    return found


class Used:
    """CPU seconds of the servers while they were measured, for a note: less noisy than the clock."""

    def __init__(self) -> None:
        self.seconds: Values = {}

    def during(self, server: Server, action: Callable[[], float]) -> float:
        """Do it, and keep what the server used meanwhile; the result of the action."""
        before = server.cpu()
        result = action()
        self.seconds.setdefault(server.name, []).append(server.cpu() - before)
        return result

    def note(self, pieces: int, piece: str) -> str:
        """A sentence: medians for one piece of the work."""
        used = {name: statistics.median(values) * 1000 / pieces for name, values in sorted(self.seconds.items())}
        told = [f"{name} {milliseconds:.2f} ms" for name, milliseconds in used.items()]
        return f"CPU of all server processes for one {piece}: {', '.join(told)}."


def ratios(above: Sequence[float], below: Sequence[float]) -> list[float]:
    """Round by round: the seconds of one divided by those of the other."""
    return [one / other for one, other in zip(above, below, strict=True)]


def compared(found: Values, above: str, below: str, *, work: float, unit: str, notes: Sequence[str] = ()) -> Measured:
    """Median of the ratios of seconds (above ÷ below); raw values turned from seconds into `work` a second."""
    each = ratios(found[above], found[below])
    raw = {name: [work / seconds for seconds in values] for name, values in found.items()}
    return Measured(statistics.median(each), raw, unit, each, list(notes))


def latencies(
    found: Values, above: str, below: str, *, requests: int, notes: Sequence[str] = (), unit: str = "ms a request"
) -> Measured:
    """The same for requests one after the other: raw values as milliseconds a request."""
    each = ratios(found[above], found[below])
    raw = {name: [seconds * 1000 / requests for seconds in values] for name, values in found.items()}
    return Measured(statistics.median(each), raw, unit, each, list(notes))
