"""The outbox, retries, timers and exactly-once effects, in one process."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction
from django_tasks_db.models import DBTaskResult

from consilium.core import clock, jobs
from consilium.core.jobs import timers, worker
from consilium.core.jobs.outbox import GiveUp
from consilium.core.models.jobs import Effect, Job, Timer

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ran: list[str] = []


@jobs.task(attempts=3)
def note(text: str) -> None:
    ran.append(text)


@jobs.task(attempts=3)
def fail(text: str) -> None:
    ran.append(text)
    raise ValueError("Anna has a secret diagnosis")


@jobs.task()
def give_up() -> None:
    raise GiveUp


@jobs.task()
def once_only(text: str) -> None:
    with jobs.effects.once(f"note:{text}") as first:
        if first:
            ran.append(text)


@jobs.task()
def tick_tock() -> None: ...


@pytest.fixture(autouse=True)
def fresh():
    ran.clear()


def test_enqueue_runs_once():
    jobs.enqueue(note, "a")
    assert jobs.drain() == 1
    assert jobs.drain() == 0
    assert ran == ["a"]


def test_enqueue_in_a_transaction_that_rolls_back_vanishes():
    with pytest.raises(RuntimeError), transaction.atomic():
        jobs.enqueue(note, "a", key="k")
        raise RuntimeError
    assert not Job.objects.exists()
    assert not DBTaskResult.objects.exists()
    assert jobs.drain() == 0


def test_enqueue_with_a_used_key_returns_the_earlier_job():
    first = jobs.enqueue(note, "a", key="k")
    second = jobs.enqueue(note, "b", key="k")
    assert first.pk == second.pk
    jobs.drain()
    assert jobs.enqueue(note, "c", key="k").pk == first.pk  # also after it ran
    assert jobs.drain() == 0
    assert ran == ["a"]


def test_enqueue_refuses_content():
    with pytest.raises(ValueError, match="identifiers"):
        jobs.enqueue(note, "x" * 501)


def test_run_after_waits_for_its_time():
    with clock.frozen(NOON) as now:
        jobs.enqueue(note, "later", run_after=NOON + timedelta(hours=1))
        assert jobs.drain() == 0
        now.tick(timedelta(minutes=61))
        assert jobs.drain() == 1


def test_a_failed_job_is_tried_again_with_growing_pauses_then_parked():
    with clock.frozen(NOON) as now:
        job = jobs.enqueue(fail, "x")
        pauses = []
        for _ in range(2):
            assert jobs.drain(raise_errors=False) == 1
            result = DBTaskResult.objects.get()
            assert result.status == "READY"
            pauses.append((result.run_after - now.at).total_seconds())
            assert jobs.drain(raise_errors=False) == 0
            now.at = result.run_after
        assert 4 <= pauses[0] <= 6
        assert 16 <= pauses[1] <= 24
        assert jobs.drain(raise_errors=False) == 1
    job.refresh_from_db()
    assert DBTaskResult.objects.get().status == "FAILED"
    assert job.parked_at is not None
    assert len(ran) == 3


def test_a_failure_keeps_places_but_no_words():
    jobs.enqueue(fail, "x")
    jobs.drain(raise_errors=False)
    result = DBTaskResult.objects.get()
    assert "test_jobs.py" in result.traceback
    assert "secret" not in result.traceback
    assert result.exception_class_path == "builtins.ValueError"


def test_give_up_parks_at_once():
    job = jobs.enqueue(give_up)
    jobs.drain(raise_errors=False)
    job.refresh_from_db()
    assert job.parked_at is not None


def test_arguments_are_forgotten_after_success():
    jobs.enqueue(note, "anna@example.org")
    jobs.drain()
    assert DBTaskResult.objects.get().args_kwargs == {"args": [], "kwargs": {}}


def test_lease_that_ran_out_brings_the_job_back_and_the_late_holder_changes_nothing():
    with clock.frozen(NOON) as now:
        job = jobs.enqueue(once_only, "a")
        slow = worker.claim("slow")
        assert worker.claim("other") is None
        now.tick(worker.LEASE - timedelta(seconds=1))
        assert worker.sweep() == 0
        now.tick(timedelta(seconds=2))
        assert worker.sweep() == 1
        assert worker.sweep() == 0
        other = worker.claim("other")
        assert worker.run(slow) is None  # wakes up late: does the effect, may not settle
        job.refresh_from_db()
        assert (job.worker, job.attempt) == ("other", 2)
        assert DBTaskResult.objects.get().status == "RUNNING"
        worker.run(other)
    assert DBTaskResult.objects.get().status == "SUCCESSFUL"
    assert ran == ["a"]


def test_beat_renews_the_lease_until_the_job_is_stuck():
    with clock.frozen(NOON) as now:
        jobs.enqueue(note, "a")
        worker.claim("w")
        alive = worker.Worker("w")
        DBTaskResult.objects.update(started_at=NOON)
        for _ in range(5):
            now.tick(timedelta(seconds=20))
            alive.beat()
            assert worker.sweep() == 0
        now.at = NOON + worker.LONGEST_RUN
        alive.beat()
        assert worker.sweep() == 1


def test_a_job_that_kills_every_worker_is_parked():
    with clock.frozen(NOON):
        job = jobs.enqueue(note, "a")
        for _ in range(3):
            assert worker.claim("doomed")
            assert worker.release("doomed") == 1
        assert worker.claim("doomed") is None
    job.refresh_from_db()
    assert job.parked_at is not None
    assert ran == []


def test_effects_roll_back_together_with_their_row():
    with pytest.raises(RuntimeError), jobs.effects.once("e") as first:
        assert first
        raise RuntimeError
    assert not Effect.objects.exists()
    with jobs.effects.once("e") as first:
        assert first
    with jobs.effects.once("e") as first:
        assert not first


@pytest.fixture
def minutely(monkeypatch):
    monkeypatch.setattr(timers, "_registry", {})
    jobs.every(seconds=60)(tick_tock)


def test_timer_fires_once_per_due_time_and_skips_missed_ones(minutely):
    with clock.frozen(NOON) as now:
        assert timers.tick() == 1
        assert timers.tick() == 0
        now.tick(timedelta(seconds=60))
        assert timers.tick() == 1
        now.tick(timedelta(minutes=10, seconds=5))
        assert timers.tick() == 1
        assert Timer.objects.get().due_at == NOON + timedelta(minutes=12)
    assert Job.objects.count() == 3


def test_timer_survives_a_clock_that_is_set_back(minutely):
    with clock.frozen(NOON) as now:
        timers.tick()
        now.tick(timedelta(days=-2))
        assert timers.tick() == 1
        assert Timer.objects.get().due_at == now.at + timedelta(seconds=60)


def test_timer_seen_due_by_two_processes_enqueues_once(minutely):
    with clock.frozen(NOON):
        name = tick_tock.module_path
        Timer.objects.create(name=name, due_at=NOON)
        assert timers._enqueue_if_due(name, NOON, NOON)
        assert not timers._enqueue_if_due(name, NOON, NOON)  # the second one read the same row earlier


def test_tidy_forgets_what_is_long_done_and_keeps_the_rest():
    from consilium.core.jobs.housekeeping import KEEP_DONE, tidy

    with clock.frozen(NOON) as now:
        jobs.enqueue(note, "old")
        jobs.drain()
        parked = jobs.enqueue(give_up)
        jobs.drain(raise_errors=False)
        DBTaskResult.objects.update(finished_at=NOON)
        now.tick(KEEP_DONE + timedelta(minutes=1))
        recent = jobs.enqueue(note, "new")
        jobs.drain()
        DBTaskResult.objects.filter(pk=recent.pk).update(finished_at=now.at)
        tidy.call()
    assert set(Job.objects.values_list("pk", flat=True)) == {parked.pk, recent.pk}


def test_parked_job_can_be_tried_again():
    from consilium.core.jobs.outbox import unpark

    job = jobs.enqueue(give_up)
    jobs.drain(raise_errors=False)
    assert unpark(job.pk) == 1
    assert unpark(job.pk) == 0
    assert jobs.drain(raise_errors=False) == 1
