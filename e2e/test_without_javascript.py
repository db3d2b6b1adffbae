"""Everything works without a script: telling and sending a case, reading and writing an opinion, the desk, a link."""

import re
from types import SimpleNamespace
from typing import Any

import pytest
from playwright.sync_api import expect

from e2e import house as served
from e2e.tour import desk, intake
from e2e.tour.files import LETTER, Files
from e2e.tour.installation import wait_for
from e2e.tour.persona import Persona

house, enter = served.house, served.enter
pytestmark = [pytest.mark.browser, pytest.mark.server]


class Plain(Persona):
    """Somebody whose browser runs no scripts. Moves as in the tour; takes no pictures."""

    def __init__(self, who: str, page: Any) -> None:
        self.who, self.slug, self.page, self.context = who, who, page, page.context
        self.url, self.secret, self.last, self._used = "", "", None, set()

    def go(self, path: str, *, status: int = 200) -> "Plain":
        answer = self.page.goto(path, wait_until="load")
        assert answer and answer.status == status, f"{path}: {answer and answer.status}"
        return self

    def arrived(self) -> None:
        assert self.page.locator("h1").count() == 1, self.path

    def look(self, name: str) -> "Plain":
        return self


@pytest.fixture
def plain(enter):
    return lambda who="": Plain(who, enter(who, java_script_enabled=False))


def test_a_patient_tells_and_sends_a_case(plain, tmp_path):
    nora = plain("nora")
    nora.go("/cases/new/").press("Continue").see(re.compile("choose", re.I))
    nora.choose("Specialty", re.compile("^Spine")).press("Continue")
    case = nora.path.split("/")[2]
    intake.gates(nora)
    intake.story(None, nora)  # type: ignore[arg-type]
    intake.questions(nora)
    nora.see("Your records")
    send(nora, tmp_path)
    nora.press(re.compile("^Continue$"))
    nora.press(re.compile("^Save and continue$")).see("Please have another look")
    for box in nora.page.get_by_role("checkbox", name=re.compile("I agree")).all():
        nora.check(box)
    nora.press(re.compile("^Save and continue$")).see("Your case on one page")
    nora.tick("I have read it, and everything is right.").press("Send my case")
    nora.see("Where your case stands")
    assert nora.path == f"/cases/{case}/"


def send(nora: Plain, tmp_path: Any) -> None:
    """One file with the form's own button; the page says when it is ready after being opened again."""
    letter = Files(tmp_path).made(LETTER)
    nora.press("Send").see("No file has arrived. Please choose a file first.")
    nora.page.locator("form[data-upload] input[type=file]").first.set_input_files(str(letter))
    nora.press("Send").see("Your files have arrived")

    def checked() -> bool:
        nora.page.reload()
        return not nora.page.get_by_role("heading", name="Being checked").count()

    wait_for(checked, "the letter to be checked", seconds=60)
    nora.see("letter")


def test_a_specialist_accepts_reads_locks_reveals_and_writes(plain, house):
    chen, home = plain("chen"), f"/specialist/cases/{house['offer']}/"
    chen.go(f"{home}offer/").press("Accept this case").see("Please answer the question on conflicts of interest.")
    chen.choose("Do you have a conflict of interest", "No, I have none").press("Accept this case")
    turn_pages(chen, f"{home}first-impression/?record={house['offer disc']}&frame=1")
    chen.go(home).fill("Your diagnosis", "Worn disc L4/L5").fill("What you would do", "Exercise first")
    chen.choose("How confident are you?", re.compile("High", re.I)).press("Go on to lock it")
    chen.press("Lock my first impression").press("Show the first opinion").see("Spinal fusion L4/L5")
    chen.go(f"{home}opinion/answers/").fill("Short answer", "You can wait.").fill("Reasoning", "Nothing presses.")
    chen.press("Save and go on")
    chen.go(f"{home}opinion/answers/")
    expect(chen.page.get_by_label("Short answer").first).to_have_value("You can wait.")
    find(chen, f"{home}opinion/findings/?record={house['offer disc']}")


def turn_pages(chen: Plain, address: str) -> None:
    """Previous, next and the brightness presets are links."""
    chen.go(address)
    count = chen.page.locator("[data-viewer-count]")
    first, picture = count.inner_text(), chen.page.locator("[data-viewer-image]").get_attribute("src")
    chen.press("Next")
    assert (count.inner_text()[:1], first[:1]) == ("2", "1")
    assert chen.page.locator("[data-viewer-image]").get_attribute("src") != picture
    chen.press("Previous")
    assert count.inner_text() == first
    assert not chen.page.locator("[data-viewer-slider]").is_visible(), "a slider that does nothing is shown"


def test_turning_the_pages_keeps_the_brightness(plain, house):
    anna = plain("anna")
    anna.go(f"/cases/{house['review']}/records/{house['review tomography']}/").press("Bone")
    anna.press("Next").see("2 / 2")
    shown = anna.page.get_by_role("navigation", name="Brightness presets").locator("[aria-current=true]")
    expect(shown).to_have_text("Bone")


def find(chen: Plain, address: str) -> None:
    """A finding with its place typed as numbers."""
    chen.go(address).fill("What you see", "Loss of height").fill("What it means", "Explains the pain")
    for label, value in (("Page or image", "2"), ("From left", "0.4"), ("From top", "0.5")):
        chen.fill(label, value)
    chen.fill("Width", "0.2").fill("Height", "0.1").press("Add this finding").see("The finding is added.")


def test_a_coordinator_checks_a_case_in(plain, house):
    dora = plain("dora")
    desk.identity(SimpleNamespace(case=house["desk"]), dora)  # type: ignore[arg-type]


def test_a_doctor_opens_a_link_with_its_code(plain, house):
    weiss = plain()
    weiss.go(f"/link/{house['token']}/").absent("Berger")
    weiss.fill("Your code", "999999").press("Open").absent("Berger")
    weiss.fill("Your code", house["code"]).press("Open").see("Second opinion for Anna Berger")
    weiss.fill("Your reply", "Thank you.").press("Send the reply").see("Thank you. Your reply is sent")
    href = weiss.page.get_by_role("link", name="Download the clinical report (PDF)").get_attribute("href")
    assert weiss.download(str(href)).startswith(b"%PDF-")
