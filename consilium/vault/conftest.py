"""A fresh installation for each vault test: its own data and key directories."""

from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from consilium.vault import keys


@pytest.fixture
def installation(settings: Any, tmp_path: Path) -> Path:
    """Directories `data` and `keys` below the returned path; keys are made."""
    for name in ("data", "keys"):
        (tmp_path / name).mkdir(mode=0o700)
    settings.DATA_DIR, settings.KEY_DIR = tmp_path / "data", tmp_path / "keys"
    keys.init()
    return tmp_path


@pytest.fixture
def tenant() -> UUID:
    return uuid4()


@pytest.fixture
def space(installation: Path, tenant: UUID) -> UUID:
    """A living space of `tenant`."""
    made = uuid4()
    keys.create_space(made, tenant=tenant)
    return made
