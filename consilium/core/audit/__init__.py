"""The audit log: who did or read what, when; provable later (docs/reference/audit-log.md).

Pages are drawn from functional history, never from here; the one exception is the patient's own page
"who looked at my case" (`for_space`).
"""
# pyright: reportImportCycles=false
# The rows' module needs AuditRefused from here, and this package names the rows in annotations only.

from consilium.core.audit.entry import AuditRefused
from consilium.core.audit.log import Actor, Draft, for_space, read, record, record_all
from consilium.core.audit.proof import Report, check, checkpoint, export, init, verify

__all__ = [
    "Actor",
    "AuditRefused",
    "Draft",
    "Report",
    "check",
    "checkpoint",
    "export",
    "for_space",
    "init",
    "read",
    "record",
    "record_all",
    "verify",
]
