import itertools
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from django.db import DatabaseError, connection, transaction

from consilium.core import audit, clock
from consilium.core.audit import log
from consilium.core.audit.entry import crud
from consilium.core.models import AuditCheckpoint, AuditEvent, AuditHead

pytestmark = pytest.mark.django_db


@dataclass(frozen=True)
class Actor:
    ref: str


ANNA, CHEN = Actor(f"user:{uuid4()}"), Actor(f"user:{uuid4()}")


def write(number: int = 1, **facts) -> list[AuditEvent]:
    with transaction.atomic():
        return [audit.record("record.read", by=CHEN, thing=f"record:{uuid4()}", **facts) for _ in range(number)]


def test_entry_has_the_shape_of_an_audit_event_and_no_network():
    space, thing = uuid4(), f"record:{uuid4()}"
    with clock.frozen(datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)):
        event = audit.record("record.read", by=CHEN, thing=thing, space=space, pages=3, via="viewer")
    said = json.loads(event.entry)
    assert said == {
        "format": 1,
        "sequence": 0,
        "previous": "0" * 64,
        "recorded": "2026-05-04T03:02:01.000000Z",
        "type": "object",
        "subtype": "record.read",
        "action": "R",
        "outcome": "success",
        "purpose": "TREAT",
        "agent": CHEN.ref,
        "network": None,
        "entity": thing,
        "space": str(space),
        "facts": {"pages": 3, "via": "viewer"},
    }
    stored = AuditEvent.objects.get()
    assert (stored.facts, stored.purpose, stored.space) == ({"pages": 3, "via": "viewer"}, "TREAT", space)


def test_entries_are_numbered_without_gaps_and_chained():
    events = [*write(3), *write(2)]
    assert [event.sequence for event in events] == [0, 1, 2, 3, 4]
    for before, after in itertools.pairwise(events):
        assert json.loads(after.entry)["previous"] == before.hash
    assert audit.verify().problems == []
    assert audit.verify().events == 5


def test_rolled_back_effect_leaves_no_entry_and_no_gap():
    write()
    with pytest.raises(RuntimeError), transaction.atomic():
        write()
        raise RuntimeError
    write()
    assert [event.sequence for event in AuditEvent.objects.all()] == [0, 1]
    assert audit.verify().ok


def test_effect_fails_when_the_entry_cannot_be_written(monkeypatch, django_user_model):
    def broken(*args, **kwargs):
        raise DatabaseError("disk full")

    before = django_user_model.objects.count()
    monkeypatch.setattr(log, "_move_head", broken)
    with pytest.raises(DatabaseError), transaction.atomic():
        django_user_model.objects.create(pk=django_user_model._meta.pk.to_python(_key(django_user_model)))
        audit.record("account.create", by=ANNA, thing="account:1")
    assert django_user_model.objects.count() == before
    assert not AuditEvent.objects.exists()


def _key(model) -> object:
    return uuid4() if model._meta.pk.get_internal_type() == "UUIDField" else 1


@pytest.mark.parametrize(
    "facts",
    [
        {"reason": "she has breast cancer"},
        {"reason": "Müller"},
        {"reason": "Anna"},
        {"reason": "anna@example.org"},
        {"born": "1980-12-24"},
        {"day": "1980-12-24"},
        {"number": "0491761234567"},
        {"name": "anna"},
        {"file_name": "biopsy.pdf"},
        {"dose": 1.5},
        {"codes": ["a"]},
        {"more": {"a": 1}},
        {"at": datetime(2026, 1, 1)},  # noqa: DTZ001
        {"code": "x" * 200},
        {"code": "a\nb"},
    ],
)
def test_anything_that_might_be_personal_is_refused(facts):
    with pytest.raises(audit.AuditRefused), transaction.atomic():
        audit.record("record.read", by=CHEN, thing="record:1", **facts)
    assert not AuditEvent.objects.exists()


@pytest.mark.parametrize(
    "fact",
    [
        1,
        True,
        None,
        "",
        "v1.2",
        "TREAT",
        "a" * 64,
        UUID("a3fdfc76-da77-48b2-8d67-48deb3aaf4ed"),
        datetime(2026, 1, 1, tzinfo=UTC),
        "user:a3fdfc76-da77-48b2-8d67-48deb3aaf4ed",
    ],
)
def test_numbers_codes_and_references_are_taken(fact):
    assert "fact" in write(fact=fact)[0].facts


