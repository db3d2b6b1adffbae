"""What every page promises, measured in the browser: one page in, sentences about what is wrong out."""

import gzip
from typing import Any, ClassVar
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Request

from e2e.tour.checks import AXE

LIMIT = 60 * 1024  # bytes of HTML, CSS and JavaScript on the wire (gzip), pictures and fonts apart
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360f8cfc0f01f0005050"
    "1a1a6c8a3d90000000049454e44ae426082"
)
FACTS = """() => {
  const named = e => e.labels?.length || e.ariaLabel || e.getAttribute('aria-labelledby') || e.title;
  const controls = [...document.querySelectorAll('input:not([type=hidden]):not([type=submit]), select, textarea')]
    .filter(e => !e.closest('[hidden]'));
  return {
    lang: document.documentElement.lang,
    title: document.title.replace(/^[\\s–-]+|[\\s–-]+$/g, ''),
    h1: document.querySelectorAll('h1').length,
    main: document.querySelectorAll('main').length,
    unnamed: controls.filter(e => !named(e)).map(e => e.outerHTML.slice(0, 120)),
    over: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    assets: performance.getEntriesByType('resource').map(e => e.name)
      .filter(n => /\\.(css|js)$/.test(new URL(n).pathname)),
  }
}"""
# The innermost elements that reach past the right edge: what to look at when a page is too wide.
CULPRITS = """() => [...document.body.querySelectorAll('*')]
  .filter(e => e.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
  .filter(e => ![...e.children].some(c => c.getBoundingClientRect().right > document.documentElement.clientWidth + 1))
  .slice(0, 3).map(e => e.outerHTML.slice(0, 160))"""


class Look:
    """Collects what is wrong with the pages of one browser profile. `problems` are sentences."""

    sizes: ClassVar[dict[str, int]] = {}  # address of an asset → bytes on the wire

    def __init__(self, context: BrowserContext, language: str, host: str) -> None:
        self.context, self.language, self.host = context, language, host
        self.problems: list[str] = []
        self.label = ""
        self._axe = Axe()
        context.route("**/data/**", lambda route: route.fulfill(body=PIXEL, content_type="image/png"))
        context.route("**/windowed/**", lambda route: route.fulfill(body=PIXEL, content_type="image/png"))
        context.on("request", self._request)
        self.page: Page = context.new_page()
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.say(f"script error: {error}"))

    def say(self, sentence: str) -> None:
        self.problems.append(f"{self.label}: {sentence}")

    def _request(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme.startswith(("http", "ws")) and parts.netloc != self.host:
            self.say(f"a request left the host: {request.url}")

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.say(f"console {message.type}: {message.text}")

    def open(self, path: str, label: str, status: int = 200) -> bool:
        """Go to `path`; False (and a problem) when it is not what was expected."""
        self.label = label
        kept = len(self.problems)
        answer = self.page.goto(path, wait_until="load")
        if status != 200:
            del self.problems[kept:]  # the browser reports the status in its console, as it should
        if answer is None or answer.status != status:
            self.say(f"answered {answer and answer.status}, not {status}")
            return False
        wanted, came = urlsplit(path).path, urlsplit(self.page.url).path
        if wanted != came:
            self.say(f"led away to {came}")
            return False
        self.check(answer.body())
        return True

    def check(self, html: bytes | None = None) -> None:
        """Everything that is promised of the page that is open."""
        facts: dict[str, Any] = self.page.evaluate(FACTS)
        if facts["lang"] != self.language:
            self.say(f"lang is {facts['lang']}")
        if facts["title"] in ("", "Consilium"):
            self.say("the title does not name the page")
        if (facts["h1"], facts["main"]) != (1, 1):
            self.say(f"{facts['h1']} h1, {facts['main']} main")
        for control in facts["unnamed"]:
            self.say(f"a control without a label: {control}")
        if facts["over"] > 0:
            self.say(f"{facts['over']} px too wide: {self.page.evaluate(CULPRITS)}")
        self._weigh(html or self.page.content().encode(), facts["assets"])
        self._accessible()

    def _weigh(self, html: bytes, assets: list[str]) -> None:
        for address in set(assets) - set(self.sizes):
            self.sizes[address] = len(gzip.compress(self.context.request.get(address).body()))
        total = len(gzip.compress(html)) + sum(self.sizes[address] for address in set(assets))
        if total > LIMIT:
            self.say(f"weighs {total // 1024} KB")

    def _accessible(self) -> None:
        found: dict[str, Any] = self._axe.run(self.page, options=AXE).response
        for violation in found["violations"]:
            for node in violation["nodes"][:2]:
                self.say(f"axe {violation['id']}: {' '.join(node['html'].split())[:160]}")
