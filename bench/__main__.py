"""`python -m bench`: all rows, or those of ONLY. Runs of full size write bench/results.*, small ones build/bench/.

Environment: ROUNDS (7), SMALL=1 (a tenth of the data), ONLY=row,row (names as in results.json).
"""

import os
import signal
import sys
import time
import traceback
from pathlib import Path

from bench import machine, report
from bench.rounds import TABLE, Row
from bench.stage import Stage, say

HERE = Path(__file__).resolve().parent
FEWEST_ROUNDS = 7  # of a run whose figures are kept


def chosen(only: str) -> list[Row]:
    """The rows that ONLY names, or all of them."""
    from bench import rows  # noqa: F401 - fills the table

    names = [name for name in only.replace(",", " ").split() if name]
    unknown = sorted(set(names) - {row.key for row in TABLE.rows})
    if unknown:
        sys.exit(f"bench: no such row: {', '.join(unknown)}; there are: {', '.join(row.key for row in TABLE.rows)}")
    return [row for row in TABLE.rows if not names or row.key in names]


def measured(row: Row, stage: Stage) -> report.Outcome:
    """One row; its error does not stop the others."""
    started = time.monotonic()
    try:
        outcome = report.Outcome(row, row.measure(stage))
    except Exception as error:
        if os.environ.get("TRACE"):
            traceback.print_exc()
        outcome = report.Outcome(row, None, f"{type(error).__name__}: {error}".splitlines()[0][:300])
    outcome.seconds = time.monotonic() - started
    say(report.line(outcome))
    return outcome


def main() -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the servers end with us
    rounds, small = int(os.environ.get("ROUNDS") or FEWEST_ROUNDS), os.environ.get("SMALL", "") not in ("", "0")
    rows = chosen(os.environ.get("ONLY", ""))
    whole = len(rows) == len(TABLE.rows)
    counts = not small and rounds >= FEWEST_ROUNDS and (whole or (HERE / "rounds.json").is_file())
    folder = HERE if counts else HERE.parent / "build/bench"
    facts = machine.facts() | {"rounds": f"{rounds}{', a tenth of the data' if small else ''}"}
    with Stage(rounds=rounds, small=small) as stage:
        outcomes = [measured(row, stage) for row in rows]
        for outcome in outcomes:
            outcome.date = facts["date"]
        if "orthanc" in vars(stage):
            facts["peer"] = stage.orthanc.versions()
    remarks = HERE / "remarks.md"
    known = report.remembered(folder, TABLE.rows, outcomes) if counts and not whole else outcomes
    report.write(folder, known, facts, remarks=remarks.read_text() if counts and remarks.is_file() else "")
    say(f"written: {(folder / 'results.md').relative_to(HERE.parent)} and results.json beside it")
    failed = [outcome.row.key for outcome in outcomes if outcome.measured is None]
    if failed:
        say(f"bench: failed: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