@pytest.mark.parametrize(
    "wrong",
    [
        {"action": "Read Anna's letter"},
        {"action": ""},
        {"thing": "Anna Müller"},
        {"thing": "record:anna müller"},
        {"by": Actor("anna@example.org")},
        {"outcome": "fine"},
        {"purpose": "because"},
    ],
)
def test_free_text_is_refused_everywhere(wrong):
    given = {"action": "record.read", "by": CHEN, "thing": "record:1", **wrong}
    with pytest.raises(audit.AuditRefused), transaction.atomic():
        audit.record(given.pop("action"), **given)


def test_rows_refuse_change_and_deletion():
    (event,) = write()
    for attempt in (
        event.save,
        event.delete,
        AuditEvent.objects.all().delete,
        lambda: AuditEvent.objects.update(agent="system"),
        lambda: AuditEvent.objects.bulk_update([event], ["agent"]),
        lambda: AuditEvent._base_manager.filter(pk=event.pk).delete(),
        lambda: AuditCheckpoint.objects.all().delete(),
    ):
        with pytest.raises(audit.AuditRefused):
            attempt()
    assert AuditEvent.objects.get() == event
    assert audit.verify().ok


def test_many_entries_cost_as_many_queries_as_one(django_assert_num_queries):
    write()
    drafts = [audit.Draft("record.read", CHEN, f"record:{n}") for n in range(50)]
    with django_assert_num_queries(3):
        audit.record_all(drafts[:1])
    with django_assert_num_queries(3):
        audit.record_all(drafts)
    assert audit.record_all([]) == []
    assert audit.verify().events == 52


def test_for_space_is_newest_first_and_only_that_space():
    one, two = uuid4(), uuid4()
    with transaction.atomic():
        for space in (one, two, one):
            audit.record("record.read", by=CHEN, thing="record:1", space=space)
    assert [event.sequence for event in audit.for_space(one)] == [2, 0]


@pytest.mark.django_db(transaction=True)
def test_outside_a_transaction_nothing_is_recorded():
    with pytest.raises(audit.AuditRefused, match="transaction"):
        audit.record("record.read", by=CHEN, thing="record:1")


@pytest.mark.django_db(transaction=True)
def test_repeated_reads_are_one_entry_for_a_while(django_assert_num_queries):
    thing, space = f"record:{uuid4()}", uuid4()
    with clock.frozen(datetime(2026, 5, 4, tzinfo=UTC)) as now:
        assert audit.read(thing, by=CHEN, space=space) is True
        with django_assert_num_queries(0):
            assert audit.read(thing, by=CHEN, space=space) is False
        assert audit.read(thing, by=ANNA, space=space) is True
        now.tick(timedelta(minutes=11))
        assert audit.read(thing, by=CHEN, space=space) is True
    assert audit.for_space(space).count() == 3


@pytest.mark.django_db(transaction=True)
def test_read_whose_entry_was_rolled_back_is_logged_again():
    thing = f"record:{uuid4()}"
    with pytest.raises(RuntimeError), transaction.atomic():
        assert audit.read(thing, by=CHEN, space=None)
        raise RuntimeError
    assert audit.read(thing, by=CHEN, space=None) is True
    assert AuditEvent.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_concurrent_writers_make_one_chain_without_gaps():
    def write_some(worker: int) -> None:
        try:
            for number in range(6):
                with transaction.atomic():
                    audit.record("record.read", by=CHEN, thing=f"record:{worker}-{number}", worker=worker)
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        for done in [pool.submit(write_some, worker) for worker in range(6)]:
            done.result()
    assert [event.sequence for event in AuditEvent.objects.all()] == list(range(36))
    assert audit.verify().problems == []


def test_missing_head_fails_closed():
    write()
    AuditHead.objects.all().delete()
    with pytest.raises(audit.AuditRefused, match="no head"):
        write()
    assert "The head of the log is missing." in audit.verify().problems


@pytest.mark.parametrize(
    ("action", "code"),
    [
        ("record.read", "R"),
        ("record.upload", "C"),
        ("case.erase", "D"),
        ("grant.revoke", "D"),
        ("case.advance", "E"),
        ("opinion.sign", "E"),
    ],
)
def test_action_code(action, code):
    assert crud(action) == code


def test_space_must_be_an_id():
    event = audit.record("record.read", by=CHEN, thing="record:1", space=UUID(int=7))
    assert AuditEvent.objects.get(pk=event.pk).space == UUID(int=7)
