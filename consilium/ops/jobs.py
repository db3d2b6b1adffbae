"""`consilium jobs`: what waits, what is parked, and another try."""

import json
from argparse import Namespace
from typing import Any
from uuid import UUID

from consilium.ops.command import Problem, say, start_django


def jobs(arguments: Namespace) -> int:
    start_django()
    return {"list": show, "retry": retry}[arguments.what](arguments)


def show(arguments: Namespace) -> int:
    """Everything that is not done, oldest first. Arguments of jobs are not shown."""
    rows = [line_of(result) for result in unfinished()]
    if arguments.json:
        say(json.dumps(rows))
        return 0
    for row in rows:
        say(f"{row['id']}  {row['state']:8} tried {row['attempts']}×  {row['task']}  {row['error']}".rstrip())
    say(f"{len(rows)} jobs are not done." if rows else "No job is waiting.")
    return 0


def unfinished() -> Any:
    from django_tasks_db.models import DBTaskResult

    return DBTaskResult.objects.exclude(status="SUCCESSFUL").select_related("job").order_by("enqueued_at")


def line_of(result: Any) -> dict[str, Any]:
    job = getattr(result, "job", None)
    state = "parked" if job and job.parked_at else {"READY": "waiting"}.get(result.status, result.status.lower())
    return {
        "id": str(result.id),
        "task": result.task_path,
        "state": state,
        "attempts": job.attempt if job else 0,
        "error": result.exception_class_path,
    }


def retry(arguments: Namespace) -> int:
    """Let one parked job, or all of them, be tried again from the beginning."""
    from consilium.core.jobs.outbox import unpark

    try:
        chosen = UUID(arguments.id) if arguments.id else None
    except ValueError:
        raise Problem("That is not the id of a job; `consilium jobs list` shows them.") from None
    count = unpark(chosen)
    if chosen and not count:
        raise Problem("There is no parked job with this id; `consilium jobs list` shows them.")
    say(f"{count} jobs will be tried again.")
    return 0
