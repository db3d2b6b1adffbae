"""4. Quinn passes the opinion; the report is delivered, downloaded, and checked by anyone."""

import hashlib
import json
import re
import shutil
import subprocess
from pathlib import Path

from e2e.tour import cast
from e2e.tour.cast import ANNA, CHEN, QUINN
from e2e.tour.installation import wait_for
from e2e.tour.persona import Persona
from e2e.tour.stage import Stage


def play(stage: Stage) -> None:
    with stage.step("4 Quinn checks the opinion and passes it with a second step"):
        quinn = stage.staff(QUINN)
        check(stage, quinn)
    with stage.step("4 the report is sealed and delivered; Anna downloads both documents"):
        deliver(stage, stage.persona(ANNA), version=1)
    with stage.step("4 seals are checked by our verifier and by another program"):
        seals(stage, version=1)
    with stage.step("4 anyone checks the report: by code, by file, and an altered file is found out"):
        verify_page(stage)


def check(stage: Stage, quinn: Persona) -> None:
    address = f"/quality/{stage.case}/"
    assert quinn.status_of(f"/specialist/cases/{stage.case}/opinion/answers/") == 404, "Quinn could edit the opinion"
    quinn.go("/quality/").look("home").go(address).see(re.compile("Opinion by Dr Mei Chen")).look("case")
    quinn.press("Go on to pass").see("One thing first").go(address)
    for box in quinn.page.locator("form").get_by_role("checkbox").all():
        quinn.check(box)
    quinn.fill("Comments for the author", "Clear and kind. Thank you.").press("Go on to pass")
    quinn.see("Pass this opinion?").look("pass")
    quinn.press_fresh("Pass")
    quinn.see(re.compile("Passed. Thank you"))


def deliver(stage: Stage, anna: Persona, *, version: int) -> None:
    """Wait for the version on Anna's page and keep its documents."""
    address = f"/cases/{stage.case}/report/"
    wait_for(lambda: anna.status_of(address) == 200, "the report on Anna's page", seconds=180)
    wait_for(
        lambda: f"Version {version} of" in anna.go(address).page.inner_text("main"), f"version {version}", seconds=180
    )
    anna.see(cast.QUESTIONS[0])
    for kind, label in (("patient", "Your summary (PDF)"), ("clinical", "Full report for your doctor (PDF)")):
        href = anna.page.get_by_role("link", name=label).get_attribute("href")
        name = f"report-{kind}-v{version}.pdf"
        stage.reports[name] = anna.download(str(href))
        assert stage.reports[name].startswith(b"%PDF-"), f"{name} is no PDF"
        (stage.out / name).write_bytes(stage.reports[name])
    if version == 1:
        anna.look("report").go(f"/cases/{stage.case}/").see("Your specialist").look("tracker-delivered")


def text_of(pdf: bytes) -> str:
    """The words of a PDF as another program reads them."""
    shown = subprocess.run(["pdftotext", "-layout", "-", "-"], input=pdf, capture_output=True, check=True)
    return shown.stdout.decode()


def seals(stage: Stage, *, version: int) -> None:
    """Our verifier, pdfsig where there is one, and the words inside as pdftotext reads them."""
    names = [name for name in stage.reports if name.endswith(f"v{version}.pdf")]
    assert len(names) == 2, "there should be two documents"
    found = json.loads(stage.installation.python("e2e.tour.seal", *(str(stage.out / name) for name in names)))
    for name, checked in found.items():
        assert checked["as downloaded"]["genuine"], f"our own verifier refuses {name}: {checked}"
        assert not checked["with a line added"]["genuine"], f"our verifier accepts an altered {name}"
        checked["pdfsig"] = pdfsig(stage.out / name)
    path = stage.out / "verify.json"
    known = json.loads(path.read_text()) if path.exists() else {}
    path.write_text(json.dumps(known | found, indent=2, ensure_ascii=False) + "\n")
    clinical, patient = (text_of(stage.reports[f"report-{kind}-v{version}.pdf"]) for kind in ("clinical", "patient"))
    assert cast.QUESTIONS[0] in " ".join(clinical.split()), "the clinical report lacks the patient's question"
    letter = hashlib.sha256((stage.files.folder / "letter.pdf").read_bytes()).hexdigest()
    assert letter in re.sub(r"[\s\u200b]", "", clinical), "the clinical report does not list the letter by its SHA-256"
    assert "You can wait safely" in " ".join(patient.split()), "the patient's copy lacks the summary"


def pdfsig(path: Path) -> str:
    """What poppler's pdfsig says; an invalid signature is an error, an unknown issuer is not."""
    if not shutil.which("pdfsig"):
        return "not installed"
    said = subprocess.run(["pdfsig", str(path)], capture_output=True, text=True, check=False).stdout
    assert "Signature is Valid" in said, f"pdfsig: {said}"
    assert "Total document signed" in said, f"pdfsig: {said}"
    return said


def verify_page(stage: Stage) -> None:
    clinical = stage.out / "report-clinical-v1.pdf"
    anna = stage.persona(ANNA).go(f"/cases/{stage.case}/report/")
    href = str(anna.page.get_by_role("link", name="Check this report").get_attribute("href"))
    altered = stage.files.keep("altered.pdf", clinical.read_bytes().replace(b"%PDF-1.7", b"%PDF-1.6", 1))
    assert altered.read_bytes() != clinical.read_bytes(), "the altered file is not altered"
    with stage.visitor("anyone") as anyone:
        anyone.go(href).see("This report is genuine").absent("Berger", *cast.CANARIES).look("verify-code")
        for path, words in ((clinical, "This report is genuine"), (altered, "This file was not issued here as it is")):
            anyone.page.get_by_label("The report as a PDF file").set_input_files(str(path))
            anyone.press("Check the file").see(words)
        anyone.look("verify-altered").go("/verify/")
        anyone.fill("The code on the report", "0000-0000-0000").press("Check the code")
        anyone.see("There is no report with this code")
    assert stage.persona(CHEN).status_of(f"/cases/{stage.case}/access/") == 404
