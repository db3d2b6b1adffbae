"""Dr Weiss without an account: link, code, report, reply, urgent message; and everything that must stay shut."""

import re
from datetime import timedelta

import pytest
from django.conf import settings
from django.test import Client
from django.urls import get_resolver, reverse
from django.urls.resolvers import URLPattern, URLResolver

from consilium.cases.actions import team
from consilium.cases.models import Case, CaseRole, GuestLink
from consilium.cases.states import State
from consilium.core import audit, clock, jobs
from consilium.opinions.models import Delivery
from consilium.talks.models import Message
from consilium.testing import factories
from consilium.web import principal as principals

pytestmark = pytest.mark.django_db
CODE, SHARED = "guest_code", "guest_case"


def wrong(code):
    return f"{(int(code) + 1) % 10**6:06d}"


def come_in(client, new, code=None):
    """Open the link and enter the code; the answer to the code."""
    first = client.get(reverse("guest_open", args=[new.token]))
    assert (first.status_code, first.url) == (302, reverse(CODE))
    return client.post(reverse(CODE), {"code": code or new.code})


def without_tokens(response):
    """Status and bytes without the random form tokens."""
    text = response.content.decode()
    return response.status_code, re.sub(
        r'(name="csrfmiddlewaretoken" value|name="csrf-token" content)="[^"]*"', "", text
    )


@pytest.fixture
def delivered(cast):
    return factories.case_in(State.DELIVERED, cast)


def test_link_and_code_lead_to_the_report(cast, delivered):
    new, client = factories.link(delivered, cast.anna), Client()
    page = client.get(reverse("guest_open", args=[new.token]), follow=True)
    text = page.content.decode()
    for hidden in ("Berger", "Weiss", new.token, delivered.reference):
        assert hidden not in text and hidden not in page.request["PATH_INFO"]
    assert client.post(reverse(CODE), {"code": f"{new.code[:3]} {new.code[3:]}"}).url == reverse(SHARED)
    text = client.get(reverse(SHARED)).content.decode()
    report = delivered.reports.get()
    for shown in ("Anna Berger", "You can wait.", "Twelve weeks of structured", "Begin physiotherapy", "Dear colleague",
                  "Dr Mei Chen", report.verify_code, "Dr Jonas Weiss", f"/data/reports/{report.pk}/clinical.pdf",
                  f"/data/reports/{report.pk}/patient.pdf"):  # fmt: skip
        assert shown in text, shown
    assert Delivery.objects.get(report=report, to=f"guest:{new.link.pk}").opened_at
    agents = audit.for_space(delivered.pk).filter(thing=f"report:{report.pk}").values_list("agent", flat=True)
    assert f"guest:{new.link.pk}" in agents


def test_token_does_not_stay_in_the_session_table(cast, delivered):
    new, client = factories.link(delivered, cast.anna), Client()
    client.get(reverse("guest_open", args=[new.token]))
    assert new.token not in str(dict(client.session))
    assert team.hash_token(new.token) in str(dict(client.session))


def test_every_failure_looks_the_same(cast, delivered):
    links = [factories.link(delivered, cast.anna) for _n in range(4)]
    right, revoked, expired, spent = links
    team.revoke_link(revoked.link, by=cast.anna.by)
    GuestLink.objects.filter(pk=expired.link.pk).update(expires_at=clock.now() - timedelta(seconds=1))
    GuestLink.objects.filter(pk=spent.link.pk).update(attempts=team.MAX_CODE_ATTEMPTS)
    answers = [without_tokens(come_in(Client(), right, wrong(right.code)))]
    answers += [without_tokens(come_in(Client(), link)) for link in (revoked, expired, spent)]
    never = Client()
    never.get(reverse("guest_open", args=["A" * 43]))
    answers.append(without_tokens(never.post(reverse(CODE), {"code": "123456"})))
    answers.append(without_tokens(Client().post(reverse(CODE), {"code": "654321"})))
    assert len(set(answers)) == 1
    assert "not valid" in answers[0][1]
    assert come_in(Client(), right).status_code == 302  # the right code would have been let in


