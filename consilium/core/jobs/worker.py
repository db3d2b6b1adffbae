"""Running jobs: claim with a lease, run, settle by compare-and-set; give back what a dead worker held."""

import logging
import random
import threading
import time
import traceback
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db import DatabaseError, close_old_connections, connection, transaction
from django.db.models import Q
from django_tasks.base import TaskResultStatus

from consilium.core import clock
from consilium.core.jobs import timers
from consilium.core.jobs.bell import Bell
from consilium.core.jobs.outbox import GiveUp, attempts_of

if TYPE_CHECKING:
    from django_tasks_db.models import DBTaskResult

log = logging.getLogger("consilium.jobs")

LEASE = timedelta(seconds=30)
BEAT_SECONDS = 5.0
LONGEST_RUN = timedelta(hours=1)  # a job that runs longer is stuck: its lease is no longer renewed
FIRST_PAUSE = timedelta(seconds=5)
LONGEST_PAUSE = timedelta(hours=1)


@dataclass(frozen=True)
class Claim:
    """One attempt at one job by one worker; only its holder may settle it."""

    result: "DBTaskResult"
    worker: str
    attempt: int


def due(now: datetime, queues: tuple[str, ...] = ()) -> Any:
    """Queued tasks that may start at `now`, most urgent first; all queues when none is named."""
    from django_tasks_db.models import DBTaskResult, get_date_max

    ready = DBTaskResult.objects.filter(status=TaskResultStatus.READY)
    ready = ready.filter(Q(run_after=get_date_max()) | Q(run_after__lte=now))
    return ready.filter(queue_name__in=queues) if queues else ready


def claim(worker: str, *, queues: tuple[str, ...] = (), lease: timedelta = LEASE) -> Claim | None:
    """Take the next due job, or None. The plain look first keeps idle workers off SQLite's write lock."""
    from consilium.core.models.jobs import Job

    now = clock.now()
    ready = due(now, queues)
    if not ready.exists():
        return None
    with transaction.atomic():
        result = ready.get_locked()
        if result is None:
            return None
        result.claim(worker)
        job, _ = Job.objects.get_or_create(result=result)
        job.attempt += 1
        job.worker, job.leased_until = worker, now + lease
        job.save(update_fields=["attempt", "worker", "leased_until"])
    return Claim(result, worker, job.attempt)


def run(claimed: Claim) -> BaseException | None:
    """Run a claimed job and settle it; returns what it raised."""
    started = time.monotonic()
    error: BaseException | None = None
    try:
        task, kept = claimed.result.task, claimed.result.args_kwargs
        # A caller's open transaction (tests, demo loading) survives a failing job.
        with transaction.atomic() if connection.in_atomic_block else nullcontext():
            task.call(*kept["args"], **kept["kwargs"])
    except Exception as raised:
        error = raised
    settled = _succeed(claimed) if error is None else _fail(claimed, error)
    fields = {"job": claimed.result.task_path, "attempt": claimed.attempt, "worker": claimed.worker}
    fields["duration_ms"] = round((time.monotonic() - started) * 1000)
    if not settled:
        log.warning("job result dropped: the lease had moved on", extra=fields)
    elif error is None:
        log.info("job done", extra=fields)
    else:
        log.warning("job failed", extra=fields, exc_info=error)
    return error


def _let_go(claimed: Claim, **changes: Any) -> bool:
    from consilium.core.models.jobs import Job

    mine = Job.objects.filter(result=claimed.result, worker=claimed.worker, attempt=claimed.attempt)
    return bool(mine.exclude(leased_until=None).update(leased_until=None, **changes))


def _succeed(claimed: Claim) -> bool:
    with transaction.atomic():
        if not _let_go(claimed):
            return False
        result = claimed.result
        result.args_kwargs = {"args": [], "kwargs": {}}  # what is done needs no addresses any more
        result.save(update_fields=["args_kwargs"])
        result.set_successful(None)
    return True


def _fail(claimed: Claim, error: BaseException) -> bool:
    last = isinstance(error, GiveUp) or claimed.attempt >= attempts_of(claimed.result.task_path)
    now = clock.now()
    with transaction.atomic():
        if not _let_go(claimed, parked_at=now if last else None):
            return False
        result = claimed.result
        result.exception_class_path = f"{type(error).__module__}.{type(error).__qualname__}"
        result.traceback = where(error)
        result.finished_at = now if last else None
        result.status = TaskResultStatus.FAILED if last else TaskResultStatus.READY
        if not last:
            result.run_after = now + pause_before(claimed.attempt + 1)
        result.save()
    return True


def where(error: BaseException) -> str:
    """Files, lines and functions of a traceback; never the message, which may quote a record."""
    frames = traceback.extract_tb(error.__traceback__)[-12:]
    return "\n".join(f"{frame.filename}:{frame.lineno}:{frame.name}" for frame in frames)


