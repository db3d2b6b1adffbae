"""What the chapters share: the installation, the browser, the people who have come in so far, the case."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from playwright.sync_api import Browser

from e2e.tour.cast import Member
from e2e.tour.checks import Checks
from e2e.tour.files import Files
from e2e.tour.installation import Installation
from e2e.tour.persona import Persona, visitor


class Stage:
    """`step` times a step by name; `persona` brings somebody in (once)."""

    def __init__(
        self,
        installation: Installation,
        browser: Browser,
        checks: Checks,
        files: Files,
        out: Path,
        step: Callable[[str], AbstractContextManager[None]],
    ) -> None:
        self.installation, self.browser, self.checks = installation, browser, checks
        self.files, self.out, self.step = files, out, step
        self._people: dict[str, Persona] = {}
        self.case = ""  # its address part: the UUID
        self.records: dict[str, str] = {}
        self.reports: dict[str, bytes] = {}

    def persona(self, who: Member) -> Persona:
        if who.slug not in self._people:
            self._people[who.slug] = Persona(who, self.browser, self.installation.url, self.checks)
        return self._people[who.slug]

    def staff(self, who: Member) -> Persona:
        """Somebody who works here, signed in with a second step."""
        known = who.slug in self._people
        person = self.persona(who)
        return person if known else person.sign_in()

    def personas(self) -> list[Persona]:
        return list(self._people.values())

    def visitor(self, name: str, *, locale: str = "en-GB") -> AbstractContextManager[Persona]:
        """Somebody without an account, in a fresh browser profile."""
        return visitor(self.browser, self.installation.url, self.checks, name, locale=locale)
