"""Passkeys in a real browser with a virtual authenticator: signing up, signing in, confirming again, removing."""

import re

import pytest
from django.core import mail
from playwright.sync_api import Page, expect

from consilium.core import jobs
from consilium.testing import cast as people

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
ADDRESS = "anna.passkey@example.org"


@pytest.fixture
def authenticator(page: Page):
    """A platform authenticator that confirms with a fingerprint (Chrome DevTools Protocol, WebAuthn domain)."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    made = session.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return session, made["authenticatorId"]


def mailed_code():
    jobs.drain()
    return re.search(r"code is ([0-9A-Z-]+)", mail.outbox[-1].body)[1]


def sign_up(page: Page):
    page.goto("/account/sign-up/")
    page.get_by_label("E-mail address").fill(ADDRESS)
    page.get_by_label("Choose a password").fill("four words nobody knows")
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("The code from the e-mail").fill(mailed_code())
    page.get_by_role("button", name="Continue", exact=True).click()
    expect(page.get_by_role("heading", name="A second key for your account")).to_be_visible()


def set_up_passkey(page: Page):
    page.get_by_role("link", name="Set up a passkey").click()
    page.get_by_label("A name for this device").fill("My telephone")
    page.get_by_role("button", name="Use this device").click()
    expect(page.get_by_role("heading", name="Keep these codes")).to_be_visible()


def sign_out(page: Page):
    page.goto("/account/sign-out/")
    page.locator("main").get_by_role("button", name="Sign out").click()


def test_sign_up_with_a_passkey_and_sign_in_with_it_alone(page, authenticator):
    people.organisation()
    sign_up(page)
    set_up_passkey(page)
    page.goto("/account/")
    expect(page.get_by_text("My telephone").first).to_be_visible()
    sign_out(page)
    page.goto("/account/sign-in/")
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.wait_for_url(lambda url: "/sign-in/" not in url)
    page.goto("/account/")
    expect(page.get_by_role("heading", name="Sign-in and security")).to_be_visible()


def test_passkey_as_the_second_step_after_the_password(page, authenticator):
    people.organisation()
    sign_up(page)
    set_up_passkey(page)
    sign_out(page)
    page.goto("/account/sign-in/?next=/account/")
    page.get_by_label("E-mail address").fill(ADDRESS)
    page.get_by_label("Password").fill("four words nobody knows")
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_role("button", name="Confirm with your passkey").click()
    expect(page.get_by_role("heading", name="Sign-in and security")).to_be_visible()


def test_confirming_again_uses_the_passkey(page, authenticator, settings):
    from datetime import timedelta

    people.organisation()
    sign_up(page)
    set_up_passkey(page)
    settings.STEP_UP_LIMIT = timedelta(seconds=0)
    page.goto("/account/second-step/?next=/account/")
    page.get_by_role("button", name="Confirm with your passkey").click()
    expect(page.get_by_role("heading", name="Sign-in and security")).to_be_visible()


def test_a_device_that_does_not_confirm_gets_a_kind_word(page, authenticator):
    people.organisation()
    sign_up(page)
    session, device = authenticator
    session.send("WebAuthn.setUserVerified", {"authenticatorId": device, "isUserVerified": False})
    page.get_by_role("link", name="Set up a passkey").click()
    page.get_by_role("button", name="Use this device").click()
    expect(page.get_by_text("That did not work")).to_be_visible()
    expect(page.get_by_role("link", name="Use an app on your phone instead")).to_be_visible()
