"""A slide in the browser, under the policy that ships: zoom, scale, keyboard, small screen, no script, a citation."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from e2e import house as served
from e2e.tour.checks import AXE, WIDE

house, enter = served.house, served.enter
pytestmark = [pytest.mark.browser, pytest.mark.server]
READY = "[data-slide][data-ready]"


def tiles_of(page):
    """Watches which tiles the page asks for and how they are answered."""
    asked: list[tuple[str, int]] = []
    page.on("response", lambda answer: asked.append((answer.url, answer.status)) if "/slides/" in answer.url else None)
    return asked


def test_a_slide_is_zoomed_marked_and_cited(enter, house):
    page = enter("chen")
    asked = tiles_of(page)
    page.goto(f"/cases/{house['slides']}/records/{house['slide record']}/slide/{house['slide file']}/")
    expect(page.locator(READY)).to_be_visible()
    expect(page.get_by_text("Not for primary diagnosis")).to_be_visible()
    scale = page.locator("[data-slide-scale-text]")
    expect(scale).to_have_text(re.compile("µm|mm"))
    before = scale.inner_text()
    canvas = page.locator("[data-slide-stage] .openseadragon-canvas").first
    canvas.focus()
    for _press in range(5):
        page.keyboard.press("+")
    expect(scale).not_to_have_text(before)
    page.wait_for_load_state("networkidle")
    assert [url for url, _status in asked if "/3/" in url], "no tile of the finest level was asked for"
    assert {status for _url, status in asked} == {200}
    found = Axe().run(page, options=AXE).response["violations"]
    assert [(one["id"], one["nodes"][0]["html"][:160]) for one in found] == []
    page.set_viewport_size({"width": 360, "height": 780})
    assert page.evaluate(WIDE) <= 0

    page.set_viewport_size({"width": 1366, "height": 900})
    page.goto(f"/specialist/cases/{house['slides']}/opinion/findings/?record={house['slide record']}")
    expect(page.locator(READY)).to_be_visible()
    page.get_by_role("button", name="Mark a region").click()
    box = page.locator("[data-slide-stage]").bounding_box()
    assert box
    at = [(box["x"] + box["width"] * part, box["y"] + box["height"] * part) for part in (0.45, 0.6)]
    page.mouse.move(*at[0])
    page.mouse.down()
    page.mouse.move(*at[1], steps=4)
    page.mouse.up()
    expect(page.locator(".slide__region--own")).to_be_visible()
    x, w = (float(page.locator(f'[data-region="{side}"]').input_value()) for side in "xw")
    assert 0.3 < x < 0.5 and 0.05 < w < 0.3
    page.get_by_label("What you see").fill("Dense infiltrate")
    page.get_by_role("button", name="Add this finding").click()
    writing = page.get_by_role("region", name="Your writing")
    expect(writing.get_by_text("Dense infiltrate")).to_be_visible()
    expect(page.locator(".slide__region:not(.slide__region--own)")).to_have_count(1)


def test_without_javascript_links_zoom(enter, house):
    page = enter("anna", java_script_enabled=False, viewport={"width": 360, "height": 780})
    page.goto(f"/cases/{house['slides']}/records/{house['slide record']}/slide/{house['slide file']}/")
    expect(page.get_by_text("Not for primary diagnosis")).to_be_visible()
    for _step in range(3):
        page.get_by_role("link", name="Zoom in: row 1, column 1").click()
    expect(page.get_by_text("This is the highest magnification.")).to_be_visible()
    page.get_by_role("link", name="Right", exact=True).click()
    expect(page.locator("[data-slide-plain] image")).to_have_count(4)
