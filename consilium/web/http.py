"""The request as views see it: Django's, with the principal that the middleware set."""

from django.http import HttpRequest

from consilium.access.principals import Principal


class Request(HttpRequest):
    """An HttpRequest that went through `web.middleware.sessions.principal`."""

    principal: Principal
