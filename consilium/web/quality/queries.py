"""What the quality reviewer works on: waiting opinions, decisions of late, and the read that came before."""

from consilium.access import scopes
from consilium.access.principals import Principal
from consilium.cases.models import Case
from consilium.cases.states import State
from consilium.opinions.actions import quality
from consilium.opinions.models import BlindRead, Opinion, QualityReview

RECENT = 20


def waiting(by: Principal) -> list[Case]:
    """Cases whose opinion waits for its check, the one due first on top."""
    found = scopes.cases(by, "quality.review").filter(state=State.QUALITY_CHECK)
    return list(found.order_by("due_at", "state_since").prefetch_related("opinions__specialist"))


def decided(by: Principal) -> list[QualityReview]:
    """The latest decisions of everybody who checks, newest first."""
    found = QualityReview.objects.filter(case__in=scopes.cases(by)).exclude(decision="")
    return list(found.select_related("case", "opinion__specialist").order_by("-decided_at")[:RECENT])


def opinion_of(case: Case) -> Opinion | None:
    """The signed opinion with its author."""
    return quality.current(case)


def blind_read_of(opinion: Opinion) -> BlindRead | None:
    """The first impression its author locked before writing."""
    return opinion.case.blind_reads.filter(specialist=opinion.specialist_id, locked_at__isnull=False).first()


def saved(opinion: Opinion, by: Principal) -> QualityReview | None:
    """Ticks and comments the reviewer has kept so far."""
    return opinion.quality_reviews.filter(reviewer=by.ref, decision="").first()


def returned_before(opinion: Opinion) -> list[QualityReview]:
    """Earlier rounds in which this opinion went back with comments."""
    return list(opinion.quality_reviews.filter(decision=QualityReview.Decision.RETURNED).order_by("-decided_at"))
