"""`advance(case, verb, by=)`: the only writer of `Case.state`."""

from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from consilium.access.principals import Principal
from consilium.access.rules import require_fresh, strong_enough
from consilium.cases import deadlines, effects
from consilium.cases.models import Case, CaseEvent
from consilium.cases.needs import Asked, unmet
from consilium.cases.workflow import RETURN, Row, row_for
from consilium.core import audit, clock
from consilium.core.errors import NotAllowed, NotReady, Refusal


def advance(case: Case, verb: str, *, by: Principal, note: str = "", **data: Any) -> CaseEvent:
    """Take the step `verb` and return its event.

    Checks row, person, step-up and needs, changes the state by compare-and-set, appends the `CaseEvent`,
    writes the audit entry, sets deadlines and runs the registered effects, in one transaction.
    `case` is refreshed in place. Raises NotAllowed, StepUpNeeded, NotReady, or Refusal when somebody was faster.
    """
    with transaction.atomic():
        current = Case.objects.select_for_update().get(pk=case.pk)
        if current.version != case.version:
            raise Refusal(_("Somebody else changed this case just now. Please look again."), code="changed")
        row = _permitted_row(current, verb, by)
        require_fresh(row.step_up, by)
        missing = unmet(row.needs, Asked(current, by, note, data))
        if missing:
            raise NotReady(missing[0], missing=missing, code=verb)
        event = _write(current, row, by, note)
        deadlines.set_for(current)
        effects.run(effects.Step(current, row, event, by, data))
    case.refresh_from_db()
    return event


def possible(case: Case, verb: str, by: Principal) -> bool:
    """Whether `by` has the role to try `verb` now; needs may still be unmet."""
    row = row_for(verb, case.state)
    return bool(row and by.active and row.who & case.roles_of(by))


def what_is_missing(case: Case, verb: str, by: Principal) -> list[Any]:
    """The sentences of unmet needs, for showing beside a button before it is pressed."""
    row = row_for(verb, case.state)
    return unmet(row.needs, Asked(case, by)) if row else []


def _permitted_row(case: Case, verb: str, by: Principal) -> Row:
    row = row_for(verb, case.state)
    roles = case.roles_of(by)
    if row is None or not by.active or not (row.who & roles) or not strong_enough(by):
        raise NotAllowed(_("This step is not possible now."), code=verb)
    return row


def _write(case: Case, row: Row, by: Principal, note: str) -> CaseEvent:
    before, now = case.state, clock.now()
    after = case.halted_from if row.target == RETURN else row.target
    halting = row.target in ("urgent", "incident_hold")
    halted_from = case.halted_from or before if halting else "" if row.target == RETURN else case.halted_from
    moved = Case.objects.filter(pk=case.pk, version=case.version, state=before).update(
        state=after,
        state_since=now if after != before else case.state_since,
        halted_from=halted_from,
        version=case.version + 1,
    )
    if not moved:
        raise Refusal(_("Somebody else changed this case just now. Please look again."), code="changed")
    case.refresh_from_db()
    event = CaseEvent.objects.create(
        case=case,
        at=now,
        verb=row.verb,
        from_state=before,
        to_state=after,
        by=by.ref,
        role=next(iter(sorted(row.who & case.roles_of(by))), by.kind),
        note=note,
    )
    audit.record(f"case.{row.verb}", by=by, thing=f"case:{case.pk}", space=case.pk, from_state=before, to_state=after)
    return event
