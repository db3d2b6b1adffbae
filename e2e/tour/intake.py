"""1. Anna signs up, tells her story, sends her records, confirms the summary, submits, and sees where it stands."""

import re

from e2e.tour import cast
from e2e.tour.cast import ANNA
from e2e.tour.files import LABORATORY, LETTER, REPORT
from e2e.tour.installation import PASSWORD
from e2e.tour.persona import Persona
from e2e.tour.stage import Stage


def play(stage: Stage) -> None:
    with stage.step("1 open pages: front page, help, check a report"):
        open_pages(stage)
    anna = stage.persona(ANNA)
    with stage.step("1 Anna signs up, proves her address and sets up a second step"):
        sign_up(stage, anna)
    with stage.step("1 Anna says who she is and starts a case"):
        start(stage, anna)
    with stage.step("1 Anna answers suitability and warning signs"):
        gates(anna)
    with stage.step("1 Anna tells her story"):
        story(stage, anna)
    with stage.step("1 Anna writes her questions"):
        questions(anna)
    with stage.step("1 Anna sends records; wrong files are refused with a sentence"):
        records(stage, anna)
    with stage.step("1 Anna decides on records that carry another name"):
        whose(anna)
    with stage.step("1 Anna gives consent, reads the summary and submits"):
        submit(stage, anna)


def open_pages(stage: Stage) -> None:
    for locale, suffix in (("en-GB", ""), ("de-DE", "-de")):
        with stage.visitor("visitor", locale=locale) as guest:
            guest.go("/").look(f"landing{suffix}")
            guest.go("/verify/").look(f"verify{suffix}")
            guest.go("/account/sign-up/").look(f"sign-up{suffix}")
            for path in ("/help/", "/privacy/", "/accessibility/", "/imprint/", "/account/sign-in/"):
                guest.go(path)
            guest.go("/cases/")
            assert "/account/sign-in/" in guest.path, "a stranger was let in"


def sign_up(stage: Stage, who: Persona) -> None:
    member = who.who
    assert isinstance(member, cast.Member)
    who.go("/account/sign-up/")
    who.fill("E-mail address", member.email).fill("Choose a password", "short").press("Continue")
    who.see(re.compile("at least 12 characters|too short", re.I))
    who.fill("E-mail address", member.email).fill("Choose a password", PASSWORD).press("Continue")
    code = stage.installation.mailed(member.email, r"code is ([0-9A-Z-]+)")
    if who.slug == "anna":
        who.look("enter-code")
    who.fill("The code from the e-mail", code).press(re.compile("^Continue$"))
    who.see("A second key for your account")
    if who.slug == "anna":
        who.look("second-step")
    who.set_up_app()
    if who.slug == "anna":
        who.look("recovery-codes")
    who.press("I have kept them. Continue")


def start(stage: Stage, anna: Persona) -> None:
    anna.go("/cases/").look("no-case-yet")
    anna.press("Start a case")
    about_you(anna, cast.ANNA, country="Austria")
    anna.look("specialties")
    anna.press("Continue").see(re.compile("choose", re.I))
    anna.choose("Specialty", re.compile("^Spine")).press("Continue")
    stage.case = anna.path.split("/")[2]
    anna.look("steps-begin")


def about_you(who: Persona, member: cast.Member, *, country: str) -> None:
    if not who.path.endswith("/about-you/"):
        who.go("/cases/new/about-you/")
    who.press("Continue").see(re.compile("Please write your first name"))
    who.fill("First name", member.given).fill("Last name", member.family)
    who.date("Birth date", *cast.BORN).choose("Sex", "female")
    who.select("Country where you live", country).fill("Telephone", "+43 1 5550 121")
    if who.slug == "anna":
        who.look("about-you")
    who.press("Continue")


def answer_all(anna: Persona, answers: dict[str, str]) -> None:
    """Yes and no to every question of the page; `answers` names those with another answer than no."""
    for group in anna.page.locator("main fieldset.field").all():
        legend = group.locator("legend").inner_text()
        said = next((answer for part, answer in answers.items() if part in legend), "No")
        anna.check(group.get_by_label(said, exact=True))


def gates(anna: Persona) -> None:
    """A warning sign stops the form and says where to go; an answer can be corrected."""
    anna.press(re.compile("Begin|Start|Continue|Go on"))
    fits = {"diagnosis or proposed": "Yes", "written findings": "Yes", "wait about a week": "Yes", "yourself": "Yes"}
    answer_all(anna, fits)
    anna.look("suitability").press("Continue")
    answer_all(anna, {"numbness around": "Yes"})
    anna.look("warning-signs").press("Continue")
    anna.see(re.compile("emergency")).look("stopped")
    anna.go(anna.path.replace("stopped", "warning-signs"))
    answer_all(anna, {})
    anna.press("Continue")


