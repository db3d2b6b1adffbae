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
from django import shortcuts
from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse

from consilium.access.policy import ACTIONS
from consilium.access.rules import granted
from consilium.cases.models import Case
from consilium.cases.states import PHASE, Phase, State
from consilium.testing import factories
from consilium.testing.snapshots import matches
from consilium.web import bytes_gate
from consilium.web.middleware import refusals
from consilium.web.routes import Route, all_routes
from consilium.web.tests import grid
from consilium.web.tests.addresses import METHODS, NOBODY, all_addresses, parts_of, paths
from consilium.web.tests.company import Company, furnish
from consilium.web.tests.visitor import DENIED, Visitor, outcome, undone, writes

pytestmark = pytest.mark.django_db
SNAPSHOT = Path(__file__).parent / "snapshots" / "matrix.txt"
GUEST_PAGES = ("guest_case", "guest_reply", "guest_urgent")
OF_A_CASE = [one for one in all_addresses() if "case_id" in one.parameters or one.name in GUEST_PAGES]
ELSEWHERE = [address for address in all_addresses() if address not in OF_A_CASE]
EVERYBODY = (
    "anonymous", "anna", "anna_weak", "anna_stale", "ben_view", "dora", "dora_weak", "tess", "quinn", "ada", "sam",
    "pia", "chen", "chen_weak", "novak", "suspended", "eve", "rival", "rival_quinn",
    "weiss", "weiss_revoked", "weiss_expired",
)  # fmt: skip
TURNS = 5
# Pages that show nothing of what the patient told or sent: questions before a step, empty forms, helpers and consents.
SILENT = frozenset({
    "case_people", "case_people_end", "case_invite", "case_links", "case_link_new", "case_link_revoke", "case_consents",
    "case_consent_withdraw", "case_withdraw", "case_erasure", "case_ask", "case_close", "case_specialty", "desk_step",
    "desk_link_revoke", "desk_oral", "specialist_step", "lock_blind_read", "addendum", "decline", "quality_progress",
    "case_prepare", "case_follow_up", "quality_pass", "quality_return", "quality_urgent", "admin_legal_hold",
    "admin_step", "ask_for_record", "programs", "program_key", "upload_discard",
})  # fmt: skip
# The treating doctor is led from the report to an urgent message and back, whichever of the two is open.
OR_ELSE = {"clinician_case": "urgent.view", "clinician_reply": "urgent.view", "clinician_urgent": "report.view"}
# Page 0 states the first conclusion, page 1 does not (company.furnish).
FILE_PARTS = ("file:original", "file:thumbnail", "file:page:0", "file:page:1", "file:frame:0")
REPORT_PARTS = ("report:clinical", "report:patient", "report:fhir")
# What a read may write: the note that it happened, receipts, and the session.
READS_WRITE = {
    "core_auditevent", "core_audithead", "talks_messageread", "opinions_delivery",
}  # fmt: skip


@pytest.fixture(autouse=True)
def _quiet(monkeypatch):
    """Thousands of refusals are expected here: neither their log lines nor their page, always the same (test_leaks),
    is made again for each."""

    def render(request: HttpRequest, template: str, *args: Any, status: int = 200, **kwargs: Any) -> HttpResponse:
        if template == "404.html":
            return HttpResponse(status=status)
        return shortcuts.render(request, template, *args, status=status, **kwargs)

    monkeypatch.setattr(refusals, "render", render)
    logging.getLogger("django.request").setLevel(logging.CRITICAL)
    yield
    logging.getLogger("django.request").setLevel(logging.NOTSET)


@pytest.mark.parametrize("state", grid.SURVEYED)
def test_routes_of_a_case(state, cast):
    case = factories.told(cast) if state == State.DRAFT else factories.case_in(state, cast)
    furnish(case, cast)
    survey = Survey(case, Company(cast, case))
    parts = parts_of(case)
    found: dict[tuple[str, str], grid.Cell] = {}
    for address in OF_A_CASE:
        row = all_routes()[address.name]
        for number, (label, path) in enumerate(paths(address, parts).items()):
            for method in row.methods:
                found[method, label] = survey.ask_around(row, method, path, everybody=number == 0)
    found |= survey.ask_for_bytes(parts)
    problems = survey.problems + _differences(state, found)
    assert not problems, "\n".join(problems[:60])


