"""Jobs of opinions: building and handing over reports."""

from consilium.core import jobs
from consilium.opinions.models import Opinion


@jobs.task(attempts=6)
def build_report(opinion_id: str) -> None:
    """Build, seal and release the report of a signed opinion; running it twice changes nothing."""
    from consilium.opinions.actions import report

    opinion = Opinion.objects.filter(pk=opinion_id).select_related("case", "specialist").first()
    if opinion and opinion.status in (Opinion.Status.SIGNED, Opinion.Status.RELEASED):
        report.release(opinion)
