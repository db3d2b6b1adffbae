"""The real command with real processes: serve, kill, restart, stop; and workers that die in the middle of a job."""

import os
import signal
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError

import pytest
from django.db import connection

from consilium.config.test_bridge import free_port
from consilium.core import jobs
from consilium.core.jobs.worker import drain
from consilium.core.models.jobs import Effect, Job, WorkerBeat

pytestmark = [pytest.mark.server, pytest.mark.django_db(transaction=True)]


@jobs.task()
def slow_effect(key: str, marker: str) -> None:
    """Says that it has begun, takes its time the first time, and has an effect once."""
    first = not Path(marker).exists()
    with Path(marker).open("a") as file:
        file.write("begun\n")
    if first:
        time.sleep(30)
    with jobs.effects.once(key) as mine:
        if mine:
            jobs.enqueue(leave_trace, key)


@jobs.task()
def leave_trace(key: str) -> None:
    Effect.objects.create(key=f"trace:{key}", at="2026-01-01T00:00:00Z")


@jobs.task()
def count_me(number: int) -> None:
    # Fails on the unique key if it ever ran twice.
    Effect.objects.create(key=f"count:{number}", at="2026-01-01T00:00:00Z")


def same_database():
    """Environment of a child process that uses this test's database."""
    settings = connection.settings_dict
    if connection.vendor == "sqlite":
        url = f"sqlite:///{settings['NAME']}"
    else:
        address = f"{settings['HOST']}:{settings['PORT']}"
        url = f"postgres://{settings['USER']}:{settings['PASSWORD']}@{address}/{settings['NAME']}"
    return dict(os.environ, DATABASE_URL=url, DJANGO_SETTINGS_MODULE=os.environ["DJANGO_SETTINGS_MODULE"])


@contextmanager
def process(*arguments, folder):
    with (folder / f"log-{time.monotonic_ns()}").open("wb") as log:
        running = subprocess.Popen(
            [sys.executable, "-m", "consilium", *arguments], env=same_database(), stdout=log, stderr=log
        )
        try:
            yield running
        finally:
            running.kill()
            running.wait()


def until(condition, seconds=25):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.1)
    return False


def logs(folder):
    return "\n".join(path.read_text() for path in folder.glob("log-*"))


def test_job_of_a_killed_worker_runs_again_with_one_effect(tmp_path):
    marker = tmp_path / "marker"
    jobs.enqueue(slow_effect, "e1", str(marker))
    with process("worker", "--name", "first", folder=tmp_path) as first:
        assert until(marker.exists), logs(tmp_path)
        first.kill()
    assert Job.objects.get(result__task_path=slow_effect.module_path).leased_until is not None
    with process("worker", "--name", "second", "--replaces", "first", folder=tmp_path) as second:
        assert until(lambda: Effect.objects.filter(key="trace:e1").exists()), logs(tmp_path)
        second.send_signal(signal.SIGTERM)
        assert second.wait(10) == 0
    assert marker.read_text().count("begun") == 2
    assert drain(raise_errors=False) >= 0
    assert Effect.objects.filter(key__contains="e1").count() == 2


def test_job_of_a_lost_host_comes_back_when_its_lease_runs_out(tmp_path):
    marker = tmp_path / "marker"
    jobs.enqueue(slow_effect, "e2", str(marker))
    with process("worker", "--name", "lost", "--lease", "2", folder=tmp_path) as lost:
        assert until(marker.exists), logs(tmp_path)
        lost.kill()
    with process("worker", "--name", "other", "--lease", "2", folder=tmp_path):
        assert until(lambda: Effect.objects.filter(key="trace:e2").exists()), logs(tmp_path)
    assert WorkerBeat.objects.filter(worker="other").exists()


def test_two_workers_run_100_jobs_once_each(tmp_path):
    for number in range(100):
        jobs.enqueue(count_me, number)
    with process("worker", folder=tmp_path), process("worker", folder=tmp_path):
        ours = Job.objects.filter(result__task_path=count_me.module_path)
        done = ours.filter(result__status="SUCCESSFUL")
        assert until(lambda: done.count() == 100, 60), logs(tmp_path)
    assert Effect.objects.filter(key__startswith="count:").count() == 100
    assert set(ours.values_list("attempt", flat=True)) == {1}


def answers(url):
    try:
        with urllib.request.urlopen(url, timeout=2) as response:
            return response.status == 200
    except (URLError, OSError):
        return False


def children_of(pid):
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(fields[1]) == pid:
            found.append(int(status.parent.name))
    return found


def test_serve_starts_again_what_dies_and_stops_cleanly(tmp_path):
    from consilium.ops.migrate import make_keys

    make_keys()
    port = free_port()
    url = f"http://127.0.0.1:{port}/healthz"
    with process("serve", "--bind", f"127.0.0.1:{port}", folder=tmp_path) as serving:
        assert until(lambda: answers(url), 40), logs(tmp_path)
        assert f"http://127.0.0.1:{port}/" in page(f"http://127.0.0.1:{port}/.well-known/security.txt")
        assert until(WorkerBeat.objects.exists), logs(tmp_path)
        before = children_of(serving.pid)
        assert len(before) == 3  # web, jobs, and the jobs that may take their time
        web_workers = [pid for child in before for pid in children_of(child)]
        for pid in before:
            os.kill(pid, signal.SIGKILL)

        def renewed():
            now = children_of(serving.pid)
            return len(now) == 3 and not set(before) & set(now) and answers(url)

        assert until(renewed, 30), logs(tmp_path)
        serving.send_signal(signal.SIGTERM)
        started = time.monotonic()
        assert serving.wait(15) == 0
        assert time.monotonic() - started < 10
    assert not answers(url)
    assert not any(Path(f"/proc/{pid}").exists() for pid in web_workers)


def page(url):
    with urllib.request.urlopen(url, timeout=10) as response:
        return response.read().decode()


@pytest.mark.parametrize("server_too", [False, True])
def test_no_process_is_left_when_the_supervisor_is_killed(tmp_path, server_too):
    from consilium.ops.migrate import make_keys

    make_keys()
    port = free_port()
    with process("serve", "--bind", f"127.0.0.1:{port}", "--job-workers", "0", folder=tmp_path) as serving:
        assert until(lambda: answers(f"http://127.0.0.1:{port}/healthz"), 40), logs(tmp_path)
        (web,) = children_of(serving.pid)
        pids = [web, *children_of(web)]
        assert len(pids) > 1
        for pid in (serving.pid, web)[: 2 if server_too else 1]:
            os.kill(pid, signal.SIGKILL)
        serving.wait()
    assert until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids), 15)
