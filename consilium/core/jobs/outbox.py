"""Putting a job into the outbox: a row written in the caller's transaction, gone if it rolls back."""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import django_tasks
from django.db import IntegrityError, transaction
from django_tasks.base import Task

from consilium.core import clock
from consilium.core.jobs.bell import ring

if TYPE_CHECKING:
    from consilium.core.models.jobs import Job

DEFAULT_ATTEMPTS = 6
MAX_TEXT_ARGUMENT = 500  # an identifier, an address, a code; anything longer is content and has no place here

_attempts: dict[str, int] = {}


class GiveUp(Exception):  # noqa: N818 - an instruction to the worker, not a fault
    """Raised by a job that will never succeed: park it now, do not try again."""


def task(*, queue: str = "default", attempts: int = DEFAULT_ATTEMPTS, priority: int = 0) -> Callable[..., Task]:
    """Decorate a module-level function as a job of `queue`, tried up to `attempts` times."""

    def decorate(function: Callable[..., Any]) -> Task:
        made = django_tasks.task(queue_name=queue, priority=priority)(function)
        _attempts[made.module_path] = attempts
        return made

    return decorate


def attempts_of(task_path: str) -> int:
    """How often the task at `task_path` is tried before it is parked."""
    return _attempts.get(task_path, DEFAULT_ATTEMPTS)


def enqueue(task: Task, *args: Any, key: str | None = None, run_after: datetime | None = None) -> "Job":
    """Write a job; with a `key` that was used before, return the earlier job instead of a second one.

    args: JSON values, stored in clear (identifiers only). run_after: aware datetime, the earliest start.
    Raises ValueError for a text argument long enough to be somebody's history.
    """
    from django_tasks_db.models import DBTaskResult

    from consilium.core.models.jobs import Job

    if any(isinstance(value, str) and len(value) > MAX_TEXT_ARGUMENT for value in args):
        raise ValueError("Job arguments are identifiers; keep content in its sealed field and pass the id.")
    # An aware run_after goes in as it is; the backend refuses naive ones.
    wanted = task.using(run_after=run_after) if run_after else task
    try:
        with transaction.atomic():
            result = wanted.enqueue(*args)
            ring()
            return Job.objects.create(result=DBTaskResult(pk=UUID(result.id)), key=key)
    except IntegrityError:
        if key is None:
            raise
        return Job.objects.get(key=key)


def unpark(result_id: UUID | None = None) -> int:
    """Let a parked job (or all of them) start again with all its attempts; returns how many."""
    from django_tasks_db.models import DBTaskResult

    from consilium.core.models.jobs import Job

    parked = Job.objects.filter(parked_at__isnull=False)
    if result_id:
        parked = parked.filter(pk=result_id)
    with transaction.atomic():
        ids = list(parked.values_list("pk", flat=True))
        Job.objects.filter(pk__in=ids).update(parked_at=None, attempt=0, leased_until=None)
        again = {"status": "READY", "run_after": clock.now(), "finished_at": None}
        DBTaskResult.objects.filter(pk__in=ids, status="FAILED").update(**again)
    return len(ids)
