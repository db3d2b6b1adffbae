"""Signing up, the second step, stepping up: with real codes, through the pages."""

import re
import time

import pyotp
import pytest
from allauth.mfa.models import Authenticator
from django.core import mail
from django.test import Client
from django.urls import reverse

from consilium.core import jobs
from consilium.people.models import User
from consilium.testing import cast as people
from consilium.web import principal as principals

pytestmark = pytest.mark.django_db
PASSWORD = "four words nobody knows"
ADDRESS = "anna.new@example.org"


@pytest.fixture(autouse=True)
def an_organisation(db):
    return people.organisation()


def sign_up(client, address=ADDRESS, password=PASSWORD):
    return client.post(reverse("account_signup"), {"email": address, "password1": password})


def mailed_code(address=ADDRESS):
    jobs.drain()
    body = next(message.body for message in reversed(mail.outbox) if message.to == [address])
    return re.search(r"code is ([0-9A-Z-]+)", body)[1]


def enter_code(client, address=ADDRESS):
    return client.post(reverse("account_email_verification_sent"), {"code": mailed_code(address), "action": "verify"})


def set_up_app(client, **request):
    """Returns the app and the answer of the page."""
    page = client.get(reverse("mfa_activate_totp"), **request)
    app = pyotp.TOTP(page.context["form"].secret)
    return app, client.post(reverse("mfa_activate_totp"), {"code": app.now()}, **request)


def with_app():
    client = Client()
    sign_up(client)
    enter_code(client)
    app, _answer = set_up_app(client)
    return client, app


def later(app):
    """A code that was not used yet: the one of the next period, which the tolerance accepts."""
    return app.at(int(time.time()) + 30)


def sign_in(client, code=None, **request):
    answer = client.post(reverse("account_login"), {"login": ADDRESS, "password": PASSWORD}, **request)
    if code:
        answer = client.post(reverse("mfa_authenticate"), {"code": code}, **request)
    return answer


def test_signing_up_leads_by_code_and_app_to_recovery_codes_and_in():
    client = Client()
    assert sign_up(client).url == reverse("account_email_verification_sent")
    assert enter_code(client).status_code == 302
    assert client.get(reverse("mfa_index")).url.startswith(reverse("second_step"))
    assert client.get(reverse("second_step")).status_code == 200
    _app, answer = set_up_app(client)
    assert answer.url == reverse("mfa_view_recovery_codes")
    shown = client.get(answer.url)
    assert len(shown.context["unused_codes"]) == 10
    assert client.get(reverse("mfa_index")).status_code == 200


def test_account_takes_the_language_of_the_page():
    client = Client(headers={"accept-language": "de"})
    sign_up(client)
    assert User.objects.get(email=ADDRESS).language == "de"


def test_wrong_code_gives_nothing():
    client = Client()
    sign_up(client)
    jobs.drain()
    answer = client.post(reverse("account_email_verification_sent"), {"code": "XXXX-XXXX", "action": "verify"})
    assert answer.status_code == 200
    assert "_auth_user_id" not in client.session


@pytest.mark.parametrize(
    "name",
    [
        "mfa_index",
        "account_email",
        "account_change_password",
        "mfa_view_recovery_codes",
        "mfa_generate_recovery_codes",
        "mfa_list_webauthn",
        "account_delete",
    ],
)
def test_one_factor_opens_no_account_page(name):
    client = Client()
    sign_up(client)
    enter_code(client)
    assert client.get(reverse(name)).url.startswith(reverse("second_step"))


def test_password_alone_does_not_sign_in_an_account_with_a_second_step():
    with_app()
    client = Client()
    assert sign_in(client).url == reverse("mfa_authenticate")
    assert "_auth_user_id" not in client.session
    assert client.get(reverse("mfa_index")).status_code == 302


def test_second_step_makes_the_session_strong_and_fresh():
    _client, app = with_app()
    client = Client()
    assert sign_in(client, later(app)).status_code == 302
    who = principals.from_session(client.session)
    assert (who.strong, who.fresh) == (True, True)


def test_a_code_counts_once():
    _client, app = with_app()
    code = later(app)
    assert sign_in(Client(), code).status_code == 302
    again = sign_in(Client(), code)
    assert again.status_code == 200
    assert again.context["form"].errors


def test_recovery_code_counts_once():
    client, _app = with_app()
    code = client.get(reverse("mfa_view_recovery_codes")).context["unused_codes"][0]
    assert sign_in(Client(), code).status_code == 302
    assert sign_in(Client(), code).status_code == 200


def age_second_step(client, seconds):
    session = client.session
    for entry in session[principals.AUTH_METHODS_KEY]:
        entry["at"] -= seconds
    session.save()


def test_step_up_asks_for_the_second_step_again_and_not_for_the_password():
    client, app = with_app()
    age_second_step(client, 600)
    assert principals.from_session(client.session).fresh is False
    answer = client.post(reverse("account_delete"))
    assert answer.url.startswith(reverse("second_step"))
    onward = client.get(answer.url)
    assert onward.url.startswith(reverse("mfa_reauthenticate"))
    by_password = client.get(reverse("account_reauthenticate"))
    assert by_password.url.startswith(reverse("mfa_reauthenticate"))
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    assert principals.from_session(client.session).fresh is False
    back = client.post(reverse("mfa_reauthenticate"), {"code": later(app), "next": "/account/"})
    assert back.url == "/account/"
    assert principals.from_session(client.session).fresh is True


