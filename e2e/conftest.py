"""A real browser against the live server: fixtures `browser`, `context`, `page`.

pytest-django's `live_server` serves the pages in this process. The address is `localhost`, because passkeys do not
exist for bare addresses (WebAuthn §5.1.2).
"""

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for a module; skipped where none is installed.

    Not for the whole run: while Playwright is open its event loop counts as running in this thread, and whatever
    calls `asyncio.run` in a later test (the signing of PDFs, for one) would be refused.
    """
    if not shutil.which(CHROMIUM):
        pytest.skip(f"No Chromium at {CHROMIUM}; set CHROMIUM.")
    # Playwright's event loop lives in this thread; Django would take that for asynchronous code.
    before = os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()
    if before is None:
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def site(live_server: object, settings: object) -> str:
    """The address of the live server by name, e.g. http://localhost:41234."""
    address = str(live_server).replace("127.0.0.1", "localhost")
    settings.PUBLIC_URL = address  # type: ignore[attr-defined]
    return address


@pytest.fixture
def context(browser: Browser, site: str) -> Iterator[BrowserContext]:
    """A browser profile of one person, in English; its addresses are relative to the site."""
    profile = browser.new_context(base_url=site, locale="en-GB", viewport={"width": 1366, "height": 900})
    profile.set_default_timeout(15_000)
    yield profile
    profile.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """An open page; errors in its console (broken scripts, refused by the content security policy) fail the test."""
    opened = context.new_page()
    errors: list[str] = []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    opened.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    yield opened
    serious = [text for text in errors if "Failed to load resource" not in text]
    assert not serious, serious
