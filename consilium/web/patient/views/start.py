"""Starting a case: who you are, and what it is about."""

from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from consilium.cases.actions import intake
from consilium.core.errors import BadInput
from consilium.packs import registry
from consilium.people import actions as people
from consilium.people.models import Person
from consilium.people.queries import default_organisation
from consilium.web.guards import signed_in
from consilium.web.http import Request, posted
from consilium.web.patient import queries
from consilium.web.patient.forms import about


def person_of(request: Request) -> Person | None:
    """The person behind the account, once they have told us."""
    return getattr(request.user, "person", None)


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def about_you(request: Request) -> HttpResponse:
    """Name, birth date, contact: asked once, corrected any time."""
    person = person_of(request)
    known = {"language": request.LANGUAGE_CODE} | (about.initial(person) if person else {})
    form = about.AboutYouForm(posted(request), initial=known)
    if request.method == "POST" and form.is_valid():
        try:
            _keep(request, person, form)
        except BadInput as error:
            form.add_error("birth_date", str(error))
        else:
            return redirect("case_new")
    return render(request, "patient/about_you.html", {"form": form, "known": person, "back_url": reverse("my_cases")})


def _keep(request: Request, person: Person | None, form: about.AboutYouForm) -> None:
    if person:
        people.correct_person(person, by=request.principal, **form.details())
        return
    with transaction.atomic():
        people.register_person(default_organisation(), user=request.user, by=request.principal, **form.details())


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def new_case(request: Request) -> HttpResponse:
    """Choose the specialty; the case begins as a draft."""
    person = person_of(request)
    if person is None or not person.birth_date:
        return redirect("about_you")
    packs = {pack.id: pack for pack in registry.specialties()}
    chosen = request.POST.get("specialty", "")
    if chosen in packs:
        language = person.contact.get("language") or request.user.language  # pyright: ignore[reportAttributeAccessIssue]
        case = queries.fresh_draft(request.principal, chosen)
        case = case or intake.start_case(person, chosen, by=request.principal, language=language)
        return redirect("case_prepare", case.pk)
    context = {"packs": packs.values(), "person": person, "nothing_chosen": request.method == "POST"}
    return render(request, "patient/new_case.html", context)