def story(stage: Stage, anna: Persona) -> None:
    anna.choose("What will you mostly use?", "A computer").choose("Would you like help", "No, I manage well on my own")
    anna.press("Continue")
    anna.fill("What matters most to you", cast.GOAL).fill("What worries you most", cast.WORRY)
    anna.look("goals").press("Continue")
    anna.choose("Where do you feel it?", "Lower back").choose("Where do you feel it?", "Left buttock")
    anna.fill("Tell it in your own words", "A dull ache that sometimes pulls into the left buttock.")
    anna.look("body-map").press("Continue")
    anna.fill("When did it begin", "Nine months ago, after moving boxes.")
    anna.choose("How has it changed since then?", "It comes and goes")
    anna.choose("How much does it trouble you", "6").look("course").press("Continue")
    anna.choose("Where is the pain stronger?", "In the back").choose("Is any muscle weaker", "No")
    anna.fill("How far can you walk", "800").press("Continue")
    anna.fill("Which other illnesses", cast.HISTORY).fill("Which medicines do you take", "Ramipril 5 mg")
    anna.fill("Are you allergic", "None known").press("Continue")
    anna.press("Continue").see(re.compile("one of the two is enough"))
    anna.fill("Which diagnosis did you get?", cast.FIRST_DIAGNOSIS)
    anna.fill("Which treatment was proposed?", cast.FIRST_TREATMENT)
    anna.fill("Who told you?", "Dr. Jonas Weiss").fill("Which practice or hospital?", "Danube Park Hospital")
    anna.look("first-opinion").press("Continue")


def questions(anna: Persona) -> None:
    """A vague question gets a kind hint; good ones pass; then the SURE test."""
    anna.fill("Your first question", "What now").press(re.compile("^Continue$"))
    anna.see("Please write each question as a full sentence")
    anna.fill("Your first question", "Tell me whether the operation is needed").press(re.compile("^Continue$"))
    anna.see("A thought on your questions").look("questions-coach")
    anna.fill("Your first question", cast.QUESTIONS[0]).fill("A second question", cast.QUESTIONS[1])
    anna.press(re.compile("^Continue$"))
    for group in anna.page.locator("main fieldset.field").all():
        anna.check(group.get_by_label("No", exact=True))
    anna.look("certainty").press("Continue")


def records(stage: Stage, anna: Persona) -> None:
    files = stage.files
    anna.see("Your records")
    program = b"MZ\x90\x00" + bytes(60) + b"This program cannot be run in DOS mode." + bytes(200)
    wrong = [files.keep("viewer.exe", program), files.keep("empty.pdf", b"")]
    anna.upload(*wrong)
    anna.wait("We cannot use these")
    anna.wait(re.compile("empty", re.I)).wait(re.compile("program", re.I)).look("refused-files")
    right = [files.made(told) for told in (LETTER, REPORT, LABORATORY)]
    anna.upload(*right, files.third_party_letter(), files.disc(), files.foreign_disc())
    anna.wait("Is this yours?", seconds=180)
    checked(anna)
    anna.see("lab-photo", "MRI lumbar spine").look("records")
    anna.press(re.compile("^Correct lab-photo"))
    anna.select("What is it?", "laboratory results").look("correct-record").press("Continue")
    anna.see("laboratory results")


def checked(anna: Persona) -> None:
    """Until nothing is being checked any more."""
    heading = anna.page.get_by_role("heading", name="Being checked")
    anna.page.wait_for_timeout(500)
    heading.wait_for(state="detached", timeout=180_000)
    anna.page.reload()
    anna.arrived()


def whose(anna: Persona) -> None:
    """Nobody works with a record that carries another name before a person has decided."""
    while (boxes := anna.page.locator(".whose")).count():
        anna.press(re.compile("No, take it out"), within=boxes.first)
    anna.see("Taken out")


def submit(stage: Stage, anna: Persona) -> None:
    anna.press(re.compile("^Continue$"))
    anna.press(re.compile("^Save and continue$")).see("Please have another look")
    for box in anna.page.get_by_role("checkbox", name=re.compile("I agree")).all():
        anna.check(box)
    anna.look("consents").press(re.compile("^Save and continue$"))
    anna.see("Your case on one page", cast.QUESTIONS[0]).look("summary")
    anna.press("Send my case").see(re.compile("tick that everything is right"))
    anna.tick("I have read it, and everything is right.").press("Send my case")
    anna.see("Where your case stands").look("tracker-submitted")
    stage.checks.page(anna.page, anna.slug)
