"""2. Dora checks identity and records, Anna confirms, Tess triages, Dora offers the case to Dr Chen."""

import re

from e2e.tour import cast
from e2e.tour.cast import ANNA, CHEN, DORA, TESS
from e2e.tour.persona import Persona
from e2e.tour.stage import Stage


def play(stage: Stage) -> None:
    with stage.step("2 Dora signs in and finds the case on her desk"):
        dora = stage.staff(DORA)
        dora.go("/desk/").see("Anna Berger").look("desk")
        dora.go("/desk/?lanes=1").go(desk(stage)).look("case")
    with stage.step("2 Dora checks identity and eligibility"):
        identity(stage, dora)
    with stage.step("2 Dora sees what is missing, marks what is here, waives with a reason"):
        records(stage, dora)
    with stage.step("2 Dora searches the records, compares two, and asks whether they are enough"):
        workspace(stage, dora)
    with stage.step("2 Anna reads the summary once more and confirms it"):
        recap(stage)
    with stage.step("2 Tess sets the urgency and marks the concluding page"):
        triage(stage)
    with stage.step("2 Dora offers the case to Dr Chen"):
        offer(stage, dora)


def desk(stage: Stage, page: str = "") -> str:
    return f"/desk/cases/{stage.case}/{page}"


def identity(stage: Stage, dora: Persona) -> None:
    dora.go(desk(stage, "identity/")).press("Everything is checked")
    dora.see("Please check who this is first.")
    dora.tick(re.compile("Name and birth date are checked")).tick(re.compile("The question fits a written opinion"))
    dora.choose("Which country's rule applies?", re.compile("EU|Europe"))
    dora.look("identity").press("Everything is checked")
    dora.see("Identity and eligibility are checked.")
    for page in ("story/", "history/", "messages/"):
        dora.go(desk(stage, page))


def records(stage: Stage, dora: Persona) -> None:
    dora.go(desk(stage, "records/")).look("records")
    main = dora.page.locator("main")
    while main.get_by_role("button", name=re.compile("^It is here")).count():
        dora.press(re.compile("^It is here"))
    required = main.locator(".card").filter(has_text="required")
    for _ in range(8):
        open_ones = required.filter(has=dora.page.get_by_role("link", name=re.compile("^Ask, waive or mark")))
        if not open_ones.count():
            break
        dora.press(re.compile("^Ask, waive or mark"), within=open_ones.first)
        dora.choose("What is true of this record?", "It is not needed for this question").press("Save")
        dora.see(re.compile("Please write a few words"))
        dora.fill("Your words", "The hospital letter says the same.").look("waive").press("Save")
    dora.go(desk(stage)).press("Records are complete").look("confirm-step")
    dora.press("Records are complete")


def workspace(stage: Stage, dora: Persona) -> None:
    room = f"/cases/{stage.case}/records/"
    dora.go(room).look("timeline")
    dora.fill("Search the words of all records", "fusion").press("Search").see(re.compile("places? found")).look(
        "search"
    )
    dora.go(room + "compare/")
    for side in ("On the left", "On the right"):
        box = dora.page.get_by_label(side)
        box.select_option(index=1 if side == "On the left" else 2)
    dora.press("Show").look("side-by-side")
    dora.go(room + "enough/").see("Is this enough?").look("enough")
    dora.go(room + "laboratory/").look("laboratory")
    dora.go(room + "medication/").look("medication")


def recap(stage: Stage) -> None:
    anna = stage.persona(ANNA)
    anna.go(f"/cases/{stage.case}/").look("tracker-recap")
    anna.go(f"/cases/{stage.case}/summary/").tick("I have read it, and everything is right.").press("This is right")
    anna.see("Where your case stands")


def triage(stage: Stage) -> None:
    tess = stage.staff(TESS)
    tess.go("/desk/triage/").look("triage-list")
    tess.go(f"/desk/triage/{stage.case}/").see(cast.QUESTIONS[0])
    tess.choose("How urgent is it?", re.compile("Routine|Normal|Not urgent", re.I))
    tess.choose("How complex is it?", re.compile("^Complex")).look("triage-case").press("Save and go on")
    letter = tess.page.get_by_role("group", name=re.compile("letter|spine clinic", re.I)).first
    tess.check(letter.get_by_role("checkbox").last)
    tess.look("conclusions").press("Save the marks")


def offer(stage: Stage, dora: Persona) -> None:
    dora.go(desk(stage, "specialist/")).look("matching")
    dora.press("Send the offer").see("Please choose whom to ask first.")
    dora.select("Ask first", re.compile(CHEN.family)).press("Send the offer")
    stage.installation.mailed(CHEN.email, r"(https?://\S+)")
