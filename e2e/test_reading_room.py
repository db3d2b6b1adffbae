"""The reading room on small and large screens: what was asked for is seen without a search."""

import io
from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest
from django.conf import settings as django_settings
from django.urls import reverse
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from consilium.records import entries
from consilium.records.models import Preview, RecordFile
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
        profile.route("**/data/files/**", lambda route: route.fulfill(body=stamp(), content_type="image/png"))
        return profile.new_page()

    yield opened
    for profile in profiles:
        profile.close()


def stamp() -> bytes:
    """A small image, as an old ultrasound machine makes."""
    out = io.BytesIO()
    Image.new("L", (128, 96), 90).save(out, "PNG")
    return out.getvalue()


def study(case, *series):
    """Images: a series of three frames for each name."""
    record = factories.plain_record(case, "Ultrasound", kind="imaging", images=3 * len(series))
    record.files.all().delete()
    for number, name in enumerate(series):
        file = RecordFile.objects.create(
            space=case.pk, record=record, blob=uuid4(), size=1, kind="dicom", series=name, series_number=number,
            frames=3, facts={"series_description": name}, filed_at=record.added_at,
        )  # fmt: skip
        Preview.objects.create(file=file, kind="thumbnail", index=0, blob=uuid4(), media_type="image/png")
    return record


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


def width(page, what):
    return page.locator(what).first.bounding_box()["width"]


def test_a_small_image_fills_the_stage_and_comes_back_to_it(open_as, cast):
    with beside_the_browser():
        case = factories.told(cast)
        record = study(case, "A")
    page = open_as(cast.anna, DESK)
    page.goto(reverse("record", args=[case.pk, record.pk]))
    expect(page.locator(".viewer.is-fitted")).to_be_visible()
    stage, image, canvas = (page.locator(f"[data-viewer-{part}]") for part in ("stage", "image", "canvas"))
    fitted, around = image.bounding_box(), stage.bounding_box()
    assert abs(fitted["width"] - min(around["width"], 0.74 * DESK["height"] * 128 / 96)) < 2
    assert abs(fitted["width"] / fitted["height"] - 128 / 96) < 0.02
    assert canvas.bounding_box() == pytest.approx(fitted, abs=1), "marks would lie beside the image"
    page.get_by_role("button", name="Zoom in").click()
    assert image.bounding_box()["width"] > fitted["width"] * 1.3
    page.get_by_role("button", name="Fit").click()
    assert image.bounding_box()["width"] == pytest.approx(fitted["width"], abs=1)
    page.get_by_role("link", name="Next").click()
    expect(page.locator("[data-viewer-count]")).to_have_text("2 / 3")
    assert image.bounding_box()["width"] == pytest.approx(fitted["width"], abs=1)
    expect(page.get_by_text("Arrow keys or the wheel")).to_be_visible()
    expect(page.get_by_text("The slider moves through the images.")).to_be_hidden()


def test_a_phone_is_told_what_fingers_do(open_as, cast):
    with beside_the_browser():
        case = factories.told(cast)
        record = study(case, "A")
    page = open_as(cast.anna, PHONE, has_touch=True)
    page.goto(reverse("record", args=[case.pk, record.pk]))
    expect(page.get_by_text("The slider moves through the images.")).to_be_visible()
    expect(page.get_by_text("Arrow keys or the wheel")).to_be_hidden()


def test_side_by_side_each_has_its_zoom_and_keeps_its_place(open_as, cast):
    with beside_the_browser():
        case = factories.told(cast)
        left, right = study(case, "Before"), study(case, "T1", "T2")
    page = open_as(cast.anna, DESK)
    page.goto(f"{reverse('record_compare', args=[case.pk])}?left={left.pk}&right={right.pk}")
    expect(page.locator(".viewer.is-fitted")).to_have_count(2)
    links = page.locator("#right .viewer__series a")
    first, second = links.all()
    assert first.bounding_box()["y"] == second.bounding_box()["y"]
    ground = "e => getComputedStyle(e).backgroundColor"
    assert first.evaluate(ground) != second.evaluate(ground), "the chosen series looks like the other"
    before = width(page, "#left [data-viewer-image]"), width(page, "#right [data-viewer-image]")
    page.locator("#left").get_by_role("button", name="Zoom in").click()
    assert width(page, "#left [data-viewer-image]") > before[0] * 1.3
    assert width(page, "#right [data-viewer-image]") == pytest.approx(before[1], abs=1)
    page.locator("#left").get_by_role("link", name="Next").click()
    expect(page.locator("#left [data-viewer-count]")).to_have_text("2 / 3")
    second.click()
    expect(links.nth(1)).to_have_attribute("aria-current", "true")
    expect(page.locator("#left [data-viewer-count]")).to_have_text("2 / 3")
    page.get_by_role("link", name="Open on its own").first.click()
    page.wait_for_url(f"**{reverse('record', args=[case.pk, left.pk])}")
