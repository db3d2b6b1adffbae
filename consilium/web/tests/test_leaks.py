"""What must not come through: the first conclusion to a blind reader, growing costs, other people's parts, errors.

Every leak test contains something that could leak, and shows that it does appear where it may.
"""

import logging
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from consilium.cases.actions import advance, intake, offers
from consilium.cases.models import Case, CaseRole
from consilium.consents.models import Consent
from consilium.core.logs import SafeFormatter
from consilium.opinions.actions import blind
from consilium.records.models import Record, RecordFile
from consilium.talks.models import Message
from consilium.testing import cast as casting
from consilium.testing import factories
from consilium.vault import keys
from consilium.web import bytes_gate
from consilium.web.routes import all_routes
from consilium.web.tests.addresses import all_addresses, parts_of, paths
from consilium.web.tests.company import link, withhold_first_page
from consilium.web.tests.visitor import Visitor, cookie_of, guest_cookie, undone

pytestmark = pytest.mark.django_db

# What states, or may state, the first conclusion: all of it is closed to the specialist until the lock.
CONCLUSIONS = {
    "diagnosis": "Zqdiagnosis instability",
    "treatment": "Zqtreatment fusion",
    "headline": "Zqheadline fusion or not",
    "question": "Zqquestion: must I have the fusion?",
    "letter page": "Zqletter recommends fusion",
    "letter title": "Zqtitle of the letter",
    "patient's message": "Zqmessage they said fusion",
    "care team's message": "Zqteam planned fusion",
}
OPEN_WORDS = "Zqfinding disc height reduced"


def concluded(cast: Any) -> Case:
    """A case that waits for Dr Chen's blind read, full of the first conclusion."""
    case = factories.told(cast)
    anna = cast.anna.by
    intake.save_first_opinion(
        case, by=anna, diagnosis=CONCLUSIONS["diagnosis"], treatment=CONCLUSIONS["treatment"], institution="City"
    )
    intake.save_questions(case, [CONCLUSIONS["question"]], by=anna)
    intake.confirm_recap(case, by=anna)
    for state in ("submitted", "collecting", "recap", "triage", "offered"):
        factories.STEPS[state](case, cast)
        case.refresh_from_db()
    record = Record.objects.filter(space=case.pk).first()
    record.title = CONCLUSIONS["letter title"]
    file = withhold_first_page(record)
    file.text = [CONCLUSIONS["letter page"], OPEN_WORDS]
    file.save()
    Case.objects.get(pk=case.pk)
    case.headline = CONCLUSIONS["headline"]
    case.save(update_fields=["headline"])
    for audience, words in (("patient_specialist", "patient's message"), ("care_team", "care team's message")):
        Message.objects.create(case=case, audience=audience, by=anna.ref, role="patient", body=CONCLUSIONS[words])
    return case


def everything_shown(case: Case, who: Any) -> str:
    """Every page somebody gets of a case by GET (each record open beside it too), as one text."""
    visitor, parts, texts = Visitor(cookie_of(who)), parts_of(case), []
    record = f"?record={parts['record_id']}&file={parts['file_id']}&index=0"
    for address in all_addresses():
        if "GET" not in all_routes()[address.name].methods or address.name.startswith(("account_", "mfa_")):
            continue
        for path in paths(address, parts).values():
            for query in ("", record) if "case_id" in address.parameters else ("",):
                with undone():
                    response = visitor.send("GET", path + query)
                    body = b"" if response.streaming else response.content
                assert response.status_code < 500, f"{path}: {response.raised}"
                texts.append(body.decode(errors="replace") + str(response.headers))
    return "\n".join(texts)


def assert_blind(case: Case, cast: Any) -> None:
    shown = everything_shown(case, cast.chen)
    assert [name for name, words in CONCLUSIONS.items() if words.split()[0] in shown] == []
    file = RecordFile.objects.get(record__space=case.pk)
    cookies = {"consilium": cookie_of(cast.chen)}
    for part in ("file:original", "file:thumbnail", "file:page:0"):
        assert bytes_gate.open_record(cookies, file.pk, part) is None, part


