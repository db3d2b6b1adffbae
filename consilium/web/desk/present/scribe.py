"""What a support scribe sees: persons found, and the cases they help with."""

import contextlib
from datetime import date
from typing import Any

from django.urls import reverse

from consilium.cases.models import Case
from consilium.cases.states import State
from consilium.people.models import Person
from consilium.web.desk.present import board
from consilium.web.desk.present.dates import day_of

# Names of the three fields of a date (web/components/forms.py).
DATE_PARTS = ("day", "month", "year")


def person(found: Person) -> dict[str, str]:
    """A person as far as one needs to recognise them."""
    return {
        "name": found.full_name,
        "born": day_of(found.birth_date),
        "telephone": found.telephone,
        "href": reverse("scribe_start", args=[found.pk]),
    }


def typed(form: Any) -> dict[str, str]:
    """What was searched for, to be carried on to registering."""
    born: date = form.cleaned_data["birth_date"]
    said = {key: form.cleaned_data[key] for key in ("given_name", "family_name")}
    return said | {f"birth_date_{part}": str(getattr(born, part)) for part in DATE_PARTS}


def from_search(data: Any) -> dict[str, Any]:
    """Initial values of the registration from a search before it."""
    known: dict[str, Any] = {key: data.get(key, "") for key in ("given_name", "family_name")}
    with contextlib.suppress(KeyError, ValueError, TypeError):
        known["birth_date"] = date(*(int(data[f"birth_date_{part}"]) for part in reversed(DATE_PARTS)))
    return known | {"language": "en"}


def case(found: Case) -> dict[str, Any]:
    """A case the scribe helps with; a draft opens the preparation pages, later the tracker."""
    page = "case_prepare" if found.state == State.DRAFT else "case"
    return board.card(found, {}, href=page)
