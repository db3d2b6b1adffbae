"""Follow-up questionnaires, the SURE test, and what ends with a case."""

from datetime import timedelta

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from consilium.access.principals import Principal
from consilium.access.rules import require
from consilium.cases.effects import Step, after
from consilium.cases.models import Case, FollowUp
from consilium.cases.timers import FOLLOW_UP_DAYS
from consilium.core import audit, clock, jobs
from consilium.core.errors import BadInput

# SURE test, Légaré et al. 2010 (O'Connor & Légaré 2008): unaltered wording in the templates; "yes" scores 1.
SURE = ("sure", "understand", "risk_benefit", "encouragement")


@after("deliver")
def _schedule(step: Step) -> None:
    case, now = step.case, clock.now()
    if case.delivered_at is None:
        Case.objects.filter(pk=case.pk).update(delivered_at=now)
        case.delivered_at = now
    for day in FOLLOW_UP_DAYS:
        FollowUp.objects.get_or_create(case=case, day=day, defaults={"due_at": now + timedelta(days=day)})


def answer(follow_up: FollowUp, answers: dict[str, str], *, by: Principal) -> None:
    """Store the answers of one questionnaire (day 0: the SURE test before submission)."""
    require("story.edit" if follow_up.day == 0 else "follow_up.answer", follow_up.case, by)
    if any(answers.get(item) not in ("yes", "no") for item in SURE):
        raise BadInput(_("Please answer the four questions with yes or no."))
    if any(len(str(value)) > 4000 for value in answers.values()):
        raise BadInput(_("Please shorten your answer to 4000 characters."))
    with transaction.atomic():
        follow_up.answers, follow_up.answered_at = answers, clock.now()
        follow_up.save(update_fields=["answers", "answered_at"])
        audit.record("follow_up.answer", by=by, thing=f"case:{follow_up.case_id}", space=follow_up.case_id)


def sure_score(answers: dict[str, str]) -> int:
    """0–4; below 4 the patient may be in decisional conflict (Légaré 2010)."""
    return sum(answers.get(item) == "yes" for item in SURE)


@after("submit")
def _submitted(step: Step) -> None:
    Case.objects.filter(pk=step.case.pk, submitted_at=None).update(submitted_at=clock.now())


@after("complete_records")
def _records_complete(step: Step) -> None:
    from consilium.cases import deadlines

    Case.objects.filter(pk=step.case.pk).update(records_complete_at=clock.now())
    step.case.records_complete_at = clock.now()
    deadlines.set_promise(step.case)


@after("erase")
def _destroy_key(step: Step) -> None:
    """Key shredding by a job: a key is no row, so it must not be gone when this transaction is taken back."""
    from consilium.cases.jobs import shred_key

    jobs.enqueue(shred_key, str(step.case.pk), key=f"shred:{step.case.pk}")
