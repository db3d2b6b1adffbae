"""Texts kept in memory: opened once, opened again when sealed again, bounded, and gone with their space's key."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from consilium.core import clock
from consilium.vault import keys, recent
from consilium.vault.errors import KeyDestroyed, KeyMissing

ONE, TWO = uuid4(), uuid4()


class Opener:
    """Counts what it is asked to open; every text has the length it is told."""

    def __init__(self, salts, length=10):
        self.salts, self.length, self.asked = salts, length, []

    def __call__(self, ids):
        self.asked.append(list(ids))
        return [(one, self.salts[one], (str(one)[:4] + "x" * (self.length - 4),)) for one in ids]


@pytest.fixture
def kept():
    return recent.Recent(limit=10_000)


@pytest.fixture
def other(space, tenant):
    made = uuid4()
    keys.create_space(made, tenant=tenant)
    return made


def ask(kept, space, salts, purpose="words", length=10):
    """What it says, and which ids it had to open for that."""
    opener = Opener(salts, length)
    found = kept.texts(space, purpose, salts, opener)
    assert {one: texts[0][:4] for one, texts in found.items()} == {one: str(one)[:4] for one in salts}
    return opener.asked


def test_what_was_opened_is_not_opened_again(kept, space):
    assert ask(kept, space, {ONE: b"a"}) == [[ONE]]
    assert ask(kept, space, {ONE: b"a", TWO: b"b"}) == [[TWO]]
    assert ask(kept, space, {ONE: b"a", TWO: b"b"}) == []


def test_a_value_sealed_again_is_opened_again(kept, space):
    ask(kept, space, {ONE: b"a", TWO: b"b"})
    before = kept.size
    assert ask(kept, space, {ONE: b"c", TWO: b"b"}) == [[ONE]]
    assert kept.size == before


def test_each_purpose_and_each_space_has_its_own(kept, space, other):
    ask(kept, space, {ONE: b"a"})
    assert ask(kept, space, {ONE: b"a"}, purpose="date") == [[ONE]]
    assert ask(kept, other, {ONE: b"a"}) == [[ONE]]


def test_it_dies_with_the_key(kept, space):
    ask(kept, space, {ONE: b"a"})
    keys.destroy_space(space)
    with pytest.raises(KeyDestroyed):
        kept.texts(space, "words", {ONE: b"a"}, Opener({ONE: b"a"}))
    assert kept.size == 0
    with pytest.raises(KeyMissing):
        kept.texts(uuid4(), "words", {ONE: b"a"}, Opener({ONE: b"a"}))


def test_a_key_destroyed_while_opening_keeps_nothing(kept, space):
    def destroying(ids):
        keys.destroy_space(space)
        return [(one, b"a", ("text",)) for one in ids]

    with pytest.raises(KeyDestroyed):
        kept.texts(space, "words", {ONE: b"a"}, destroying)
    assert kept.size == 0


def test_other_spaces_are_dropped_when_destroyed_or_idle(space, other):
    with clock.frozen(datetime(2026, 3, 1, tzinfo=UTC)) as time:
        kept = recent.Recent()
        ask(kept, space, {ONE: b"a"})
        alone = kept.size
        ask(kept, other, {ONE: b"a"})
        assert kept.size == 2 * alone
        keys.destroy_space(space)
        time.tick(recent.ROUND)
        ask(kept, other, {ONE: b"a"})
        assert kept.size == alone
        time.tick(recent.IDLE + recent.ROUND)
        assert ask(kept, other, {ONE: b"a"}) == [[ONE]]


def test_it_is_bounded_at_the_cost_of_the_space_used_longest_ago(kept, space, other):
    ask(kept, space, {ONE: b"a"}, length=4000)
    ask(kept, other, {ONE: b"a", TWO: b"b"}, length=4000)
    assert kept.size <= kept.limit
    assert ask(kept, other, {ONE: b"a", TWO: b"b"}, length=4000) == []
    assert ask(kept, space, {ONE: b"a"}, length=4000) == [[ONE]]


def test_what_does_not_fit_is_opened_each_time(kept, space):
    salts = {uuid4(): b"a" for _ in range(4)}
    assert len(ask(kept, space, salts, length=4000)[0]) == 4
    assert len(ask(kept, space, salts, length=4000)[0]) == 2
    assert kept.size <= kept.limit
