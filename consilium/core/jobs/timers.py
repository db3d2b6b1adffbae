"""Periodic jobs: due times live in the database, in UTC; whoever moves the row on enqueues the job."""

from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import transaction
from django.utils.module_loading import autodiscover_modules
from django_tasks.base import Task

from consilium.core import clock
from consilium.core.jobs.outbox import enqueue

_registry: dict[str, tuple[Task, timedelta]] = {}


def every(*, seconds: float) -> Callable[[Task], Task]:
    """Run the decorated task every `seconds`, once per due time whatever the number of workers."""

    def register(made: Task) -> Task:
        _registry[made.module_path] = (made, timedelta(seconds=seconds))
        return made

    return register


def load() -> None:
    """Import the `jobs` module of every installed app, so that its timers are known."""
    from consilium.core.jobs import housekeeping  # noqa: F401

    autodiscover_modules("jobs")


def next_due(due: datetime, step: timedelta, now: datetime) -> datetime:
    """The first due time after `now` on the grid of `due`; missed ones are not made up one by one."""
    missed = max(0, (now - due) // step)
    return due + step * (missed + 1)


def tick() -> int:
    """Enqueue what is due; returns how many. Safe in any number of processes (compare-and-set)."""
    from consilium.core.models.jobs import Timer

    now = clock.now()
    known = dict(Timer.objects.values_list("name", "due_at"))
    new = [Timer(name=name, due_at=now) for name in _registry if name not in known]
    if new:
        Timer.objects.bulk_create(new, ignore_conflicts=True)
        known = dict(Timer.objects.values_list("name", "due_at"))
    return sum(_enqueue_if_due(name, known[name], now) for name in _registry)


def _enqueue_if_due(name: str, due: datetime, now: datetime) -> bool:
    from consilium.core.models.jobs import Timer

    task, step = _registry[name]
    set_back = due > now + step  # the clock was set back: the row would wait far too long
    if due > now and not set_back:
        return False
    with transaction.atomic():
        moved = Timer.objects.filter(name=name, due_at=due).update(
            due_at=now + step if set_back else next_due(due, step, now)
        )
        if moved:
            enqueue(task, key=f"{name}@{due.isoformat()}")
    return bool(moved)
