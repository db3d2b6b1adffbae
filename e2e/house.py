"""A served installation with a few cases in it: `consilium serve`, data plane and worker, on a port of its own."""

import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from e2e import furnish
from e2e.tour.installation import Installation

COOKIE, LANGUAGE = "consilium", "consilium_language"
SIZE = {"width": 1366, "height": 900}
OPENED = pytest.StashKey[Any]()


class House(Installation):
    """`cases` by name, `cookies` by person, `facts` like a guest link; made by furnish.py."""

    def __init__(self, log: Path) -> None:
        super().__init__(log)
        del self.environment["PYTEST_VERSION"]  # it is to behave as anywhere, not as in a test
        self.environment["CONSILIUM_STEP_UP_MINUTES"] = "600"  # the cookies are made once, at the beginning
        self.environment["CONSILIUM_SAMPLES"] = os.environ.get("CONSILIUM_SAMPLES", "")
        self.known: dict[str, Any] = {}

    def _install(self) -> None:
        self.command("migrate", "--init-keys")
        self.known = json.loads(self.python("e2e.furnish").split(furnish.MARK)[1])

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
def house(request: pytest.FixtureRequest) -> House:
    """The served installation, one for every module that asks.

    It keeps its own SQLite file, so a run on PostgreSQL has nothing to learn from it.
    """
    if os.environ.get("DATABASE_URL", "sqlite").split(":")[0] != "sqlite":
        pytest.skip("The served installation has a database of its own; it is looked at in the run on SQLite.")
    stash = request.config.stash
    if OPENED not in stash:
        log = Path(tempfile.mkstemp(prefix="consilium-house-", suffix=".log")[1])
        stash[OPENED] = House(log).__enter__()
        request.config.add_cleanup(lambda: (stash[OPENED].__exit__(), log.unlink()))
    return stash[OPENED]  # type: ignore[return-value]


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
