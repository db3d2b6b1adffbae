"""Every route of the data plane has its row in the route table, answers its methods only, and asks the gate first."""

import asyncio
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings

from consilium.access.policy import ACTIONS
from consilium.access.rules import granted
from consilium.cases.models import Case
from consilium.cases.states import PHASE
from consilium.config import asgi
from consilium.gateways.data import app as data
from consilium.gateways.data import slides
from consilium.gateways.data.grants import Grants
from consilium.gateways.dicomweb import app as dicomweb
from consilium.records import tokens
from consilium.records.models import Preview, Record
from consilium.testing import factories
from consilium.web import bytes_gate
from consilium.web.case_gate import ask
from consilium.web.routes import DATA_ROUTES, Route
from consilium.web.tests import grid
from consilium.web.tests.addresses import NOBODY
from consilium.web.tests.company import Company, furnish

METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE")
ROOT = f"/data/cases/{NOBODY}"
# A value for each part that an address of the data plane names
EXAMPLES = {
    "what": "instances", "form": "rendered", "study": "1.2", "series": "1.3", "instance": "1.4", "value": "7FE00010",
    "frames": "1,2", "thing": str(NOBODY), "index": "0", "level": "0", "x": "1", "y": "2",
}  # fmt: skip
DECIDING = {"patient", "proxy_act", "coordinator"}


def template(pattern: str) -> str:
    """A pattern with its named parts as {name}."""
    out, at = "", 0
    for found in re.finditer(r"\(\?P<(\w+)>", pattern):
        if found.start() < at:
            continue
        out += pattern[at : found.start()] + f"{{{found[1]}}}"
        depth, at = 1, found.end()
        while depth:
            depth += {"(": 1, ")": -1}.get(pattern[at], 0)
            at += 1
    return (out + pattern[at:]).replace("\\", "")


def served() -> dict[str, str]:
    """Name → example path of everything that the gateways serve. Uploads are two addresses (tus, "Core Protocol")."""
    found = {part.partition(":{")[0]: template(pattern) for pattern, part in data.ROUTES}
    found |= {name: f"{ROOT}/slides/{NOBODY}/{template(rest)}" for name, rest in slides.ROUTES.items()}
    found |= {"uploads": f"{ROOT}/uploads", "upload": f"{ROOT}/uploads/{NOBODY}", "uploads:options": f"{ROOT}/uploads"}
    searches = [template(pattern.pattern) for pattern, _verb in dicomweb.READING]
    found |= {f"dicomweb:{path}": f"{ROOT}/dicomweb{path}" for path in searches}
    assert template(dicomweb.STORING.pattern) == "/studies(?:/{study})?"
    root = found["dicomweb:/{what}"] = f"{ROOT}/dicomweb/studies"
    found |= {"dicomweb:store": root, "dicomweb:store:study": f"{root}/{{study}}"}
    return {name: path.format(**EXAMPLES) for name, path in found.items()}


@contextmanager
def watched(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[UUID]]:
    """What the gates are asked for; the answer is always no."""
    asked: list[UUID] = []

    async def of(_self: Grants, _cookies: Any, _bearer: str, case: UUID, *, fresh: bool = False) -> None:
        asked.append(case)

    with monkeypatch.context() as patched:
        patched.setattr(Grants, "of", of)
        patched.setattr(asgi.data_plane, "gate", lambda _cookies, thing, _part: asked.append(thing))
        yield asked


def answered(method: str, path: str, *headers: tuple[bytes, bytes]) -> tuple[int, bytes]:
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {"type": "http", "method": method, "path": path, "query_string": b"", "headers": list(headers)}
    asyncio.run(asgi.gateway_of(path)(scope, receive, send))
    return sent[0]["status"], b"".join(one.get("body", b"") for one in sent[1:])


def test_every_route_of_the_gateways_has_exactly_one_row() -> None:
    assert sorted(served()) == sorted(row.name for row in DATA_ROUTES)
    assert len({name for name in served() if name.startswith("dicomweb:/")}) == len(dicomweb.READING)
    for row in DATA_ROUTES:
        kind, _, action = row.access.partition(":")
        assert (kind == "case" and action in ACTIONS) or (kind == "public" and row.why), row
        assert row.key in ("session", "session or token"), row


def test_every_gateway_is_known_to_this_survey() -> None:
    surveyed = {asgi.gateway_of(path) for path in served().values()}
    assert surveyed == {app for _knows, app in asgi.GATEWAYS}


