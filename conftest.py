"""Test-wide pieces. The private directories of a test process are made in consilium/config/testing.py."""

import os

import pytest

pytest_plugins = ["consilium.testing.fixtures"]

NEEDS_A_DATABASE = {"db", "transactional_db", "live_server"}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """On PostgreSQL, leave out what has run on SQLite and would tell nothing new: no database, or a browser's pages."""
    if not os.environ.get("DATABASE_URL", "").startswith("postgres"):
        return
    kept, left = [], []
    for item in items:
        fixtures = set(getattr(item, "fixturenames", ()))
        asks = item.get_closest_marker("django_db") or NEEDS_A_DATABASE & fixtures
        (kept if asks and "browser" not in fixtures else left).append(item)
    config.hook.pytest_deselected(items=left)
    items[:] = kept
