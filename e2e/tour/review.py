"""3. Dr Chen accepts, reads blind, locks, reveals, writes the opinion with linked findings, and signs."""

import re
from datetime import timedelta

from e2e.tour import cast
from e2e.tour.cast import CHEN
from e2e.tour.persona import Persona
from e2e.tour.stage import Stage

SECRETS = (cast.FIRST_DIAGNOSIS, cast.FIRST_TREATMENT, "We recommend a spinal fusion", *cast.QUESTIONS)
WRITING: dict[str, dict[str, str]] = {
    "comparison": {
        "In what way/0": "The worn disc is confirmed; no herniation presses on a nerve.",
        "In what way/1": "Structured exercise first; fusion only if instability is shown.",
    },
    "assessment": {
        "What was missing": "Standing X-rays in flexion and extension",
        "Differential diagnosis": "Facet joint pain is less likely, because sitting is worse than standing.",
        "Do level and symptoms match?": "Axial pain fits the L4/L5 disc. No dermatomal pattern.",
        "Was treatment without an operation sufficient?": "Six weeks of physiotherapy: not sufficient.",
        "Alternatives to the proposed procedure": "A supervised programme; fusion without instability offers little.",
    },
    "summary": {
        "Your personal opening": "Dear Ms Berger, I have read your letters and looked at all your images with care.",
        "Summary in plain words": (
            "Your disc between the fourth and fifth lumbar vertebra is worn. This can hurt, but it is not dangerous. "
            "The disc does not press on a nerve.\n\nYou do not need an operation now. You can wait safely. "
            "A good exercise plan has helped many people like you.\n\n"
            "Please go to a doctor at once if you can no longer hold your urine, or if a leg becomes weak."
        ),
        "Questions the patient could ask next": "Where can I find a good back programme near me?",
        "Letter to the treating doctor": (
            "Dear Dr. Weiss,\n\nthank you for the complete records. In the absence of radiculopathy and instability "
            "I would not perform a fusion now, and suggest flexion-extension films and a supervised programme."
        ),
    },
}


def play(stage: Stage) -> None:
    with stage.step("3 Dr Chen declares that there is no conflict and accepts"):
        chen = stage.staff(CHEN)
        accept(stage, chen)
    with stage.step("3 Dr Chen reads records and images; the first conclusion is not there"):
        read_blind(stage, chen)
    with stage.step("3 Dr Chen locks a first impression and reveals the first opinion"):
        lock_and_reveal(stage, chen)
    with stage.step("3 the checklist stops an incomplete opinion"):
        incomplete(stage, chen)
    with stage.step("3 Dr Chen links findings to an image region and a page region"):
        findings(stage, chen)
    with stage.step("3 Dr Chen writes the opinion"):
        write(stage, chen)
    with stage.step("3 Dr Chen signs with a second step"):
        sign(stage, chen)


def at(stage: Stage, page: str = "") -> str:
    return f"/specialist/cases/{stage.case}/{page}"


def accept(stage: Stage, chen: Persona) -> None:
    chen.go("/specialist/").look("home").go(at(stage, "offer/")).absent("Berger", *SECRETS).look("offer")
    assert chen.status_of(f"/cases/{stage.case}/records/") == 404, "records were open before the offer was accepted"
    chen.press("Accept this case").see("Please answer the question on conflicts of interest.")
    chen.choose("Do you have a conflict of interest", "No, I have none").press("Accept this case")


def records_of(chen: Persona) -> dict[str, str]:
    """Name → query of every record in the pane."""
    links = chen.page.locator(".file-item__name a").all()
    return {link.inner_text(): str(link.get_attribute("href")) for link in links}


def find(records: dict[str, str], words: str) -> str:
    return next(href for name, href in records.items() if re.search(words, name, re.I))


def read_blind(stage: Stage, chen: Persona) -> None:
    chen.go(at(stage)).absent(*SECRETS).look("blind-read")
    records = records_of(chen)
    stage.records = records
    for name, href in records.items():
        chen.go(href).absent(*SECRETS)
        assert_pictures(chen, name)
    chen.go(find(records, "letter|spine clinic")).see(re.compile("is withheld until you lock")).look("blind-letter")
    withheld_bytes(stage, chen)
    chen.go(find(records, "MRI|T2|spine.*sagittal")).look("blind-images")
    stage_of_viewer = chen.page.locator("[data-viewer-stage]")
    stage_of_viewer.focus()
    chen.page.keyboard.press("ArrowDown")
    chen.page.wait_for_function("document.querySelector('[data-viewer-image]').complete")


def assert_pictures(chen: Persona, name: str) -> None:
    """Every picture on the page has really arrived."""
    chen.page.wait_for_function("[...document.images].filter(i => i.loading !== 'lazy').every(i => i.complete)")
    broken = chen.page.evaluate("[...document.images].filter(i => i.complete && !i.naturalWidth).map(i => i.src)")
    assert not broken, f"pictures of {name} did not load: {broken}"


def withheld_bytes(stage: Stage, chen: Persona) -> None:
    """The bytes of a withheld page and the original are refused, whatever the page shows."""
    record = re.search(r"record=([0-9a-f-]+)", chen.page.url)
    assert record
    assert chen.status_of(f"/data/records/{record[1]}/original") == 404, "the original of a withheld letter was served"


