"""The authorisation matrix: every route × method × principal × ownership × state against a reviewed snapshot.

The snapshot (snapshots/matrix.txt) was read line by line against access/policy.py and the product's description.
Ownership is told by the principals: those of the case, of another case of the same organisation (novak, olga), of
another organisation (rival…), and of no case at all (eve); an absent case is asked for by everybody.
"""

import logging
import os
from pathlib import Path
from typing import Any, ClassVar
from uuid import UUID

import pytest
from django.conf import settings
from django.core.cache import cache

from consilium.access.rules import granted
from consilium.cases.models import Case
from consilium.cases.states import PHASE
from consilium.testing import factories
from consilium.web import bytes_gate
from consilium.web.routes import Route, all_routes
from consilium.web.tests import grid
from consilium.web.tests.addresses import METHODS, NOBODY, all_addresses, parts_of, paths
from consilium.web.tests.company import Company, furnish
from consilium.web.tests.visitor import DENIED, Visitor, outcome, undone, writes

pytestmark = pytest.mark.django_db
SNAPSHOT = Path(__file__).parent / "snapshots" / "matrix.txt"
OF_A_CASE = [
    address for address in all_addresses() if "case_id" in address.parameters or address.name.startswith("guest_")
]
ELSEWHERE = [address for address in all_addresses() if address not in OF_A_CASE]
TURNS = 4
# Page 0 states the first conclusion, page 1 does not (company.furnish).
FILE_PARTS = ("file:original", "file:thumbnail", "file:page:0", "file:page:1", "file:frame:0")
REPORT_PARTS = ("report:clinical", "report:patient", "report:fhir")
# What a read may write: the note that it happened, receipts, and the session.
READS_WRITE = {
    "core_auditevent", "core_audithead", "talks_messageread", "opinions_delivery",
}  # fmt: skip


@pytest.fixture(autouse=True)
def _quiet(caplog):
    """Thousands of refusals are expected here: keeping a line for each costs more than the requests."""
    logging.getLogger("django.request").setLevel(logging.CRITICAL)
    yield
    logging.getLogger("django.request").setLevel(logging.NOTSET)


@pytest.mark.parametrize("state", grid.STATES)
def test_routes_of_a_case(state, cast):
    case = factories.case_in(state, cast)
    furnish(case, cast)
    survey = Survey(case, Company(cast, case))
    parts = parts_of(case)
    found: dict[tuple[str, str], grid.Cell] = {}
    for address in OF_A_CASE:
        row = all_routes()[address.name]
        for label, path in paths(address, parts).items():
            for method in row.methods:
                found[method, label] = survey.ask_around(row, method, path)
    found |= survey.ask_for_bytes(parts)
    problems = survey.problems + _differences(state, found)
    assert not problems, "\n".join(problems[:60])


