"""The blind read: write, lock, reveal."""

import hashlib
import json

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from consilium.access.principals import Principal
from consilium.access.rules import require
from consilium.cases.actions import advance
from consilium.cases.effects import Step, after
from consilium.cases.models import Case
from consilium.cases.needs import Asked, Sentence, need
from consilium.core import audit, clock
from consilium.core.errors import BadInput, NotAllowed
from consilium.opinions.models import BlindRead
from consilium.people.models import Specialist


@after("accept")
def _open_blind_read(step: Step) -> None:
    specialist = Specialist.objects.get(user_id=step.by.id)
    BlindRead.objects.get_or_create(case=step.case, specialist=specialist)


def of(case: Case, by: Principal) -> BlindRead | None:
    """The blind read of the person acting on this case."""
    return BlindRead.objects.filter(case=case, specialist__user_id=by.id).first()


def reads_blind(case: Case, by: Principal) -> bool:
    """Whether `by` has an unlocked blind read here: then the first conclusion stays hidden whatever else they are."""
    return BlindRead.objects.filter(case=case, specialist__user_id=by.id, locked_at=None).exists()


def save(case: Case, *, by: Principal, diagnosis: str, treatment: str, reasoning: str, confidence: str) -> BlindRead:
    """Store the impression as it stands (autosave uses this too)."""
    require("blind_read.write", case, by)
    if confidence and confidence not in BlindRead.Confidence.values:
        raise BadInput(_("Please choose how confident you are."))
    with transaction.atomic():
        read = BlindRead.objects.select_for_update().filter(case=case, specialist__user_id=by.id).first()
        if read is None or read.locked_at:
            raise NotAllowed(_("Your first impression is locked and cannot be changed."))
        read.diagnosis, read.treatment, read.reasoning = diagnosis, treatment, reasoning
        read.confidence = confidence
        read.save()
        audit.record("blind_read.save", by=by, thing=f"blind_read:{read.pk}", space=case.pk)
    return read


def lock(case: Case, *, by: Principal) -> None:
    """Lock the impression with a time stamp; the case goes on to review."""
    advance(case, "lock_blind_read", by=by)


@need("impression_written")
def _written(asked: Asked) -> Sentence:
    read = of(asked.case, asked.by)
    complete = read and read.diagnosis.strip() and read.treatment.strip() and read.confidence
    return None if complete else _("Please write diagnosis, treatment and your confidence first.")


@after("lock_blind_read")
def _lock(step: Step) -> None:
    read = BlindRead.objects.select_for_update().get(case=step.case, specialist__user_id=step.by.id)
    read.locked_at = clock.now()
    read.digest = digest(read)
    read.save(update_fields=["locked_at", "digest"])


def digest(read: BlindRead) -> str:
    """SHA-256 over what was locked; the case id salts it."""
    words = [str(read.case_id), read.diagnosis, read.treatment, read.reasoning, read.confidence]
    return hashlib.sha256(json.dumps(words, ensure_ascii=False).encode()).hexdigest()


def reveal(case: Case, *, by: Principal) -> BlindRead:
    """Show the first opinion. Mandatory before drafting, and noted with its time."""
    require("opinion.write", case, by)
    with transaction.atomic():
        read = BlindRead.objects.select_for_update().filter(case=case, specialist__user_id=by.id).first()
        if read is None or read.locked_at is None:
            raise NotAllowed(_("Please lock your first impression before the first opinion is shown."))
        if read.revealed_at is None:
            read.revealed_at = clock.now()
            read.save(update_fields=["revealed_at"])
            audit.record("blind_read.reveal", by=by, thing=f"blind_read:{read.pk}", space=case.pk)
    return read


@need("first_opinion_revealed")
def _revealed(asked: Asked) -> Sentence:
    read = of(asked.case, asked.by)
    return None if read and read.revealed_at else _("Please look at the first opinion before you sign.")
