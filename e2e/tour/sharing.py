"""5. Dr Weiss reads by a link and replies; Anna asks; Dr Chen answers with version 2; the link is closed."""

import re

from e2e.tour import cast, quality
from e2e.tour.cast import ANNA, CHEN, DORA, WEISS_EMAIL
from e2e.tour.installation import body, wait_for
from e2e.tour.persona import Persona
from e2e.tour.stage import Stage

REPLY = "Thank you. I will arrange the standing X-rays and move the date of the operation."
QUESTION = "Does your advice change if the pain goes down the leg while I do the exercises?"


def play(stage: Stage) -> None:
    anna = stage.persona(ANNA)
    with stage.step("5 Anna makes a link for her treating doctor"):
        address, code = make_link(stage, anna)
    with stage.visitor("weiss") as weiss:
        with stage.step("5 Dr Weiss opens the link with the code, reads, downloads and replies"):
            read_and_reply(stage, weiss, address, code)
        with stage.step("5 Anna asks about the report"):
            ask(stage, anna)
        with stage.step("5 Dr Chen answers with an addendum: version 2, and everybody is told"):
            addendum(stage)
        with stage.step("5 version 2 arrives; version 1 is known as the older one"):
            second_version(stage, anna, weiss)
        with stage.step("5 Anna closes the link; Dr Weiss sees nothing any more"):
            close_link(stage, anna, weiss, address, code)
    with stage.step("5 no mail carries health data"):
        mails(stage)


def make_link(stage: Stage, anna: Persona) -> tuple[str, str]:
    anna.go(f"/cases/{stage.case}/doctor/").look("links").press("Make a link")
    anna.fill("Name of the doctor", "Dr. Jonas Weiss").fill("Practice or hospital", "Danube Park Hospital")
    anna.fill("E-mail address of the practice", WEISS_EMAIL)
    anna.press_fresh(re.compile("^(Continue|Make the link)$"))
    if not anna.page.locator("#guest-link").count():  # the second step was asked for, and the form was empty again
        anna.fill("Name of the doctor", "Dr. Jonas Weiss").fill("E-mail address of the practice", WEISS_EMAIL)
        anna.press(re.compile("^(Continue|Make the link)$"))
    anna.look("link-made")
    shown = {
        key: anna.page.locator(f"#guest-{key}").evaluate("e => e.value || e.textContent") for key in ("link", "code")
    }
    return shown["link"].strip(), shown["code"].strip()


def read_and_reply(stage: Stage, weiss: Persona, address: str, code: str) -> None:
    mailed = stage.installation.mailed(WEISS_EMAIL, r"(https?://\S+/link/\S+)")
    assert mailed.rstrip(".") == address, "the mailed link is another one"
    weiss.go(address).absent("Anna", "Berger").look("code")
    weiss.fill("Your code", "000000" if code != "000000" else "111111").press("Open")
    weiss.absent("Berger").see(re.compile("not right|wrong|does not", re.I))
    weiss.fill("Your code", code).press("Open")
    weiss.see("Second opinion for Anna Berger").look("report")
    href = weiss.page.get_by_role("link", name="Download the clinical report (PDF)").get_attribute("href")
    assert weiss.download(str(href)) == stage.reports["report-clinical-v1.pdf"], (
        "the doctor gets another file than Anna"
    )
    for closed in (f"/cases/{stage.case}/", f"/cases/{stage.case}/records/", f"/desk/cases/{stage.case}/"):
        assert weiss.status_of(closed) in (302, 404), f"the link opens {closed}"
    weiss.fill("Your reply", REPLY).press("Send the reply").see(REPLY)


def ask(stage: Stage, anna: Persona) -> None:
    anna.go(f"/cases/{stage.case}/messages/").see(REPLY).look("messages")
    anna.go(f"/cases/{stage.case}/report/").press("Ask, or correct a fact")
    anna.fill("In your words", QUESTION).look("ask").press("Send to the specialist")
    anna.see(QUESTION)


def addendum(stage: Stage) -> None:
    chen = stage.persona(CHEN)
    home = f"/specialist/cases/{stage.case}/"
    chen.go(home).see(QUESTION).look("clarification")
    chen.fill("Your answer", "If it stays below the knee for some days, please be examined within a week.")
    chen.press("Answer, then write an addendum").press("Begin the addendum")
    chen.go(f"{home}opinion/steps/")
    chen.fill("What", "If pain runs below the knee: examination", exact=True, nth=1)
    chen.fill("Who", "Anna Berger, family doctor", exact=True, nth=1).press(re.compile("^Save$"))
    chen.go(f"{home}opinion/sign/")
    note = "The advice now says what to do if pain runs into the leg."
    chen.fill("What this version changes", note).look("addendum")
    sign = re.compile("Sign the addendum")
    chen.press(sign)
    if chen.page.get_by_label("What this version changes").count():  # asked for the second step
        chen.fill("What this version changes", note).press(sign)
    chen.see(re.compile("The new version is being sealed"))


def second_version(stage: Stage, anna: Persona, weiss: Persona) -> None:
    quality.deliver(stage, anna, version=2)
    anna.see("What is new in this version").look("report-v2")
    quality.seals(stage, version=2)
    weiss.go("/shared/").see("What is new in this version", re.compile("Version 2")).look("report-v2")
    with stage.visitor("anyone") as anyone:
        anyone.go("/verify/").page.get_by_label("The report as a PDF file").set_input_files(
            str(stage.out / "report-clinical-v1.pdf")
        )
        anyone.press("Check the file").see("Genuine, but there is a newer version").look("verify-older")
    for address in (ANNA.email, DORA.email, WEISS_EMAIL):
        wait_for(lambda to=address: stage.installation.mails(to), f"mail to {address}")
    assert len(stage.installation.mails(WEISS_EMAIL)) >= 2, "Dr Weiss was not told of version 2"


def close_link(stage: Stage, anna: Persona, weiss: Persona, address: str, code: str) -> None:
    anna.go(f"/cases/{stage.case}/doctor/").press(re.compile("^Close the link"))
    anna.look("close-link").press_fresh(re.compile("^(Close the link|Yes, close it|Close it)"))
    weiss.go("/shared/", status=404) if weiss.status_of("/shared/") == 404 else weiss.go("/shared/")
    weiss.absent("Berger", cast.QUESTIONS[0])
    weiss.go(address).fill("Your code", code).press("Open").absent("Berger").look("closed")


def mails(stage: Stage) -> None:
    """Nothing of the story, no diagnosis, no question, no file name in any mail, header or body."""
    secrets = (*cast.CANARIES, *cast.QUESTIONS, cast.FIRST_TREATMENT, QUESTION, REPLY, "spine", "L4/L5", "letter.pdf")
    found = stage.installation.mails()
    assert len(found) > 15, f"only {len(found)} mails were sent"
    for mail in found:
        whole = (mail.as_string() + body(mail)).casefold()
        for secret in secrets:
            assert secret.casefold() not in whole, f"“{secret}” stands in a mail to {mail['To']}: {mail['Subject']}"
    (stage.out / "mails.txt").write_text("\n\n".join(f"{m['To']}\n{m['Subject']}\n{body(m)}" for m in found))