@pytest.fixture(autouse=True)
def _quiet():
    logging.getLogger("django.request").setLevel(logging.CRITICAL)
    yield
    logging.getLogger("django.request").setLevel(logging.NOTSET)


def test_an_offer_shows_no_conclusion_and_nobody(cast):
    case = concluded(cast)
    assert_blind(case, cast)
    shown = everything_shown(case, cast.chen)
    assert case.reference in shown
    for words in ("Anna", "Berger", "1965", OPEN_WORDS.split(maxsplit=1)[0], "Walk the dog"):
        assert words not in shown, words


def test_a_blind_reader_sees_findings_and_no_conclusion_until_the_lock(cast):
    case = concluded(cast)
    factories._accept(case, cast)
    case.refresh_from_db()
    assert OPEN_WORDS.split(maxsplit=1)[0] in everything_shown(case, cast.chen)
    assert_blind(case, cast)
    file = RecordFile.objects.get(record__space=case.pk)
    assert bytes_gate.open_record({"consilium": cookie_of(cast.chen)}, file.pk, "file:page:1") is not None
    for verb, by in (("raise_urgent", cast.chen), ("hold", cast.dora)):
        with undone():
            advance(case, verb, by=by.by, note="A reason.")
            assert_blind(Case.objects.get(pk=case.pk), cast)
        case.refresh_from_db()
    factories._lock(case, cast)
    blind.reveal(case, by=cast.chen.by)
    shown = everything_shown(Case.objects.get(pk=case.pk), cast.chen)
    assert [name for name, words in CONCLUSIONS.items() if words.split()[0] not in shown] == []
    assert bytes_gate.open_record({"consilium": cookie_of(cast.chen)}, file.pk, "file:page:0") is not None


def test_who_declined_sees_nothing_again(cast):
    case = concluded(cast)
    offers.decline(case, by=cast.chen.by, reason="capacity")
    shown = everything_shown(Case.objects.get(pk=case.pk), cast.chen)
    assert case.reference not in shown


INNER = {"record_id", "file_id", "grant_id", "link_id", "finding_id", "stop_id", "transfer_id", "token_id"}


def test_part_of_another_case_is_not_found_below_ones_own(cast):
    """Ids of records, links, grants, pauses … of another case do nothing below a case one may see."""
    own = factories.case_in("delivered", cast)
    olga = casting.member("Olga", "Other", birth_date="1971-01-01")
    other = factories.case_in("delivered", cast, patient=olga)
    factories.proxy(other, cast.ben, by=olga)
    link(other)
    mixed = parts_of(other) | {"case_id": own.pk}
    reached = []
    for who in (cast.anna, cast.dora, cast.chen):
        visitor = Visitor(cookie_of(who))
        for address in all_addresses():
            inner = address.parameters & INNER
            if "case_id" not in address.parameters or not inner:
                continue
            for method in all_routes()[address.name].methods:
                for path in paths(address, mixed).values():
                    with undone():
                        if visitor.send(method, path).status_code not in (403, 404):
                            reached.append(f"{who.user.email} {method} {path}")
    assert reached == []


def test_staff_of_one_organisation_reach_nobody_of_another(cast):
    """Administrators, coordinators and scribes with the ids of another organisation's people."""
    there = casting.organisation("Another Clinic", country="AT")
    patient = casting.member("Otto", "Elsewhere", birth_date="1950-05-05", org=there)
    doctor = casting.specialist("Olaf", "Elsewhere", org=there)
    ids = {
        "user_id": doctor.user.pk,
        "person_id": patient.person.pk,
        "membership_id": doctor.user.memberships.get().pk,
        "licence_id": doctor.specialist.licences.get().pk,
    }
    reached, asked = [], 0
    for who in (cast.ada, cast.dora, cast.sam):
        visitor = Visitor(cookie_of(who))
        for address in all_addresses():
            if not address.parameters & set(ids):
                continue
            for method in all_routes()[address.name].methods:
                for path in paths(address, ids).values():
                    asked += 1
                    with undone():
                        if visitor.send(method, path).status_code != 404:
                            reached.append(f"{who.user.email} {method} {path}")
    assert reached == [] and asked > 30
    for name, path in (("dora", "desk"), ("sam", "scribe_home")):
        with undone():
            asked_for = {"q": "Elsewhere", "name": "Otto Elsewhere"}
            response = Visitor(cookie_of(getattr(cast, name))).send("POST", reverse(path), asked_for)
            assert "Elsewhere" not in response.content.decode().replace('value="Otto Elsewhere"', "").replace(
                'value="Elsewhere"', ""
            )