def test_routes_of_no_case(cast):
    """One of each kind, once, at every other address: a state changes nothing here."""
    case = factories.case_in("in_review", cast)
    company = Company(cast, case)
    survey = Survey(case, company)
    novak = cast.novak
    parts = parts_of(case) | {"user_id": novak.user.pk, "membership_id": novak.user.memberships.get().pk}
    parts |= {"licence_id": novak.specialist.licences.get().pk}
    lines = []
    for address in sorted(ELSEWHERE, key=lambda one: one.name):
        row = all_routes()[address.name]
        for path in paths(address, parts).values():
            for method in row.methods:
                cell = {name: survey.ask(name, method, path) for name in EVERYBODY}
                able = next((name for name, came in cell.items() if came == "ok"), "")
                if able and row.name not in Survey.checked:
                    Survey.checked.add(row.name)
                    survey._check_other_methods(company.visitors[able], row, path)
                lines += [f"{method} {address.name} ({row.access})", *_by_outcome(cell)]
    assert not survey.problems, "\n".join(survey.problems[:60])
    matches(SNAPSHOT.with_name("elsewhere.txt"), "\n".join(lines) + "\n")


def _by_outcome(cell: grid.Cell) -> list[str]:
    """Who got what; the most frequent outcome of many is written as "all others"."""
    groups: dict[str, list[str]] = {}
    for name, came in cell.items():
        groups.setdefault(came, []).append(name)
    most = max(groups, key=lambda came: len(groups[came]))
    said = {came: " ".join(sorted(who)) if came != most else "all others" for came, who in groups.items()}
    return [f"    {came}: {who}" for came, who in sorted(said.items())]


class Survey:
    """Asks for one address after the other and notes what must not be.

    Those with a role on the case are asked for everything. Those who must get nothing anywhere take turns: each of them
    meets each route and method in about every fifth state, so all pairs are met and the whole stays quick.
    """

    checked: ClassVar[set[str]] = set()  # routes whose other methods this process has tried

    def __init__(self, case: Case, company: Company) -> None:
        self.case, self.company = case, company
        self.problems: list[str] = []
        again = Case.objects.get(pk=case.pk)
        self.roles = {name: again.roles_of(member.by) for name, member in company.members.items()}
        self.turn = grid.STATES.index(case.state)

    def ask_around(self, row: Route, method: str, path: str, *, everybody: bool) -> grid.Cell:
        """What everybody with a role gets, without the usual refusals.

        The guard of an address is the same for each of its verbs: the later verbs are asked of those alone whose role
        the row names in any phase.
        """
        nothing_yet = row.name == "guest_case" and self.case.phase != Phase.RELEASED
        nothing_yet |= self.case.state == State.ERASED
        silent = row.name in SILENT or nothing_yet
        people = company_of(self.company, self.roles)
        people = people if everybody else [name for name in people if self.roles.get(name, frozenset()) & named(row)]
        cell = {name: self.ask(name, method, path, silent) for name in people}
        for name, came in cell.items():
            if came not in DENIED:
                self._check_policy(row, name, came)
        able = next((name for name, came in cell.items() if came == "ok"), "")
        if able and row.name not in self.checked:
            self.checked.add(row.name)
            self._check_other_methods(self.company.visitors[able], row, path)
        if everybody:
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

    def ask(self, name: str, method: str, path: str, silent: bool = True) -> str:
        cache.clear()
        what = f"{name} {method} {path}"
        with undone(), writes() as tables:
            response = self.company.visitors[name].send(method, path)
        came = outcome(response)
        tables -= {"django_session"}
        if response.status_code >= 500:
            self.problems.append(f"{what}: {response.raised}")
        if came == "403":  # a verb refused what the page may show: that it was read is noted
            tables -= {"core_auditevent", "core_audithead"}
        if came in DENIED and tables:
            self.problems.append(f"{what} was denied and still wrote to {tables}")
        if method == "GET" and came == "ok" and not silent and "core_auditevent" not in tables:
            self.problems.append(f"{what} shows something of the case without a note in the access history")
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
        named = {rest, OR_ELSE.get(row.name, rest)}
        if kind == "case" and not any(granted(action, PHASE[self.case.state], self.roles[name]) for action in named):
            self.problems.append(f"{name} got {came} from {row.name} in {self.case.state} without {rest}")
        if kind == "role" and not (member.by.roles & set(rest.split(","))):
            self.problems.append(f"{name} got {came} from {row.name} without {rest}")


def named(row: Route) -> set[str]:
    """The roles a row lets in, in whatever phase."""
    kind, _, rest = row.access.partition(":")
    return set(ACTIONS[rest].grants) if kind == "case" else set(rest.split(","))


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
