"""`consilium audit`: verify the log, export it for an independent verifier, sign a checkpoint."""

import json
from argparse import Namespace
from pathlib import Path

from consilium.ops.command import Problem, say, start_django


def audit(arguments: Namespace) -> int:
    start_django()
    return {"verify": verify, "export": export, "checkpoint": checkpoint}[arguments.what](arguments)


def verify(arguments: Namespace) -> int:
    """Exit code 1 and a sentence per problem when the log was altered."""
    from consilium.core import audit as log

    report = log.verify()
    if arguments.json:
        found = {"events": report.events, "checkpoints": report.checkpoints, "problems": list(report.problems)}
        say(json.dumps({"ok": not report.problems, **found}))
    else:
        for sentence in report.problems:
            say(f"✗ {sentence}")
        if not report.problems:
            say(f"✓ The audit log is whole: {report.events} entries, {report.checkpoints} checkpoints.")
    return 1 if report.problems else 0


def export(arguments: Namespace) -> int:
    from consilium.core import audit as log

    if not arguments.file:
        raise Problem("Say where to: consilium audit export FILE")
    count = log.export(Path(arguments.file))
    say(f"{count} entries written to {arguments.file}; check them with scripts/verify_audit.py.")
    return 0


def checkpoint(_arguments: Namespace) -> int:
    from consilium.core import audit as log

    row = log.checkpoint()
    say("Nothing new since the last checkpoint." if row is None else f"Checkpoint signed at {row.size} entries.")
    return 0