class Survey:
    """Asks for one address after the other and notes what must not be.

    Those with a role on the case are asked for everything. Those who must get nothing anywhere take turns: each of them
    meets each route and method in about every fourth state, so all pairs are met and the whole stays quick.
    """

    checked: ClassVar[set[str]] = set()  # routes whose other methods this process has tried

    def __init__(self, case: Case, company: Company) -> None:
        self.case, self.company = case, company
        self.problems: list[str] = []
        again = Case.objects.get(pk=case.pk)
        self.roles = {name: again.roles_of(member.by) for name, member in company.members.items()}
        self.turn = grid.STATES.index(case.state)

    def ask_around(self, row: Route, method: str, path: str) -> grid.Cell:
        """What everybody with a role gets, without the usual refusals."""
        cell = {name: self.ask(name, method, path) for name in company_of(self.company, self.roles)}
        for name, came in cell.items():
            if came not in DENIED:
                self._check_policy(row, name, came)
        able = next((name for name, came in cell.items() if came == "ok"), "")
        if able and row.name not in self.checked:
            self.checked.add(row.name)
            self._check_other_methods(self.company.visitors[able], row, path)
        self._ask_outsiders(row, cell, method, path)
        return {name: came for name, came in cell.items() if came != grid.usual(name, row.access)}

    def _ask_outsiders(self, row: Route, cell: grid.Cell, method: str, path: str) -> None:
        self.turn += 1
        outside = [name for name in self.company.visitors if name not in cell]
        for name in outside[self.turn % TURNS :: TURNS]:
            came, usual = self.ask(name, method, path), grid.usual(name, row.access)
            fresh = cell.get(name.removesuffix("_stale"), usual)
            if came not in ({fresh, "step"} if name.endswith("_stale") else {usual}):
                self.problems.append(f"{name} got {came} from {method} {path}")

    def ask_for_bytes(self, parts: dict[str, Any]) -> dict[tuple[str, str], grid.Cell]:
        """What the gate of the data plane grants, part by part: everybody is asked for everything."""
        report = self.case.reports.first()
        asked = dict.fromkeys(FILE_PARTS, parts["file_id"]) | dict.fromkeys(
            REPORT_PARTS, report.pk if report else NOBODY
        )
        found: dict[tuple[str, str], grid.Cell] = {}
        for part, thing in asked.items():
            cell = {name: self._bytes(name, thing, part) for name in self.company.visitors}
            found["BYTES", part] = {name: came for name, came in cell.items() if came}
        return found

    def _bytes(self, name: str, thing: UUID, part: str) -> str:
        cookies = {settings.SESSION_COOKIE_NAME: self.company.visitors[name].cookie}
        with undone(), writes() as tables:
            grant = bytes_gate.open_record(cookies, thing, part)
        if (grant is None and tables) or (grant and "core_auditevent" not in tables):
            self.problems.append(f"{name} asked for {part}, granted {grant}, wrote {tables}")
        return "ok" if grant else ""

    def ask(self, name: str, method: str, path: str) -> str:
        cache.clear()
        what = f"{name} {method} {path}"
        with undone(), writes() as tables:
            response = self.company.visitors[name].send(method, path)
        came = outcome(response)
        tables -= {"django_session"}
        if response.status_code >= 500:
            self.problems.append(f"{what}: {response.raised}")
        if came in DENIED and tables:
            self.problems.append(f"{what} was denied and still wrote to {tables}")
        if method == "GET" and tables - READS_WRITE:
            self.problems.append(f"{what} wrote to {tables - READS_WRITE}")
        return came

    def _check_other_methods(self, visitor: Visitor, row: Route, path: str) -> None:
        for method in sorted(set(METHODS) - set(row.methods)):
            with undone():
                status = visitor.send(method, path).status_code
            if status != 405:
                self.problems.append(f"{method} {path} is not in its row and answers {status}")

    def _check_policy(self, row: Route, name: str, came: str) -> None:
        """Beside the snapshot: whoever got through holds what the route's row names, in the table."""
        kind, _, rest = row.access.partition(":")
        member = self.company.members.get(name)
        if member is None:
            return
        if kind == "case" and not granted(rest, PHASE[self.case.state], self.roles[name]):
            self.problems.append(f"{name} got {came} from {row.name} in {self.case.state} without {rest}")
        if kind == "role" and not (member.by.roles & set(rest.split(","))):
            self.problems.append(f"{name} got {came} from {row.name} without {rest}")


def company_of(company: Company, roles: dict[str, frozenset[str]]) -> list[str]:
    """Whom the snapshot speaks of: everybody with a role on the case or the open link."""
    return [*(name for name, held in roles.items() if held), "weiss"]


def _differences(state: str, found: dict[tuple[str, str], grid.Cell]) -> list[str]:
    if os.environ.get("CONSILIUM_SNAPSHOTS") == "write":
        grid.renew(SNAPSHOT, state, found)
    reviewed = grid.at(grid.grid_of(SNAPSHOT.read_text() if SNAPSHOT.is_file() else ""), state)
    now = {place: cell for place, cell in found.items() if cell}
    return [
        f"{method} {route} in {state}: {name} gets {now.get((method, route), {}).get(name, grid.usual(name))}, "
        f"reviewed was {reviewed.get((method, route), {}).get(name, grid.usual(name))}"
        for method, route in sorted({*reviewed, *now})
        for name in sorted({*reviewed.get((method, route), {}), *now.get((method, route), {})})
        if reviewed.get((method, route), {}).get(name) != now.get((method, route), {}).get(name)
    ]
