"""6. Anna sees who looked; Ben sees what he may; Eve sees nothing; the audit log is exported and verified."""

import json
import re

from e2e.tour import cast, intake
from e2e.tour.cast import ADA, ANNA, BEN, CHEN, DORA, EVE, QUINN, TESS
from e2e.tour.persona import Persona
from e2e.tour.stage import Stage


def play(stage: Stage) -> None:
    anna = stage.persona(ANNA)
    with stage.step("6 Anna sees who looked at what and when"):
        history(stage, anna)
    with stage.step("6 Ben signs up, is invited, accepts, and sees what the policy says"):
        ben(stage, anna)
    with stage.step("6 Eve signs up and sees nothing"):
        eve(stage)
    with stage.step("6 Ada looks after people and the installation; no story is open to her"):
        ada(stage)
    with stage.step("6 everybody's other pages, in German too"):
        other_pages(stage, anna)
    with stage.step("6 the audit log is exported and verified, by us and without us"):
        audit(stage)
    with stage.step("6 a backup is written and verified"):
        backup(stage)
    with stage.step("6 nothing of the story lies readable in the data directory"):
        at_rest(stage)


def history(stage: Stage, anna: Persona) -> None:
    """Everybody who took part stands there, on one of the pages."""
    anna.go(f"/cases/{stage.case}/who-looked/?show=others").look("who-looked")
    seen = anna.page.inner_text("main")
    while (following := anna.page.get_by_role("link", name="Next", exact=True)).count():
        anna.go(f"/cases/{stage.case}/who-looked/{following.get_attribute('href')}")
        seen += anna.page.inner_text("main")
    for name in ("Dr Mei Chen", "Dora Lindner", "Tess Amari", "Quinn Osei", "Dr. Jonas Weiss"):
        assert name in seen, f"{name} looked at the case, and Anna is not told"
    for nobody in (EVE, BEN):
        assert f"{nobody.given} {nobody.family}" not in seen
    anna.go(f"/cases/{stage.case}/steps/").look("steps")


def ben(stage: Stage, anna: Persona) -> None:
    who = stage.persona(BEN)
    intake.sign_up(stage, who)
    who.go(f"/cases/{stage.case}/", status=404)
    anna.go(f"/cases/{stage.case}/people/").press(re.compile("^Invite"))
    anna.fill("E-mail address of your relative", BEN.email).choose("What may they do?", re.compile("^Read along"))
    anna.press(re.compile("^Continue|^Invite"))
    if "/invite/" in anna.path:  # the second step was asked for
        anna.fill("E-mail address of your relative", BEN.email).choose("What may they do?", re.compile("^Read along"))
        anna.press(re.compile("^Continue|^Invite"))
    anna.look("relatives")
    who.go(f"/cases/{stage.case}/", status=404)
    who.go("/cases/").see(re.compile("invites you")).look("invitation").press("Accept")
    who.see("You read along for Anna Berger.").look("case")
    for page in ("report/", "records/", "summary/"):
        who.go(f"/cases/{stage.case}/{page}")
    for closed in ("report/ask/", "doctor/new/", "withdraw/", "people/invite/"):
        assert who.status_of(f"/cases/{stage.case}/{closed}") in (403, 404), f"Ben may open {closed}"


def eve(stage: Stage) -> None:
    """A stranger with an account and a second step: nothing exists for her."""
    who = stage.persona(EVE)
    intake.sign_up(stage, who)
    who.go("/cases/").see("You have no case yet")
    who.go(f"/cases/{stage.case}/", status=404).look("not-found")
    nowhere = "00000000-0000-4000-8000-000000000000"
    answers = [who.source(f"/cases/{case}/").replace(case, "…") for case in (stage.case, nowhere)]
    assert answers[0] == answers[1], "a case that exists answers otherwise than one that does not"
    for path in paths(stage):
        assert who.status_of(path) == 404, f"Eve gets {who.status_of(path)} from {path}"


