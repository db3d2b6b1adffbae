"""Answers a jailed reader's requests for bytes of large files (imaging/slides_source.py asks, over a socket).

The reader is hostile by assumption: a request names one of the files of this job and a stretch inside it, or the
connection ends. Nothing else can be asked for.
"""

import logging
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from consilium.imaging.slides_source import MOST, REQUEST
from consilium.records import content

log = logging.getLogger("consilium.records")
PIECE = 4 * 2**20  # decrypted and sent at once


@contextmanager
def fed(files: Sequence[content.Content]) -> Iterator[int]:
    """A descriptor for `sandbox.run` through which the job may read `files`; valid inside the block."""
    ours, theirs = socket.socketpair()
    feeder = threading.Thread(target=_answer, args=(ours, list(files)), name="slide-feed", daemon=True)
    feeder.start()
    try:
        yield theirs.fileno()
    finally:
        theirs.close()
        _shut(ours)
        feeder.join()
        ours.close()


def _answer(ours: socket.socket, files: list[content.Content]) -> None:
    try:
        while request := _exactly(ours, REQUEST.size):
            number, offset, length = REQUEST.unpack(request)
            if number >= len(files) or not 0 < length <= MOST or offset + length > files[number].size:
                return
            for start in range(offset, offset + length, PIECE):
                ours.sendall(content.read_at(files[number], start, min(PIECE, offset + length - start)))
    except (OSError, ValueError):
        return  # the job has ended
    except Exception:  # the vault's own errors: the job sees the end of its bytes and fails
        log.exception("a slide could not be fed to its reader")
    finally:
        # The reader waits for an answer that will not come.
        _shut(ours)


def _shut(ours: socket.socket) -> None:
    try:
        ours.shutdown(socket.SHUT_RDWR)
    except OSError:
        return


def _exactly(ours: socket.socket, size: int) -> bytes:
    got = b""
    while len(got) < size:
        piece = ours.recv(size - len(got))
        if not piece:
            return b""
        got += piece
    return got
