"""For people who cannot use a computer: somebody types for them, on the telephone or from paper."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from consilium.cases.actions import intake
from consilium.core import audit
from consilium.people import actions as people
from consilium.people.models import Person
from consilium.web.desk import forms, queries
from consilium.web.desk.present import scribe as present
from consilium.web.guards import member
from consilium.web.http import Request

GET_POST = ["GET", "HEAD", "POST"]


@require_http_methods(GET_POST)
@member("support_scribe")
def home(request: Request) -> HttpResponse:
    """Who is on the telephone? Known persons are shown; the search is sent by POST, so no name is in an address."""
    form = forms.FindPersonForm(forms.posted(request))
    found = None
    if request.method == "POST" and form.is_valid():
        found = queries.persons_named(request.principal, **form.question())
        for person in found:
            audit.read(f"person:{person.pk}", by=request.principal, space=person.pk, action="person.find")
    context = {
        "form": form,
        "found": None if found is None else [present.person(one) for one in found],
        "typed": present.typed(form) if found is not None else {},
        "cases": [present.case(case) for case in queries.scribed_cases(request.principal)[:50]],
    }
    return render(request, "desk/scribe_home.html", context)


@require_http_methods(GET_POST)
@member("support_scribe")
def register(request: Request) -> HttpResponse:
    """A person we do not know yet; somebody with the same name and birth date is shown before a second is made."""
    first = "given_name" in request.POST and "sex" not in request.POST
    form = forms.RegisterForm(None if first else forms.posted(request), initial=present.from_search(request.POST))
    twins: list[Person] = []
    if form.is_bound and form.is_valid():
        details, by = form.details(), request.principal
        name = f"{details['given_name']} {details['family_name']}"
        twins = queries.persons_named(by, name=name, birth_date=details["birth_date"])
        if not twins or request.POST.get("another") == "yes":
            made: list[Person] = []
            organisation = queries.organisation_of(by)
            if forms.tried(form, lambda: made.append(people.register_person(organisation, by=by, **details))):
                return redirect("scribe_start", made[0].pk)
    context = {"form": form, "twins": [present.person(twin) for twin in twins], "back": reverse("scribe_home")}
    return render(request, "desk/scribe_register.html", context)


@require_http_methods(GET_POST)
@member("support_scribe")
def start(request: Request, person_id: UUID) -> HttpResponse:
    """Start a case for a person, then go through the same pages as a patient."""
    person = queries.person(request.principal, person_id)
    audit.read(f"person:{person.pk}", by=request.principal, space=person.pk, action="person.read")
    form = forms.StartForm(forms.posted(request), language=person.contact.get("language") or "en")
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        case = intake.start_case(
            person, said["specialty"], by=request.principal, language=said["language"], scribe=True
        )
        messages.success(request, _("The request has begun. Please fill it in together."))
        return redirect("case_prepare", case.pk)
    context = {"form": form, "person": present.person(person), "back": reverse("scribe_home")}
    return render(request, "desk/scribe_start.html", context)
