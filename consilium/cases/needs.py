"""What a transition needs: one small question each, answered with a sentence when the answer is no.

Rooms above this one (opinions, talks) register their own with `@need("name")`; a need that a row names
and nobody registered is an error at start-up (cases/checks.py).
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from consilium.access.principals import Principal
from consilium.cases.models import Case, Offer, RecordRequest
from consilium.cases.states import State
from consilium.cases.timers import CLARIFICATION_DAYS, TIMERS
from consilium.consents import actions as consents
from consilium.core import clock
from consilium.packs import registry
from consilium.records.models import Record

Sentence = Promise | str | None


@dataclass(frozen=True)
class Asked:
    """What a need may look at: the case, who asks, and the note or data given with the verb."""

    case: Case
    by: Principal
    note: str = ""
    data: dict[str, Any] | None = None


Need = Callable[[Asked], Sentence]
NEEDS: dict[str, Need] = {}


def need(name: str) -> Callable[[Need], Need]:
    """Register the answer to the need `name`; it returns None when met, else one sentence."""

    def register(function: Need) -> Need:
        NEEDS[name] = function
        return function

    return register


def unmet(names: tuple[str, ...], asked: Asked) -> list[Promise | str]:
    """The sentences of the needs in `names` that are not met."""
    return [sentence for name in names if (sentence := NEEDS[name](asked))]


@need("suitability_passed")
def _suitability(asked: Asked) -> Sentence:
    intake = asked.case.intake
    return None if intake.screening_passed else _("Please answer the questions on whether a remote opinion fits.")


@need("red_flags_answered")
def _red_flags(asked: Asked) -> Sentence:
    clear = asked.case.intake.red_flags_clear
    if clear is None:
        return _("Please answer the questions on warning signs.")
    return None if clear else _("One of your answers is a warning sign: please get help now, as shown there.")


@need("redirect_reason_given")
def _redirect(asked: Asked) -> Sentence:
    given = asked.note or asked.case.intake.redirect_code
    return None if given else _("Please say why, and where the person can go instead.")


@need("consent_given")
def _consent(asked: Asked) -> Sentence:
    given = consents.mandatory_given(asked.case.pk, jurisdiction=asked.case.jurisdiction)
    return None if given else _("Please read the consents and agree to the required ones.")


@need("story_told")
def _story(asked: Asked) -> Sentence:
    case = asked.case
    told = str(case.intake.goals.get("text", "")).strip() and (case.first_opinion or {}).get("diagnosis", "").strip()
    return None if told else _("Please tell us your goal and what the first doctor said.")


@need("questions_ready")
def _questions(asked: Asked) -> Sentence:
    return None if asked.case.questions.exists() else _("Please write one to three questions.")


@need("recap_confirmed")
def _recap(asked: Asked) -> Sentence:
    from consilium.cases.actions.intake import recap_is_current

    return None if recap_is_current(asked.case) else _("Please read the one-page summary and confirm it.")


@need("abandoned")
def _abandoned(asked: Asked) -> Sentence:
    """A draft expires after 30 days; a case that waits for the patient after twice the time it should take."""
    case, timer = asked.case, TIMERS[asked.case.state]
    limit = timer.due.calendar * (1 if case.state == State.DRAFT else 4)
    return None if clock.now() >= case.state_since + limit else _("It is too early to let this case expire.")


@need("note_given")
def _note(asked: Asked) -> Sentence:
    return None if asked.note.strip() else _("Please write a short reason.")


@need("identity_checked")
def _identity(asked: Asked) -> Sentence:
    return None if asked.case.patient.identity_checked_at else _("Please check the patient's identity first.")


@need("jurisdiction_set")
def _jurisdiction(asked: Asked) -> Sentence:
    known = {pack.id for pack in registry.jurisdictions()}
    return None if asked.case.jurisdiction in known else _("Please choose the rule of the patient's country.")


@need("records_complete")
def _records(asked: Asked) -> Sentence:
    waiting = asked.case.record_requests.filter(mandatory=True).exclude(
        status__in=(RecordRequest.Status.HERE, RecordRequest.Status.WAIVED)
    )
    return _("A required record is still missing: mark it as here or waive it with a reason.") if waiting else None


@need("no_record_undecided")
def _undecided(asked: Asked) -> Sentence:
    open_ones = Record.objects.filter(space=asked.case.pk, status=Record.Status.UNDECIDED)
    return _("A record may belong to somebody else: please decide on it first.") if open_ones.exists() else None


@need("triage_done")
def _triage(asked: Asked) -> Sentence:
    return None if asked.case.triaged_at else _("Triage has to set urgency and re-reads first.")


@need("conclusions_marked")
def _marked(asked: Asked) -> Sentence:
    return None if asked.case.conclusions_marked_at else _("The desk has not yet marked the first conclusion.")


@need("offer_open")
def _offer_open(asked: Asked) -> Sentence:
    has = asked.case.offers.filter(status__in=(Offer.Status.OPEN, Offer.Status.QUEUED)).exists()
    return None if has else _("Please choose a specialist first.")


@need("no_offer_open")
def _no_offer(asked: Asked) -> Sentence:
    has = asked.case.offers.filter(status=Offer.Status.OPEN).exists()
    return _("An offer is still open: take it back first.") if has else None


@need("conflict_declared")
def _conflict(asked: Asked) -> Sentence:
    offer = open_offer(asked.case, asked.by)
    return None if offer and offer.conflict_declared_at else _("Please make the declaration on conflicts first.")


@need("licence_valid")
def _licence(asked: Asked) -> Sentence:
    offer = open_offer(asked.case, asked.by)
    today = clock.now().date()
    valid = offer and offer.specialist.licences.filter(valid_from__lte=today, valid_until__gte=today).exists()
    return None if valid else _("Your licence is missing or has ended; please ask the administrator.")


def open_offer(case: Case, by: Principal) -> Offer | None:
    """The open offer of `case` to the person acting."""
    return case.offers.filter(status=Offer.Status.OPEN, specialist__user_id=by.id).first()


@need("decline_reason_given")
def _decline(asked: Asked) -> Sentence:
    return (
        None
        if (asked.data or {}).get("reason") in Offer.Reason.values or asked.by.kind == "system"
        else _("Please choose a reason.")
    )


@need("oral_explanation_held")
def _oral(asked: Asked) -> Sentence:
    pack = registry.jurisdiction(asked.case.jurisdiction)
    if not pack.oral_delivery_required(asked.case.procedure) or asked.case.oral_explanation_held_at:
        return None
    return _("The rule asks for an oral explanation first: record when it was held.")


@need("clarification_open")
def _clarification_open(asked: Asked) -> Sentence:
    return None if _within_clarification(asked.case) else _("The time for questions about this report is over.")


@need("clarification_over")
def _clarification_over(asked: Asked) -> Sentence:
    return _("Questions about the report are still possible.") if _within_clarification(asked.case) else None


def _within_clarification(case: Case) -> bool:
    return bool(case.delivered_at and clock.now() < case.delivered_at + timedelta(days=CLARIFICATION_DAYS))


@need("follow_up_over")
def _follow_up(asked: Asked) -> Sentence:
    waiting = asked.case.follow_ups.filter(day__gt=0, answered_at=None, due_at__gt=clock.now() - timedelta(days=14))
    return _("A follow-up questionnaire is still open.") if waiting.exists() else None


@need("archive_due")
def _archive(asked: Asked) -> Sentence:
    since = clock.now() - asked.case.state_since
    return None if since >= timedelta(days=90) else _("A case is archived 90 days after it ended.")


@need("erasure_due")
def _erasure(asked: Asked) -> Sentence:
    case = asked.case
    years = registry.jurisdiction(case.jurisdiction).retention_years
    over = clock.now() - case.state_since >= timedelta(days=round(365.25 * years))
    abandoned = not case.submitted_at and case.state != State.DRAFT  # nobody takes a living draft from its patient
    if over or case.erasure_requested_at or abandoned:
        return None
    return _("The retention period is not over and nobody asked for erasure.")


@need("no_legal_hold")
def _hold(asked: Asked) -> Sentence:
    return _("A legal hold keeps this case.") if asked.case.legal_hold else None


@need("urgent_acknowledged")
def _urgent(asked: Asked) -> Sentence:
    if asked.by.kind == "user" and "coordinator" in asked.case.roles_of(asked.by) and not asked.note.strip():
        return _("Please write whom you reached and when.")
    return None
