"""Turns a `Refusal` raised by a verb into an answer a person understands; nothing they typed is lost."""

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme, urlencode

from consilium.core.errors import NotFound, Refusal, StepUpNeeded


class Refusals:
    """Django middleware. 404s of every cause are the same page, byte for byte."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Answer refusals; everything else stays an error."""
        if not isinstance(error, Refusal):
            return None
        if isinstance(error, NotFound):
            return render(request, "404.html", status=404)
        if isinstance(error, StepUpNeeded):
            return to_step_up(request)
        return self._explained(request, error)

    def _explained(self, request: HttpRequest, error: Refusal) -> HttpResponse:
        if request.method == "POST" and (back := same_site_referrer(request)) and not request.headers.get("HX-Request"):
            for sentence in getattr(error, "missing", None) or [error.sentence]:
                messages.error(request, str(sentence))
            return HttpResponseRedirect(back)
        template = "components/refusal.html" if request.headers.get("HX-Request") else "refusal.html"
        return render(request, template, {"sentence": error.sentence}, status=error.status)


def to_step_up(request: HttpRequest) -> HttpResponse:
    """Ask for the second step, then come back to the page the button stood on (a POST is pressed again there)."""
    back = request.get_full_path() if request.method == "GET" else same_site_referrer(request) or "/"
    if request.method == "POST":
        messages.info(request, str(_confirm_again()))
    return redirect(f"{reverse('second_step')}?{urlencode({'next': back})}")


def _confirm_again() -> object:
    from django.utils.translation import gettext_lazy as _

    return _("Thank you. Your identity is confirmed for five minutes: please press the button once more.")


def same_site_referrer(request: HttpRequest) -> str:
    """The path of the page the request came from, when it is ours (the Referer header names our own host only)."""
    origin = request.headers.get("Referer", "") or request.POST.get("back", "")
    if origin and url_has_allowed_host_and_scheme(origin, {request.get_host()}, require_https=request.is_secure()):
        from urllib.parse import urlsplit

        parts = urlsplit(origin)
        # "//elsewhere" would be read as another host (RFC 3986 §4.2).
        return "/" + parts.path.lstrip("/") + (f"?{parts.query}" if parts.query else "")
    return ""
