"""The quality check: an independent peer passes the signed opinion or returns it with comments."""

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from consilium.access.principals import Principal
from consilium.access.rules import require
from consilium.cases.actions import advance
from consilium.cases.effects import Step, after
from consilium.cases.models import Case
from consilium.cases.needs import Asked, Sentence, need
from consilium.core import audit, clock
from consilium.core.errors import BadInput
from consilium.opinions.models import Opinion, QualityReview
from consilium.packs import registry


def current(case: Case) -> Opinion | None:
    """The signed opinion that waits for its quality check."""
    return case.opinions.filter(status=Opinion.Status.SIGNED).order_by("-number").first()


def save(case: Case, *, by: Principal, checklist: dict[str, bool], comments: str = "") -> QualityReview:
    """Store ticks (codes of the pack's release items) and comments."""
    require("quality.review", case, by)
    opinion = current(case)
    if opinion is None:
        raise BadInput(_("There is no signed opinion to check."))
    known = {item.code for item in registry.specialty(case.specialty).release}
    with transaction.atomic():
        review, _created = QualityReview.objects.get_or_create(case=case, opinion=opinion, reviewer=by.ref, decision="")
        review.checklist = {code: True for code, ticked in checklist.items() if ticked and code in known}
        review.comments = comments[:10_000]
        review.save()
        audit.record("quality.save", by=by, thing=f"opinion:{opinion.pk}", space=case.pk)
    return review


def pass_quality(case: Case, *, by: Principal) -> None:
    """Pass: the report is sealed and prepared for delivery."""
    advance(case, "pass_quality", by=by)


def return_for_revision(case: Case, *, by: Principal, comments: str) -> None:
    """Return with comments: the opinion can be written on again and must be signed anew."""
    advance(case, "return_for_revision", by=by, note=comments)


@need("reviewer_is_independent")
def _independent(asked: Asked) -> Sentence:
    opinion = current(asked.case)
    own = opinion is not None and opinion.specialist.user_id == asked.by.id
    return _("Nobody passes their own opinion: please leave it to a colleague.") if own else None


@need("quality_checklist_done")
def _done(asked: Asked) -> Sentence:
    opinion = current(asked.case)
    review = opinion.quality_reviews.filter(reviewer=asked.by.ref, decision="").first() if opinion else None
    wanted = {item.code for item in registry.specialty(asked.case.specialty).release}
    complete = review is not None and wanted <= set(review.checklist)
    return None if complete else _("Please tick every point of the checklist, or return the opinion with comments.")


@after("pass_quality", "return_for_revision")
def _decided(step: Step) -> None:
    opinion = current(step.case)
    if opinion is None:
        return
    passed = step.row.verb == "pass_quality"
    review, _created = QualityReview.objects.get_or_create(
        case=step.case, opinion=opinion, reviewer=step.by.ref, decision=""
    )
    review.decision = QualityReview.Decision.PASSED if passed else QualityReview.Decision.RETURNED
    review.comments = review.comments if passed else step.event.note
    review.decided_at = clock.now()
    review.save()
    if not passed:
        opinion.status, opinion.signed_at, opinion.digest = Opinion.Status.RETURNED, None, ""
        opinion.save(update_fields=["status", "signed_at", "digest"])
