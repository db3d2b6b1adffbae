"""Jobs: a transactional outbox over django-tasks, the same code on SQLite and PostgreSQL.

    @jobs.task(queue="mail", attempts=8)
    def deliver(case_id: str) -> None: ...

    jobs.enqueue(deliver, str(case.id), key=f"deliver:{case.id}:v2")   # inside the effect's transaction

    @jobs.every(seconds=60)          # above @jobs.task: runs once per due time, whatever the number of workers
    @jobs.task()
    def sweep() -> None: ...

    with jobs.effects.once(f"reminder:{case.id}:3") as first:          # at least once becomes exactly once
        if first: ...

A job may run again after a crash, so what it does goes through `effects.once` or is idempotent by itself.
Arguments are stored in clear: pass identifiers, never what a record says. Tests and the demo run what is due
with `jobs.drain()`.
"""

from consilium.core.jobs import effects
from consilium.core.jobs.outbox import GiveUp, enqueue, task
from consilium.core.jobs.timers import every
from consilium.core.jobs.worker import drain

__all__ = ["GiveUp", "drain", "effects", "enqueue", "every", "task"]