def test_five_wrong_codes_close_the_link(cast, delivered):
    new = factories.link(delivered, cast.anna)
    for _n in range(5):
        assert come_in(Client(), new, wrong(new.code)).status_code == 200
    assert "not valid" in come_in(Client(), new).content.decode()


def test_a_typing_slip_costs_no_attempt(cast, delivered):
    new = factories.link(delivered, cast.anna)
    for typed in ("", "12345", "abcdef", "1" * 30):
        assert "six digits of your code" in come_in(Client(), new, typed or " ").content.decode()
    assert GuestLink.objects.get(pk=new.link.pk).attempts == 0


def test_guessing_is_slowed_down(db):
    client = Client()
    answers = {client.post(reverse(CODE), {"code": "123456"}).status_code for _n in range(22)}
    assert answers == {200, 429}


def test_revoking_and_expiry_bite_at_the_next_request(cast, delivered, as_guest):
    pages = []
    for how in ("revoke", "expire"):
        new = factories.link(delivered, cast.anna)
        client = as_guest(new)
        assert client.get(reverse(SHARED)).status_code == 200
        if how == "revoke":
            team.revoke_link(new.link, by=cast.anna.by)
        else:
            GuestLink.objects.filter(pk=new.link.pk).update(expires_at=clock.now())
        pages.append(without_tokens(client.get(reverse(SHARED))))
        assert principals.GUEST_KEY not in client.session
        assert come_in(client, new).status_code == 200  # replay of link and code
    pages.append(without_tokens(Client().get(reverse(SHARED))))
    assert len(set(pages)) == 1
    assert pages[0][0] == 404 and "This link is closed" in pages[0][1] and "Berger" not in pages[0][1]


def test_session_is_new_and_the_account_is_signed_out(cast, as_, delivered):
    new, client = factories.link(delivered, cast.anna), as_(cast.eve)
    before = client.session.session_key
    assert come_in(client, new).url == reverse(SHARED)
    assert client.session.session_key != before
    assert "_auth_user_id" not in client.session
    assert client.get(reverse("my_cases")).status_code == 404


def test_signing_in_later_ends_the_guest(cast, as_guest, delivered):
    new = factories.link(delivered, cast.anna)
    client = as_guest(new)
    client.force_login(cast.eve.user, backend="allauth.account.auth_backends.AuthenticationBackend")
    assert principals.GUEST_KEY in client.session  # Django keeps what an anonymous session held
    assert principals.from_session(client.session).ref == cast.eve.user.ref
    assert "Berger" not in client.get(reverse(SHARED), follow=True).content.decode()


def test_idle_guest_is_told_how_to_come_back(cast, as_guest, delivered):
    client = as_guest(factories.link(delivered, cast.anna))
    client.get(reverse(SHARED))
    session = client.session
    session[principals.SEEN_KEY] = clock.now().timestamp() - settings.SESSION_IDLE_LIMIT.total_seconds() - 1
    session.save()
    page = client.get(reverse(SHARED), follow=True)
    assert page.status_code == 404 and "This link is closed" in page.content.decode()


def addresses(case, report):
    """Every address of the product, filled with the ids of `case` (or something that fits)."""
    values = {"case_id": case.pk, "uuid": case.pk, "report_id": report.pk, "int": 1, "slug": "answers", "str": "x"}
    record = factories.plain_record(case, "Another letter")
    values["record_id"], values["file_id"] = record.pk, record.files.get().pk

    def walk(patterns, names):
        for one in patterns:
            converters = names | dict(one.pattern.converters)
            if isinstance(one, URLResolver):
                yield from walk(one.url_patterns, converters)
            elif isinstance(one, URLPattern) and one.name:
                yield one.name, converters

    for name, converters in walk(get_resolver().url_patterns, {}):
        kinds = {key: type(c).__name__.removesuffix("Converter").lower() for key, c in converters.items()}
        kwargs = {key: values.get(key, values.get(kind, "x")) for key, kind in kinds.items()}
        yield name, reverse(name, kwargs=kwargs)


