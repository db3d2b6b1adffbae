"""Drawing a page of a case: what every template of this area knows about the case and the reader."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.functional import SimpleLazyObject

from consilium.access import rules
from consilium.access.principals import Principal
from consilium.cases.actions.advance import possible
from consilium.cases.models import Case
from consilium.web.http import Request


class May:
    """`may.record_add` in a template asks the policy for "record.add"; `may.do_withdraw` asks the workflow."""

    def __init__(self, case: Case, by: Principal) -> None:
        self._case, self._by = case, by

    def __getitem__(self, name: str) -> bool:
        if name.startswith("do_"):
            return possible(self._case, name.removeprefix("do_"), self._by)
        noun, _sep, verb = name.partition("__")
        return rules.may(f"{noun}.{verb}", self._case, self._by)


def acting_for(case: Case, by: Principal) -> dict[str, Any] | None:
    """Name of the patient and whether one may act, for people who are not the patient."""
    roles = case.roles_of(by)
    if "patient" in roles:
        return None
    return {"name": case.patient.full_name, "acts": bool(roles & {"proxy_act", "support_scribe"})}


def page(request: Request, case: Case, template: str, context: dict[str, Any] | None = None, **kw: Any) -> HttpResponse:
    """Render `patient/<template>.html` for the case."""
    by = request.principal
    known = {"case": case, "may": May(case, by), "acting": SimpleLazyObject(lambda: acting_for(case, by))}
    return render(request, f"patient/{template}.html", known | (context or {}), **kw)
