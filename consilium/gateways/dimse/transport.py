"""The connection below an association: bounded, and waiting instead of polling.

pynetdicom asks its queues and its socket a thousand times a second, in two threads an association. Here both wait
until something comes: the reader for the peer or for something to send, the association for a message or its end.
"""

import os
import select
import socket
import ssl
import time
from queue import Queue
from typing import Any

from django.conf import settings
from pynetdicom.association import Association
from pynetdicom.transport import AssociationSocket

LARGEST_COMMAND = 512 * 1024  # bytes of a PDU that is no data: the longest proposal of an association is shorter
LONGEST_WAIT = 0.25  # seconds after which timers are looked at
CLOSED = 0.002


class TooMuch(Exception):  # noqa: N818 - a limit, not a fault
    """A peer went beyond a limit: the association is aborted."""


class BoundedSocket(AssociationSocket):
    """Reads a PDU in one piece, within the limits of size and time."""

    def __init__(self, association: Association, client: socket.socket) -> None:
        super().__init__(association, client_socket=client)
        self.total = 0
        self.message = 0  # bytes since the last image was complete
        self._woken, self._wake = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)

    @property
    def ready(self) -> bool:
        """Whether the peer has sent something; waits for that, or until there is something to send."""
        if self.socket is None or not self._is_connected:
            time.sleep(CLOSED)  # the thread is about to be ended
            return False
        if isinstance(self.socket, ssl.SSLSocket) and self.socket.pending():
            return True
        wait = LONGEST_WAIT if self.event_queue.empty() else 0  # what has happened is looked at first
        try:
            found, _, _ = select.select([self.socket, self._woken], [], [], wait)
            if self._woken in found:
                os.read(self._woken, 4096)
        except (OSError, ValueError):
            self.event_queue.put("Evt17")  # PS3.8 §9.2.1: transport connection closed
            return False
        return self.socket in found

    def wake(self) -> None:
        """End the waiting of `ready`; from any thread."""
        try:
            os.write(self._wake, b"\0")
        except OSError:  # full: it is awake already; closed: nobody waits
            return

    def recv(self, nr_bytes: int) -> bytearray:
        """Exactly `nr_bytes`, or less when the peer is gone. Raises TooMuch and OSError."""
        self._count(nr_bytes)
        found = bytearray(nr_bytes)
        view, got = memoryview(found), 0
        until = time.monotonic() + settings.DIMSE_IDLE_SECONDS
        assert self.socket is not None
        while got < nr_bytes:
            self.socket.settimeout(max(0.01, until - time.monotonic()))
            count = self.socket.recv_into(view[got:])
            if not count:
                break
            got += count
        view.release()
        return found if got == nr_bytes else found[:got]

    def _count(self, more: int) -> None:
        self.total += more
        self.message += more
        if more > max(LARGEST_COMMAND, settings.DIMSE_MAX_PDU + 6):
            raise TooMuch("PDU")
        # An image that is a little too large gets an answer, a stream without end does not.
        if self.message > 2 * settings.DIMSE_MAX_INSTANCE_BYTES or self.total > settings.DIMSE_MAX_ASSOCIATION_BYTES:
            raise TooMuch("bytes")

    def close(self) -> None:
        """Close the connection to the peer; what `wake` uses stays open until the association is forgotten."""
        super().close()
        self.wake()

    def __del__(self) -> None:
        for descriptor in (self._woken, self._wake):
            os.close(descriptor)


class Patient(Queue[Any]):
    """A queue that waits a little where pynetdicom asks without waiting."""

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        """The next entry. Raises Empty."""
        return super().get(True, timeout if block else LONGEST_WAIT)


class Waking(Queue[Any]):
    """A queue whose entries somebody else waits for."""

    def __init__(self, wake: Any) -> None:
        super().__init__()
        self._poke = wake

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:
        """Add an entry and wake who waits."""
        super().put(item, block, timeout)
        self._poke()


def connect(association: Association, client: socket.socket) -> None:
    """Give an association its connection, and the queues that wait."""
    line = BoundedSocket(association, client)
    association.set_socket(line)
    messages = association.dimse.msg_queue = Patient()
    association.dul.to_provider_queue = Waking(line.wake)
    association.dul.to_user_queue = Waking(lambda: messages.put((None, None)))  # release and abort
    association.dul._run_loop_delay = 0
