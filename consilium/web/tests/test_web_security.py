"""Sessions that end at once, keys that change, tokens that are asked for, headers that every answer carries."""

import asyncio
import json
import logging
import os
import subprocess
import sys
from datetime import timedelta
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from consilium.cases.actions import team
from consilium.cases.models import Case
from consilium.core import clock
from consilium.gateways.data.app import DataPlane
from consilium.people.models import Membership
from consilium.records.models import RecordFile
from consilium.testing import factories
from consilium.testing.cast import PASSWORD
from consilium.web import bytes_gate
from consilium.web import principal as principals
from consilium.web.routes import all_routes
from consilium.web.tests.addresses import all_addresses, parts_of, paths
from consilium.web.tests.visitor import Visitor, cookie_of, guest_cookie, undone

pytestmark = pytest.mark.django_db

CSP = {
    "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self' data: blob:", "font-src 'self'",
    "connect-src 'self'", "media-src 'self' blob:", "manifest-src 'self'", "form-action 'self'", "base-uri 'self'",
    "frame-ancestors 'none'", "object-src 'none'",
}  # fmt: skip
# The image viewer sets styles in elements, and asks and compiles as its decoders need (config/viewer_policy.py).
VIEWER_CSP = {
    "default-src 'none'", "script-src 'self' 'wasm-unsafe-eval'", "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data: blob:", "font-src 'self'", "connect-src 'self' data: blob:", "media-src 'self' blob:",
    "worker-src 'self' blob:", "form-action 'none'", "base-uri 'none'", "frame-ancestors 'none'", "object-src 'none'",
    "manifest-src 'self'",
}  # fmt: skip
EVERY_ANSWER = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": (
        "camera=(self), microphone=(self), geolocation=(), payment=(), usb=(), interest-cohort=()"
    ),
}  # fmt: skip


