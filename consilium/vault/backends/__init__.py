"""Where sealed bytes are stored. A backend sees ciphertext and names only.

`current()` picks the row named by `settings.VAULT_BACKEND` ("local" when absent).
"""

from collections.abc import Callable

from django.conf import settings

from consilium.vault.backends import local
from consilium.vault.backends.base import Backend, Source, Stored, Upload

BACKENDS: dict[str, Callable[[], Backend]] = {"local": local.from_settings}


def current() -> Backend:
    """The backend of this installation."""
    return BACKENDS[getattr(settings, "VAULT_BACKEND", "local")]()


__all__ = ["BACKENDS", "Backend", "Source", "Stored", "Upload", "current"]
