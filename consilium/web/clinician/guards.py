"""Two ways to the same pages: a guest behind a link (`/shared/`), or an account with a role on the case."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any
from uuid import UUID

from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from consilium.cases.actions import team
from consilium.cases.models import Case, GuestLink
from consilium.web.clinician import queries
from consilium.web.guards import signed_in
from consilium.web.http import Request
from consilium.web.principal import GUEST_KEY


@dataclass(frozen=True)
class Place:
    """Where the pages of a shared case lie for this reader; `link` is theirs when they came by one."""

    home: str
    reply: str
    urgent: str
    link: GuestLink | None = None


SharedView = Callable[[Request, Case | None, Place], HttpResponse]


def behind_link(view: SharedView) -> Callable[..., HttpResponse]:
    """For guests with an open link. Everybody else, for whatever reason, sees the same closed page."""

    @wraps(view)
    def guarded(request: Request) -> HttpResponse:
        by = request.principal
        link = team.link_by_id(by.id) if by.kind == "guest" and by.active and by.id else None
        if link is not None:
            place = Place(reverse("guest_case"), reverse("guest_reply"), reverse("guest_urgent"), link)
            return view(request, queries.by_link(by), place)
        if by.is_user and by.active:
            return redirect("clinician_cases")
        return closed(request)

    return guarded


def with_role(view: SharedView) -> Callable[..., HttpResponse]:
    """For accounts that are the treating doctor of `case_id`; 404 for all others."""

    def resolved(request: Request, case_id: UUID, **_kwargs: Any) -> HttpResponse:
        case = queries.by_account(request.principal, case_id)
        names = ("clinician_case", "clinician_reply", "clinician_urgent")
        return view(request, case, Place(*(reverse(name, args=[case_id]) for name in names)))

    return signed_in(wraps(view)(resolved))


def closed(request: HttpRequest) -> HttpResponse:
    """The link is closed: the same page whether it ran out, was revoked, was never opened or never existed."""
    if GUEST_KEY in request.session:
        logout(request)
    return render(request, "clinician/closed.html", status=404)
