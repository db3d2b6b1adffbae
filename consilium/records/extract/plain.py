"""Plain text, RTF and web pages as text; nothing in them is executed or fetched."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING

from consilium.records.sniff import Kind

if TYPE_CHECKING:
    from consilium.records.extract.reader import Job

MAX_BYTES = 4 * 2**20
PAGE = 6000  # characters: what one printed page roughly holds, twice over


def parse(job: Job) -> None:
    """Text pages of the job's bytes."""
    data = job.data()[:MAX_BYTES]
    text, damaged = decode(data)
    if job.kind is Kind.HTML:
        job.problem("web_page")
        text = html_text(text)
    elif job.kind is Kind.RTF:
        text = rtf_text(text)
    if damaged:
        job.problem("damaged_text")
    if job.size > MAX_BYTES:
        job.problem("too_large")
    send_pages(job, text)


def send_pages(job: Job, text: str) -> None:
    """Split at line ends into pages of readable length."""
    pages, rest = [], text.strip()
    while rest:
        end = len(rest) if len(rest) <= PAGE else max(rest.rfind("\n", 0, PAGE), PAGE // 2)
        pages.append(rest[:end].strip("\n"))
        rest = rest[end:].lstrip("\n")
    job.suggest(pages=len(pages))
    for page in pages[: job.options["max_pages"]]:
        job.text(page)
    if len(pages) > job.options["max_pages"]:
        job.problem("many_pages")


def decode(data: bytes) -> tuple[str, bool]:
    """(text, damaged): by byte order mark, UTF-8, else Windows-1252, which old practice software writes."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace"), False
    try:
        return data.decode("utf-8-sig"), False
    except UnicodeDecodeError as error:
        if error.start >= len(data) - 3 and error.start > 0:  # cut in the middle of a letter
            return data.decode("utf-8-sig", "ignore"), True
    text = data.decode("cp1252", "replace")
    return text, "\ufffd" in text


class _Words(HTMLParser):
    HIDDEN = {"script", "style", "template", "noscript", "object", "iframe"}
    BREAKS = {"p", "br", "div", "tr", "li", "h1", "h2", "h3", "h4", "table", "section", "title"}

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.words: list[str] = []
        self.hidden = 0

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.hidden += tag in self.HIDDEN
        if tag in self.BREAKS:
            self.words.append("\n")
        elif tag in ("td", "th"):
            self.words.append("\t")

    def handle_endtag(self, tag: str) -> None:
        self.hidden = max(0, self.hidden - (tag in self.HIDDEN))

    def handle_data(self, data: str) -> None:
        if not self.hidden:
            self.words.append(data)


def html_text(source: str) -> str:
    """The words of a page; scripts, styles and frames are dropped."""
    parser = _Words()
    parser.feed(source)
    return re.sub(r"\n\s*\n\s*\n+", "\n\n", "".join(parser.words))


_RTF = re.compile(r"\\'([0-9a-fA-F]{2})|\\u(-?\d{1,5}) ?\??|\\([a-z]+)(-?\d+)? ?|\\([^a-z])|([{}])|([^\\{}]+)", re.S)
_RTF_SKIP = {
    "fonttbl",
    "colortbl",
    "stylesheet",
    "info",
    "pict",
    "object",
    "themedata",
    "datastore",
    "generator",
}


def rtf_text(source: str) -> str:
    """The words of an RTF document; pictures, objects and tables of styles are skipped."""
    out: list[str] = []
    skips = [False]
    for match in _RTF.finditer(source):
        code, point, word, _number, sign, brace, plain = match.groups()
        if brace == "{":
            skips.append(skips[-1])
        elif brace == "}":
            if len(skips) > 1:
                skips.pop()
        elif sign == "*" or word in _RTF_SKIP:
            skips[-1] = True
        elif not skips[-1]:
            out.append(_rtf_piece(code, point, word, sign, plain))
    return "".join(out)


def _rtf_piece(code: str | None, point: str | None, word: str | None, sign: str | None, plain: str | None) -> str:
    if code:
        return bytes.fromhex(code).decode("cp1252", "replace")
    if point:
        number = int(point) % 65536
        return chr(number) if not 0xD800 <= number <= 0xDFFF else ""
    if word:
        return {"par": "\n", "line": "\n", "tab": "\t", "cell": "\t", "row": "\n", "page": "\n\n"}.get(word, "")
    if sign:
        return sign if sign in "\\{}" else "\u00a0" if sign == "~" else ""
    return (plain or "").replace("\r", "").replace("\n", "")
