"""Limits on open pages, counted per network address and shared by every web process."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from allauth.core.internal import ratelimit
from django.http import HttpRequest, HttpResponse

View = Callable[..., HttpResponse]


def limited(action: str, rate: str) -> Callable[[View], View]:
    """Answer 429 beyond `rate` (allauth's notation, e.g. "20/m/ip"), whatever the method."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            config = {action: rate}
            if not ratelimit.consume(request, app="consilium", action=action, config=config, limit_get=True):
                return ratelimit.respond_429(request)
            return view(request, *args, **kwargs)

        return guarded

    return decorate
