"""Who may come in to the desk: staff with the role, on cases of their organisation. Patients have their own pages."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpResponse

from consilium.cases.models import Case
from consilium.core.errors import NotFound
from consilium.web.guards import View, with_case
from consilium.web.http import Request


def case_for(*roles: str, action: str = "case.view") -> Callable[[View], View]:
    """Give the view the case of `case_id` when `action` is granted and one of `roles` is held on it, else 404."""

    def decorate(view: View) -> View:
        @wraps(view)
        def checked(request: Request, case: Case, *args: Any, **kwargs: Any) -> HttpResponse:
            if not case.roles_of(request.principal) & set(roles):
                raise NotFound()
            return view(request, case, *args, **kwargs)

        return with_case(action)(checked)

    return decorate


def desk_case(action: str = "case.view") -> Callable[[View], View]:
    """A case for a coordinator."""
    return case_for("coordinator", action=action)
