"""The case page and what hangs on it: report, messages, relatives, links, history, consents; and Ben by policy."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from consilium.cases.actions import advance, desk, team
from consilium.cases.models import Case, CaseRole
from consilium.cases.states import State
from consilium.consents import actions as consents
from consilium.core import clock
from consilium.core.errors import Refusal
from consilium.opinions.models import Delivery
from consilium.talks import actions as talks
from consilium.testing import factories
from consilium.testing.cast import Cast

pytestmark = pytest.mark.django_db

AsClient = Callable[..., Client]
CARD = {"sure": "yes", "understand": "yes", "risk_benefit": "yes", "encouragement": "no"}


def shown(client: Client, name: str, *args: Any, **query: str) -> str:
    response = client.get(reverse(name, args=args), query)
    assert response.status_code == 200, response
    return response.content.decode()


def queries_of(client: Client, url: str) -> int:
    client.get(url)  # first reads write their audit entry
    with CaptureQueriesContext(connection) as captured:
        assert client.get(url).status_code == 200
    return len(captured)


# -- the tracker ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "title", "turn"),
    [
        (State.DRAFT, "Tell us about it", "next-action--you"),
        (State.SUBMITTED, "We are checking your request", "next-action--us"),
        (State.COLLECTING, "Some records are missing", "next-action--you"),
        (State.RECAP, "Please confirm your case on one page", "next-action--you"),
        (State.OFFERED, "We are finding the right specialist", "next-action--us"),
        (State.IN_REVIEW, "Your specialist is reading everything", "next-action--us"),
        (State.DELIVERED, "Your report is here", "next-action--you"),
        (State.URGENT, "There is an urgent message for you", "next-action--you"),
        (State.WITHDRAWN, "This case is closed", "next-action--other"),
    ],
)
def test_one_next_action_and_whose_turn(state: str, title: str, turn: str, cast: Cast, as_: AsClient) -> None:
    case = factories.case_in(state, cast)
    page = shown(as_(cast.anna), "case", case.pk)
    assert title in page
    assert turn in page
    assert page.count('class="next-action ') == 1


def test_doctor_is_named_once_the_case_is_accepted(cast: Cast, as_: AsClient) -> None:
    assert "Dr Mei Chen" not in shown(as_(cast.anna), "case", factories.case_in(State.OFFERED, cast).pk)
    assert "Dr Mei Chen" in shown(as_(cast.anna), "case", factories.case_in(State.IN_REVIEW, cast).pk)


def test_alarm_when_the_report_comes_after_the_planned_treatment(cast: Cast, as_: AsClient) -> None:
    case = factories.case_in(State.COLLECTING, cast)
    assert "may come too late" not in shown(as_(cast.anna), "case", case.pk)
    Case.objects.filter(pk=case.pk).update(planned_treatment_on=(clock.now() + timedelta(days=3)).date())
    assert "may come too late" in shown(as_(cast.anna), "case", case.pk)


def test_pause_is_told_in_words(cast: Cast, as_: AsClient) -> None:
    case = factories.case_in(State.COLLECTING, cast)
    desk.stop_clock(case, "interpretation", by=cast.dora.by)
    page = shown(as_(cast.anna), "case", case.pk)
    assert "We are waiting for an interpreter" in page
    assert "if the waiting ends today" in page


def test_words_of_the_desk_reach_the_patient(cast: Cast, as_: AsClient) -> None:
    case = factories.case_in(State.SUBMITTED, cast)
    advance(case, "send_back", by=cast.dora.by, note="Please add your medicines.")
    assert "Please add your medicines." in shown(as_(cast.anna), "case", case.pk)
    assert "Please add your medicines." in shown(as_(cast.anna), "case_prepare", case.pk)
    other = factories.case_in(State.REDIRECTED, cast)
    assert "Please see a doctor in person." in shown(as_(cast.anna), "case", other.pk)


def test_erased_case_says_so_and_shows_nothing(cast: Cast, as_: AsClient) -> None:
    case = factories.case_in(State.ERASED, cast)
    page = shown(as_(cast.anna), "case", case.pk)
    assert "The contents were erased." in page
    assert "Nothing to do" in page
    assert shown(as_(cast.anna), "case_steps", case.pk)
    assert shown(as_(cast.anna), "case_access_history", case.pk)


# -- report --------------------------------------------------------------------------------------------------------


def test_report_shows_the_plain_summary_and_notes_the_receipt(cast: Cast, as_: AsClient) -> None:
    case = factories.case_in(State.DELIVERED, cast)
    page = shown(as_(cast.anna), "case_report", case.pk)
    report = case.reports.get()
    for words in ("Dear Ms Berger", "Your disc is worn.", "You can wait.", report.verify_code):
        assert words in page
    for kind in ("patient", "clinical"):
        assert f"/data/reports/{report.pk}/{kind}.pdf" in page
    assert Delivery.objects.get(report=report, to=cast.anna.user.ref).opened_at
    assert as_(cast.anna).get(reverse("case_report", args=[case.pk]), {"version": "7"}).status_code == 404


def test_report_does_not_exist_before_it_is_delivered(cast: Cast, as_: AsClient) -> None:
    case = factories.case_in(State.SIGNED, cast)
    assert as_(cast.anna).get(reverse("case_report", args=[case.pk])).status_code == 404


def test_questions_about_the_report_are_bounded(cast: Cast, as_: AsClient) -> None:
    case, client = factories.case_in(State.DELIVERED, cast), as_(cast.anna)
    url = reverse("case_ask", args=[case.pk])
    assert "as a full sentence" in client.post(url, {"kind": "question", "question": "Why?"}).content.decode()
    for number in range(3):
        said = {"kind": "question", "question": f"What does sentence {number} mean for me?"}
        assert client.post(url, said).status_code == 302
    assert case.clarifications.count() == 3
    fourth = client.post(url, {"kind": "question", "question": "May I ask one more thing?"})
    assert "three questions already" in fourth.content.decode()
    assert case.clarifications.count() == 3


@pytest.mark.parametrize("state", [State.FOLLOW_UP, State.CLOSED])
def test_no_questions_when_the_time_is_over(state: str, cast: Cast, as_: AsClient) -> None:
    case = factories.case_in(state, cast)
    with pytest.raises(Refusal, match="time for questions"):
        talks.ask(case, by=cast.anna.by, question="Is it too late to ask this?")
    assert "time for questions about this report is over" in shown(as_(cast.anna), "case_report", case.pk)


def test_answer_is_shown(cast: Cast, as_: AsClient) -> None:
    case = factories.case_in(State.CLARIFYING, cast)
    talks.answer(case.clarifications.get(), by=cast.chen.by, text="Yes, it still holds.")
    assert "Yes, it still holds." in shown(as_(cast.anna), "case_report", case.pk)


def test_follow_up_opens_when_it_is_due(cast: Cast, as_: AsClient) -> None:
    case = factories.case_in(State.FOLLOW_UP, cast)
    url = reverse("case_follow_up", args=[case.pk, 30])
    assert as_(cast.anna).get(url).status_code == 404, "not due yet"
    case.follow_ups.filter(day=30).update(due_at=clock.now() - timedelta(days=1))
    client = as_(cast.anna)
    assert url in shown(client, "case", case.pk)
    assert client.post(url, {}).status_code == 200
    assert client.post(url, CARD | {"answered": "yes", "decision": "second"}).status_code == 302
    row = case.follow_ups.get(day=30)
    assert (row.answers["encouragement"], row.answers["decision"]) == ("no", "second")
    assert "answered this already" in client.get(url, follow=True).content.decode()
    assert as_(cast.anna).get(reverse("case_follow_up", args=[case.pk, 0])).status_code == 404


def test_urgent_message_is_read_and_received(cast: Cast, as_: AsClient) -> None:
    case, client = factories.case_in(State.URGENT, cast), as_(cast.anna)
    assert "A reason." in shown(client, "case_urgent", case.pk)
    client.post(reverse("case_urgent", args=[case.pk]))
    case.refresh_from_db()
    assert case.state == State.IN_REVIEW


# -- messages ------------------------------------------------------------------------------------------------------


def test_message_is_sent_and_the_new_one_is_announced(cast: Cast, as_: AsClient) -> None:
    case, client = factories.case_in(State.IN_REVIEW, cast), as_(cast.anna)
    url = reverse("case_messages", args=[case.pk])
    assert "write your message first" in client.post(url, {"audience": "patient_desk", "body": ""}).content.decode()
    assert client.post(url, {"audience": "staff", "body": "Hello"}).status_code == 200, "no such choice for Anna"
    client.post(url, {"audience": "patient_specialist", "body": "I have a new MRI."})
    assert case.messages.get().audience == "patient_specialist"
    talks.send_message(case, by=cast.dora.by, audience="patient_desk", body="Please send it.")
    assert "You have a new message" in shown(client, "case", case.pk)
    assert "Please send it." in shown(client, "case_messages", case.pk)
    assert "You have a new message" not in shown(client, "case", case.pk)


def test_message_pressed_twice_goes_out_once(cast: Cast, as_: AsClient) -> None:
    case, client = factories.case_in(State.IN_REVIEW, cast), as_(cast.anna)
    said = {"audience": "patient_desk", "body": "Did you get the MRI?"}
    for _press in range(2):
        client.post(reverse("case_messages", args=[case.pk]), said)
    assert case.messages.count() == 1


def test_staff_messages_stay_with_staff(cast: Cast, as_: AsClient) -> None:
    case = factories.case_in(State.IN_REVIEW, cast)
    talks.send_message(case, by=cast.dora.by, audience="staff", body="Between us: be quick.")
    assert "Between us" not in shown(as_(cast.anna), "case_messages", case.pk)


# -- relatives -----------------------------------------------------------------------------------------------------


def test_relative_is_invited_accepts_and_is_ended(cast: Cast, as_: AsClient) -> None:
    case, anna, ben = factories.case_in(State.IN_REVIEW, cast), as_(cast.anna), as_(cast.ben)
    invite = {"email": cast.ben.user.email, "role": "proxy_view", "days": "90"}
    anna.post(reverse("case_invite", args=[case.pk]), invite)
    grant = CaseRole.objects.get(user=cast.ben.user)
    assert ben.get(reverse("case", args=[case.pk])).status_code == 404, "not before he accepts"
    assert "Anna Berger invites you" in shown(ben, "my_cases")
    ben.post(reverse("invitation_answer", args=[grant.pk]), {"answer": "accept"})
    assert "You read along for Anna Berger." in shown(ben, "case", case.pk)
    anna.post(reverse("case_people_end", args=[case.pk, grant.pk]))
    assert ben.get(reverse("case", args=[case.pk])).status_code == 404


def test_invitation_is_declined_and_is_nobody_elses(cast: Cast, as_: AsClient) -> None:
    case = factories.case_in(State.IN_REVIEW, cast)
    grant = team.invite_proxy(case, cast.ben.user.email, "proxy_act", by=cast.anna.by)
    url = reverse("invitation_answer", args=[grant.pk])
    assert as_(cast.eve).post(url, {"answer": "accept"}).status_code == 404
    as_(cast.ben).post(url, {"answer": "decline"})
    assert as_(cast.ben).post(url, {"answer": "accept"}).status_code == 404
    assert as_(cast.ben).get(reverse("case", args=[case.pk])).status_code == 404


def test_unknown_address_is_explained(cast: Cast, as_: AsClient) -> None:
    case = factories.case_in(State.IN_REVIEW, cast)
    said = {"email": "nobody@example.org", "role": "proxy_view", "days": "30"}
    page = as_(cast.anna).post(reverse("case_invite", args=[case.pk]), said).content.decode()
    assert "create an account first" in page
    assert "nobody@example.org" in page


@pytest.mark.parametrize("name", ["case_invite", "case_link_new", "case_erasure"])
def test_delegation_and_erasure_ask_for_a_fresh_second_step(name: str, cast: Cast, as_: AsClient) -> None:
    case = factories.case_in(State.DELIVERED, cast)
    for method in ("get", "post"):
        response = getattr(as_(cast.anna, step="stale"), method)(reverse(name, args=[case.pk]))
        assert response.status_code == 302
        assert "next=" in response.headers["Location"]


READ_ALONG = {"case", "case_summary", "case_report", "case_messages", "case_people", "case_links", "case_steps"}
NOT_FOR_READERS = {"case_ask", "case_invite", "case_link_new", "case_access_history", "case_erasure", "download_all"}


@pytest.mark.parametrize("role", ["proxy_view", "proxy_act"])
def test_ben_sees_what_the_policy_says(role: str, cast: Cast, as_: AsClient) -> None:
    case = factories.case_in(State.DELIVERED, cast)
    factories.proxy(case, cast.ben, role, by=cast.anna)
    acts = {"case_ask", "case_link_new", "case_access_history"} if role == "proxy_act" else set()
    for name in READ_ALONG | NOT_FOR_READERS:
        expected = 200 if name in READ_ALONG | acts else 404
        assert as_(cast.ben).get(reverse(name, args=[case.pk])).status_code == expected, name
    words = "You act for Anna Berger." if acts else "You read along for Anna Berger."
    assert words in shown(as_(cast.ben), "case", case.pk)


def test_reader_has_no_buttons_that_act(cast: Cast, as_: AsClient) -> None:
    case = factories.case_in(State.RECAP, cast)
    factories.proxy(case, cast.ben, by=cast.anna)
    assert "<form method" not in shown(as_(cast.ben), "case_summary", case.pk).split("<main", 1)[1].split("</main>")[0]
    as_(cast.ben).post(reverse("case_summary", args=[case.pk]), {"correct": "1"})
    case.refresh_from_db()
    assert case.state == State.RECAP


# -- links ---------------------------------------------------------------------------------------------------------


def test_link_and_code_are_shown_once_and_the_link_is_mailed(cast: Cast, as_: AsClient) -> None:
    case, client = factories.case_in(State.DELIVERED, cast), as_(cast.anna)
    said = {"name": "Dr Jonas Weiss", "email": "weiss@example.org", "days": "30"}
    page = client.post(reverse("case_link_new", args=[case.pk]), said).content.decode()
    link = case.guest_links.get()
    code = re.search(r'value="(\d{3} \d{3})"', page)
    address = re.search(r'value="(http[^"]+)"', page)
    assert code
    assert address
    token = address[1].rstrip("/").rsplit("/", 1)[-1]
    assert team.open_link(token, code[1]).pk == link.pk
    assert token not in shown(client, "case_links", case.pk)
    client.post(reverse("case_link_revoke", args=[case.pk, link.pk]))
    with pytest.raises(Refusal):
        team.open_link(token, code[1])


def test_withdrawn_consent_closes_the_links(cast: Cast, as_: AsClient) -> None:
    case = factories.case_in(State.DELIVERED, cast)
    factories.link(case, cast.anna)
    url = reverse("case_consent_withdraw", args=[case.pk, consents.SHARE_WITH_TREATING_DOCTOR])
    client = as_(cast.anna, step="stale")
    assert client.get(url).status_code == 200
    client.post(url)
    assert case.guest_links.get().revoked_at
    assert not consents.holds(case.pk, consents.SHARE_WITH_TREATING_DOCTOR)
    case.refresh_from_db()
    assert case.state == State.DELIVERED


def test_withdrawing_a_needed_consent_stops_the_work(cast: Cast, as_: AsClient) -> None:
    case = factories.case_in(State.IN_REVIEW, cast)
    as_(cast.anna).post(reverse("case_consent_withdraw", args=[case.pk, "records-review"]))
    case.refresh_from_db()
    assert case.state == State.WITHDRAWN
    assert as_(cast.anna).get(reverse("case_consent_withdraw", args=[case.pk, "no-such"])).status_code == 404


# -- history -------------------------------------------------------------------------------------------------------


def test_anna_sees_who_looked_at_what(cast: Cast, as_: AsClient) -> None:
    case = factories.case_in(State.DELIVERED, cast)
    factories.proxy(case, cast.ben, by=cast.anna)
    shown(as_(cast.ben), "case_report", case.pk)
    others = shown(as_(cast.anna), "case_access_history", case.pk, show="others")
    rows = re.findall(r"<tr><td[^>]*>(.*?)</td><td[^>]*>(.*?)</td><td[^>]*>(.*?)</td></tr>", others)
    assert any("Ben Berger" in who and "read the report" in what for _when, who, what in rows)
    assert not any("Anna Berger" in who for _when, who, _what in rows)
    assert not any(":" in what and "." in what for _when, _who, what in rows)


def test_every_step_is_told_in_words(cast: Cast, as_: AsClient) -> None:
    case = factories.case_in(State.CLARIFYING, cast)
    page = shown(as_(cast.anna), "case_steps", case.pk)
    titles = re.findall(r'class="timeline__title">([^<]+)<', page)
    assert len(titles) == case.events.count()
    from consilium.web.patient.present.history import STEPS

    assert set(case.events.values_list("verb", flat=True)) <= set(STEPS)


# -- ending --------------------------------------------------------------------------------------------------------


def test_withdraw_asks_first(cast: Cast, as_: AsClient) -> None:
    case, client = factories.case_in(State.IN_REVIEW, cast), as_(cast.anna)
    assert "This cannot be undone." in shown(client, "case_withdraw", case.pk)
    case.refresh_from_db()
    assert case.state == State.IN_REVIEW
    client.post(reverse("case_withdraw", args=[case.pk]))
    case.refresh_from_db()
    assert case.state == State.WITHDRAWN
    assert client.get(reverse("case_withdraw", args=[case.pk])).status_code == 404


def test_erasure_is_asked_for(cast: Cast, as_: AsClient) -> None:
    case, client = factories.case_in(State.CLOSED, cast), as_(cast.anna)
    client.post(reverse("case_erasure", args=[case.pk]))
    case.refresh_from_db()
    assert case.erasure_requested_at
    assert "You have asked for erasure" in shown(client, "case", case.pk)


# -- cost and privacy ----------------------------------------------------------------------------------------------


def test_list_of_cases_costs_the_same_for_one_and_three(cast: Cast, as_: AsClient) -> None:
    client, url = as_(cast.anna), reverse("my_cases")
    factories.draft(cast)
    one = queries_of(client, url)
    factories.draft(cast)
    factories.case_in(State.RECAP, cast)
    assert queries_of(client, url) == one


def test_invitations_cost_the_same_for_one_and_three(cast: Cast, as_: AsClient) -> None:
    client, url = as_(cast.ben), reverse("my_cases")
    counts = []
    for _number in range(3):
        team.invite_proxy(factories.case_in(State.SUBMITTED, cast), cast.ben.user.email, "proxy_view", by=cast.anna.by)
        counts.append(queries_of(client, url))
    assert counts[0] == counts[2]


def test_pages_of_a_case_cost_the_same_for_one_and_three(cast: Cast, as_: AsClient) -> None:
    case, client = factories.case_in(State.DELIVERED, cast), as_(cast.anna)
    names = ("case", "case_upload", "case_messages", "case_people", "case_links", "case_access_history", "case_report")
    urls = [reverse(name, args=[case.pk]) for name in names]

    def add() -> None:
        factories.plain_record(case, "One more")
        talks.send_message(case, by=cast.dora.by, audience="patient_desk", body="One more")
        factories.link(case, cast.anna)

    add()
    factories.proxy(case, cast.ben, by=cast.anna)
    first = [queries_of(client, url) for url in urls]
    add()
    factories.proxy(case, cast.eve, by=cast.anna)
    add()
    assert [queries_of(client, url) for url in urls] == first


def test_addresses_carry_no_health_data_and_no_names(cast: Cast, as_: AsClient) -> None:
    case, client = factories.case_in(State.DELIVERED, cast), as_(cast.anna)
    factories.plain_record(case, "Berger Anna MRI")
    talks.send_message(case, by=cast.dora.by, audience="patient_desk", body="Herniation")
    found: list[str] = []
    for name in ("case", "case_upload", "case_report", "case_messages", "case_links", "case_people", "case_steps"):
        found += re.findall(r'(?:href|action|src|hx-get)="([^"]*)"', shown(client, name, case.pk))
    assert len(found) > 100
    leaking = [url for url in found if re.search(r"anna|berger|hernia|disc\b|spine|weiss", url, re.I)]
    assert leaking == []


def test_consent_to_share_can_be_withdrawn_after_the_end_too(cast: Cast, as_: AsClient) -> None:
    case = factories.case_in(State.DELIVERED, cast)
    made = factories.link(case, cast.anna)
    Case.objects.filter(pk=case.pk).update(state=State.WITHDRAWN)
    as_(cast.anna).post(reverse("case_consent_withdraw", args=[case.pk, consents.SHARE_WITH_TREATING_DOCTOR]))
    made.link.refresh_from_db()
    assert made.link.revoked_at
    assert not consents.holds(case.pk, consents.SHARE_WITH_TREATING_DOCTOR)
