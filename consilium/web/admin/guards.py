"""Who may come in to the administration: administrators, on cases of their organisation, without clinical content."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpResponse

from consilium.access.rules import require_fresh
from consilium.cases.models import Case
from consilium.core.errors import NotFound
from consilium.web.guards import View, member, with_case
from consilium.web.http import Request

administrator = member("administrator")


def fresh(view: View) -> View:
    """For pages that hand out power: the second step must have been passed within minutes."""

    @wraps(view)
    def checked(request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        require_fresh(True, request.principal)
        return view(request, *args, **kwargs)

    return checked


def admin_case(action: str = "case.view") -> Callable[[View], View]:
    """Give the view a case of the organisation, or answer 404."""

    def decorate(view: View) -> View:
        @wraps(view)
        def checked(request: Request, case: Case, *args: Any, **kwargs: Any) -> HttpResponse:
            if "administrator" not in case.roles_of(request.principal):
                raise NotFound()
            return view(request, case, *args, **kwargs)

        return with_case(action)(checked)

    return decorate
