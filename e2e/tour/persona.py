"""One person at a browser: moves by what is written on the page, and watches every page on the way."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pyotp
from playwright.sync_api import Browser, BrowserContext, Locator, Page, Response, expect

from e2e.tour.cast import Member
from e2e.tour.checks import Checks
from e2e.tour.installation import PASSWORD, STEP_UP_SECONDS, wait_for

PATIENCE = 45  # seconds: a busy machine is slow, not wrong
expect.set_options(timeout=PATIENCE * 1000 / 2)
DESKTOP, PHONE = {"width": 1366, "height": 900}, {"width": 360, "height": 780}


class Persona:
    """A browser profile of one person. `checks` collects what is wrong with the pages they see."""

    def __init__(self, who: Member | str, browser: Browser, url: str, checks: Checks, *, locale: str = "en-GB") -> None:
        self.who = who
        self.slug = who if isinstance(who, str) else who.slug
        self.url, self.checks = url, checks
        self.context: BrowserContext = browser.new_context(base_url=url, locale=locale, viewport=DESKTOP)  # type: ignore[arg-type]
        self.context.set_default_timeout(PATIENCE * 1000)
        self.page: Page = self.context.new_page()
        self.page.on("dialog", lambda dialog: dialog.accept())
        self.last: Response | None = None
        self.secret = ""
        self.confirmed_at = 0.0  # when the second step was last passed, by time.monotonic()
        self._used: set[str] = set()
        checks.watch(self.page, self.slug)

    # -- moving
    def go(self, path: str, *, status: int = 200) -> "Persona":
        """Open an address of the site; any other answer than `status` is an error."""
        with self.checks.expecting(status):
            self.last = self.page.goto(path, wait_until="load")
            assert self.last and self.last.status == status, f"{path}: {self.last and self.last.status}, not {status}"
        self.arrived()
        return self

    def press(self, name: str | re.Pattern[str], *, within: Locator | None = None, nth: int = 0) -> "Persona":
        """Press a button or follow a link, by its visible name, and wait for the next page."""
        place = within or self.page.locator("main")
        target = place.get_by_role("button", name=name).or_(place.get_by_role("link", name=name))
        with self.page.expect_navigation(wait_until="load"):
            target.nth(nth).click()
        self.arrived()
        return self

    def press_here(self, name: str) -> "Persona":
        """Press a button that stays on the page."""
        self.page.locator("main").get_by_role("button", name=name).first.click()
        return self

    def menu(self, name: str) -> "Persona":
        """Follow a link anywhere on the page, navigation included."""
        with self.page.expect_navigation(wait_until="load"):
            self.page.get_by_role("link", name=name).first.click()
        self.arrived()
        return self

    def arrived(self) -> None:
        """Check the page that is open now; confirm the second step when it is asked for."""
        self.checks.page(self.page, self.slug)
        if "/account/confirm/" in self.path and self.secret:
            self.fill("Code from your app", self.code())
            with self.page.expect_navigation(wait_until="load"):
                self.page.locator("main").get_by_role("button", name="Confirm", exact=True).click()
            self.checks.page(self.page, self.slug)

    def press_fresh(self, name: str | re.Pattern[str], *, asks: bool | None = None) -> "Persona":
        """Press what asks for a fresh second step: confirm it when asked, and press again.

        asks: True when the question must come, None when it depends on how long ago the last one was.
        """
        if asks:
            rest = STEP_UP_SECONDS + 1 - (time.monotonic() - self.confirmed_at)
            self.page.wait_for_timeout(max(0, rest) * 1000)
        before = len(self._used)
        self.press(name)
        asked = len(self._used) > before
        assert asks is None or asked == asks, "the second step was" + (" not" if asks else "") + " asked for"
        button = self.page.locator("main").get_by_role("button", name=name)
        if asked and button.count():
            self.press(name)
        return self

    # -- filling in
    def fill(self, label: str | re.Pattern[str], text: str, *, exact: bool = False, nth: int = 0) -> "Persona":
        self.page.locator("main").get_by_label(label, exact=exact).nth(nth).fill(text)
        return self

    def choose(self, group: str | re.Pattern[str], option: str | re.Pattern[str]) -> "Persona":
        """One radio button or checkbox of the group with this legend."""
        found = self.page.locator("main").get_by_role("group", name=group)
        self.check(found.get_by_label(option, exact=isinstance(option, str)).first)
        return self

    def tick(self, label: str | re.Pattern[str], *, nth: int = 0) -> "Persona":
        self.check(self.page.locator("main").get_by_label(label).nth(nth))
        return self

    def check(self, box: Locator) -> None:
        """Boxes are drawn by their label, so that is where people click; nothing to do when it is checked."""
        if not box.is_checked():
            box.locator("xpath=following-sibling::label | ancestor::label").first.click()
        assert box.is_checked(), "the click did not check the box"

    def date(self, group: str | re.Pattern[str], day: str, month: str, year: str) -> "Persona":
        found = self.page.locator("main").get_by_role("group", name=group).first
        for label, part in (("Day", day), ("Month", month), ("Year", year)):
            found.get_by_label(label).fill(part)
        return self

    def select(self, label: str | re.Pattern[str], option: str | re.Pattern[str]) -> "Persona":
        box = self.page.locator("main").get_by_label(label).first
        if isinstance(option, str):
            box.select_option(label=option)
        else:
            names = box.locator("option").all_inner_texts()
            box.select_option(label=next(name for name in names if option.search(name)))
        return self

    # -- seeing
    def see(self, *texts: str | re.Pattern[str]) -> "Persona":
        for text in texts:
            expect(self.page.get_by_text(text).first).to_be_visible()
        return self

    def absent(self, *words: str) -> "Persona":
        """None of the words is anywhere in the page's source."""
        html = self.page.content()
        for word in words:
            assert word not in html, f"“{word}” is on {self.path} and must not be"
        return self

    def wait(self, text: str | re.Pattern[str], *, seconds: float = 90) -> "Persona":
        expect(self.page.get_by_text(text).first).to_be_visible(timeout=seconds * 1000)
        return self

    @property
    def path(self) -> str:
        return urlsplit(self.page.url).path

    def look(self, name: str) -> "Persona":
        """Picture of the open page at both widths."""
        self.checks.picture(self.page, f"{self.slug}-{name}", DESKTOP, PHONE)
        return self

    def status_of(self, path: str, *, method: str = "GET") -> int:
        """What a request with this person's cookies gets, without opening a page."""
        return self.context.request.fetch(path, method=method, max_redirects=0).status

    def source(self, path: str) -> str:
        """The page's source as it comes, without its one-time form tokens."""
        return re.sub(r'(csrf[a-z-]*" (?:value|content))="[^"]+"', r"\1", self.context.request.get(path).text())

    def download(self, path: str) -> bytes:
        answer = self.context.request.get(path)
        assert answer.status == 200, f"{path}: {answer.status}"
        return answer.body()

    # -- signing in
    def sign_in(self) -> "Persona":
        """Address and password; then the second step, set up the first time."""
        assert isinstance(self.who, Member)
        self.go("/account/sign-in/")
        self.fill("E-mail address", self.who.email).fill("Password", PASSWORD)
        self.press("Sign in")
        if self.secret:
            self.fill("Code from your app", self.code()).press("Continue")
        else:
            self.set_up_app()
        return self

    def set_up_app(self) -> "Persona":
        """A second step by an authenticator app, typed in by hand, as the page offers it."""
        self.press("Set up an app")
        self.secret = self.page.locator("#authenticator_secret").evaluate("e => e.value || e.textContent").strip()
        self.fill("The six digits", self.code())
        self.press("Done")
        self.see("Keep these codes")
        return self

    def code(self) -> str:
        """A code of the app that was not used before (the service takes each once)."""
        app = pyotp.TOTP(self.secret)

        def unused() -> str:
            now = time.time()
            codes = [app.at(now + shift) for shift in (0, -30, 30)]
            return next((code for code in codes if code not in self._used), "")

        code: str = wait_for(unused, "an unused code of the app", seconds=40)
        self._used.add(code)
        self.confirmed_at = time.monotonic()
        return code

    def upload(self, *files: Path) -> "Persona":
        """Choose files as a person does; the page sends them one by one."""
        self.page.locator("form[data-upload] input[type=file]").first.set_input_files([str(file) for file in files])
        return self

    def close(self) -> None:
        self.context.close()


@contextmanager
def visitor(browser: Browser, url: str, checks: Checks, name: str, *, locale: str = "en-GB") -> Iterator[Persona]:
    """Somebody without an account, in a browser that knows nothing yet."""
    person = Persona(name, browser, url, checks, locale=locale)
    yield person
    person.close()
