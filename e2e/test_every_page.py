"""Every page of the product, as somebody who may see it: German on a phone, English at a desk; nothing may be wrong."""

import re
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest
from django.conf import settings as django_settings
from django.core import mail
from django.core.cache import cache
from django.db import connection
from django.urls import NoReverseMatch, reverse
from playwright.sync_api import Browser, expect

from consilium.core import jobs
from consilium.ops.admin import confirm
from consilium.people.models import Licence, Membership
from consilium.testing.cast import PASSWORD
from consilium.web.accounts import actions as accounts
from consilium.web.models import DeletionRequest
from consilium.web.routes import all_routes
from consilium.web.tests.addresses import all_addresses
from e2e.look import Look
from e2e.pages import AREAS, COMING_IN, NO_PAGE, Visit
from e2e.scenes import Company, with_second_steps

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PHONE, DESK = {"width": 360, "height": 780}, {"width": 1366, "height": 900}
SMOKE = ("public", "following")  # on PostgreSQL; what pages look like does not depend on the database


@pytest.fixture
def look(browser: Browser, site: str) -> Iterator[Callable[..., Look]]:
    """`look("de", cookie)`: a browser profile in a language and its width; the same one for the same arguments."""
    profiles: dict[tuple[str, str], Look] = {}

    def profile(language: str, cookie: str = "") -> Look:
        if (language, cookie) not in profiles:
            size = PHONE if language == "de" else DESK
            context = browser.new_context(
                base_url=site, locale=f"{language}-XX", viewport=size, reduced_motion="reduce"
            )  # type: ignore[arg-type]
            context.set_default_timeout(20_000)
            context.add_cookies([{"name": django_settings.LANGUAGE_COOKIE_NAME, "value": language, "url": site}])
            if cookie:
                context.add_cookies([{"name": django_settings.SESSION_COOKIE_NAME, "value": cookie, "url": site}])
            profiles[language, cookie] = Look(context, language, urlsplit(site).netloc)
        return profiles[language, cookie]

    yield profile
    for made in profiles.values():
        made.context.close()


def test_no_page_is_forgotten():
    swept = {visit.name for visits in AREAS.values() for visit in visits} | COMING_IN
    pages = {name for name, row in all_routes().items() if "GET" in row.methods}
    assert swept <= pages, f"swept, and no page: {swept - pages}"
    assert not swept & set(NO_PAGE), f"swept, and said to be no page: {swept & set(NO_PAGE)}"
    assert pages == swept | set(NO_PAGE), f"nobody looks at: {pages - swept - set(NO_PAGE)}"


@pytest.mark.parametrize("area", AREAS)
def test_pages(area, look, cast, settings, request):
    if connection.vendor == "postgresql" and area not in SMOKE:
        pytest.skip("The other areas are looked at on SQLite.")
    settings.DEMO = True  # the persona picker is a page, too
    tour = Tour(Company(cast), look)
    for visit in AREAS[area]:
        tour.visit(visit)
    assert tour.seen == 2 * len(AREAS[area])
    assert not tour.problems(), "\n" + "\n".join(tour.problems())


def test_pages_of_coming_in(look, cast):
    """Signing up, signing in with a second step, and a forgotten password: pages that only exist on the way."""
    for language in ("de", "en"):
        cache.clear()
        profile = look(language)
        page = profile.page
        button = page.locator("main form button[type=submit]").first

        def arrived(name: str, profile: Look = profile) -> None:
            profile.label = f"{name} [{profile.language}]"
            expect(profile.page).to_have_url(re.compile(re.escape(reverse(name)) + r"(\?.*)?$"))
            profile.check()

        page.goto(reverse("account_signup"))
        page.locator("#id_email").fill(f"nora.{language}@example.org")
        page.locator("input[type=password]").fill(PASSWORD)
        button.click()
        arrived("account_email_verification_sent")
        page.locator("main input[type=text]").fill(code())
        button.click()
        arrived("second_step")
        page.goto(reverse("account_logout"))
        button.click()
        who = cast.dora if language == "de" else cast.tess
        confirm(who.user)
        with_second_steps(who)
        page.goto(reverse("account_login"))
        page.locator("#id_login").fill(who.user.email)
        page.locator("input[type=password]").fill(PASSWORD)
        button.click()
        arrived("mfa_authenticate")
        page.context.clear_cookies(name=django_settings.SESSION_COOKIE_NAME)
        page.goto(reverse("account_reset_password"))
        page.locator("#id_email").fill(who.user.email)
        button.click()
        arrived("account_confirm_password_reset_code")
        page.locator("main input[type=text]").fill(code())
        button.click()
        arrived("account_complete_password_reset")
        assert not profile.problems, "\n" + "\n".join(profile.problems)


def code() -> str:
    """The code in the last mail."""
    jobs.drain()
    found = re.search(r"\b([0-9A-Z]{3,}-[0-9A-Z-]+|\d{6,})\b", str(mail.outbox[-1].body))
    assert found, mail.outbox[-1].body
    return found[1]


class Tour:
    """Opens each visit in both languages."""

    def __init__(self, company: Company, look: Callable[..., Look]) -> None:
        self.company, self.cast, self.look = company, company.cast, look
        self.cookies: dict[tuple[str, str], str] = {}
        self.looks: list[Look] = []
        self.seen = 0
        if not DeletionRequest.objects.exists():
            accounts.ask_for_deletion(self.cast.eve.user, by=self.cast.eve.by)
        self.passkey = with_second_steps(self.cast.anna)
        self.cast.pia.user.set_unusable_password()
        self.cast.pia.user.save()

    def visit(self, visit: Visit) -> None:
        cache.clear()
        path = self.path(visit)
        key = (visit.who, visit.scene if visit.who == "weiss" else "")
        if key not in self.cookies:
            self.cookies[key] = self.company.cookie(visit.who, visit.scene)
        for language in ("de", "en"):
            profile = self.look(language, self.cookies[key])
            self.looks += [] if profile in self.looks else [profile]
            self.seen += 1
            profile.open(path, f"{visit.label} [{language}]")

    def problems(self) -> list[str]:
        return [problem for look in self.looks for problem in look.problems]

    def path(self, visit: Visit) -> str:
        address = next(one for one in all_addresses() if one.name == visit.name)
        known = self.elsewhere() | self.company.parts(visit.scene) | visit.parts
        if known.get("code") == "of the report":
            known["code"] = self.company.scene(visit.scene).reports.latest("issued_at").verify_code
        try:
            path = reverse(visit.name, kwargs={name: known[name] for name in address.parameters})
        except NoReverseMatch as error:
            raise AssertionError(f"{visit.label}: {error}") from None
        return path + visit.query.replace("of-the-case", str(known.get("record_id", "")))

    def elsewhere(self) -> dict[str, object]:
        """Values for addresses that belong to no case."""
        chen = self.cast.chen
        deletion = DeletionRequest.objects.first()
        return {
            "pk": self.passkey,
            "user_id": chen.user.pk,
            "membership_id": Membership.objects.filter(user=chen.user).first().pk,
            "licence_id": Licence.objects.filter(specialist=chen.specialist).first().pk,
            "request_id": deletion.pk if deletion else 0,
        }
