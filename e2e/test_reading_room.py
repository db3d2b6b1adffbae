"""The reading room on small and large screens: what was asked for is seen without a search."""

from collections.abc import Callable, Iterator

import pytest
from django.conf import settings as django_settings
from django.urls import reverse
from playwright.sync_api import Browser, Page, expect

from consilium.records import entries
from consilium.testing import factories
from consilium.web.tests.visitor import cookie_of
from e2e.scenes import beside_the_browser

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PHONE, DESK = {"width": 360, "height": 780}, {"width": 1366, "height": 900}
DAYS = ("2023-11-02", "2024-01-15", "2024-03-12", "2024-05-14", "2024-06-30")
# Whether an element is whole inside its scrolling box and the screen, sideways
INSIDE = """(e, box) => {
  const own = e.getBoundingClientRect(), around = e.closest(box).getBoundingClientRect();
  return own.left >= Math.max(0, around.left) && own.right <= Math.min(innerWidth, around.right);
}"""


@pytest.fixture
def open_as(browser: Browser, site: str) -> Iterator[Callable[..., Page]]:
    """`open_as(member, size)`: a page on which that person is signed in, in English."""
    profiles = []

    def opened(who, size, **options) -> Page:
        profile = browser.new_context(base_url=site, locale="en-GB", viewport=size, **options)
        profiles.append(profile)
        profile.set_default_timeout(20_000)
        with beside_the_browser():
            cookies = {django_settings.LANGUAGE_COOKIE_NAME: "en", django_settings.SESSION_COOKIE_NAME: cookie_of(who)}
        profile.add_cookies([{"name": name, "value": value, "url": site} for name, value in cookies.items()])
        return profile.new_page()

    yield opened
    for profile in profiles:
        profile.close()


def blood(case):
    """Five days of blood results; the name of one is as long as hospitals write it."""
    names = ("Kalium", "Alanine aminotransferase [Enzymatic activity/volume] in Serum or Plasma")
    for position, day in enumerate(DAYS):
        record = factories.plain_record(case, "Blood", kind="laboratory", clinical_date=day)
        values = {"date": day, "value": 5.2 + position, "shown": str(5.2 + position), "unit": "mmol/l", "high": 5.1}
        stated = [{"kind": "laboratory", "name": name, "ucum": "mmol/L", **values} for name in names]
        entries.file_entries(record, record.files.get(), stated)


def test_the_newest_laboratory_values_are_seen_at_once(open_as, cast):
    with beside_the_browser():
        case = factories.told(cast)
        blood(case)
    page = open_as(cast.anna, PHONE)
    page.goto(reverse("laboratory", args=[case.pk]))
    expect(page.locator(".labs thead time").first).to_have_attribute("datetime", DAYS[-1])
    for row in (".labs thead tr", ".labs tbody tr:nth-child(2)"):
        first = page.locator(f"{row} > .numeric").first
        assert first.evaluate(INSIDE, ".labs-wrap"), f"cut off at 360 px: {first.inner_text()}"
    hint = page.get_by_text("Move the table sideways")
    expect(hint).to_be_visible()
    page.set_viewport_size(DESK)
    expect(hint).to_be_hidden()
    for day in page.locator(".labs thead time").all():
        assert day.evaluate(INSIDE, ".labs-wrap"), f"cut off at 1366 px: {day.inner_text()}"
