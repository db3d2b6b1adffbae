"""A worker that waits hears at once that a job was written, by whatever process, and nothing in between is missed."""

import threading
import time

import pytest
from django.db import connections, transaction

from consilium.core import jobs
from consilium.core.jobs import worker
from consilium.core.jobs.bell import Bell

pytestmark = pytest.mark.django_db(transaction=True)
LONG = 20.0  # seconds nobody should have to wait
started: list[float] = []


@jobs.task()
def take_down_the_time() -> None:
    started.append(time.monotonic())


def elsewhere(work) -> None:
    """On another connection, as another process would."""

    def run() -> None:
        try:
            work()
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()


def waited(bell: Bell, seconds: float) -> float:
    begun = time.monotonic()
    bell.wait(seconds, threading.Event())
    return time.monotonic() - begun


def test_what_was_written_after_listening_wakes_and_nothing_does_not():
    bell = Bell()
    bell.listen()
    assert waited(bell, 0.2) >= 0.19
    elsewhere(lambda: jobs.enqueue(take_down_the_time))
    assert waited(bell, LONG) < LONG / 2
    bell.listen()
    assert waited(bell, 0.2) >= 0.19


def test_what_was_rolled_back_wakes_nobody():
    def begun_and_given_up() -> None:
        with pytest.raises(RuntimeError), transaction.atomic():
            jobs.enqueue(take_down_the_time)
            raise RuntimeError

    bell = Bell()
    bell.listen()
    elsewhere(begun_and_given_up)
    assert waited(bell, 0.2) >= 0.19


def test_an_idle_worker_begins_at_once_although_its_round_is_long():
    started.clear()
    idle = worker.Worker("idle", poll=LONG)
    enqueued: list[float] = []

    def later() -> None:
        time.sleep(0.3)
        jobs.enqueue(take_down_the_time)
        enqueued.append(time.monotonic())
        for _ in range(200):
            if started:
                break
            time.sleep(0.02)
        idle.stop()
        jobs.enqueue(take_down_the_time)  # PostgreSQL: so that it looks at `stopping`
        connections.close_all()

    helper = threading.Thread(target=later)
    helper.start()
    while not idle.stopping.is_set():
        idle._turn()
    helper.join()
    assert started[0] - enqueued[0] < LONG / 10
