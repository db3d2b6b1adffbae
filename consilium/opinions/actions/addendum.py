"""Addenda: a corrected or extended version of a released report; the old one stays and says it is superseded."""

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from consilium.access.principals import Principal
from consilium.access.rules import require
from consilium.cases.actions import advance
from consilium.cases.effects import Step, after
from consilium.cases.models import Case
from consilium.cases.needs import Asked, Sentence, need
from consilium.core import audit
from consilium.core.errors import BadInput, NotAllowed
from consilium.opinions import content
from consilium.opinions.actions.opinion import freeze
from consilium.opinions.models import Finding, Opinion


def draft_of(case: Case) -> Opinion | None:
    """The addendum being written, if any."""
    return case.opinions.filter(status=Opinion.Status.DRAFT, number__gt=1).first()


def start(case: Case, *, by: Principal) -> Opinion:
    """Begin the next version as a copy of the last released one."""
    require("addendum.write", case, by)
    existing = draft_of(case)
    if existing:
        return existing
    last = case.opinions.filter(status=Opinion.Status.RELEASED).order_by("-number").first()
    if last is None or last.specialist.user_id != by.id:
        raise NotAllowed(_("Only the specialist who signed the report can write an addendum."))
    with transaction.atomic():
        opinion = Opinion.objects.create(
            case=case, specialist=last.specialist, number=last.number + 1, content=last.content
        )
        for finding in last.findings.all():
            Finding.objects.create(
                case=case,
                opinion=opinion,
                position=finding.position,
                record=finding.record,
                anchor=finding.anchor,
                text=finding.text,
                significance=finding.significance,
            )
        audit.record("addendum.start", by=by, thing=f"opinion:{opinion.pk}", space=case.pk)
    return opinion


def save_change_note(opinion: Opinion, note: str, *, by: Principal) -> None:
    """What this version changes, in words the patient reads first."""
    require("addendum.write", opinion.case, by)
    if opinion.specialist.user_id != by.id:
        raise NotAllowed(_("Only the specialist who writes this opinion can change it."))
    if not note.strip():
        raise BadInput(_("Please say in one or two sentences what changed."))
    with transaction.atomic():
        opinion.change_note = note.strip()[:4000]
        opinion.save(update_fields=["change_note"])
        audit.record("addendum.note", by=by, thing=f"opinion:{opinion.pk}", space=opinion.case_id)


def discard(opinion: Opinion, *, by: Principal) -> None:
    """Give up an addendum that was not signed."""
    require("addendum.write", opinion.case, by)
    if opinion.status != Opinion.Status.DRAFT or opinion.number == 1 or opinion.specialist.user_id != by.id:
        raise NotAllowed(_("Only an unsigned addendum of yours can be discarded."))
    with transaction.atomic():
        audit.record("addendum.discard", by=by, thing=f"opinion:{opinion.pk}", space=opinion.case_id)
        opinion.delete()


def issue(case: Case, *, by: Principal) -> None:
    """Sign the addendum (fresh second step): version n+1 is sealed and everybody is told again."""
    advance(case, "issue_addendum", by=by)


@need("addendum_complete")
def _complete(asked: Asked) -> Sentence:
    draft = draft_of(asked.case)
    if draft is None or draft.specialist.user_id != asked.by.id:
        return _("There is no addendum to sign.")
    if not draft.change_note.strip():
        return _("Please say in one or two sentences what changed.")
    problems = content.release_problems(draft)
    return problems[0].sentence if problems else None


@after("issue_addendum")
def _issued(step: Step) -> None:
    draft = draft_of(step.case)
    if draft is not None:
        freeze(draft)
