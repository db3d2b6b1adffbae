"""The workflow table against a reviewed snapshot, on real cases with real people."""

from datetime import timedelta
from pathlib import Path

import pytest

from consilium.access.principals import ANONYMOUS, SYSTEM
from consilium.cases.actions import advance
from consilium.cases.actions.advance import possible
from consilium.cases.checks import workflow_is_whole
from consilium.cases.models import Case, Deadline
from consilium.cases.states import OPEN, State
from consilium.cases.workflow import TABLE, VERBS
from consilium.core import audit, clock, jobs
from consilium.core.errors import NotAllowed, NotReady, Refusal, StepUpNeeded
from consilium.testing import factories
from consilium.testing.snapshots import matches

pytestmark = pytest.mark.django_db
SNAPSHOT = Path(__file__).parent / "snapshots" / "verbs.txt"
NAMES = ("anna", "ben", "dora", "tess", "chen", "novak", "quinn", "ada", "sam", "pia", "eve", "rival")


def test_table_is_whole():
    assert workflow_is_whole() == []


def test_every_open_state_can_be_left_and_ended():
    for state in OPEN:
        verbs = {row.verb for row in TABLE if state in row.sources}
        assert {"withdraw"} <= verbs and len(verbs) > 1, state


def test_who_may_try_which_verb_in_which_state(cast):
    """Ben acts for Anna where the case was not withdrawn from him; the snapshot was read line by line."""
    lines = []
    for state in State.values:
        case = factories.case_in(state, cast)
        if state not in (State.ERASED, State.ARCHIVED, State.REDIRECTED, State.WITHDRAWN, State.EXPIRED, State.CLOSED):
            factories.proxy(case, cast.ben, "proxy_act", by=cast.anna)
        case = Case.objects.get(pk=case.pk)
        who = {name: getattr(cast, name).by for name in NAMES} | {"system": SYSTEM, "anonymous": ANONYMOUS}
        for verb in VERBS:
            able = [name for name, principal in who.items() if possible(case, verb, principal)]
            if able:
                lines.append(f"{state:14} {verb:22} {' '.join(able)}")
    matches(SNAPSHOT, "\n".join(lines) + "\n")


def test_advance_refuses_a_verb_of_another_state(cast):
    case = factories.told(cast)
    with pytest.raises(NotAllowed):
        advance(case, "sign", by=cast.anna.by)


def test_advance_refuses_one_factor(cast):
    case = factories.told(cast)
    with pytest.raises(NotAllowed):
        advance(case, "submit", by=cast.anna.weak)


def test_advance_names_what_is_missing(cast):
    case = factories.draft(cast)
    with pytest.raises(NotReady) as refused:
        advance(case, "submit", by=cast.anna.by)
    assert len(refused.value.missing) == 6
    case.refresh_from_db()
    assert case.state == State.DRAFT


def test_signing_needs_a_fresh_second_step(cast):
    case = factories.case_in(State.IN_REVIEW, cast)
    factories.write_opinion(case, cast)
    with pytest.raises(StepUpNeeded):
        advance(case, "sign", by=cast.chen.stale)


def test_only_one_of_two_windows_advances(cast):
    case = factories.told(cast)
    twin = Case.objects.get(pk=case.pk)
    advance(case, "submit", by=cast.anna.by)
    with pytest.raises(Refusal):
        advance(twin, "submit", by=cast.anna.by)
    assert case.events.filter(verb="submit").count() == 1


def test_every_step_leaves_an_event_and_an_audit_entry(cast):
    case = factories.case_in(State.DELIVERED, cast)
    steps = list(case.events.exclude(to_state="").values_list("verb", flat=True))
    logged = [event.action for event in audit.for_space(case.pk)]
    assert steps[:2] == ["start", "submit"]
    assert all(f"case.{verb}" in logged for verb in steps)


def test_halted_case_returns_to_where_it_was(cast):
    case = factories.case_in(State.URGENT, cast)
    with pytest.raises(NotReady):
        advance(case, "acknowledge_urgent", by=cast.dora.by)
    advance(case, "acknowledge_urgent", by=cast.dora.by, note="Reached by phone at ten.")
    assert case.state == State.IN_REVIEW
    assert case.halted_from == ""


def test_hold_during_urgent_is_refused(cast):
    case = factories.case_in(State.URGENT, cast)
    with pytest.raises(NotAllowed):
        advance(case, "hold", by=cast.dora.by, note="x")


def test_silent_specialists_are_followed_by_the_backup_then_the_desk(cast):
    case = factories.case_in(State.TRIAGE, cast)
    factories.desk.set_triage(case, by=cast.tess.by, urgency="routine", complexity="simple", re_reads=[])
    factories.desk.mark_conclusions(case, {}, by=cast.tess.by)
    chosen = [cast.chen.specialist, cast.novak.specialist]
    factories.offers.offer(case, chosen, by=cast.dora.by)
    for silent, _specialist in enumerate(chosen, start=1):
        with clock.frozen(clock.now() + timedelta(hours=13 * silent)):
            case.refresh_from_db()
            assert factories.offers.time_out(case)
    case.refresh_from_db()
    assert case.state == State.TRIAGE
    assert not case.case_roles.filter(role="offered_specialist", ended_at=None).exists()


def test_declining_closes_the_case_to_the_specialist(cast):
    case = factories.case_in(State.OFFERED, cast)
    factories.offers.decline(case, by=cast.chen.by, reason="capacity")
    case = Case.objects.get(pk=case.pk)
    assert case.state == State.TRIAGE
    assert case.roles_of(cast.chen.by) == frozenset()


def test_clock_stop_moves_the_deadline_by_the_pause(cast):
    case = factories.case_in(State.IN_REVIEW, cast)
    before = case.due_at
    stop = factories.desk.stop_clock(case, "missing_records", by=cast.chen.by)
    with clock.frozen(clock.now() + timedelta(days=3)):
        factories.desk.start_clock(stop, by=cast.chen.by)
    case.refresh_from_db()
    assert timedelta(days=2, hours=23) < case.due_at - before < timedelta(days=3, hours=1)


def test_overdue_draft_expires_by_the_sweeper(cast):
    from consilium.cases.jobs import fire

    case = factories.draft(cast)
    with clock.frozen(clock.now() + timedelta(days=31)):
        for deadline in Deadline.objects.filter(case=case, kind="due"):
            fire(deadline)
        jobs.drain()
    case.refresh_from_db()
    assert case.state == State.EXPIRED


def test_erasing_destroys_the_key(cast):
    from consilium.vault import keys

    case = factories.case_in(State.ERASED, cast)
    assert not keys.space_exists(case.pk)
