"""What scripts add: saving while one types, progress and second tries, images under the hand, a warning in time."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Dialog, Page, expect

from e2e import house as served
from e2e.tour.files import LETTER, Files
from e2e.tour.installation import wait_for

house, enter = served.house, served.enter
pytestmark = [pytest.mark.browser, pytest.mark.server]
GOAL = "To carry my granddaughter up the stairs."
SLOW = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 150_000}


def slowly(page: Page) -> None:
    """A telephone in a valley: 150 kB a second upwards."""
    page.context.new_cdp_session(page).send("Network.emulateNetworkConditions", SLOW)


def photo(folder: Path, name: str, side: int = 500) -> str:
    """A picture that does not compress: three bytes a pixel."""
    import numpy as np
    from PIL import Image

    noise = np.random.default_rng(1).integers(0, 256, (side, side, 3), dtype=np.uint8)
    Image.fromarray(noise).save(folder / name)
    return str(folder / name)


def test_what_is_typed_is_saved_and_survives(enter, house):
    page = enter("anna")
    page.goto(f"/cases/{house['autosave']}/prepare/goals/")
    field, state = page.get_by_label("What matters most to you"), page.locator("[data-autosave-state]")
    field.fill(GOAL)
    expect(state).to_contain_text("Saved")
    page.reload()
    expect(field).to_have_value(GOAL)
    page.context.set_offline(True)
    field.fill(GOAL + " And down.")
    expect(state).to_contain_text("Not saved")
    page.context.set_offline(False)
    expect(state).to_contain_text(re.compile("^Saved"))
    page.reload()
    expect(field).to_have_value(GOAL + " And down.")


def test_writing_an_opinion_is_saved_with_its_version(enter, house):
    """Twice in a row: the second request names the version that the first one made."""
    page = enter("chen")
    page.goto(f"/specialist/cases/{house['review']}/opinion/answers/")
    field, state = page.get_by_label("Short answer").first, page.locator("[data-autosave-state]")
    for words in ("You can wait some weeks.", "You can wait safely."):
        with page.expect_response(lambda answer: answer.request.method == "POST") as kept:
            field.fill(words)
        assert kept.value.status < 300, kept.value.status
        expect(state).to_contain_text("Saved")
    page.reload()
    expect(field).to_have_value("You can wait safely.")


def test_leaving_with_unsaved_changes_asks(enter, house):
    page = enter("anna")
    asked: list[str] = []

    def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    page.on("dialog", stay)
    address = f"/cases/{house['leaving']}/prepare/certainty/"
    page.goto(address)
    page.get_by_role("link", name="Help").first.click()
    assert not asked, "asked although nothing was changed"
    page.goto(address)
    page.locator("main fieldset.field").first.locator("label").last.click()
    page.get_by_role("link", name="Help").first.click(no_wait_after=True)
    wait_for(lambda: page.wait_for_timeout(50) or asked, "the question")
    assert asked == ["beforeunload"]
    assert page.url.endswith(address), "left although the answer was to stay"
    page.remove_listener("dialog", stay)
    page.on("dialog", lambda dialog: dialog.accept())


def test_a_file_goes_with_progress_and_becomes_ready(enter, house, tmp_path):
    page = enter("anna")
    page.goto(f"/cases/{house['upload']}/send/")
    slowly(page)
    page.locator("form[data-upload] input[type=file]").first.set_input_files(photo(tmp_path, "lab-sheet.png"))
    expect(page.locator(".upload__state")).to_have_text(re.compile(r"Sending [1-9]\d? %"))
    assert page.locator(".upload__item progress").evaluate("e => e.value") > 0
    expect(page.locator(".upload__item.is-done")).to_contain_text("Arrived completely", timeout=60_000)
    item = page.locator("#sent .file-item").filter(has_text="lab-sheet")
    expect(item.locator(".file-item__state")).to_contain_text("ready", timeout=90_000, ignore_case=True)
    expect(page.get_by_role("heading", name="Being checked")).to_have_count(0)


def test_a_broken_connection_is_tried_again(enter, house, tmp_path):
    page = enter("anna")
    page.goto(f"/cases/{house['upload']}/send/")
    page.context.set_offline(True)
    page.locator("form[data-upload] input[type=file]").first.set_input_files(str(Files(tmp_path).made(LETTER)))
    row = page.locator(".upload__item")
    expect(row).to_contain_text("Waiting for the connection")
    row.get_by_role("button", name="Pause: letter.pdf").click()
    expect(row).to_contain_text("Paused")
    row.get_by_role("button", name="Go on: letter.pdf").click()
    page.context.set_offline(False)
    expect(row).to_contain_text("Arrived completely", timeout=30_000)
    expect(page.locator("#sent")).to_contain_text("letter", timeout=60_000)


def test_sending_can_be_cancelled(enter, house, tmp_path):
    page = enter("anna")
    page.goto(f"/cases/{house['upload']}/send/")
    slowly(page)
    chosen = page.locator("form[data-upload] input[type=file]").first
    chosen.set_input_files(photo(tmp_path, "by-mistake.png"))
    expect(page.locator(".upload__state")).to_have_text(re.compile("Sending"))
    page.get_by_role("button", name="Cancel: by-mistake.png").click()
    page.get_by_role("button", name="No, keep it: by-mistake.png").click()
    page.get_by_role("button", name="Cancel: by-mistake.png").click()
    page.get_by_role("button", name="Yes, discard: by-mistake.png").click()
    expect(page.locator(".upload__item")).to_have_count(0)
    expect(chosen).to_be_focused()
    page.reload()
    expect(page.locator("main")).not_to_contain_text("by-mistake")


def test_images_follow_wheel_and_keys_and_take_marks(enter, house):
    page = enter("chen")
    page.goto(f"/specialist/cases/{house['review']}/opinion/findings/?record={house['review disc']}&frame=1")
    count, picture = page.locator("[data-viewer-count]"), page.locator("[data-viewer-image]")
    stage = page.locator("[data-viewer-stage]")
    loaded = "e => e.complete && e.naturalWidth > 0"
    assert picture.evaluate(loaded), "the first image did not load"
    first = picture.get_attribute("src")
    stage.scroll_into_view_if_needed()
    stage.click()
    page.mouse.wheel(0, 60)
    expect(count).to_have_text(re.compile("^2 /"))
    expect(picture).not_to_have_attribute("src", str(first))
    page.keyboard.press("ArrowDown")
    expect(count).to_have_text(re.compile("^3 /"))
    wait_for(lambda: picture.evaluate(loaded), "the third image")
    mark(page)
    for label, wanted in (("From left", 0.3), ("From top", 0.4), ("Width", 0.2), ("Height", 0.1)):
        got = float(page.get_by_label(label, exact=True).input_value())
        assert abs(got - wanted) < 0.02, f"{label}: {got}"
    assert page.get_by_label("Page or image").input_value() == "3"
    expect(page.locator("[data-viewer-selection]")).to_have_attribute("visibility", "visible")
    page.keyboard.press("Home")
    expect(page.locator("[data-viewer-selection]")).to_have_attribute("visibility", "hidden")


def mark(page: Page) -> None:
    """Drag from (0.3, 0.4) to (0.5, 0.5) of the image."""
    page.get_by_role("button", name="Mark a region").click()
    box = page.locator("[data-viewer-image]").bounding_box()
    assert box
    at = [(box["x"] + box["width"] * x, box["y"] + box["height"] * y) for x, y in ((0.3, 0.4), (0.5, 0.5))]
    page.mouse.move(*at[0])
    page.mouse.down()
    page.mouse.move(*at[1], steps=4)
    page.mouse.up()


def test_brightness_presets_change_the_image(enter, house):
    page = enter("anna")
    page.goto(f"/cases/{house['review']}/records/{house['review tomography']}/")
    picture = page.locator("[data-viewer-image]")
    before = picture.get_attribute("src")
    presets = page.get_by_role("navigation", name="Brightness presets").get_by_role("link")
    assert presets.count() > 1
    with page.expect_navigation(wait_until="load"):
        presets.nth(1).click()
    assert picture.get_attribute("src") != before
    assert picture.evaluate("e => e.complete && e.naturalWidth > 0"), "the image in another window did not load"
    expect(presets.nth(1)).to_have_attribute("aria-current", "true")


def test_a_warning_comes_before_the_session_ends(enter, house):
    page = enter("anna")
    page.clock.install()
    page.goto("/cases/")
    box = page.locator("[data-idle-warning]")
    page.clock.fast_forward("27:30")
    expect(box).to_be_hidden()
    page.clock.fast_forward("00:45")
    expect(box).to_be_visible()
    stay = box.get_by_role("link", name="Stay signed in")
    expect(stay).to_be_focused()
    with page.expect_request(lambda request: request.method == "HEAD"):
        stay.click()
    expect(box).to_be_hidden()