def test_a_guest_gets_nowhere_else(cast, as_guest, delivered):
    """Every route, with the ids of the guest's own case and of another one of the same patient."""
    other = factories.case_in(State.DELIVERED, cast)
    clients = [as_guest(factories.link(delivered, cast.anna))]
    own = {"guest_open", "guest_code", "guest_case", "guest_reply", "guest_urgent", "guest_leave", "guest_left"}
    walked, leaks = 0, []
    for case in (delivered, other):
        for name, address in addresses(case, case.reports.get()):
            if name in own:
                continue
            walked += 1
            page = clients[0].get(address)
            if any(word in page.content.decode(errors="replace") for word in ("Berger", case.reference)):
                leaks.append((name, page.status_code))
    assert walked > 150 and not leaks
    mine = clients[0].get(reverse(SHARED)).content.decode()
    assert "Berger" in mine and delivered.reference in mine  # the walk looked for something that is there
    assert other.reference not in mine
    assert (
        other.reference
        not in clients[0].get(reverse(SHARED) + f"?version={other.reports.get().number}").content.decode()
    )


def test_bytes_of_the_own_report_only(cast, as_guest, delivered):
    from consilium.web import bytes_gate

    other = factories.case_in(State.DELIVERED, cast)
    client = as_guest(factories.link(delivered, cast.anna))
    cookies = {settings.SESSION_COOKIE_NAME: client.cookies[settings.SESSION_COOKIE_NAME].value}
    file = factories.plain_record(delivered, "A letter").files.get()
    for which in ("clinical", "patient", "fhir"):
        assert bytes_gate.open_record(cookies, delivered.reports.get().pk, f"report:{which}")
        assert bytes_gate.open_record(cookies, other.reports.get().pk, f"report:{which}") is None
    assert bytes_gate.open_record(cookies, file.pk, "file:original") is None


def test_nothing_to_read_before_delivery(cast, as_guest):
    case = factories.case_in(State.SIGNED, cast)
    client = as_guest(factories.link(case, cast.anna))
    text = client.get(reverse(SHARED)).content.decode()
    assert "Nothing to read yet" in text
    assert "Berger" not in text and case.reference not in text


def test_reply_reaches_patient_specialist_and_desk(cast, as_, as_guest, delivered):
    client = as_guest(factories.link(delivered, cast.anna))
    said = "I agree, and see her on Friday."
    assert "write your message first" in client.post(reverse("guest_reply"), {"body": " "}).content.decode()
    sent = client.post(reverse("guest_reply"), {"body": said})
    assert sent.url == reverse(SHARED)
    page = client.get(reverse(SHARED)).content.decode()
    assert said in page and "Your reply is sent" in page
    message = Message.objects.get(case=delivered)
    assert message.audience == "care_team" and message.role == "treating_clinician"
    patient = as_(cast.anna).get(reverse("case_messages", args=[delivered.pk])).content.decode()
    assert said in patient and "Dr Jonas Weiss" in patient
    assert said in as_(cast.chen).get(reverse("review", args=[delivered.pk])).content.decode()
    assert said not in as_(cast.eve).get(reverse("case_messages", args=[delivered.pk])).content.decode()


def test_replying_without_an_open_link_changes_nothing(cast, as_guest, delivered):
    new = factories.link(delivered, cast.anna)
    client = as_guest(new)
    team.revoke_link(new.link, by=cast.anna.by)
    assert client.post(reverse("guest_reply"), {"body": "Still here?"}).status_code == 404
    assert not Message.objects.exists()


def test_urgent_message_is_read_and_acknowledged(cast, as_guest):
    case = factories.case_in(State.URGENT, cast)
    client = as_guest(factories.link(case, cast.anna))
    page = client.get(reverse(SHARED), follow=True).content.decode()
    assert "A reason." in page and "Anna Berger" in page and "Dr Mei Chen" in page
    done = client.post(reverse("guest_urgent"), {"note": "I see her today."}, follow=True)
    case.refresh_from_db()
    assert case.state == State.IN_REVIEW
    assert case.events.get(verb="acknowledge_urgent").role == "treating_clinician"
    assert "know that you have the message" in done.content.decode()
    assert "Berger" not in done.content.decode()  # what is in review is not open to the treating doctor


