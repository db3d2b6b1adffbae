"""Pages for anyone: the front page, verifying a report, and what has to be said about the service."""

from datetime import timedelta
from typing import Any, cast

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods, require_safe

from consilium.core import clock
from consilium.opinions.actions import report as reports
from consilium.people import queries
from consilium.web.guards import signed_in
from consilium.web.http import Request
from consilium.web.limits import limited
from consilium.web.public import present, sealed
from consilium.web.public.forms import CodeForm, FileForm
from consilium.web.public.upload import Bounded


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """The front page; people who are signed in are led to their place, or may choose when they have several."""
    if cast(Request, request).principal.is_user:
        return _to_place(request)
    doctors = [present.doctor(specialist) for specialist in queries.public_doctors()]
    return render(request, "public/home.html", {"doctors": doctors})


@signed_in
def _to_place(request: HttpRequest) -> HttpResponse:
    places = present.places(cast(Request, request).principal)
    if len(places) == 1:
        return redirect(places[0].href)
    return render(request, "public/places.html", {"places": [*places, present.OWN]})


@limited("verify", "30/m/ip")
@require_http_methods(["GET", "POST"])
def verify(request: HttpRequest, code: str = "") -> HttpResponse:
    """Is this report genuine? By its code; says nothing about any person."""
    form = CodeForm(request.POST or ({"code": code} if code else None))
    context = {"form": form, "file_form": FileForm()}
    if form.is_bound and form.is_valid():
        context["verdict"] = present.verdict(reports.by_verify_code(form.cleaned_data["code"]))
        context["by"] = "code"
    return render(request, "public/verify.html", context)


@csrf_exempt  # the check runs below, once the form's file has a place to go
@limited("verify_file", "10/m/ip")
@require_http_methods(["POST"])
def verify_file(request: HttpRequest) -> HttpResponse:
    """Is this file, byte for byte, a report of ours? It stays in memory and is forgotten."""
    request.upload_handlers = [Bounded(request)]  # type: ignore[assignment]
    return _verify_file(request)


@csrf_protect
def _verify_file(request: HttpRequest) -> HttpResponse:
    form = FileForm(request.POST, request.FILES)
    context = {"form": CodeForm(), "file_form": form}
    if request.upload_handlers[0].too_large:  # type: ignore[attr-defined]
        form.errors["file"] = form.error_class([_("This file is larger than 25 MB. Our reports are much smaller.")])
    elif form.is_valid():
        context["verdict"] = _of_file(form.cleaned_data["file"].read())
        context["by"] = "file"
    return render(request, "public/verify.html", context)


def _of_file(data: bytes) -> dict[str, Any]:
    """By its hash, which needs no parsing; a file not on record may still carry our seal (an erased case)."""
    report = reports.by_file_hash(data)
    if report is None and sealed.carries_our_seal(data):
        return {"state": "sealed"}
    return present.verdict(report)


@require_safe
def privacy(request: HttpRequest) -> HttpResponse:
    """What is protected and how, in plain words, and no more than that."""
    return render(request, "public/privacy.html", {"organisation": queries.first_organisation()})


@require_safe
def accessibility(request: HttpRequest) -> HttpResponse:
    """The accessibility statement."""
    return render(request, "public/accessibility.html", {"organisation": queries.first_organisation()})


@require_safe
def help_page(request: HttpRequest) -> HttpResponse:
    """Help and contact."""
    return render(request, "public/help.html", {"organisation": queries.first_organisation()})


@require_safe
def imprint(request: HttpRequest) -> HttpResponse:
    """Who runs this site: the organisation, and what the operator wrote in CONSILIUM_IMPRINT."""
    lines = [line.strip() for line in settings.IMPRINT.replace("\\n", "\n").splitlines() if line.strip()]
    return render(request, "public/imprint.html", {"organisation": queries.first_organisation(), "lines": lines})


@require_safe
def robots(request: HttpRequest) -> HttpResponse:
    """Search engines may show the open pages only (RFC 9309)."""
    allowed = ("/$", "/privacy/", "/accessibility/", "/help/", "/imprint/", "/verify/$")
    lines = ["User-agent: *", *(f"Allow: {path}" for path in allowed), "Disallow: /"]
    return HttpResponse("\n".join(lines) + "\n", content_type="text/plain; charset=utf-8")


@require_safe
def security_txt(request: HttpRequest) -> HttpResponse:
    """Where to report a weakness (RFC 9116)."""
    contact = settings.SECURITY_CONTACT or f"{settings.PUBLIC_URL}/help/"
    expires = (clock.now() + timedelta(days=180)).replace(microsecond=0).isoformat().replace("+00:00", "Z")
    languages = ", ".join(code for code, _name in settings.LANGUAGES)
    lines = [f"Contact: {contact}", f"Expires: {expires}", f"Preferred-Languages: {languages}"]
    return HttpResponse("\n".join(lines) + "\n", content_type="text/plain; charset=utf-8")


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """Alive."""
    return HttpResponse("ok", content_type="text/plain; charset=utf-8")