def lock_and_reveal(stage: Stage, chen: Persona) -> None:
    chen.go(at(stage, "first-impression/lock/")).see(re.compile("first impression", re.I))
    chen.go(at(stage))
    chen.fill("Your diagnosis", "Degenerative disc L4/L5 without radiculopathy.")
    chen.fill("What you would do", "Structured exercise for at least twelve weeks; no operation.")
    chen.fill("Why (optional)", "No deficit, no instability on the films available.")
    chen.choose("How confident are you?", re.compile("High", re.I))
    chen.press("Go on to lock it").look("lock")
    chen.press("Lock my first impression").absent(cast.FIRST_DIAGNOSIS)
    chen.press("Show the first opinion").see(cast.FIRST_DIAGNOSIS, cast.FIRST_TREATMENT).look("reveal")


def incomplete(stage: Stage, chen: Persona) -> None:
    chen.go(at(stage, "opinion/sign/")).see("This is still missing").look("checklist")
    assert not chen.page.get_by_role("button", name="Sign the opinion").count(), "an incomplete opinion offers signing"


def findings(stage: Stage, chen: Persona) -> None:
    chen.go(at(stage, "opinion/findings/"))
    records = records_of(chen)
    chen.go(find(records, "MRI|T2|spine.*sagittal"))
    chen.press_here("Mark a region")
    box = chen.page.locator("[data-viewer-image]").bounding_box()
    assert box
    chen.page.mouse.move(box["x"] + box["width"] * 0.45, box["y"] + box["height"] * 0.5)
    chen.page.mouse.down()
    chen.page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + box["height"] * 0.62, steps=5)
    chen.page.mouse.up()
    assert chen.page.get_by_label("Width").input_value(), "dragging did not fill the region's fields"
    chen.fill("What you see", "Disc L4/L5: loss of height, protrusion without displacement of a nerve root.")
    chen.fill("What it means", "Explains pain in the back, not in the leg.").look("finding-image")
    chen.press("Add this finding").see("The finding is added.")
    chen.go(find(records, "MRI of the lumbar|mri-report|report"))
    chen.fill("What you see", "The radiologist describes no slip and no displaced root.")
    for label, value in (("Page or image", "1"), ("From left", "0.1"), ("From top", "0.4")):
        chen.fill(label, value)
    chen.fill("Width", "0.8").fill("Height", "0.2").press("Add this finding")
    chen.see("The finding is added.").look("findings")


def write(stage: Stage, chen: Persona) -> None:
    from consilium.core import clock

    today = clock.now().date()
    chen.go(at(stage, "opinion/answers/"))
    for number, words in enumerate(
        ("No, the operation is not necessary now. Waiting is safe.", "Yes: an exercise plan.")
    ):
        chen.fill("Short answer", words, nth=number)
        chen.fill("Reasoning", "No compression of a nerve root, no weakness, no instability.", nth=number)
    chen.look("opinion-answers").press("Save and go on")
    chen.choose("The first diagnosis is", "Clarified").choose("The proposed treatment is", "Changed")
    fill_part(chen, "comparison")
    chen.go(at(stage, "opinion/assessment/"))
    fill_part(chen, "assessment")
    chen.fill("Option", "Structured exercise, twelve weeks", exact=True, nth=0)
    chen.fill("Benefits", "Fair chance of less pain.", nth=0).fill("Risks and burdens", "Takes time.", nth=0)
    chen.fill("Option", "Wait and watch", exact=True, nth=1)
    chen.fill("Benefits", "No burden.", nth=1).fill("Risks and burdens", "Pain may stay.", nth=1)
    chen.tick("This is waiting or doing nothing", nth=1).look("opinion-options").press("Save and go on")
    chen.fill("Recommendation", "Begin a supervised exercise programme of at least twelve weeks.", exact=True)
    chen.choose("Strength", "Strong").fill("Guideline", "Canadian Spine Society, pattern approach", exact=True)
    chen.fill("Date of the guideline", "2020").press("Save and go on")
    due = today + timedelta(days=21)
    chen.fill("What", "Standing X-rays in flexion and extension", exact=True).fill("Who", "Dr. Weiss", exact=True)
    chen.date(re.compile("By when"), str(due.day), str(due.month), str(due.year))
    chen.fill("Source", "IFOMPT red flags framework").fill("Year or date", "2020").press("Save and go on")
    fill_part(chen, "summary", "Save")
    chen.look("opinion-summary")


def fill_part(chen: Persona, part: str, button: str = "Save and go on") -> None:
    for label, words in WRITING[part].items():
        name, _, number = label.partition("/")
        chen.fill(name, words, nth=int(number or 0))
    chen.press(re.compile(f"^{button}$"))


def sign(stage: Stage, chen: Persona) -> None:
    chen.go(at(stage, "opinion/sign/")).see("The checklist is complete.").look("sign")
    chen.press_fresh("Sign the opinion", asks=True)
    chen.see(re.compile("A colleague now checks the opinion"))
    assert chen.status_of(at(stage, "opinion/answers/")) == 404, "a signed opinion can still be edited"