# --- what a list costs ---

LISTS_OF_CASES = (
    ("my_cases", "", "anna"),
    ("desk", "?whose=ended", "dora"),
    ("desk", "?view=lanes", "dora"),
    ("triage_list", "", "tess"),
    ("specialist_home", "", "chen"),
    ("quality_home", "", "quinn"),
    ("clinician_cases", "", "ben"),
    ("admin_cases", "", "ada"),
    ("admin_deletions", "", "ada"),
)
LISTS_OF_A_CASE = (
    ("records", "chen"), ("record", "chen"), ("case_upload", "anna"), ("case_upload_list", "anna"),
    ("case_messages", "anna"), ("case_people", "anna"), ("case_links", "anna"), ("case_access_history", "anna"),
    ("case_steps", "anna"), ("case_report", "anna"), ("desk_records", "dora"), ("desk_messages", "dora"),
    ("desk_history", "dora"), ("desk_report", "dora"), ("review", "chen"), ("admin_case_access", "ada"),
    ("triage_conclusions", "dora"),
)  # fmt: skip


def costs(who: Any, path: str) -> int:
    """Queries of one page, after a first visit that fills what is kept between requests."""
    visitor = Visitor(cookie_of(who))
    with undone():
        visitor.send("GET", path)
        with CaptureQueriesContext(
            connection,
        ) as captured:
            response = visitor.send("GET", path)
    assert response.status_code == 200, f"{path} answers {response.status_code}: {response.raised}"
    return sum(not query["sql"].startswith(("SAVEPOINT", "RELEASE", "INSERT", "ROLLBACK")) for query in captured)


def test_lists_of_cases_cost_the_same_for_one_and_three(cast):
    def add() -> None:
        for state in ("delivered", "triage", "offered", "in_review", "quality_check"):
            case = factories.case_in(state, cast)
            CaseRole.objects.create(
                case=case,
                user=cast.ben.user,
                role="treating_clinician",
                granted_by="system",
                confirmed_at=case.created_at,
            )

    add()
    once = {row: costs(getattr(cast, row[2]), reverse(row[0]) + row[1]) for row in LISTS_OF_CASES}
    add()
    add()
    thrice = {row: costs(getattr(cast, row[2]), reverse(row[0]) + row[1]) for row in LISTS_OF_CASES}
    assert thrice == once


def test_lists_of_a_case_cost_the_same_for_one_and_three(cast):
    case = factories.case_in("delivered", cast)

    def add(number: int) -> None:
        record = factories.plain_record(case, f"Letter {number}")
        withhold_first_page(record)
        for audience in ("patient_desk", "patient_specialist", "staff"):
            Message.objects.create(case=case, audience=audience, by=cast.dora.by.ref, role="coordinator", body="Words.")
        relative = casting.member(f"Relative{number}", "Berger")
        factories.proxy(case, relative, by=cast.anna)
        link(case)

    add(0)
    parts = parts_of(case)
    known = {address.name: address for address in all_addresses()}
    rows = [(name, who, path) for name, who in LISTS_OF_A_CASE for path in paths(known[name], parts).values()]
    rows = [(name, who, path) for name, who, path in rows if _is_open(getattr(cast, who), path)]
    assert len(rows) > 12
    once = {name: costs(getattr(cast, who), path) for name, who, path in rows}
    add(1)
    add(2)
    thrice = {name: costs(getattr(cast, who), path) for name, who, path in rows}
    assert thrice == once