@pytest.mark.parametrize("name", sorted(served()))
def test_rows_name_the_methods_that_are_answered(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = served()[name]
    rows = [row for row in DATA_ROUTES if served()[row.name] == path or _same_resource(name, row)]
    allowed = {method: row for row in rows for method in row.methods}
    with watched(monkeypatch) as asked:
        for method in METHODS:
            asked.clear()
            status, body = answered(method, path, (b"tus-resumable", b"1.0.0"))
            if method not in allowed:
                assert status in (404, 405), (method, name)
                assert not asked, (method, name)
            elif allowed[method].access != "public":
                assert asked == [NOBODY], (method, name)
                assert (status, body) in ((404, b"There is nothing here for you."), (404, b"")), (method, name)
            else:
                assert (status, asked) == (204, [])


def _same_resource(name: str, row: Route) -> bool:
    """What a tus server speaks may be asked at every address of it."""
    return name == "upload" and row.name == "uploads:options"


@pytest.mark.django_db
@pytest.mark.parametrize("state", grid.ON_POSTGRESQL)
def test_a_cases_roots_open_to_those_whom_the_policy_names(state: str, cast: Any) -> None:
    """Whoever has a role, had one, or never had: by session, and by a token where they have an account."""
    case = factories.case_in(state, cast)
    furnish(case, cast)
    company = Company(cast, case)
    again, other = Case.objects.get(pk=case.pk), factories.draft(cast, patient=company.members["olga"])
    status = dict(Record.objects.filter(space=case.pk).values_list("pk", "status"))
    assert {"removed", "undecided", "ready", "flagged"} <= set(status.values())
    for name, visitor in company.visitors.items():
        member = company.members.get(name)
        roles = again.roles_of(member.by) if member and name != "suspended" else frozenset[str]()
        if name in ("anna_stale", "dora_stale", "chen_stale"):
            roles = again.roles_of(company.members[name.removesuffix("_stale")].by)
        may = {action: granted(action, PHASE[case.state], roles) for action in ("record.view", "record.add")}
        grant = ask({settings.SESSION_COOKIE_NAME: visitor.cookie}, "", case.pk)
        assert (grant is not None) == any(may.values()), name
        if grant is not None:
            assert (grant.may_read, grant.may_add) == (may["record.view"], may["record.add"]), name
            seen = {status[pk] for pk in grant.records}
            assert "undecided" not in seen or roles & DECIDING, name
            assert "removed" not in seen, name
            assert bool(seen) == may["record.view"], name
        if member is not None and name != "suspended":
            _check_token(case, other, member, grant)


def _check_token(case: Case, other: Case, member: Any, grant: Any) -> None:
    """A key opens what its maker may open and give to a program, never another case, and nothing once it has ended."""
    token, text = tokens.issue(case.pk, by=member.by, read=True, add=False)
    reading = ask({}, text, case.pk)
    gives = granted("key.read", PHASE[case.state], Case.objects.get(pk=case.pk).roles_of(member.by))
    assert (reading is not None) == bool(grant and grant.may_read and gives)
    assert reading is None or (reading.records, reading.may_add) == (grant.records, False)
    assert ask({}, text, other.pk) is None
    tokens.revoke(token, by=member.by)
    assert ask({}, text, case.pk) is None


@pytest.mark.django_db
def test_the_original_of_what_was_taken_out_is_handed_to_nobody(cast: Any) -> None:
    """Pictures of its pages are left to those who may bring it back, unless a virus scanner warned of it."""
    case = factories.case_in("collecting", cast)
    record = factories.plain_record(case, "A letter", status="removed")
    file = record.files.get()
    Preview.objects.create(file=file, kind="page", index=0, blob=file.blob, media_type="image/png")
    company = Company(cast, case)

    def opened(part: str) -> set[str]:
        cookies = {name: {settings.SESSION_COOKIE_NAME: one.cookie} for name, one in company.visitors.items()}
        return {name for name, held in cookies.items() if bytes_gate.open_record(held, file.pk, part)}

    assert opened("file:original") == set()
    assert opened("file:page:0") == {"anna", "anna_stale", "ben_act", "dora", "dora_stale"}
    Record.objects.filter(pk=record.pk).update(problems=["malware"])
    assert opened("file:page:0") == set()
    Record.objects.filter(pk=record.pk).update(problems=[], status="ready")
    assert {"anna", "dora"} <= opened("file:original")