def pause_before(attempt: int) -> timedelta:
    """Back-off before the given attempt (2, 3, …): 5 s, 20 s, 80 s … up to an hour, ± 20 %."""
    pause = min(LONGEST_PAUSE, FIRST_PAUSE * 4 ** (attempt - 2))
    return pause * random.uniform(0.8, 1.2)  # noqa: S311 - jitter, not a secret


def sweep() -> int:
    """Give back the running jobs whose lease ran out; returns how many."""
    from consilium.core.models.jobs import Job

    lost = Job.objects.filter(leased_until__lt=clock.now(), result__status=TaskResultStatus.RUNNING)
    return sum(_give_back(job) for job in lost.select_related("result"))


def release(worker: str) -> int:
    """Give back at once what a worker held that is known to be dead; returns how many."""
    from consilium.core.models.jobs import Job

    held = Job.objects.filter(worker=worker, leased_until__isnull=False)
    return sum(_give_back(job) for job in held.select_related("result"))


def _give_back(job: Any) -> bool:
    claimed = Claim(job.result, job.worker, job.attempt)
    last = job.attempt >= attempts_of(job.result.task_path)  # a job that kills its worker each time is parked
    now = clock.now()
    with transaction.atomic():
        # The lease as it was read: a holder that renewed meanwhile is alive and keeps it.
        unchanged = type(job).objects.filter(pk=job.pk, leased_until=job.leased_until)
        if not unchanged.exists() or not _let_go(claimed, parked_at=now if last else None):
            return False
        changes = {"status": TaskResultStatus.FAILED, "finished_at": now} if last else {}
        changes = changes or {"status": TaskResultStatus.READY, "run_after": now, "finished_at": None}
        type(job.result).objects.filter(pk=job.result.pk).update(
            exception_class_path="consilium.core.jobs.WorkerLost", **changes
        )
    log.warning("job given back", extra={"job": job.result.task_path, "attempt": job.attempt, "worker": job.worker})
    return True


def drain(*, limit: int = 1000, queues: tuple[str, ...] = (), raise_errors: bool = True) -> int:
    """Run what is due now in this process (tests, demo, command line); returns how many ran."""
    for count in range(limit):
        claimed = claim("drain", queues=queues)
        if claimed is None:
            return count
        error = run(claimed)
        if error is not None and raise_errors:
            raise error
    return limit


class Worker:
    """The loop of one worker process: jobs in the main thread, its pulse in another."""

    def __init__(self, name: str, *, queues: tuple[str, ...] = (), poll: float = 0.5, lease: timedelta = LEASE) -> None:
        self.name, self.queues, self.poll, self.lease = name, queues, poll, lease
        self.started_at = clock.now()
        self.stopping = threading.Event()
        self._bell = Bell()

    def stop(self, *_signal: object) -> None:
        """Finish the job in hand, then leave."""
        self.stopping.set()

    def loop(self) -> None:
        """Run until `stop()`."""
        timers.load()
        pulse = threading.Thread(target=self._pulse, name="pulse", daemon=True)
        pulse.start()
        while not self.stopping.is_set():
            self._turn()
        pulse.join(timeout=2)

    def _turn(self) -> None:
        """Run the next job, or wait until something was written, `poll` seconds at most."""
        close_old_connections()
        try:
            self._bell.listen()  # before the look: what comes in between is not missed
            claimed = claim(self.name, queues=self.queues, lease=self.lease)
            if claimed is not None:
                run(claimed)
            else:
                self._bell.wait(self.poll, self.stopping)
        except DatabaseError:
            # Locked or away: nothing was acknowledged; the lease brings the job back.
            log.warning("database not available to the worker", extra={"worker": self.name}, exc_info=True)
            connection.close()
            self.stopping.wait(1)

    def _pulse(self) -> None:
        pause = min(BEAT_SECONDS, self.lease.total_seconds() / 4)
        while True:
            try:
                self.beat()
                sweep()
                timers.tick()
            except DatabaseError:
                log.warning("pulse missed", extra={"worker": self.name}, exc_info=True)
                connection.close()
            if self.stopping.wait(pause):
                break
        connection.close()

    def beat(self) -> None:
        """Say "alive" and renew the lease on the job in hand."""
        from consilium.core.models.jobs import Job, WorkerBeat

        now = clock.now()
        mine = Job.objects.filter(worker=self.name, leased_until__isnull=False)
        mine.filter(result__started_at__gt=now - LONGEST_RUN).update(leased_until=now + self.lease)
        WorkerBeat.objects.update_or_create(
            worker=self.name,
            defaults={"beat_at": now},
            create_defaults={"started_at": self.started_at, "beat_at": now},
        )