def _is_open(who: Any, path: str) -> bool:
    with undone():
        return Visitor(cookie_of(who)).send("GET", path).status_code == 200


# --- refusals ---


def test_denied_and_absent_are_the_same_bytes(cast):
    case = factories.case_in("delivered", cast)
    eve, weiss = Visitor(cookie_of(cast.eve)), Visitor(guest_cookie(link(case).pk))
    parts = parts_of(case)
    nothing = parts | {
        name: uuid4() for name in ("case_id", "record_id", "file_id", "link_id", "stop_id", "finding_id", "transfer_id")
    }
    compared = 0
    for address in all_addresses():
        if "case_id" not in address.parameters:
            continue
        for visitor in (eve, weiss):
            for label, path in paths(address, parts).items():
                method = all_routes()[address.name].methods[0]
                with undone():
                    denied = visitor.send(method, path)
                    absent = visitor.send(method, paths(address, nothing)[label])
                assert denied.status_code == absent.status_code == 404, path
                assert _bare(denied) == _bare(absent), path
                compared += 1
    assert compared > 150


def _bare(response: Any) -> tuple[bytes, list[tuple[str, str]]]:
    import re

    body = re.sub(rb"(csrf-token\" content|csrfmiddlewaretoken\" value)=\"[^\"]+\"", b"", response.content)
    body = re.sub(rb"/[\w/-]*[0-9a-f]{8}-[0-9a-f-]{27}[\w/.-]*", b"(address asked for)", body)
    return body, sorted((name, value) for name, value in response.items() if name != "Set-Cookie")


def test_an_error_page_and_its_log_line_say_nothing(cast, monkeypatch, caplog):
    case, secret = factories.draft(cast), "Zqsecret"

    def fails(*_args: Any, **_kwargs: Any) -> None:
        raise ValueError(secret)

    monkeypatch.setattr("consilium.web.patient.views.case.page", fails)
    logging.getLogger("django.request").setLevel(logging.NOTSET)
    response = Visitor(cookie_of(cast.anna)).send("GET", reverse("case", args=[case.pk]))
    assert response.status_code == 500 and secret in response.raised[0]
    for words in (secret, "ValueError", "Traceback", "Anna"):
        assert words.encode() not in response.content
    lines = [SafeFormatter().format(record) for record in caplog.records]
    assert lines and any("ValueError" in line for line in lines)
    assert not any(secret in line for line in lines)


def test_withdrawn_sharing_ends_what_was_shared(cast):
    """Consent to share taken back: links close with it."""
    case = factories.case_in("delivered", cast)
    made = factories.link(case, cast.anna)
    visitor = Visitor(guest_cookie(made.link.pk))
    assert visitor.send("GET", reverse("guest_case")).status_code == 200
    anna = Visitor(cookie_of(cast.anna))
    clause = Consent.objects.get(space=case.pk, clause__contains="treating", withdrawn_at=None).clause
    assert anna.send("POST", reverse("case_consent_withdraw", args=[case.pk, clause])).status_code == 302
    assert visitor.send("GET", reverse("guest_case")).status_code == 404


def test_after_erasure_the_patient_still_sees_who_looked_and_no_content(cast):
    case = factories.case_in("delivered", cast)
    made = factories.link(case, cast.anna)
    assert Visitor(guest_cookie(made.link.pk)).send("GET", reverse("guest_case")).status_code == 200
    anna = Visitor(cookie_of(cast.anna))
    for route in ("case_access_history", "case_links"):
        before = anna.send("GET", reverse(route, args=[case.pk]))
        assert "Weiss" in before.content.decode()
    keys.destroy_space(case.pk)
    Case.objects.filter(pk=case.pk).update(state="erased")
    history = anna.send("GET", reverse("case_access_history", args=[case.pk]))
    assert history.status_code == 200 and "Weiss" not in history.content.decode()
    assert anna.send("GET", reverse("case_links", args=[case.pk])).status_code == 200
