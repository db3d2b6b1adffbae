"""Decorators of views: who may come in at all. What they may see inside is asked of `access.scopes`."""

from collections.abc import Callable
from functools import wraps
from typing import Any, cast
from uuid import UUID

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode

from consilium.access import scopes
from consilium.core.errors import NotFound
from consilium.web.http import Request

View = Callable[..., HttpResponse]


def signed_in(view: View) -> View:
    """Accounts with a passed second step only; others are led to sign-in or to setting the step up."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        who = cast(Request, request).principal
        if who.kind == "guest":
            raise NotFound()
        if not who.is_user or not who.active:
            return redirect_to_login(request.get_full_path())
        if not who.strong:
            return redirect(f"{reverse('second_step')}?{urlencode({'next': request.get_full_path()})}")
        return view(request, *args, **kwargs)

    return guarded


def member(*roles: str) -> Callable[[View], View]:
    """Signed in and holding one of `roles` in the organisation; for all others the page does not exist."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not cast(Request, request).principal.roles & set(roles):
                raise NotFound()
            return view(request, *args, **kwargs)

        return signed_in(guarded)

    return decorate


def with_case(action: str = "case.view", *, guests: bool = False) -> Callable[[View], View]:
    """Give the view the case of `case_id` on which `action` is granted, or answer 404."""

    def decorate(view: View) -> View:
        @wraps(view)
        def resolved(request: HttpRequest, case_id: UUID, *args: Any, **kwargs: Any) -> HttpResponse:
            found = scopes.case(cast(Request, request).principal, case_id, action)
            return view(request, found, *args, **kwargs)

        return guest_or_signed_in(resolved) if guests else signed_in(resolved)

    return decorate


def guest_or_signed_in(view: View) -> View:
    """Accounts with a second step, or a guest whose link is open."""
    for_accounts = signed_in(view)

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        who = cast(Request, request).principal
        inner = view if who.kind == "guest" and who.active else for_accounts
        return inner(request, *args, **kwargs)

    return guarded
