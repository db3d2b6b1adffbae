"""The vault's own tidying: what interrupted uploads left behind."""

from datetime import timedelta

from consilium.core import clock, jobs
from consilium.vault import blobs

UNFINISHED = timedelta(hours=24)  # an upload that began longer ago will not finish


@jobs.every(seconds=3600)  # pyright: ignore[reportUnknownMemberType]
@jobs.task()  # pyright: ignore[reportUnknownMemberType]
def sweep_uploads() -> None:
    """Remove the remains of uploads that never finished."""
    blobs.sweep(clock.now() - UNFINISHED)