def test_stale_second_step_cannot_change_factors():
    client, _app = with_app()
    age_second_step(client, 600)
    for name in ("mfa_add_webauthn", "mfa_view_recovery_codes", "mfa_generate_recovery_codes"):
        assert client.get(reverse(name)).url.startswith(reverse("mfa_reauthenticate"))


def test_second_step_of_another_account_does_not_count(cast):
    client, _app = with_app()
    session = client.session
    session[principals.AUTH_USER_KEY] = str(cast.eve.user.pk)
    session.save()
    assert principals.from_session(client.session).strong is False


def test_session_at_one_factor_cannot_add_a_step_once_the_account_has_one():
    early = Client()
    sign_up(early)
    enter_code(early)
    other = Client()
    sign_in(other)
    set_up_app(other)
    assert early.get(reverse("mfa_add_webauthn")).url.startswith(reverse("second_step"))


def test_last_second_step_cannot_be_removed():
    client, _app = with_app()
    answer = client.post(reverse("mfa_deactivate_totp"))
    assert answer.status_code == 200
    assert Authenticator.objects.filter(type="totp").exists()


def test_app_secret_is_sealed_at_rest():
    client = Client()
    sign_up(client)
    enter_code(client)
    app, _answer = set_up_app(client)
    stored = str(list(Authenticator.objects.values_list("data", flat=True)))
    assert app.secret not in stored
    assert str(User.objects.get(email=ADDRESS).pk) in stored


def test_sign_out_clears_what_the_browser_keeps():
    client, _app = with_app()
    answer = client.post(reverse("account_logout"))
    assert answer["Clear-Site-Data"] == '"cache", "storage"'
    assert client.get(reverse("mfa_index")).url.startswith(reverse("account_login"))


def test_ended_session_is_explained():
    client, _app = with_app()
    session = client.session
    session[principals.SEEN_KEY] -= 3600
    session.save()
    answer = client.get(reverse("mfa_index"))
    assert answer.url == reverse("account_login") + "?ended=1"
    assert "You were signed out" in client.get(answer.url).content.decode()


def test_suspended_account_stays_out():
    with_app()
    User.objects.filter(email=ADDRESS).update(suspended_at="2026-01-01T00:00:00Z")
    assert sign_in(Client()).url == reverse("account_inactive")


def test_password_reset_by_code_does_not_skip_the_second_step():
    with_app()
    client = Client()
    client.post(reverse("account_reset_password"), {"email": ADDRESS})
    client.post(reverse("account_confirm_password_reset_code"), {"code": mailed_code()})
    fresh = {"password1": "another four words here", "password2": "another four words here"}
    assert client.post(reverse("account_complete_password_reset"), fresh).status_code == 302
    answer = client.post(reverse("account_login"), {"login": ADDRESS, "password": fresh["password1"]})
    assert answer.url == reverse("mfa_authenticate")


def test_signing_out_elsewhere_ends_the_other_session():
    client, app = with_app()
    other = Client()
    sign_in(other, later(app))
    assert other.get(reverse("mfa_index")).status_code == 200
    client.post(reverse("sign_out_elsewhere"))
    assert other.get(reverse("mfa_index")).url.startswith(reverse("account_login"))
    assert client.get(reverse("mfa_index")).status_code == 200


def test_changing_the_address_needs_a_fresh_second_step_and_its_code():
    client, app = with_app()
    age_second_step(client, 600)
    wanted = {"email": "anna.moved@example.org", "action_add": "1"}
    answer = client.post(reverse("account_email"), wanted)
    assert answer.url.startswith(reverse("mfa_reauthenticate"))
    client.post(reverse("mfa_reauthenticate"), {"code": later(app), "next": reverse("account_email")})
    client.post(reverse("account_email"), wanted)
    assert User.objects.filter(email=ADDRESS).exists()
    enter_code(client, "anna.moved@example.org")
    assert User.objects.filter(email="anna.moved@example.org").exists()


def test_a_new_password_ends_the_other_sessions():
    client, app = with_app()
    other = Client()
    sign_in(other, later(app))
    new = "another four words here"
    client.post(reverse("account_change_password"), {"oldpassword": PASSWORD, "password1": new, "password2": new})
    assert client.get(reverse("mfa_index")).status_code == 200
    assert other.get(reverse("mfa_index")).url.startswith(reverse("account_login"))


def test_guessing_second_steps_is_stopped():
    _client, app = with_app()
    client = Client()
    sign_in(client)
    for guess in range(5):
        client.post(reverse("mfa_authenticate"), {"code": f"{guess:06d}"})
    answer = client.post(reverse("mfa_authenticate"), {"code": later(app)})
    assert answer.status_code == 200
    assert "_auth_user_id" not in client.session
