"""The audit log: who did or read what, when; provable later (docs/reference/audit-log.md).

Pages are drawn from functional history, never from here; the one exception is the patient's own page
"who looked at my case" (`for_space`).
"""

from consilium.core.audit.entry import AuditRefused
from consilium.core.audit.log import Actor, Draft, for_space, read, record, record_all

__all__ = ["Actor", "AuditRefused", "Draft", "for_space", "read", "record", "record_all"]