@pytest.fixture(autouse=True)
def _quiet():
    for name in ("django.request", "django.security.csrf"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    yield
    for name in ("django.request", "django.security.csrf"):
        logging.getLogger(name).setLevel(logging.NOTSET)


# --- what is taken away is gone at the next request (trust.md, threat 8) ---


def opens(cookie: str, thing: Any, part: str) -> bool:
    return bytes_gate.open_record({settings.SESSION_COOKIE_NAME: cookie}, thing, part) is not None


def test_a_suspended_account_is_out_at_the_next_request(cast):
    case = factories.case_in("in_review", cast)
    cookie, file = cookie_of(cast.chen), RecordFile.objects.get(record__space=case.pk)
    page = reverse("records", args=[case.pk])
    assert Visitor(cookie).send("GET", page).status_code == 200 and opens(cookie, file.pk, "file:original")
    cast.chen.user.suspended_at = clock.now()
    cast.chen.user.save()
    assert Visitor(cookie).send("GET", page)["Location"].startswith(reverse("account_login"))
    assert not opens(cookie, file.pk, "file:original")


def test_an_ended_relative_is_out_at_the_next_request(cast):
    case = factories.case_in("delivered", cast)
    grant = factories.proxy(case, cast.ben, "proxy_act", by=cast.anna)
    cookie, report, page = cookie_of(cast.ben), case.reports.get(), reverse("case_report", args=[case.pk])
    assert Visitor(cookie).send("GET", page).status_code == 200 and opens(cookie, report.pk, "report:patient")
    team.end_grant(grant, by=cast.anna.by)
    assert Visitor(cookie).send("GET", page).status_code == 404
    assert not opens(cookie, report.pk, "report:patient")


def test_a_revoked_link_is_closed_at_the_next_request(cast):
    case = factories.case_in("delivered", cast)
    made, report = factories.link(case, cast.anna), case.reports.get()
    cookie, page = guest_cookie(made.link.pk), reverse("guest_case")
    assert Visitor(cookie).send("GET", page).status_code == 200 and opens(cookie, report.pk, "report:clinical")
    team.revoke_link(made.link, by=cast.anna.by)
    assert not opens(cookie, report.pk, "report:clinical")
    assert Visitor(cookie).send("GET", page).status_code == 404
    assert Visitor(cookie).send("POST", reverse("guest_reply"), {"body": "Hello"}).status_code == 404


def test_an_ended_membership_is_out_at_the_next_request(cast):
    case = factories.case_in("triage", cast)
    cookie, page = cookie_of(cast.dora), reverse("desk_case", args=[case.pk])
    assert Visitor(cookie).send("GET", page).status_code == 200
    Membership.objects.filter(user=cast.dora.user).update(until=clock.now())
    assert Visitor(cookie).send("GET", page).status_code == 404


def test_a_link_that_runs_out_closes_by_itself(cast):
    case = factories.case_in("delivered", cast)
    made = factories.link(case, cast.anna)
    cookie = guest_cookie(made.link.pk)
    with clock.frozen(clock.now() + timedelta(days=team.LINK_DAYS, minutes=-1)):
        assert principals.from_session(_session(cookie, fresh=True)).active
    with clock.frozen(clock.now() + timedelta(days=team.LINK_DAYS, minutes=1)):
        assert not principals.from_session(_session(cookie, fresh=True)).active


def _session(cookie: str, *, fresh: bool) -> Any:
    from importlib import import_module

    session = import_module(settings.SESSION_ENGINE).SessionStore(session_key=cookie)
    if fresh:
        session[principals.STARTED_KEY] = session[principals.SEEN_KEY] = clock.now().timestamp()
    return session


# --- session fixation ---


def test_the_session_key_changes_at_sign_in(cast):
    EmailAddress.objects.create(user=cast.anna.user, email=cast.anna.user.email, verified=True, primary=True)
    client = Client()
    planted = _plant(client)
    response = client.post(reverse("account_login"), {"login": cast.anna.user.email, "password": PASSWORD})
    assert response.status_code == 302 and client.session["_auth_user_id"] == str(cast.anna.user.pk)
    assert client.session.session_key != planted
    assert principals.from_session(_session(planted, fresh=False)).kind == "anonymous"


def test_the_session_key_changes_when_a_link_is_opened(cast):
    case = factories.case_in("delivered", cast)
    made, client = factories.link(case, cast.anna), Client()
    planted = _plant(client)
    client.get(reverse("guest_open", args=[made.token]))
    response = client.post(reverse("guest_code"), {"code": made.code})
    assert response["Location"] == reverse("guest_case")
    assert client.session.session_key != planted and "planted" not in client.session
    assert Visitor(planted).send("GET", reverse("guest_case")).status_code == 404


def _plant(client: Client) -> str:
    session = client.session
    session["planted"] = "by an attacker"
    session.save()
    client.cookies[settings.SESSION_COOKIE_NAME] = session.session_key
    return str(session.session_key)


# --- cross-site requests ---


def test_every_post_asks_for_its_token(cast):
    case = factories.case_in("in_review", cast)
    parts, asked = parts_of(case), 0
    insiders = {"desk": cast.dora, "triage": cast.tess, "admin": cast.ada, "quality": cast.quinn}
    specialist = ("offer", "decline", "review", "blind_read", "reveal", "opinion", "specialist_step")
    for address in all_addresses():
        if "POST" not in all_routes()[address.name].methods:
            continue
        who = insiders.get(address.name.partition("_")[0], cast.chen if address.name in specialist else cast.anna)
        for path in paths(address, parts).values():
            with undone():
                response = Visitor(cookie_of(who)).send("POST", path, csrf=True)
            assert response.status_code == 403, f"{address.name} answers {response.status_code}"
            assert not response.raised
            asked += 1
    assert asked > 90


@pytest.mark.parametrize(("route", "who"), [("case_upload_files", "anna"), ("desk_upload", "dora")])
def test_an_upload_without_token_leaves_no_bytes(cast, route, who):
    case = factories.case_in("triage", cast)
    path = reverse(route, args=[case.pk])
    visitor = Visitor(cookie_of(getattr(cast, who)))

    def stored() -> set[str]:
        return {str(each) for each in settings.DATA_DIR.rglob("*") if each.is_file() and "sqlite" not in each.name}

    before = stored()
    sent = {"file": SimpleUploadedFile("letter.txt", b"Dear colleague, " * 99)}
    assert visitor.send("POST", path, sent, csrf=True).status_code == 403
    assert stored() == before
    sent = {"file": SimpleUploadedFile("letter.txt", b"Dear colleague, " * 99)}
    assert visitor.send("POST", path, sent).status_code == 302
    assert len(stored()) > len(before)


# --- headers and cookies ---


def test_every_answer_carries_the_headers(cast):
    case = factories.case_in("delivered", cast)
    factories.link(case, cast.anna)
    parts = parts_of(Case.objects.get(pk=case.pk))
    visitors = [Visitor(), Visitor(guest_cookie(case.guest_links.get().pk))]
    visitors += [Visitor(cookie_of(getattr(cast, name))) for name in ("anna", "dora", "chen", "quinn", "ada", "eve")]
    statuses: set[int] = set()
    for address in all_addresses():
        for path in paths(address, parts).values():
            for visitor in visitors:
                with undone():
                    response = visitor.send("GET", path)
                statuses.add(response.status_code)
                check_headers(address.name, response)
    assert {200, 302, 404, 405} <= statuses


def check_headers(name: str, response: Any) -> None:
    for header, value in EVERY_ANSWER.items():
        assert response.headers.get(header) == value, f"{name}: {header}"
    assert "no-store" in response.headers["Cache-Control"], name
    policy = response.headers["Content-Security-Policy"]
    allowed = [CSP, VIEWER_CSP] if name in ("case_viewer", "record_viewer") else [CSP]
    assert set(policy.split("; ")) in allowed or (name == "download_all" and policy == "sandbox"), f"{name}: {policy}"
    assert response.headers["Referrer-Policy"] in ("same-origin", "no-referrer"), name
    assert name != "guest_open" or response.headers["Referrer-Policy"] == "no-referrer" or response.status_code == 429
    for morsel in response.cookies.values():
        assert morsel["samesite"] == "Lax" and morsel["path"] == "/", f"{name}: {morsel}"


def test_errors_carry_the_headers_too(cast, monkeypatch):
    case = factories.draft(cast)

    def fails(*_args: Any, **_kwargs: Any) -> None:
        raise ValueError

    monkeypatch.setattr("consilium.web.patient.views.case.page", fails)
    visitor = Visitor(cookie_of(cast.anna))
    failed = visitor.send("GET", reverse("case", args=[case.pk]))
    forged = visitor.send("POST", reverse("my_cases"), csrf=True)
    assert (failed.status_code, forged.status_code) == (500, 403)
    for response in (failed, forged, visitor.send("GET", "/nowhere/"), visitor.send("DELETE", reverse("my_cases"))):
        check_headers("error", response)


def test_the_data_plane_carries_its_headers_and_says_the_same_of_absent_and_denied():
    def ask(path: str, method: str = "GET") -> tuple[int, dict[bytes, bytes], bytes]:
        sent: list[dict[str, Any]] = []

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        async def receive() -> dict[str, Any]:
            await asyncio.sleep(60)
            return {"type": "http.disconnect"}

        plane = DataPlane(lambda _cookies, _thing, _part: None)
        scope = {"type": "http", "method": method, "path": path, "headers": []}
        asyncio.run(plane(scope, receive, send))
        return sent[0]["status"], dict(sent[0]["headers"]), sent[1]["body"]

    file = "/data/files/00000000-0000-4000-8000-000000000000/original"
    denied, absent = ask(file), ask("/data/nothing")
    assert denied == absent and denied[0] == 404
    assert ask(file, "POST")[0] == 405
    headers = denied[1]
    assert headers[b"x-content-type-options"] == b"nosniff" and headers[b"referrer-policy"] == b"no-referrer"
    assert b"no-store" in headers[b"cache-control"]
    assert headers[b"content-security-policy"].startswith(b"sandbox; default-src 'none'")


def test_cookies_over_https_are_bound_to_the_host():
    """`__Host-` cookies (RFC 6265bis §4.1.3.2): secure, host only, path /."""
    wanted = [
        "SESSION_COOKIE_NAME", "SESSION_COOKIE_SECURE", "SESSION_COOKIE_HTTPONLY", "SESSION_COOKIE_SAMESITE",
        "SESSION_COOKIE_DOMAIN", "SESSION_COOKIE_PATH", "CSRF_COOKIE_NAME", "CSRF_COOKIE_SECURE",
        "CSRF_COOKIE_HTTPONLY", "CSRF_COOKIE_DOMAIN", "CSRF_COOKIE_PATH", "SECURE_HSTS_SECONDS",
    ]  # fmt: skip
    asked = (
        f"from django.conf import settings; import json; print(json.dumps([getattr(settings, n) for n in {wanted}]))"
    )
    environment = os.environ | {
        "CONSILIUM_PUBLIC_URL": "https://consilium.example.org",
        "DJANGO_SETTINGS_MODULE": "consilium.config.settings",
    }
    done = subprocess.run([sys.executable, "-c", asked], env=environment, capture_output=True, text=True, check=True)
    found = dict(zip(wanted, json.loads(done.stdout), strict=True))
    assert found["SESSION_COOKIE_NAME"].startswith("__Host-") and found["CSRF_COOKIE_NAME"].startswith("__Host-")
    assert all(found[name] for name in wanted if name.endswith(("SECURE", "HTTPONLY")))
    assert found["SESSION_COOKIE_SAMESITE"] == "Lax" and found["SECURE_HSTS_SECONDS"] >= 31_536_000
    assert found["SESSION_COOKIE_DOMAIN"] is None and found["CSRF_COOKIE_DOMAIN"] is None
    assert found["SESSION_COOKIE_PATH"] == found["CSRF_COOKIE_PATH"] == "/"
