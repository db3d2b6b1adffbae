"""Demonstration mode: sign in as one of the demonstration people without a password."""

from uuid import UUID

from allauth.account.adapter import get_adapter
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from consilium.people import queries
from consilium.web.accounts.factors import pass_in_demo
from consilium.web.components.prepare import PORTRAITS


@require_http_methods(["GET", "POST"])
def personas(request: HttpRequest) -> HttpResponse:
    """The picture cards, and signing in as one of them; 404 outside demonstration mode and for real accounts."""
    if not settings.DEMO:
        raise Http404
    if request.method == "POST":
        return _become(request, request.POST.get("user", ""))
    people = [
        {"who": one, "portrait": one.portrait if one.portrait in PORTRAITS else ""} for one in queries.demo_people()
    ]
    return render(request, "demo/personas.html", {"personas": people})


def _become(request: HttpRequest, chosen: str) -> HttpResponse:
    try:
        user = queries.demo_user(UUID(chosen))
    except ValueError:
        user = None
    if user is None:
        raise Http404
    request.session.flush()
    get_adapter().login(request, user)
    pass_in_demo(request)
    return redirect("home")
