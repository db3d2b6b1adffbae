"""Jobs of records: looking at images after they have been filed."""

from uuid import UUID

from consilium.core import clock, jobs
from consilium.records import finishing, inbox, ocr, transfers
from consilium.records.models import RecordFile


@jobs.task(queue="ingest", attempts=4)
def finish_space(space: str) -> None:
    """Hash and look at the instances of a case that nobody has looked at yet."""
    finishing.finish(UUID(space))


@jobs.every(seconds=20)
@jobs.task(queue="ingest")
def sweep_unfiled() -> None:
    """Ask again for cases whose instances were left behind by a job that ran a moment too early."""
    waiting = RecordFile.objects.filter(filed_at=None).order_by().values_list("space", flat=True).distinct()
    for space in waiting[:50]:
        jobs.enqueue(finish_space, str(space), key=f"instances:{space}:{int(clock.now().timestamp()) // 10}:sweep")


@jobs.every(seconds=3600)
@jobs.task()
def sweep_transfers() -> None:
    """Discard uploads that nobody went on with for a week, with what arrived of them."""
    transfers.sweep(clock.now())


@jobs.every(seconds=3600)
@jobs.task()
def sweep_inbox() -> None:
    """Destroy what has waited in the inbox for too long."""
    inbox.sweep(clock.now())


@jobs.every(seconds=3600)
@jobs.task(queue="ocr", priority=-10)
def sweep_scans() -> None:
    """Ask for scans that were filed before tesseract was installed."""
    ocr.plan_missed()


@jobs.task(queue="ocr", attempts=4, priority=-10)
def read_scan(file: str) -> None:
    """Read the next scanned page of a file; the page after it is a job of its own."""
    ocr.read_next(UUID(file))
