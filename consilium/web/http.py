"""The request as views see it: Django's, with the principal that the middleware set."""

from typing import Any

from django.http import HttpRequest

from consilium.access.principals import Principal


class Request(HttpRequest):
    """An HttpRequest that went through `web.middleware.sessions.principal`."""

    principal: Principal
    LANGUAGE_CODE: str


def posted(request: HttpRequest) -> Any:
    """The data of a form: an empty POST is still a POST, so that what is missing is said."""
    return request.POST if request.method == "POST" else None


def query_of(request: HttpRequest) -> dict[str, str]:
    """The query string as plain text values, the last one of each name."""
    return {key: str(value) for key, value in request.GET.items()}
