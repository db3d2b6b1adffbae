"""The installation: an overview, the organisation, the packs, the audit log."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from consilium.core import audit
from consilium.people import administration
from consilium.web.admin import forms, health, queries
from consilium.web.admin.guards import administrator
from consilium.web.admin.present import system as present
from consilium.web.desk.forms import posted, tried
from consilium.web.http import Request

GET_POST = ["GET", "HEAD", "POST"]


@require_safe
@administrator
def home(request: Request) -> HttpResponse:
    """What waits for an administrator, and how the installation is."""
    by = request.principal
    context = {
        "waiting": present.waiting(
            deletions=queries.deletions(by).count(),
            erasures=queries.cases(by, "erasure").count(),
            doctors=list(queries.specialists(by)),
        ),
        "findings": health.findings(),
        "pages": present.pages(),
    }
    return render(request, "admin/home.html", context)


@require_http_methods(GET_POST)
@administrator
def organisation(request: Request) -> HttpResponse:
    """Name, address, contact, and the rule new cases begin with."""
    by, found = request.principal, queries.organisation_of(request.principal)
    form = forms.OrganisationForm(found, posted(request))
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        if tried(form, lambda: administration.save_organisation(found, by=by, **said)):
            messages.success(request, _("The details are saved."))
            return redirect("admin_home")
    context = {
        "heading": _("Organisation"),
        "lead": _("Reports and public pages carry these details."),
        "form": form,
        "submit": _("Save"),
        "back": reverse("admin_home"),
    }
    return render(request, "admin/form.html", context)


@require_safe
@administrator
def packs(request: Request) -> HttpResponse:
    """Specialty and jurisdiction packs with version, sign-off and expiry."""
    columns = [_("Pack"), _("Version"), _("Sign-off"), _("Owner"), _("Review due"), _("Expires")]
    context = {"columns": columns, "specialties": present.specialties(), "jurisdictions": present.jurisdictions()}
    return render(request, "admin/packs.html", context)


@require_http_methods(GET_POST)
@administrator
def audit_log(request: Request) -> HttpResponse:
    """The state of the audit log; a press recomputes all of it and says what was found."""
    report = audit.verify() if request.method == "POST" else None
    context = {"facts": present.log_facts(queries.log_state()), "report": report}
    return render(request, "admin/audit.html", context)