def paths(stage: Stage) -> list[str]:
    """Addresses of the case, its records and its report, and everybody's work."""
    case, anna = stage.case, stage.persona(ANNA)
    anna.go(f"/cases/{case}/report/")
    report = str(anna.page.get_by_role("link", name="Your summary (PDF)").get_attribute("href"))
    record = re.search(r"record=([0-9a-f-]+)", next(iter(stage.records.values())))
    assert record
    of_case = (
        "report/",
        "records/",
        f"records/{record[1]}/",
        "summary/",
        "send/",
        "doctor/",
        "messages/",
        "who-looked/",
    )
    return [
        *(f"/cases/{case}/{page}" for page in of_case),
        f"/data/records/{record[1]}/original",
        report,
        f"/specialist/cases/{case}/",
        f"/desk/cases/{case}/",
        f"/quality/{case}/",
        "/desk/",
        "/quality/",
        "/admin/",
    ]


def ada(stage: Stage) -> None:
    who = stage.staff(ADA)
    who.go("/admin/").look("home")
    for page in ("people", "specialists", "cases", "audit", "packs", "organisation", "deletions"):
        who.go(f"/admin/{page}/").absent(*cast.CANARIES).look(page)
    who.go(f"/admin/cases/{stage.case}/").absent(*cast.CANARIES, *cast.QUESTIONS).look("case")
    for page in ("", "records/", "report/", "summary/"):
        assert who.status_of(f"/cases/{stage.case}/{page}") == 404, f"the administrator may open {page or 'the case'}"


def other_pages(stage: Stage, anna: Persona) -> None:
    """Pages nobody needed on the way, and the main ones in German."""
    for page in ("", "records/", "consents/", "people/"):
        anna.go(f"/cases/{stage.case}/{page}")
    anna.go("/account/").look("account")
    dora, chen, tess = (stage.persona(member) for member in (DORA, CHEN, TESS))
    dora.go(f"/desk/cases/{stage.case}/report/").look("report").go(f"/desk/cases/{stage.case}/history/").look("history")
    chen.go("/specialist/").look("home-after")
    tess.go("/desk/triage/")
    stage.persona(QUINN).go("/quality/").look("home-after")
    for who, pages in ((anna, {"": "tracker-de", "report/": "report-de"}), (dora, {}), (chen, {})):
        who.page.locator("footer").get_by_role("button", name="Deutsch").click()
        who.page.wait_for_load_state("load")
        for page, name in pages.items():
            who.go(f"/cases/{stage.case}/{page}").look(name)
    dora.go(f"/desk/cases/{stage.case}/").look("case-de")
    chen.go(f"/specialist/cases/{stage.case}/").look("review-de")
    for who in (anna, dora, chen):
        assert who.page.locator("html").get_attribute("lang") == "de", f"{who.slug} is not in German"


def audit(stage: Stage) -> None:
    run = stage.installation
    run.command("audit", "checkpoint")
    export = stage.out / "audit.jsonl"
    run.command("audit", "export", str(export))
    ours = run.command("audit", "verify")
    public = next((run.home / "keys").glob("*audit*.pub"))
    alone = run.python("scripts/verify_audit.py", str(export), "--public-key", str(public))
    words = export.read_text()
    for secret in cast.CANARIES:
        assert secret not in words, f"“{secret}” stands in the audit log"
    entries = [json.loads(line) for line in words.splitlines()]
    assert len(entries) > 100, f"only {len(entries)} entries"
    forged = stage.files.folder / "forged.jsonl"
    forged.write_text(
        words.replace("report.deliver", "report.delivex", 1) if "report.deliver" in words else words[:-40]
    )
    run.python("scripts/verify_audit.py", str(forged), "--public-key", str(public), status=1)
    (stage.out / "audit-verify.txt").write_text(f"consilium audit verify\n{ours}\nscripts/verify_audit.py\n{alone}")


def backup(stage: Stage) -> None:
    run = stage.installation
    target, keys = str(run.home / "backup"), str(run.home / "backup-keys")
    said = run.command("backup", target, "--keys-to", keys)
    said += run.command("verify-backup", target, "--keys-from", keys)
    (stage.out / "backup.txt").write_text(said)


def at_rest(stage: Stage) -> None:
    """The canaries of the story are in no file of the data directory and of the backup."""
    looked = 0
    for folder in ("data", "backup"):
        for path in (stage.installation.home / folder).rglob("*"):
            if path.is_file():
                looked += 1
                data = path.read_bytes()
                for secret in cast.CANARIES:
                    assert secret.encode() not in data, f"“{secret}” lies readable in {path.name}"
    assert looked > 50, "nothing to look at"
