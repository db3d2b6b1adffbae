"""A served installation with a few cases in it: `consilium serve`, its data plane and its worker, on a port of its own.

Run as a module inside that installation (`python -m e2e.house`) it makes the cases and prints, as JSON, where they are
and the session cookie of everybody who looks at them.
"""

import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from e2e.tour.installation import Installation

COOKIE, LANGUAGE = "consilium", "consilium_language"
SIZE = {"width": 1366, "height": 900}


class House(Installation):
    """`cases` by name, `cookies` by person, `facts` like a guest link; see `furnish`."""

    def __init__(self, log: Path) -> None:
        super().__init__(log)
        self.environment["CONSILIUM_STEP_UP_MINUTES"] = "600"  # the cookies are made once, at the beginning
        self.known: dict[str, Any] = {}

    def _install(self) -> None:
        self.command("migrate", "--init-keys")
        self.known = json.loads(self.python("e2e.house").splitlines()[-1])

    def __getitem__(self, name: str) -> str:
        return str(self.known[name])

    def profile(self, browser: Browser, who: str = "", **options: Any) -> BrowserContext:
        """A browser profile in which `who` is signed in, in English."""
        context = browser.new_context(base_url=self.url, **{"locale": "en-GB", "viewport": SIZE} | options)
        context.set_default_timeout(20_000)
        cookies = [{"name": LANGUAGE, "value": "en", "url": self.url}]
        if who:
            cookies.append({"name": COOKIE, "value": self["cookie " + who], "url": self.url})
        context.add_cookies(cookies)  # type: ignore[arg-type]
        return context


@pytest.fixture(scope="session")
def house() -> Iterator[House]:
    """The served installation; it keeps its own SQLite file, so a run on PostgreSQL has nothing to learn from it."""
    if os.environ.get("DATABASE_URL", "sqlite").split(":")[0] != "sqlite":
        pytest.skip("The served installation has a database of its own; it is looked at in the run on SQLite.")
    log = Path(tempfile.mkstemp(prefix="consilium-house-", suffix=".log")[1])
    with House(log) as opened:
        yield opened
    log.unlink()


@pytest.fixture
def enter(house: House, browser: Browser) -> Iterator[Any]:
    """`enter("anna")`: an open page on which she is signed in; errors in its console fail the test."""
    opened: list[BrowserContext] = []
    errors: list[str] = []

    def come_in(who: str = "", **options: Any) -> Page:
        context = house.profile(browser, who, **options)
        opened.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        return page

    yield come_in
    for context in opened:
        context.close()
    serious = [text for text in errors if "Failed to load resource" not in text]
    assert not serious, serious


# -- inside the installation -------------------------------------------------------------------------------------
def furnish() -> dict[str, Any]:
    """Make everybody's cases; each test that changes a case has one of its own."""
    from consilium.cases.states import State
    from consilium.core import clock
    from consilium.demo import dicom
    from consilium.testing import factories
    from consilium.testing.cast import Cast, member
    from consilium.web.tests.visitor import cookie_of
    from e2e.scenes import told, with_second_steps

    cast = Cast()
    nora = member("Nora", "Novice", birth_date="1970-05-01", sex="female")
    keyed = member("Kay", "Keyes", birth_date="1970-05-01", sex="female")
    from consilium.ops.admin import confirm

    confirm(keyed.user)
    with_second_steps(keyed)
    subject = dicom.Subject("Anna", "Berger", "1965-03-14", "female")
    disc = dicom.disc("spine", subject, clock.now().date(), "house")
    known: dict[str, Any] = {}

    def keep(name: str, case: Any) -> Any:
        known[name] = case.pk
        return case

    for name in ("autosave", "leaving", "upload", "keys", "withdraw"):
        keep(name, factories.told(cast) if name in ("upload", "withdraw") else told(cast))
    keep("desk", factories.case_in(State.SUBMITTED, cast))
    offered = keep("offer", factories.case_in(State.OFFERED, cast))
    factories.upload(offered, disc, "disc.zip", by=cast.anna)
    review = keep("review", factories.case_in(State.IN_REVIEW, cast))
    factories.upload(review, disc, "disc.zip", by=cast.anna)
    factories.upload(review, tomography(subject), "tomography.dcm", by=cast.anna)
    factories.write_opinion(review, cast)
    delivered = keep("delivered", factories.case_in(State.DELIVERED, cast))
    link = factories.link(delivered, cast.anna)
    known |= {"token": link.token, "code": link.code, "mail": keyed.user.email}
    for who in ("anna", "chen", "dora", "quinn"):
        known["cookie " + who] = cookie_of(getattr(cast, who))
    known["cookie nora"] = cookie_of(nora)
    for name, case, modality in (("offer disc", offered, "MR"), ("review disc", review, "MR")):
        known[name] = images_of(case, modality)
    known["review tomography"] = images_of(review, "CT")
    return known


def tomography(subject: Any) -> bytes:
    """A slice as a CT writes it, in Hounsfield units: the viewer offers brightness presets for it (PS3.3 C.8.2.1)."""
    import io

    import pydicom

    from consilium.core import clock
    from consilium.demo import dicom

    found = pydicom.dcmread(io.BytesIO(dicom.files("spine", subject, clock.now().date(), "tomography")[0]))
    found.SOPClassUID = found.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.2"
    found.Modality, found.RescaleIntercept, found.RescaleSlope, found.RescaleType = "CT", -1024, 1, "HU"
    found.StudyDescription, found.SeriesDescription = "CT lumbar spine", "axial"
    kept = io.BytesIO()
    found.save_as(kept, enforce_file_format=True)
    return kept.getvalue()


def images_of(case: Any, modality: str) -> str:
    """The record of a case whose images come from this kind of device."""
    from consilium.records.models import RecordFile

    files = RecordFile.objects.filter(record__space=case.pk, record__status="ready")
    return str(next(file.record_id for file in files if file.facts.get("modality") == modality))


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "consilium.config.settings")
    import django

    django.setup()
    print(json.dumps(furnish(), default=str))
