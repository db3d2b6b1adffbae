"""Verified onboarding of specialists: profile, licences with validity, verification."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from consilium.core.errors import BadInput, NotFound
from consilium.people import administration
from consilium.people.models import Specialist, User
from consilium.web.admin import forms, queries
from consilium.web.admin.guards import administrator
from consilium.web.admin.present import people as present
from consilium.web.desk.forms import posted, tried
from consilium.web.http import Request

GET_POST = ["GET", "HEAD", "POST"]


@require_safe
@administrator
def specialists(request: Request) -> HttpResponse:
    """Every specialist with licence and verification at a glance."""
    found = queries.specialists(request.principal)
    return render(request, "admin/specialists.html", {"cards": present.specialists(found)})


def _doctor(request: Request, user_id: UUID) -> tuple[User, Specialist]:
    user = queries.staff_member(request.principal, user_id)
    specialist = queries.specialist_of(user)
    if specialist is None:
        raise NotFound()
    return user, specialist


@require_http_methods(GET_POST)
@administrator
def specialist(request: Request, user_id: UUID) -> HttpResponse:
    """The public profile; licences and verification beside it."""
    by, user = request.principal, queries.staff_member(request.principal, user_id)
    profile = queries.specialist_of(user)
    form = forms.ProfileForm(profile, queries.name_of(user), posted(request))
    if request.method == "POST" and form.is_valid():
        organisation, said = queries.organisation_of(by), form.profile()
        if tried(form, lambda: administration.save_profile(user, organisation, by=by, **said)):
            messages.success(request, _("The profile is saved."))
            return redirect("admin_specialist", user.pk)
    words, tone = present.standing(profile)
    context = {
        "person": user,
        "name": profile.name if profile else queries.name_of(user),
        "profile": profile,
        "form": form,
        "state": words,
        "tone": tone,
        "licences": present.licences(user, profile.licences.all()) if profile else [],
        "verified": present.day(profile.verified_at) if profile and profile.verified_at else "",
    }
    return render(request, "admin/specialist.html", context)


@require_http_methods(GET_POST)
@administrator
def licence_add(request: Request, user_id: UUID) -> HttpResponse:
    """Note a licence as it stands on the document."""
    by, (user, profile) = request.principal, _doctor(request, user_id)
    form = forms.LicenceForm(posted(request))
    if request.method == "POST" and form.is_valid():
        organisation, said = queries.organisation_of(by), form.cleaned_data
        if tried(form, lambda: administration.add_licence(profile, organisation, by=by, **said)):
            messages.success(request, _("The licence is noted."))
            return redirect("admin_specialist", user.pk)
    context = {
        "heading": _("Add a licence of %(name)s") % {"name": profile.name},
        "form": form,
        "submit": _("Add the licence"),
        "back": reverse("admin_specialist", args=[user.pk]),
    }
    return render(request, "admin/form.html", context)


@require_http_methods(GET_POST)
@administrator
def licence_end(request: Request, user_id: UUID, licence_id: int) -> HttpResponse:
    """End a licence, after asking."""
    user = queries.staff_member(request.principal, user_id)
    profile, licence = queries.licence(user, licence_id)
    back = reverse("admin_specialist", args=[user.pk])
    if request.method == "POST":
        administration.end_licence(licence, queries.organisation_of(request.principal), by=request.principal)
        messages.success(request, _("The licence has ended."))
        return redirect(back)
    context = {
        "heading": _("End this licence?"),
        "consequences": [
            _("Without another valid licence %(name)s can accept no case.") % {"name": profile.name},
            _("The row stays on file. A licence that ended cannot be opened again: add a new one."),
        ],
        "confirm_label": _("End the licence"),
        "cancel_url": back,
    }
    return render(request, "layouts/confirm.html", context)


@require_POST
@administrator
def verify(request: Request, user_id: UUID) -> HttpResponse:
    """Confirm identity and licence, or take the confirmation back."""
    by, (user, profile) = request.principal, _doctor(request, user_id)
    organisation = queries.organisation_of(by)
    try:
        if request.POST.get("to") == "withdraw":
            administration.withdraw_verification(profile, organisation, by=by)
            messages.success(request, _("No new case is offered until the credentials are verified again."))
        else:
            administration.verify(profile, organisation, by=by)
            messages.success(request, _("Verified. Cases can be offered now."))
    except BadInput as refusal:
        messages.error(request, str(refusal.sentence))
    return redirect("admin_specialist", user.pk)
