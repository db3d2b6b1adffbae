"""A whole folder from a browser whose line is cut again and again: every file arrives as it was, on another visit."""

import hashlib
import json
import random
import re
from pathlib import Path

import pytest
from playwright.sync_api import CDPSession, Page, expect

from e2e import arrived
from e2e import house as served

house, enter = served.house, served.enter
pytestmark = [pytest.mark.browser, pytest.mark.server]
SLOW = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 1_500_000}
FAST = SLOW | {"uploadThroughput": -1}
LONG = "a folder whose name is long enough that no ustar header holds it/" * 2


def disc(folder: Path) -> dict[str, str]:
    """A folder as people have them: nested, long and foreign names, an empty file; path → SHA-256."""
    chance = random.Random(11)
    paths = [f"CD/DICOM/ST0/IM{n:04}" for n in range(9)] + ["CD/Befund Müller 体.txt", f"CD/{LONG}last", "CD/empty"]
    found = {}
    for path in paths:
        data = b"" if path.endswith("empty") else chance.randbytes(700_000 + chance.randrange(1000))
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
        found[path.removeprefix("CD/")] = hashlib.sha256(data).hexdigest()
    (folder / "CD" / ".DS_Store").write_bytes(b"litter")
    return found


def test_a_folder_arrives_whatever_happens_to_the_line(enter, house, tmp_path):
    sent = disc(tmp_path)
    page: Page = enter("anna")
    page.on("dialog", lambda dialog: dialog.accept())  # "leave the page?" while it is being sent
    address = f"/cases/{house['upload']}/send/"
    page.goto(address)
    line = page.context.new_cdp_session(page)
    chosen = page.locator("[data-upload-folder] input")
    state = page.locator(".upload__item .upload__state")

    speed(line, SLOW)
    chosen.set_input_files(tmp_path / "CD")
    expect(state).to_have_text(re.compile(r"Sending [1-9]\d? %: .* · file \d+ of 12"))
    for _cut in range(3):
        page.context.set_offline(True)
        expect(state).to_contain_text("Waiting for the connection")
        page.context.set_offline(False)
        speed(line, SLOW)
        expect(state).to_contain_text("Sending")
        page.wait_for_timeout(400)
    page.reload()

    row = page.locator("[data-transfer]")
    expect(row).to_contain_text(re.compile(r"Your disc of .*: [1-9]\d? % of .* has arrived\."))
    speed(line, SLOW)
    chosen.set_input_files(tmp_path / "CD")
    expect(page.locator("[data-live-region]")).to_contain_text(re.compile(r"goes on at [1-9]\d? %"))
    expect(row).to_have_count(0)
    speed(line, FAST)
    expect(state).to_contain_text("Arrived completely", timeout=30_000)
    expect(page.locator("#sent")).to_contain_text("Disc of", timeout=15_000)
    said = house.python("e2e.arrived", house["upload"])
    assert json.loads(said.split(arrived.MARK)[1]) == sent


def speed(line: CDPSession, conditions: dict[str, object]) -> None:
    line.send("Network.emulateNetworkConditions", conditions)
