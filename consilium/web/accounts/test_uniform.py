"""Nobody learns from an answer whether an address has an account; and guessing is slowed down."""

import re

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse

from consilium.core import jobs
from consilium.people.models import User
from consilium.testing import cast as people

pytestmark = pytest.mark.django_db
KNOWN = "known.person@example.org"
OTHER = "other.person@example.org"  # same length: the address itself is shown again
PASSWORD = "four words nobody knows"


@pytest.fixture(autouse=True)
def a_known_person(db):
    from allauth.account.models import EmailAddress

    people.organisation()
    user = User.objects.create_user(KNOWN, PASSWORD)
    EmailAddress.objects.create(user=user, email=KNOWN, primary=True, verified=True)


def without_what_differs(body):
    """The bytes of a page without the form tokens (random) and the address that was typed."""
    text = body.decode()
    text = re.sub(r'(name="csrfmiddlewaretoken" value|name="csrf-token" content)="[^"]*"', "", text)
    return text.replace(KNOWN, "").replace(OTHER, "")


def sign_up(address):
    client = Client()
    first = client.post(reverse("account_signup"), {"email": address, "password1": PASSWORD})
    second = client.get(first.url)
    third = client.post(first.url, {"code": "XXXX-XXXX", "action": "verify"})
    return [(a.status_code, a.headers.get("Location"), without_what_differs(a.content)) for a in (first, second, third)]


def forgotten(address):
    client = Client()
    first = client.post(reverse("account_reset_password"), {"email": address})
    second = client.get(first.url)
    third = client.post(first.url, {"code": "XXXX-XXXX"})
    return [(a.status_code, a.headers.get("Location"), without_what_differs(a.content)) for a in (first, second, third)]


def wrong_password(address):
    answer = Client().post(reverse("account_login"), {"login": address, "password": "not this one at all"})
    return [(answer.status_code, without_what_differs(answer.content))]


@pytest.mark.parametrize("ask", [sign_up, forgotten, wrong_password])
def test_known_and_unknown_addresses_get_the_same_bytes(ask):
    assert ask(KNOWN) == ask(OTHER)


def test_the_difference_is_told_by_mail_only():
    sign_up(KNOWN)
    forgotten(OTHER)
    jobs.drain()
    assert {(message.to[0], message.subject) for message in mail.outbox} == {
        (KNOWN, "You already have an account"),
        (OTHER, "There is no account with this address"),
    }


def test_mail_holds_a_code_and_no_link_with_a_secret():
    sign_up(OTHER)
    jobs.drain()
    body = mail.outbox[-1].body
    assert re.search(r"Your code is [0-9A-Z]{3,4}-?[0-9A-Z]{3,4}\.", body)
    assert "http" not in body


def test_guessing_passwords_is_stopped_for_the_account_and_the_right_one_too():
    for _try in range(5):
        wrong_password(KNOWN)
    answer = Client().post(reverse("account_login"), {"login": KNOWN, "password": PASSWORD})
    assert answer.status_code == 200
    assert "too many attempts" in answer.content.decode()


def test_guessing_an_unknown_address_is_stopped_in_the_same_way():
    for _try in range(5):
        wrong_password(KNOWN)
        wrong_password(OTHER)
    assert wrong_password(KNOWN) == wrong_password(OTHER)


def test_too_many_requests_get_the_warm_page():
    client = Client()
    answers = [client.post(reverse("account_signup"), {"email": "x"}) for _n in range(41)]
    assert answers[39].status_code == 200
    assert answers[40].status_code == 429
    assert "Please wait a moment" in answers[40].content.decode()
