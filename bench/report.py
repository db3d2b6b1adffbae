"""Writes results.md and results.json from what the rows found."""

import json
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.rounds import Measured, Row

INTRODUCTION = """\
# Speed beside Orthanc

Written by `make bench` ([how to run it, and what each row does](../docs/how-to/bench.md)). Consilium, which encrypts
everything, and Debian's Orthanc with its DICOMweb plugin and default settings, which does not, do the same in turns on
one machine, in alternating order. **Only the ratios count**: absolute figures depend on what else ran at that moment.
A ratio above 1 means that Consilium is faster, unless the row says otherwise. Client and servers share the cores."""


@dataclass
class Outcome:
    """A row and what came of it: `measured`, or the error."""

    row: Row
    measured: Measured | None
    error: str = ""
    seconds: float = 0.0
    date: str = ""

    @property
    def verdict(self) -> str:
        """In words whether the goal was reached."""
        if self.measured is None:
            return "failed"
        reached = self.row.reached(self.measured.value)
        return "" if reached is None else "yes" if reached else "**no**"


def number(value: float) -> str:
    """Three significant digits, without an exponent."""
    if value == 0 or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}" if abs(value) >= 0.095 else f"{value:.3f}"


def spread(values: Sequence[float]) -> str:
    """Median and range."""
    if len(values) < 2:
        return number(values[0]) if values else "–"
    return f"{number(statistics.median(values))} ({number(min(values))}–{number(max(values))})"


def line(outcome: Outcome) -> str:
    """The outcome for the terminal."""
    row, found = outcome.row, outcome.measured
    if found is None:
        return f"{row.key:26} failed: {outcome.error}"
    goal = "" if row.goal is None else f"goal {'≤' if row.at_most else '≥'} {row.goal:g}, {outcome.verdict.strip('*')}"
    raw = "; ".join(f"{name} {spread(values)}" for name, values in found.raw.items())
    return f"{row.key:26} {number(found.value)}{row.shown:3} {goal:16} [{raw} {found.unit}] {outcome.seconds:.0f} s"


def _table(outcomes: Sequence[Outcome]) -> list[str]:
    lines = ["| what | median (range) | goal | reached | raw values: median (range) |", "|---|---|---|---|---|"]
    for outcome in outcomes:
        row, found = outcome.row, outcome.measured
        goal = "" if row.goal is None else f"{'≤' if row.at_most else '≥'} {row.goal:g}{row.shown}"
        if found is None:
            lines.append(f"| {row.title} | – | {goal} | failed | {outcome.error} |")
            continue
        value = f"**{number(found.value)}{row.shown}**"
        if len(found.ratios) > 1:
            value += f" ({number(min(found.ratios))}–{number(max(found.ratios))})"
        raw = "; ".join(f"{name} {spread(values)}" for name, values in found.raw.items()) + f" {found.unit}"
        lines.append(f"| {row.title} | {value} | {goal} | {outcome.verdict} | {raw} |")
    return lines


def _notes(outcomes: Sequence[Outcome]) -> list[str]:
    told = [(one.row, note) for one in outcomes if one.measured for note in one.measured.notes]
    return [f"- {row.title}: {note}" for row, note in told]


def _every_round(outcomes: Sequence[Outcome]) -> list[str]:
    lines = ["| row | date | ratio of each round | raw values of each round |", "|---|---|---|---|"]
    for outcome in outcomes:
        if outcome.measured is None:
            continue
        found, when = outcome.measured, f"{outcome.row.key} | {outcome.date}"
        raw = "; ".join(f"{name}: {_listed(values)}" for name, values in found.raw.items())
        lines.append(f"| {when} | {_listed(found.ratios)} | {raw} {found.unit} |")
    return lines


def _listed(values: Sequence[float]) -> str:
    return ", ".join(number(value) for value in values) or "–"


def remembered(folder: Path, rows: Sequence[Row], fresh: Sequence[Outcome]) -> list[Outcome]:
    """An outcome for every row: of this run, or of the last whole run and its repetitions (rounds.json)."""
    new = {one.row.key: one for one in fresh}
    path = folder / "rounds.json"
    kept = json.loads(path.read_text()) if path.is_file() else {}
    found = []
    for row in rows:
        if row.key in new:
            found.append(new[row.key])
        elif row.key in kept:
            known = kept[row.key]
            measured = Measured(**known["measured"]) if known["measured"] else None
            found.append(Outcome(row, measured, known["error"], date=known["date"]))
    return found


def _remember(folder: Path, outcomes: Sequence[Outcome]) -> None:
    kept = {
        one.row.key: {
            "measured": vars(one.measured) if one.measured else None,
            "error": one.error,
            "date": one.date,
        }
        for one in outcomes
    }
    (folder / "rounds.json").write_text(json.dumps(kept, indent=1) + "\n")


def write(folder: Path, outcomes: Sequence[Outcome], facts: dict[str, str], *, remarks: str) -> None:
    """Both files into `folder`. A row that failed is null in results.json."""
    keys = [one for one in outcomes if not one.row.extra]
    extras = [one for one in outcomes if one.row.extra]
    lines = [INTRODUCTION, "", *[f"- {name}: {fact}" for name, fact in facts.items()], ""]
    lines += ["## Beside Orthanc, the sink, and pydicom", "", *_table(keys), ""]
    if extras:
        lines += ["## Further figures", "", *_table(extras), ""]
    lines += ["## Notes", "", *_notes(outcomes), ""]
    lines += [remarks.strip(), ""] if remarks.strip() else []
    lines += ["## Every round", "", *_every_round(outcomes), ""]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "results.md").write_text("\n".join(lines))
    figures = {one.row.key: round(one.measured.value, 4) if one.measured else None for one in keys}
    (folder / "results.json").write_text(json.dumps(figures, indent=2) + "\n")
    _remember(folder, outcomes)
