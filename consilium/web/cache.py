"""A small cache in the database, shared by every web process and node; for limits and used codes, not for pages.

Django's own database cache unpickles what it reads, so whoever can write to the table can run code. This one
stores JSON only, under keyed hashes, so the table shows neither addresses nor networks.
"""

import hmac
import json
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.cache.backends.base import DEFAULT_TIMEOUT, BaseCache
from django.db import transaction

FAR = timedelta(days=3650)
PRUNED_AT_ONCE = 200


class DatabaseCache(BaseCache):
    """Cache backend: `add` is atomic through the primary key, which allauth's locks and one-time codes need."""

    def __init__(self, _location: str, params: dict[str, Any]) -> None:
        super().__init__(params)

    def add(self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        from consilium.web.models import CacheEntry

        row = self._row(key, value, timeout, version)
        with transaction.atomic():
            CacheEntry.objects.filter(pk=row.pk, expires_at__lte=_now()).delete()
            CacheEntry.objects.bulk_create([row], ignore_conflicts=True)
            kept = CacheEntry.objects.filter(pk=row.pk).first()
        return kept is not None and kept.value == row.value

    def get(self, key: str, default: Any = None, version: int | None = None) -> Any:
        from consilium.web.models import CacheEntry

        row = CacheEntry.objects.filter(pk=self._hash(key, version), expires_at__gt=_now()).first()
        return default if row is None else json.loads(row.value)[0]

    def set(self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> None:
        from consilium.web.models import CacheEntry

        row = self._row(key, value, timeout, version)
        CacheEntry.objects.bulk_create(
            [row], update_conflicts=True, unique_fields=["key"], update_fields=["value", "expires_at"]
        )
        over = CacheEntry.objects.filter(expires_at__lte=_now()).values_list("pk", flat=True)[:PRUNED_AT_ONCE]
        CacheEntry.objects.filter(pk__in=list(over)).delete()

    def touch(self, key: str, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        from consilium.web.models import CacheEntry

        alive = CacheEntry.objects.filter(pk=self._hash(key, version), expires_at__gt=_now())
        return alive.update(expires_at=self._until(timeout)) > 0

    def delete(self, key: str, version: int | None = None) -> bool:
        from consilium.web.models import CacheEntry

        return CacheEntry.objects.filter(pk=self._hash(key, version)).delete()[0] > 0

    def clear(self) -> None:
        from consilium.web.models import CacheEntry

        CacheEntry.objects.all().delete()

    def _row(self, key: str, value: Any, timeout: Any, version: int | None) -> Any:
        from consilium.web.models import CacheEntry

        # A random part in the stored text tells one writer's row from another's equal value.
        text = json.dumps([value, secrets.token_hex(8)])
        return CacheEntry(key=self._hash(key, version), value=text, expires_at=self._until(timeout))

    def _hash(self, key: str, version: int | None) -> str:
        full = self.make_key(key, version=version)
        return hmac.new(settings.SECRET_KEY.encode(), full.encode(), "sha256").hexdigest()

    def _until(self, timeout: Any) -> datetime:
        at = self.get_backend_timeout(timeout)
        return _now() + FAR if at is None else datetime.fromtimestamp(at, UTC)


def _now() -> datetime:
    return datetime.now(UTC)  # as allauth's own time stamps: limits follow the wall, not a test's clock
