"""pytest fixtures of the whole project: the cast, and clients that are signed in with a second step."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from consilium.cases.actions import team
from consilium.testing.cast import Cast, Member
from consilium.web import principal as principals


@pytest.fixture
def cast(db: Any) -> Cast:
    """Anna, Ben, Dr Chen, Dora, Tess, Quinn, Ada, Eve …: made on first use."""
    return Cast()


@pytest.fixture
def as_(cast: Cast) -> Callable[..., Client]:
    """`as_(cast.anna)`: a client signed in with a second step; `step="stale"` or `step="none"` for less."""

    def client_for(who: Member | None = None, *, step: str = "fresh") -> Client:
        client = Client()
        if who is None:
            return client
        client.force_login(who.user, backend="allauth.account.auth_backends.AuthenticationBackend")
        session = client.session
        at = time.time() - (0 if step == "fresh" else 3600)
        methods: list[dict[str, Any]] = [{"method": "password", "at": at, "email": who.user.email}]
        if step != "none":
            methods.append({"method": "mfa", "type": "totp", "at": at, "id": 1})
        session[principals.AUTH_METHODS_KEY] = methods
        session[principals.AUTH_USER_KEY] = str(who.user.pk)
        session.save()
        return client

    return client_for


@pytest.fixture
def as_guest() -> Callable[[team.NewLink], Client]:
    """`as_guest(new_link)`: a client whose guest session was opened with token and code."""

    def client_for(new: team.NewLink) -> Client:
        team.open_link(new.token, new.code)
        client = Client()
        session = client.session
        session[principals.GUEST_KEY] = str(new.link.pk)
        session.save()
        return client

    return client_for


@pytest.fixture(autouse=True)
def _fresh_rate_limits() -> None:
    """Rate limits of one test do not reach the next."""
    cache.clear()
