"""The tables of the core: jobs (outbox, leases, effects) and audit."""

from consilium.core.models.jobs import Effect, Job, Timer, WorkerBeat

__all__ = ["Effect", "Job", "Timer", "WorkerBeat"]
