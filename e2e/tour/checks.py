"""What is wrong with a page: accessibility, console errors, refused content, addresses outside the host."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import ConsoleMessage, Page, Request

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}")
OUTSIDE = """() => [...document.querySelectorAll('[src],[href],[action],[srcset],[formaction]')]
  .filter(e => e.tagName !== 'A')
  .flatMap(e => ['src','href','action','srcset','formaction'].map(n => e.getAttribute(n)))
  .filter(Boolean).filter(v => /^(https?:)?\\/\\//.test(v) && new URL(v, location.href).host !== location.host)"""
LINKS = """() => [...document.querySelectorAll('a[href]')].map(a => a.href)
  .filter(h => /^http/.test(h) && new URL(h).host !== location.host)"""
WIDE = """() => document.documentElement.scrollWidth - document.documentElement.clientWidth"""
AXE = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],
}


class Checks:
    """Collects problems of every page; the tour ends with an error when there is one."""

    def __init__(self, host: str, pictures: Path) -> None:
        self.host, self.pictures = host, pictures
        self.problems: list[str] = []
        self.pages: list[str] = []
        self._seen: set[tuple[str, ...]] = set()
        self._allowed = 200
        self._axe = Axe()
        pictures.mkdir(parents=True, exist_ok=True)

    # -- while pages load
    def watch(self, page: Page, who: str) -> None:
        """Listen to a page for as long as it lives."""
        page.on("console", lambda message: self._console(message, who))
        page.on("pageerror", lambda error: self.problem(f"{who} {page.url}: script error: {error}"))
        page.context.on("request", lambda request: self._request(request, who))

    @contextmanager
    def expecting(self, status: int) -> Iterator[None]:
        """Within: answers of this status are no error in the console."""
        self._allowed, before = status, self._allowed
        yield
        self._allowed = before

    def _console(self, message: ConsoleMessage, who: str) -> None:
        if message.type != "error":
            return
        if "Failed to load resource" in message.text and f"status of {self._allowed}" in message.text:
            return
        self.problem(f"{who} {message.location.get('url', '')}: console: {message.text}")

    def _request(self, request: Request, who: str) -> None:
        parts = urlsplit(request.url)
        if parts.scheme in ("http", "https", "ws", "wss") and parts.netloc != self.host:
            self.problem(f"{who}: a request left the host: {request.url}")

    def problem(self, text: str) -> None:
        if text not in self.problems:
            self.problems.append(text)

    # -- once a page is open
    def page(self, page: Page, who: str) -> None:
        """Accessibility and addresses; once for each kind of page, heading and person."""
        path = UUID.sub("…", urlsplit(page.url).path)
        key = (path, page.title(), who)
        if key in self._seen or not page.url.startswith("http"):
            return
        self._seen.add(key)
        self.pages.append(path)
        for address in page.evaluate(OUTSIDE) + page.evaluate(LINKS):
            self.problem(f"{who} {path}: an address outside the host: {address}")
        self._accessible(page, f"{who} {path}")

    def _accessible(self, page: Page, where: str) -> None:
        found: dict[str, Any] = self._axe.run(page, options=AXE).response
        for violation in found["violations"]:
            for node in violation["nodes"][:3]:
                snippet = " ".join(node["html"].split())[:160]
                self.problem(f"{where}: axe {violation['id']} ({violation['impact']}): {snippet}")

    def picture(self, page: Page, name: str, *widths: dict[str, int]) -> None:
        """The whole page at each width; a page wider than a phone is a problem."""
        for label, size in zip(("desktop", "phone"), widths, strict=False):
            page.set_viewport_size(size)  # type: ignore[arg-type]
            page.evaluate("window.scrollTo(0, 0)")
            page.screenshot(path=self.pictures / f"{name}-{label}.png", full_page=True, animations="disabled")
            if (over := page.evaluate(WIDE)) > 0:
                self.problem(f"{name}: {over} px wider than a {label} of {size['width']} px")
        page.set_viewport_size(widths[0])  # type: ignore[arg-type]