def test_a_case_on_hold_is_not_an_urgent_one(cast, as_guest):
    case = factories.case_in(State.INCIDENT_HOLD, cast)
    client = as_guest(factories.link(case, cast.anna))
    assert "Nothing to read yet" in client.get(reverse(SHARED)).content.decode()
    client.post(reverse("guest_urgent"), {"note": "x"})
    assert Case.objects.get(pk=case.pk).state == State.INCIDENT_HOLD


def test_treating_doctor_is_told_without_a_word_of_content(cast, delivered, mailoutbox):
    factories.link(delivered, cast.anna)
    factories.advance(delivered, "raise_urgent", by=cast.chen.by, note="KANARIENVOGEL")
    jobs.drain()
    mails = [mail for mail in mailoutbox if mail.to == ["weiss@example.org"]]
    assert len(mails) == 1 and "open the link" in mails[0].body
    assert "KANARIENVOGEL" not in mails[0].body + mails[0].subject


def test_new_version_takes_the_place_of_the_old_one(cast, as_, as_guest):
    case = factories.case_in(State.CLARIFYING, cast)
    guest = as_guest(factories.link(case, cast.anna))
    chen, question = as_(cast.chen), case.clarifications.get()
    answer = {"clarification": question.pk, "answer": "Yes, it does hold.", "then": "addendum"}
    chen.post(reverse("answer_clarification", args=[case.pk]), answer)
    chen.post(reverse("addendum", args=[case.pk]))
    chen.post(reverse("opinion", args=[case.pk, "sign"]), {"note": "The answer on recurring pain was added."})
    jobs.drain()
    now = guest.get(reverse(SHARED)).content.decode()
    assert "The answer on recurring pain was added." in now and "superseded" in now
    old = guest.get(reverse(SHARED) + "?version=1").content.decode()
    assert "This version is superseded" in old
    for odd in ("99", "x", "-1", "٣", "1" * 50):
        assert guest.get(reverse(SHARED), {"version": odd}).status_code in (200, 404)


def test_closing_leaves_nothing_behind(cast, as_guest, delivered):
    new = factories.link(delivered, cast.anna)
    client = as_guest(new)
    answer = client.post(reverse("guest_leave"))
    assert "cache" in answer["Clear-Site-Data"]
    assert "Closed on this computer" in client.get(answer.url).content.decode()
    assert client.get(reverse(SHARED)).status_code == 404
    assert come_in(client, new).status_code == 302  # the link itself still works


def treating(case, member):
    return CaseRole.objects.create(
        case=case, user=member.user, role="treating_clinician", granted_by="system", confirmed_at=clock.now()
    )


def test_treating_doctor_with_an_account(cast, as_, delivered):
    role = treating(delivered, cast.ben)
    client = as_(cast.ben)
    listed = client.get(reverse("clinician_cases")).content.decode()
    assert delivered.reference in listed
    case_url = reverse("clinician_case", args=[delivered.pk])
    assert case_url in listed and "You can wait." in client.get(case_url).content.decode()
    assert Delivery.objects.get(case=delivered, to=cast.ben.user.ref).opened_at
    client.post(reverse("clinician_reply", args=[delivered.pk]), {"body": "Thank you."})
    assert Message.objects.get(case=delivered).by == cast.ben.user.ref
    CaseRole.objects.filter(pk=role.pk).update(ended_at=clock.now())
    assert client.get(case_url).status_code == 404
    assert delivered.reference not in client.get(reverse("clinician_cases")).content.decode()


def test_account_pages_are_for_treating_doctors_only(cast, as_, delivered):
    for who in (cast.eve, cast.anna, cast.dora, cast.quinn, cast.chen):
        assert as_(who).get(reverse("clinician_case", args=[delivered.pk])).status_code == 404
    assert as_(cast.ben, step="none").get(reverse("clinician_case", args=[delivered.pk])).status_code == 302


def test_list_costs_the_same_for_one_and_three(cast, as_):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    client, counts = as_(cast.ben), []
    for more in (1, 2):
        for _n in range(more):
            treating(factories.case_in(State.DELIVERED, cast), cast.ben)
        client.get(reverse("clinician_cases"))
        with CaptureQueriesContext(connection) as queries:
            client.get(reverse("clinician_cases"))
        counts.append(len(queries))
    assert counts[0] == counts[1]
