"""The tables of the core: jobs (outbox, leases, effects) and audit."""

from consilium.core.models.audit import AuditCheckpoint, AuditEvent, AuditHead
from consilium.core.models.jobs import Effect, Job, Timer, WorkerBeat

__all__ = ["AuditCheckpoint", "AuditEvent", "AuditHead", "Effect", "Job", "Timer", "WorkerBeat"]
