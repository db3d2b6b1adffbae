"""The shared cache: what one process adds, the others see; nothing readable lies in the table."""

from datetime import UTC, datetime, timedelta

import pytest

from consilium.web.cache import DatabaseCache
from consilium.web.models import CacheEntry

pytestmark = pytest.mark.django_db


@pytest.fixture
def shared():
    return DatabaseCache("", {})


def expire(_cache):
    CacheEntry.objects.update(expires_at=datetime.now(UTC) - timedelta(seconds=1))


def test_add_succeeds_once_in_every_process(shared):
    assert shared.add("code", 1, timeout=60) is True
    assert DatabaseCache("", {}).add("code", 1, timeout=60) is False


def test_add_succeeds_again_after_expiry(shared):
    shared.add("code", 1, timeout=60)
    expire(shared)
    assert shared.add("code", 2, timeout=60) is True
    assert shared.get("code") == 2


def test_set_replaces_get_reads_delete_removes(shared):
    shared.set("history", [1.5], timeout=60)
    shared.set("history", [2.5, 1.5], timeout=60)
    assert DatabaseCache("", {}).get("history") == [2.5, 1.5]
    assert shared.delete("history") is True
    assert shared.get("history", "none") == "none"


def test_expired_values_are_gone_and_pruned(shared):
    shared.set("old", 1, timeout=60)
    expire(shared)
    assert shared.get("old") is None
    shared.set("new", 1, timeout=60)
    assert CacheEntry.objects.count() == 1


def test_table_shows_no_address(shared):
    shared.set("allauth:rl:login:ip:203.0.113.7", [1.0], timeout=60)
    assert "203" not in CacheEntry.objects.get().key
