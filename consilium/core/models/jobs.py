"""Rows beside django-tasks' own: lease, attempts and idempotency key of a job; effects; timers; workers.

django-tasks-db keeps what to run and its state; it has no lease and no retry, so a job whose worker is
killed would stay RUNNING for ever. These rows add what is missing without changing its tables.
"""

from typing import ClassVar

from django.db import models


class Job(models.Model):
    """The lease on one queued task. `parked_at` set: tried often enough, waits for a person."""

    result = models.OneToOneField(
        "django_tasks_database.DBTaskResult", on_delete=models.CASCADE, primary_key=True, related_name="job"
    )
    key = models.CharField(max_length=200, unique=True, null=True)
    attempt = models.PositiveSmallIntegerField(default=0)
    worker = models.CharField(max_length=64, default="")
    leased_until = models.DateTimeField(null=True)
    parked_at = models.DateTimeField(null=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["leased_until"], name="job_leases", condition=models.Q(leased_until__isnull=False)),
        ]


class Effect(models.Model):
    """An effect that has happened: the primary key makes the second time impossible."""

    key = models.CharField(max_length=200, primary_key=True)
    at = models.DateTimeField()


class Timer(models.Model):
    """When a periodic job is due next; moved on by compare-and-set, so one process enqueues it."""

    name = models.CharField(max_length=200, primary_key=True)
    due_at = models.DateTimeField()


class WorkerBeat(models.Model):
    """A worker process that is alive, or was until `beat_at`."""

    worker = models.CharField(max_length=64, primary_key=True)
    started_at = models.DateTimeField()
    beat_at = models.DateTimeField()
