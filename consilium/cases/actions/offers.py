"""Offers: choosing specialists in order, asking, accepting, declining, falling silent, taking back."""

from collections.abc import Sequence

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from consilium.access.principals import SYSTEM, Principal
from consilium.access.rules import require
from consilium.cases import calendar
from consilium.cases.actions.advance import advance
from consilium.cases.effects import Step, after
from consilium.cases.matching import candidates
from consilium.cases.models import Case, CaseRole, Offer
from consilium.cases.needs import open_offer
from consilium.cases.states import State
from consilium.cases.timers import OFFERS_BEFORE_ESCALATION, TIMERS
from consilium.core import audit, clock
from consilium.core.errors import BadInput, NotAllowed
from consilium.people.models import Specialist
from consilium.records.models import Record


def choose(case: Case, specialists: Sequence[Specialist], *, by: Principal) -> list[Offer]:
    """Set the ordered list of whom to ask: the first is asked on `offer`, the others are backups."""
    require("offer.manage", case, by)
    known = {candidate.specialist.pk: candidate for candidate in candidates(case)}
    if not specialists:
        raise BadInput(_("Please choose at least one specialist."))
    for specialist in specialists:
        if specialist.pk not in known or known[specialist.pk].excluded:
            raise BadInput(_("%(name)s cannot be asked: please look at the reasons.") % {"name": specialist.name})
    with transaction.atomic():
        case.offers.filter(status=Offer.Status.QUEUED).delete()
        start = case.offers.count()
        offers = [
            Offer.objects.create(
                case=case, specialist=chosen, position=start + n, match_reasons=known[chosen.pk].stored()
            )
            for n, chosen in enumerate(specialists, start=1)
        ]
        audit.record("offer.choose", by=by, thing=f"case:{case.pk}", space=case.pk, count=len(offers))
    return offers


def offer(case: Case, specialists: Sequence[Specialist], *, by: Principal) -> Offer:
    """Choose and ask in one step: the case goes to `offered`."""
    with transaction.atomic():
        choose(case, specialists, by=by)
        advance(case, "offer", by=by)
    return case.offers.get(status=Offer.Status.OPEN)


@after("offer")
def _ask_first(step: Step) -> None:
    open_next(step.case, by=step.by)


def open_next(case: Case, *, by: Principal) -> Offer | None:
    """Ask the next queued specialist; None when nobody is left."""
    chosen = case.offers.filter(status=Offer.Status.QUEUED).order_by("position").first()
    if chosen is None:
        return None
    now = clock.now()
    chosen.status, chosen.opened_at = Offer.Status.OPEN, now
    chosen.expires_at = calendar.add(now, TIMERS[State.OFFERED].due, jurisdiction=case.jurisdiction)
    chosen.save(update_fields=["status", "opened_at", "expires_at"])
    CaseRole.objects.create(
        case=case,
        user_id=chosen.specialist.user_id,
        role=CaseRole.Role.OFFERED_SPECIALIST,
        granted_by=by.ref,
        confirmed_at=now,
    )
    audit.record("offer.open", by=by, thing=f"offer:{chosen.pk}", space=case.pk)
    return chosen


def records_for_summary(case: Case) -> list[Record]:
    """Readable records of an offered case; the offer shows only how many there are of each kind."""
    return list(Record.objects.filter(space=case.pk, status__in=(Record.Status.READY, Record.Status.FLAGGED)))


def declare_conflicts(case: Case, *, by: Principal, none: bool, statement: str = "") -> None:
    """The specialist's declaration on conflicts of interest (Zm-RL §8(2)); needed before accepting."""
    current = open_offer(case, by)
    if current is None:
        raise NotAllowed(_("There is no open offer to you on this case."))
    if not none and not statement.strip():
        raise BadInput(_("Please describe the conflict, or confirm that there is none."))
    with transaction.atomic():
        current.conflict_declared_at = clock.now()
        current.conflict_statement = statement.strip()
        current.save(update_fields=["conflict_declared_at", "conflict_statement"])
        audit.record(
            "offer.declare", by=by, thing=f"offer:{current.pk}", space=case.pk, code="none" if none else "some"
        )


def accept(case: Case, *, by: Principal) -> None:
    """Accept the case: full records open to the specialist, blind to the first conclusion."""
    advance(case, "accept", by=by)


@after("accept")
def _accepted(step: Step) -> None:
    now = clock.now()
    Offer.objects.filter(case=step.case, status=Offer.Status.OPEN).update(status="accepted", answered_at=now)
    Offer.objects.filter(case=step.case, status=Offer.Status.QUEUED).update(status="taken_back", answered_at=now)
    end_roles(step.case, CaseRole.Role.OFFERED_SPECIALIST, by=step.by)
    CaseRole.objects.create(
        case=step.case, user_id=step.by.id, role="specialist", granted_by=step.by.ref, confirmed_at=now
    )


def decline(case: Case, *, by: Principal, reason: str, note: str = "") -> None:
    """Decline with a coded reason; the next backup is asked, or the case goes back to the desk."""
    with transaction.atomic():
        advance(case, "decline", by=by, reason=reason, reason_note=note)
        _next_or_back(case)


@after("decline")
def _declined(step: Step) -> None:
    silent = step.by.kind == "system"
    for current in step.case.offers.filter(status=Offer.Status.OPEN):
        current.status = Offer.Status.TIMED_OUT if silent else Offer.Status.DECLINED
        current.answered_at = clock.now()
        current.reason = step.data.get("reason", "")
        current.reason_note = step.data.get("reason_note", "")
        current.save()
    end_roles(step.case, CaseRole.Role.OFFERED_SPECIALIST, by=step.by)


def _next_or_back(case: Case) -> None:
    unanswered = case.offers.filter(status__in=(Offer.Status.DECLINED, Offer.Status.TIMED_OUT)).count()
    if unanswered >= OFFERS_BEFORE_ESCALATION or open_next(case, by=SYSTEM) is None:
        advance(case, "escalate_offers", by=SYSTEM)


def time_out(case: Case) -> bool:
    """Treat an offer that nobody answered in time as silence; True when one was."""
    late = case.offers.filter(status=Offer.Status.OPEN, expires_at__lte=clock.now()).exists()
    if late and case.state == State.OFFERED:
        with transaction.atomic():
            advance(case, "decline", by=SYSTEM)
            _next_or_back(case)
    return late


def take_back(case: Case, *, by: Principal) -> None:
    """The coordinator takes the open offer back; the case returns to triage."""
    require("offer.manage", case, by)
    with transaction.atomic():
        open_ones = case.offers.filter(status__in=(Offer.Status.OPEN, Offer.Status.QUEUED))
        open_ones.update(status=Offer.Status.TAKEN_BACK, answered_at=clock.now())
        end_roles(case, CaseRole.Role.OFFERED_SPECIALIST, by=by)
        advance(case, "escalate_offers", by=by)


@after("hand_back", "withdraw")
def _close_records(step: Step) -> None:
    end_roles(step.case, CaseRole.Role.SPECIALIST, by=step.by)
    end_roles(step.case, CaseRole.Role.OFFERED_SPECIALIST, by=step.by)
    open_ones = step.case.offers.filter(status__in=("open", "queued", "accepted"))
    open_ones.update(status=Offer.Status.TAKEN_BACK, answered_at=clock.now())


def end_roles(case: Case, role: str, *, by: Principal) -> None:
    """End every open role of that kind on the case."""
    case.case_roles.filter(role=role, ended_at=None).update(ended_at=clock.now(), ended_by=by.ref)
