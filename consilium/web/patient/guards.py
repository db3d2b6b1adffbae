"""Who may come in here: the patient and those who act for or accompany them. Staff have their own pages."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from consilium.access import rules
from consilium.cases.models import Case
from consilium.core.errors import NotFound
from consilium.web.guards import View, with_case
from consilium.web.http import Request

SIDE = frozenset({"patient", "proxy_view", "proxy_act", "support_scribe"})


def patient_case(action: str = "case.view") -> Callable[[View], View]:
    """Give the view the case of `case_id` when `action` is granted to somebody on the patient's side, else 404."""

    def decorate(view: View) -> View:
        @wraps(view)
        def checked(request: Request, case: Case, *args: Any, **kwargs: Any) -> HttpResponse:
            if not case.roles_of(request.principal) & SIDE:
                raise NotFound()
            return view(request, case, *args, **kwargs)

        return with_case(action)(checked)

    return decorate


def editable_story(view: View) -> View:
    """For pages of the form: once the story cannot be changed any more, lead kindly to the case instead of a 404."""

    @wraps(view)
    def checked(request: Request, case: Case, *args: Any, **kwargs: Any) -> HttpResponse:
        if not rules.may("story.edit", case, request.principal):
            messages.info(request, _("These answers cannot be changed here now. Your coordinator gladly helps you."))
            return redirect("case", case.pk)
        return view(request, case, *args, **kwargs)

    return patient_case("story.view")(checked)
