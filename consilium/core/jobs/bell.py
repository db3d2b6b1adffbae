"""Waking a worker when something was written, instead of at its next round.

SQLite: `PRAGMA data_version` changes when another connection commits, and asking costs microseconds. PostgreSQL:
`NOTIFY` leaves with the commit that enqueues a job. Where neither works (a pooler between), the round remains.
"""

import threading
import time
from typing import Any

from django.db import connection

TICK = 0.02  # seconds between two looks at SQLite's counter
CHANNEL = "consilium_jobs"


def ring() -> None:
    """Inside the transaction that enqueues a job."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"NOTIFY {CHANNEL}")


class Bell:
    """For one worker, in its main thread: `listen` before it looks for a job, `wait` when it found none."""

    def __init__(self) -> None:
        self._listening: Any = None  # the driver's connection that listens
        self._version: int | None = None

    def listen(self) -> None:
        """From now on nothing is missed. Raises DatabaseError."""
        if connection.vendor == "sqlite":
            self._version = _version()
        elif connection.vendor == "postgresql":
            connection.ensure_connection()
            if self._listening is not connection.connection:
                with connection.cursor() as cursor:
                    cursor.execute(f"LISTEN {CHANNEL}")
                self._listening = connection.connection

    def wait(self, seconds: float, stopping: threading.Event) -> None:
        """Until something was written, `stopping`, or the time is over. Raises DatabaseError."""
        if connection.vendor == "postgresql" and self._listening is not None:
            with connection.wrap_database_errors:
                for _notice in self._listening.notifies(timeout=seconds, stop_after=1):
                    pass
            return
        deadline = time.monotonic() + seconds
        while not stopping.wait(TICK) and time.monotonic() < deadline:
            if self._version is not None and _version() != self._version:
                return


def _version() -> int:
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA data_version")
        ((version,),) = cursor.fetchall()
        return int(version)
