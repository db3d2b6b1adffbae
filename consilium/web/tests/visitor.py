"""A browser reduced to what the matrix needs: one request through every middleware, what came of it, what it wrote."""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from django.conf import settings
from django.core.handlers.base import BaseHandler
from django.core.handlers.wsgi import WSGIRequest
from django.core.signals import got_request_exception
from django.db import connection, transaction
from django.http import HttpResponse
from django.test import RequestFactory
from django.urls import reverse

from consilium.testing.cast import Member
from consilium.web import principal as principals

WRITE = re.compile(r'\s*(INSERT INTO|INSERT OR IGNORE INTO|UPDATE|DELETE FROM)\s+"(\w+)"', re.IGNORECASE)


@cache
def _handler() -> BaseHandler:
    handler = BaseHandler()
    handler.load_middleware()
    return handler


class Visitor:
    """Somebody with a session cookie (or none)."""

    def __init__(self, cookie: str = "") -> None:
        self.cookie = cookie
        self.factory = RequestFactory()

    def send(
        self, method: str, path: str, data: dict[str, Any] | None = None, *, csrf: bool = False, **headers: str
    ) -> HttpResponse:
        """The answer to one request, without a CSRF token. What a view raises comes as 500 with `.raised`."""
        make = getattr(self.factory, method.lower())
        wanted = {"Cookie": f"{settings.SESSION_COOKIE_NAME}={self.cookie}"} if self.cookie else {}
        request: WSGIRequest = make(path, data or {}, headers=wanted | headers)
        request._dont_enforce_csrf_checks = not csrf  # type: ignore[attr-defined]
        with _raised() as errors:
            response = _handler().get_response(request)
        response.raised = errors  # type: ignore[attr-defined]
        if getattr(response, "streaming", False):
            b"".join(response.streaming_content)  # type: ignore[attr-defined]
        return response


@contextmanager
def _raised() -> Iterator[list[str]]:
    import sys

    found: list[str] = []

    def note(sender: Any, **_kwargs: Any) -> None:
        found.append(repr(sys.exc_info()[1])[:300])

    got_request_exception.connect(note)
    try:
        yield found
    finally:
        got_request_exception.disconnect(note)


@contextmanager
def undone() -> Iterator[None]:
    """Whatever happens inside is taken back."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@contextmanager
def writes() -> Iterator[set[str]]:
    """The tables that are written to inside."""
    tables: set[str] = set()

    def watch(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        found = WRITE.match(sql)
        if found:
            tables.add(found[2])
        return execute(sql, params, many, context)

    with connection.execute_wrapper(watch):
        yield tables


def outcome(response: HttpResponse) -> str:
    """The class of an answer: ok, login, step, redirect, or the status of a refusal."""
    status = response.status_code
    if status in (301, 302, 303):
        target = response["Location"]
        if target.startswith(reverse(settings.LOGIN_URL)):
            return "login"
        return "step" if target.startswith(reverse("second_step")) else "redirect"
    return "ok" if 200 <= status < 300 else str(status)


DENIED = frozenset({"login", "step", "403", "404", "405"})


def cookie_of(who: Member, *, step: str = "fresh") -> str:
    """A session of `who` that passed its second step just now, an hour ago ("stale"), or not at all ("none")."""
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY

    at = time.time() - (0 if step == "fresh" else 3600)
    methods: list[dict[str, Any]] = [{"method": "password", "at": at, "email": who.user.email}]
    if step != "none":
        methods.append({"method": "mfa", "type": "totp", "at": at, "id": 1})
    return _stored(
        {
            SESSION_KEY: str(who.user.pk),
            BACKEND_SESSION_KEY: settings.AUTHENTICATION_BACKENDS[0],
            HASH_SESSION_KEY: who.user.get_session_auth_hash(),
            principals.AUTH_METHODS_KEY: methods,
            principals.AUTH_USER_KEY: str(who.user.pk),
        }
    )


def guest_cookie(link_id: Any) -> str:
    """A session that was opened with a link and its code."""
    return _stored({principals.GUEST_KEY: str(link_id)})


def _stored(content: dict[str, Any]) -> str:
    from importlib import import_module

    session = import_module(settings.SESSION_ENGINE).SessionStore()
    now = time.time()
    session.update(content | {principals.STARTED_KEY: now, principals.SEEN_KEY: now})
    session.create()
    return str(session.session_key)
