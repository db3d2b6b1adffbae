"""Staff: invite, give and end roles, suspend; accounts that want to be deleted."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from consilium.people import actions, administration
from consilium.people.models import Membership
from consilium.web.admin import forms, queries
from consilium.web.admin.guards import administrator, fresh
from consilium.web.admin.present import people as present
from consilium.web.desk.forms import posted, tried
from consilium.web.http import Request

GET_POST = ["GET", "HEAD", "POST"]
PAGE = 50


@require_safe
@administrator
def people(request: Request) -> HttpResponse:
    """Everybody who works here, with roles and state."""
    role = request.GET.get("role", "")
    role = role if role in Membership.Role.values else ""
    page = Paginator(queries.staff(request.principal, role), PAGE).get_page(request.GET.get("page"))
    context = {
        "tabs": present.role_tabs(role),
        "columns": [_("Name"), _("Roles"), _("State")],
        "rows": present.rows(page.object_list),
        "page": page,
    }
    return render(request, "admin/people.html", context)


@require_http_methods(GET_POST)
@administrator
@fresh
def invite(request: Request) -> HttpResponse:
    """An account without a password, and a mail that says where to choose one."""
    by, form = request.principal, forms.InviteForm(posted(request))
    made: list[Any] = []
    if request.method == "POST" and form.is_valid():
        link = f"{settings.PUBLIC_URL}{reverse('account_reset_password')}"
        organisation, said = queries.organisation_of(by), form.arguments()
        address = form.cleaned_data["email"]
        if tried(form, lambda: made.append(administration.invite(organisation, address, by=by, link=link, **said))):
            messages.success(request, _("Invited. The mail is on its way."))
            return redirect("admin_person", made[0].pk)
    context = {
        "heading": _("Invite somebody to work here"),
        "lead": _("They choose their own password and set up a second step before they see anything."),
        "form": form,
        "submit": _("Send the invitation"),
        "back": reverse("admin_people"),
    }
    return render(request, "admin/form.html", context)


@require_safe
@administrator
def person(request: Request, user_id: UUID) -> HttpResponse:
    """One member of staff."""
    user = queries.staff_member(request.principal, user_id)
    held = {membership.role for membership in present.open_roles(user)}
    context = {
        "person": user,
        "name": queries.name_of(user),
        "state": present.state(user),
        "memberships": present.memberships(user, request.principal.organisation_id),
        "role_form": forms.RoleForm(held),
        "is_specialist": "specialist" in held,
        "is_me": user.pk == request.principal.id,
    }
    return render(request, "admin/person.html", context)


@require_http_methods(GET_POST)
@administrator
@fresh
def role_grant(request: Request, user_id: UUID) -> HttpResponse:
    """Give one more role."""
    by, user = request.principal, queries.staff_member(request.principal, user_id)
    form = forms.RoleForm({membership.role for membership in present.open_roles(user)}, posted(request))
    if request.method == "POST" and form.is_valid():
        organisation, role = queries.organisation_of(by), form.cleaned_data["role"]
        if tried(form, lambda: actions.grant_membership(user, organisation, role, by=by)):
            messages.success(request, _("The role counts from now on."))
            return redirect("admin_person", user.pk)
    context = {
        "heading": _("Give %(name)s a role") % {"name": queries.name_of(user)},
        "form": form,
        "submit": _("Give the role"),
        "back": reverse("admin_person", args=[user.pk]),
    }
    return render(request, "admin/form.html", context)


@require_http_methods(GET_POST)
@administrator
def role_end(request: Request, user_id: UUID, membership_id: int) -> HttpResponse:
    """End a role, after asking; it bites at the next request."""
    user = queries.staff_member(request.principal, user_id)
    membership = queries.membership(request.principal, user, membership_id)
    back = reverse("admin_person", args=[user.pk])
    if request.method == "POST":
        actions.end_membership(membership, by=request.principal)
        messages.success(request, _("The role has ended."))
        return redirect(back)
    context = {
        "heading": _("End the role “%(role)s”?") % {"role": membership.get_role_display()},
        "consequences": [
            _("%(name)s loses it at once.") % {"name": queries.name_of(user)},
            _("You can give it again at any time."),
        ],
        "confirm_label": _("End the role"),
        "cancel_url": back,
    }
    return render(request, "layouts/confirm.html", context)


@require_http_methods(GET_POST)
@administrator
def suspend(request: Request, user_id: UUID) -> HttpResponse:
    """Suspend an account, after asking; it is signed out everywhere at once."""
    user = queries.staff_member(request.principal, user_id)
    back = reverse("admin_person", args=[user.pk])
    if request.method == "POST":
        actions.suspend(user, by=request.principal)
        messages.success(request, _("Suspended and signed out everywhere."))
        return redirect(back)
    context = {
        "heading": _("Suspend %(name)s?") % {"name": queries.name_of(user)},
        "consequences": [
            _("They are signed out everywhere at once and cannot come in."),
            _("Cases they work on stay where they are: please tell the desk."),
            _("You can lift it at any time."),
        ],
        "confirm_label": _("Suspend"),
        "cancel_url": back,
    }
    return render(request, "layouts/confirm.html", context)


@require_POST
@administrator
def reinstate(request: Request, user_id: UUID) -> HttpResponse:
    """Lift a suspension."""
    user = queries.staff_member(request.principal, user_id)
    actions.reinstate(user, by=request.principal)
    messages.success(request, _("The suspension is lifted."))
    return redirect("admin_person", user.pk)


@require_safe
@administrator
def deletions(request: Request) -> HttpResponse:
    """Accounts whose owners asked for deletion."""
    found = list(queries.deletions(request.principal))
    cases = queries.cases_of(request.principal, [wish.user for wish in found])
    return render(request, "admin/deletions.html", {"wishes": present.wishes(found, cases)})


@require_http_methods(GET_POST)
@administrator
def deletion_close(request: Request, request_id: int) -> HttpResponse:
    """Close the account of somebody who asked for deletion; erasing the cases is a step of each case."""
    wish = queries.deletion(request.principal, request_id)
    if request.method == "POST":
        actions.suspend(wish.user, by=request.principal)
        messages.success(request, _("The account is closed. Please look at the cases one by one."))
        return redirect("admin_deletions")
    context = {
        "heading": _("Close this account?"),
        "consequences": [
            _("%(address)s is signed out everywhere and cannot come in.") % {"address": wish.user.email},
            _("The cases stay until each is erased or its retention period is over."),
        ],
        "confirm_label": _("Close the account"),
        "cancel_url": reverse("admin_deletions"),
    }
    return render(request, "layouts/confirm.html", context)
