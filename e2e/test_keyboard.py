"""By keyboard alone: signing in, answering, sending, looking at images, writing, confirming; the focus is seen."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from consilium.testing.cast import PASSWORD
from e2e import house as served
from e2e.tour.files import LETTER, Files

house, enter = served.house, served.enter
pytestmark = [pytest.mark.browser, pytest.mark.server]
STOPS = 120
# The element that has the focus and everything around it that may draw the ring for it (a card around a radio button).
RING = """() => {
  const outlined = style => style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2;
  const seen = style => outlined(style) || style.boxShadow !== 'none';
  const e = document.activeElement;
  if (e === document.body) return ''; // past the last stop, on the way back to the first
  const drawn = [e, ...(e.labels ?? []), e.parentElement, e.nextElementSibling].filter(Boolean);
  const box = e.getBoundingClientRect();
  const inside = box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth;
  return drawn.some(one => seen(getComputedStyle(one))) && inside ? '' : e.outerHTML.slice(0, 200);
}"""
HERE = "e => e === document.activeElement"


class Keys:
    """A person without a mouse. Every stop must show where the focus is."""

    def __init__(self, page: Page) -> None:
        self.page, self.unseen = page, set[str]()

    def press(self, *keys: str) -> "Keys":
        for key in keys:
            self.page.keyboard.press(key)
        return self

    def write(self, text: str) -> "Keys":
        self.page.keyboard.type(text)
        return self

    def stops(self) -> Iterator[None]:
        for _ in range(STOPS):
            self.page.keyboard.press("Tab")
            if hidden := self.page.evaluate(RING):
                self.unseen.add(hidden)
            yield

    def to(self, target: Locator) -> "Keys":
        """Tab until `target` has the focus."""
        for _ in self.stops():
            if target.evaluate(HERE):
                return self
        raise AssertionError(f"Tab never reaches {target}")

    def enter(self, key: str = "Enter") -> "Keys":
        """Press what has the focus and wait for the next page."""
        with self.page.expect_navigation(wait_until="load"):
            self.page.keyboard.press(key)
        return self

    def ends(self) -> None:
        assert not self.unseen, "the focus cannot be seen on:\n" + "\n".join(self.unseen)


def test_signing_in(enter, house):
    page = enter()
    page.goto("/account/sign-in/")
    keys = Keys(page)
    skip = page.get_by_role("link", name="Skip to the main content")
    keys.press("Tab")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    keys.press("Enter")
    expect(page.locator("main")).to_be_focused()
    keys.to(page.get_by_label("E-mail address")).write(house["mail"])
    keys.to(page.get_by_label("Password")).write("not the password").enter()
    expect(page.locator(".error-summary")).to_be_focused()
    keys.to(page.get_by_label("Password")).write(PASSWORD)
    keys.to(page.get_by_role("button", name="Sign in", exact=True)).enter()
    expect(page).to_have_url(re.compile("/account/sign-in/second-step/"))
    keys.to(page.get_by_label(re.compile("Code", re.I)).first).write("000000").enter()
    expect(page.locator(".error-summary")).to_be_focused()
    keys.ends()


def test_answering_a_page_of_questions(enter, house):
    page = enter("anna")
    page.goto(f"/cases/{house['keys']}/prepare/course/")
    keys = Keys(page)
    group = page.get_by_role("group", name="How has it changed since then?")
    first, second = group.get_by_role("radio").nth(0), group.get_by_role("radio").nth(1)
    for _ in keys.stops():
        if group.get_by_role("radio").evaluate_all(f"all => all.some({HERE})"):
            break
    keys.press("Space")
    keys.press("ArrowDown" if first.is_checked() else "ArrowUp")
    assert first.is_checked() or second.is_checked()
    page.goto(f"/cases/{house['keys']}/prepare/first-opinion/")
    for label in ("Which diagnosis did you get?", "Which treatment was proposed?"):
        keys.to(page.get_by_label(label)).press("Control+a", "Delete")
    keys.to(page.locator("main").get_by_role("button", name="Continue")).enter()
    expect(page.locator(".error-summary")).to_be_focused()
    link = page.locator(".error-summary a").first
    if link.count():
        keys.to(link).press("Enter")
        assert page.evaluate("document.activeElement.matches('input, textarea')"), "the link leads to no field"
    keys.to(page.get_by_label("Which diagnosis did you get?")).write("Disc herniation")
    keys.to(page.locator("main").get_by_role("button", name="Continue")).enter()
    assert "/questions/" in page.url
    keys.ends()


def test_sending_a_file(enter, house, tmp_path: Path):
    page = enter("anna")
    page.goto(f"/cases/{house['keys']}/send/")
    keys = Keys(page)
    keys.to(page.locator("form[data-upload] input[type=file]").first)
    with page.expect_file_chooser() as chooser:
        page.wait_for_timeout(300)  # on a busy machine the browser learns too late that the test answers its dialog
        keys.press("Enter")
    chooser.value.set_files(str(Files(tmp_path).made(LETTER)))
    expect(page.locator("#sent")).to_contain_text("letter", timeout=60_000)
    keys.to(page.get_by_role("link", name="Continue", exact=True)).enter()
    keys.ends()


def test_images_and_a_region_by_numbers(enter, house):
    page = enter("chen")
    page.goto(f"/specialist/cases/{house['review']}/opinion/findings/?record={house['review disc']}&frame=1")
    keys, count = Keys(page), page.locator("[data-viewer-count]")
    keys.to(page.locator("[data-viewer-stage]")).press("ArrowDown")
    expect(count).to_have_text(re.compile("^2 /"))
    keys.press("End")
    last = count.inner_text().split(" / ")
    assert last[0] == last[1] != "1"
    keys.press("Home", "ArrowRight", "ArrowRight", "ArrowLeft")
    expect(count).to_have_text(re.compile("^2 /"))
    keys.press("+")
    expect(page.locator("[data-viewer-canvas]")).to_have_attribute("style", re.compile("scale"))
    keys.press("0")
    keys.to(page.locator("#finding textarea").first).write("A worn disc.")
    keys.to(page.get_by_label("Page or image")).press("Control+a").write("2")
    for label, value in (("From left", "0.25"), ("From top", "0.5"), ("Width", "0.2"), ("Height", "0.1")):
        keys.to(page.get_by_label(label)).write(value)
    drawn = page.locator("[data-viewer-selection]")
    expect(drawn).to_have_attribute("visibility", "visible")
    expect(drawn).to_have_attribute("x", "25")
    keys.to(page.get_by_role("button", name="Add this finding")).enter()
    expect(page.get_by_text("The finding is added.")).to_be_visible()
    keys.ends()


def test_parts_of_the_opinion(enter, house):
    page = enter("chen")
    page.goto(f"/specialist/cases/{house['review']}/opinion/answers/")
    keys = Keys(page)
    tabs = page.get_by_role("navigation", name="Parts of the opinion").get_by_role("link")
    assert tabs.count() > 5
    for number in (1, tabs.count() - 1):
        goal = tabs.nth(number).get_attribute("href")
        keys.to(tabs.nth(number)).enter()
        assert page.url.endswith(str(goal).split("?")[0])
        expect(tabs.nth(number)).to_have_attribute("aria-current", "page")
    keys.ends()


def test_confirming_what_cannot_be_undone(enter, house):
    page = enter("anna")
    page.goto(f"/cases/{house['withdraw']}/withdraw/")
    keys = Keys(page)
    keys.to(page.get_by_role("link", name="No, go back")).enter()
    assert page.url.endswith("/prepare/")
    page.go_back()
    keys.to(page.locator(".confirm button[type=submit]")).enter("Space")
    expect(page.get_by_text("Your case is withdrawn.")).to_be_visible()
    keys.ends()


def test_menus_open_and_close(enter, house):
    page = enter("anna")
    page.goto("/cases/")
    keys, menu = Keys(page), page.locator("details.account-menu")
    keys.to(menu.locator("summary")).press("Enter")
    expect(menu).to_have_attribute("open", "")
    keys.press("Escape")
    expect(menu).not_to_have_attribute("open", "")
    expect(menu.locator("summary")).to_be_focused()
    keys.ends()
