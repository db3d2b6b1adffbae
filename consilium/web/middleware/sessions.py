"""Session limits, and `request.principal` for every view."""

from collections.abc import Callable

from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone, translation

from consilium.core import clock
from consilium.web import principal as principals

Next = Callable[[HttpRequest], HttpResponse]
REFRESH_SECONDS = 60  # how often the time of the last request is written


def session_limits(get_response: Next) -> Next:
    """End sessions that were idle for too long or are too old; say so on the sign-in page."""

    def middleware(request: HttpRequest) -> HttpResponse:
        session = request.session
        signed_in = "_auth_user_id" in session or principals.GUEST_KEY in session
        if signed_in and principals.is_over(session):
            as_guest = "_auth_user_id" not in session
            logout(request)
            # A guest has no account to sign in to: the page there says how to come back.
            ended = reverse("guest_case") if as_guest else f"{reverse(settings.LOGIN_URL)}?ended=1"
            response = redirect(ended)
            response["Clear-Site-Data"] = '"cache"'
            return response
        if signed_in:
            _touch(request)
        return get_response(request)

    return middleware


def _touch(request: HttpRequest) -> None:
    now = clock.now().timestamp()
    if principals.STARTED_KEY not in request.session:
        request.session[principals.STARTED_KEY] = now
    if now - float(request.session.get(principals.SEEN_KEY, 0)) > REFRESH_SECONDS:
        request.session[principals.SEEN_KEY] = now


def principal(get_response: Next) -> Next:
    """Set `request.principal`, the site's time zone and the language of the account."""

    def middleware(request: HttpRequest) -> HttpResponse:
        request.principal = principals.from_session(request.session)  # type: ignore[attr-defined]
        timezone.activate(settings.DISPLAY_TIME_ZONE)  # the database keeps UTC; people see the site's time
        user = getattr(request, "user", None)
        if user is not None and user.is_authenticated and settings.LANGUAGE_COOKIE_NAME not in request.COOKIES:
            translation.activate(user.language)
            request.LANGUAGE_CODE = translation.get_language()  # pyright: ignore[reportAttributeAccessIssue]
        return get_response(request)

    return middleware
