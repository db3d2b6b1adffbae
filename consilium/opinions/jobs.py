"""Jobs of opinions: building and handing over reports."""

from datetime import timedelta
from uuid import UUID

from consilium.core import clock, jobs
from consilium.opinions.models import Opinion, Report
from consilium.records.models import InboxInstance, Preview, RecordFile, SeriesMetadata, Slide, Transfer, Upload
from consilium.vault import blobs, keys

ORPHAN_AGE = timedelta(hours=24)  # bytes are sealed before their row is written; younger ones may still get theirs


@jobs.task(attempts=6)
def build_report(opinion_id: str) -> None:
    """Build, seal and release the report of a signed opinion; running it twice changes nothing."""
    from consilium.opinions.actions import report

    opinion = Opinion.objects.filter(pk=opinion_id).select_related("case", "specialist").first()
    if opinion and opinion.status in (Opinion.Status.SIGNED, Opinion.Status.RELEASED):
        report.release(opinion)


def live_blobs() -> set[UUID]:
    """Every blob a row points at and whose key still exists."""
    live: set[UUID] = set()
    for model in (Upload, RecordFile):
        for blob, more, space in model.objects.values_list("blob", "more", "space").iterator():
            if not keys.space_destroyed(space):
                live |= {blob, *(UUID(hex=extent[0]) for extent in more)}
    for model, field in ((Transfer, "parts"), (Slide, "tiles")):
        for found, space in model.objects.values_list(field, "space"):
            if not keys.space_destroyed(space):
                live |= {UUID(hex=part if isinstance(part, str) else part[0]) for part in found}
    series = SeriesMetadata.objects.values_list("blob", "space")
    live |= {blob for blob, space in series if not keys.space_destroyed(space)}
    for blob, more, space in InboxInstance.objects.values_list("blob", "more", "study_id").iterator():
        if not keys.space_destroyed(space):
            live |= {blob, *(UUID(hex=extent[0]) for extent in more)}
    previews = Preview.objects.values_list("blob", "file__space")
    live |= {blob for blob, space in previews if not keys.space_destroyed(space)}
    for case, *found in Report.objects.values_list("case_id", "clinical_blob", "patient_blob", "fhir_blob"):
        if not keys.space_destroyed(case):
            live |= set(found)
    return live


@jobs.every(seconds=6 * 3600)
@jobs.task()
def collect_orphans() -> None:
    """Delete ciphertext that no row points at, and that of erased cases (whose key is gone already)."""
    old = list(blobs.ids(before=clock.now() - ORPHAN_AGE))
    live = live_blobs() if old else set()
    for blob in old:
        if blob not in live:
            blobs.delete(blob)
