"""Reading the words of scans and photos: one page a job, in a queue of its own, so that nothing else waits for it.

Only pages that say nothing themselves are read. A page is drawn afresh in the jail and that drawing is given to
tesseract. Where tesseract is not installed nothing is planned, and `consilium doctor` says so.
"""

from __future__ import annotations

from collections import Counter
from itertools import islice
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from consilium.core import jobs
from consilium.records import content, entries, filing, sandbox, tesseract
from consilium.records.extract import Extraction, guess
from consilium.records.extract.result import clean_text
from consilium.records.models import Record, RecordFile
from consilium.records.sniff import Kind
from consilium.records.tesseract import NotRead, Words, languages, program
from consilium.vault.errors import KeyDestroyed

__all__ = ["LANGUAGES", "languages", "plan", "plan_missed", "program", "progress", "read_next", "sentence"]

RENDER = "consilium.records.extract.scans:render"
PICTURES = (Kind.JPEG, Kind.PNG, Kind.HEIC, Kind.TIFF, Kind.WEBP, Kind.BMP)
MOST_PAGES = 60
MOST_AT_ONCE = 500  # files that one sweep plans
# ISO 639-1 → tesseract
LANGUAGES = {"de": "deu", "en": "eng", "fr": "fra", "tr": "tur", "ar": "ara", "uk": "ukr"}
BY_SCRIPT = {"Arabic": ["ara", "eng"], "Cyrillic": ["ukr", "eng"]}
LATIN = ("deu", "eng", "fra", "tur")
UNSURE = 60  # below, another language, or the page upside down, is tried
NO_WORDS = 45  # below, what was "read" is the grain of a photo
MOST_TEXT = 40_000


def pages_to_read(file: RecordFile, pages: int) -> list[int]:
    """Pages (from 0) whose words are only to be seen."""
    if file.kind in (Kind.PDF, Kind.DICOM):
        said = file.facts.get("scanned") or []
        return [page for page in said if type(page) is int and 0 <= page < MOST_PAGES][:MOST_PAGES]
    if file.kind in PICTURES and not file.frames:
        return list(range(min(max(1, pages), MOST_PAGES)))
    return []


def plan(file: RecordFile, pages: int) -> bool:
    """Ask for the scanned pages of a file that was just filed; True when there are any. Inside its transaction."""
    todo = pages_to_read(file, pages) if program() else []
    if not todo:
        return False
    file.facts = {**file.facts, "ocr": {"pages": todo, "done": 0, "confidence": [], "languages": []}}
    file.save(update_fields=["facts"])
    _note_progress(file, 0, len(todo))
    _ask(file.pk, 0)
    return True


def plan_missed() -> int:
    """Ask for the scans that were filed while tesseract was not installed; returns how many files.

    Which pages say nothing is sealed, so every document is opened: a fraction of a millisecond each, in the background.
    """
    if not program():
        return 0
    kinds = [str(kind.value) for kind in (Kind.PDF, Kind.DICOM, *PICTURES)]
    documents = RecordFile.objects.filter(kind__in=kinds, frames=0).exclude(record__status=Record.Status.REMOVED)
    opened = documents.select_related("record").order_by().iterator(500)
    missed = list(islice((file.pk for file in opened if _is_missed(file)), MOST_AT_ONCE))
    return sum(_plan_again(file) for file in missed)


def _is_missed(file: RecordFile) -> bool:
    try:
        return "ocr" not in file.facts and bool(pages_to_read(file, file.record.pages))
    except KeyDestroyed:  # of an erased case nothing is left to be read
        return False


def _plan_again(file_id: UUID) -> bool:
    with transaction.atomic():
        file = RecordFile.objects.select_for_update(of=("self",)).select_related("record").get(pk=file_id)
        return _is_missed(file) and plan(file, file.record.pages)


def _ask(file: UUID, done: int) -> None:
    from consilium.records.jobs import read_scan

    jobs.enqueue(read_scan, str(file), key=f"ocr:{file}:{done}")


def progress(record: Record) -> tuple[int, int] | None:
    """(pages read, pages to read) of a scan that is still being read; None when there is nothing to wait for."""
    found = record.facts.get("reading")
    return (int(found[0]), int(found[1])) if found else None


def sentence(record: Record) -> str:
    """What a person is told while the words are being read; empty otherwise."""
    found = progress(record)
    if found is None:
        return ""
    words = _("We are still reading the words of this scan (%(done)s of %(pages)s pages).")
    return words % {"done": found[0], "pages": found[1]}


def _note_progress(file: RecordFile, done: int, total: int) -> None:
    record = Record.objects.select_for_update().get(pk=file.record_id)
    facts = {key: value for key, value in record.facts.items() if key != "reading"}
    record.facts = {**facts, "reading": [done, total]} if done < total else facts
    record.save(update_fields=["facts"])


def read_next(file_id: UUID) -> None:
    """Read the next page of a file and file its words; after the last, guess again what the document is."""
    file = RecordFile.objects.select_related("record").filter(pk=file_id).first()
    state = file.facts.get("ocr") if file else None
    if file is None or not state or state["done"] >= len(state["pages"]):
        return
    page = state["pages"][state["done"]]
    words, used = _read_page(file, page, state["languages"])
    with transaction.atomic():
        fresh = RecordFile.objects.select_for_update().get(pk=file_id)
        if fresh.facts.get("ocr") == state:  # else another worker was faster
            _keep(fresh, page, words, used)


def _keep(file: RecordFile, page: int, words: Words, used: list[str]) -> None:
    state = dict(file.facts["ocr"])
    total = len(state["pages"])
    state["done"] += 1
    state["confidence"] = [*state["confidence"], words.confidence]
    state["languages"] = used or state["languages"]
    text = list(file.text) + [""] * (page + 1 - len(file.text))
    if len(words.text.split()) > len(text[page].split()):
        text[page] = words.text[:MOST_TEXT]
    file.text, file.facts = text, {**file.facts, "ocr": state}
    file.save(update_fields=["text", "facts"])
    _note_progress(file, state["done"], total)
    if state["done"] < total:
        _ask(file.pk, state["done"])
    else:
        _finish(file)


def _read_page(file: RecordFile, page: int, known: list[str]) -> tuple[Words, list[str]]:
    """The words of a page and the languages in which it was read; nothing for a page that cannot be read."""
    png = _drawn(file, page)
    if png is None:
        return Words(""), []
    try:
        words, used = _in_languages(png, file, known)
    except NotRead:
        return Words(""), []
    if words.confidence < NO_WORDS:
        return Words("", words.confidence), []
    return Words(clean_text(words.text), words.confidence), used


def _drawn(file: RecordFile, page: int) -> bytes | None:
    """The page as a grey PNG, drawn in the jail. Raises SandboxError when the sandbox cannot run now."""
    options = {"kind": file.kind, "page": page}
    try:
        for header, parts in sandbox.run(RENDER, content.chunks(file), options, memory=768 * 2**20):
            if "picture" in header and len(parts) == 1 and parts[0].startswith(b"\x89PNG\r\n\x1a\n"):
                return parts[0]
    except sandbox.JobFailed as failure:
        if failure.reason == "lost":
            raise
    return None


def _in_languages(png: bytes, file: RecordFile, known: list[str]) -> tuple[Words, list[str]]:
    """First in the languages of the pages before, else by its script; then in what the words turn out to be."""
    if known:
        words = tesseract.read(png, known)
        if words.confidence >= UNSURE:
            return words, known
    script, turn = tesseract.look(png)
    if turn:
        png = _turned(png, turn)
    if script in BY_SCRIPT:
        return tesseract.read(png, BY_SCRIPT[script]), BY_SCRIPT[script]
    first = _usual_languages(file)
    words = tesseract.read(png, first)
    others = _other_languages(words, first, script)
    tried = [(words, first), *((tesseract.read(png, one), one) for one in others)]
    return max(tried, key=lambda pair: pair[0].confidence)


def _other_languages(words: Words, first: list[str], script: str) -> list[list[str]]:
    """What else is worth trying on a page that was read in `first`: what it sounds like, or another script."""
    spoken = LANGUAGES.get(guess.language(words.text))
    if spoken in first:
        return []
    if not script and words.confidence < UNSURE:  # too few signs to tell the script by
        return list(BY_SCRIPT.values())
    if len(words.text.split()) < 8:
        return []
    return [[spoken]] if spoken in LATIN else [[one] for one in LATIN if one not in first]


def _usual_languages(file: RecordFile) -> list[str]:
    """The language of most documents of the same case, with English for the terms; German where nothing is known."""
    spoken = Record.objects.filter(space=file.space).exclude(language="").values_list("language", flat=True)[:200]
    usual = [LANGUAGES[one] for one, _count in Counter(spoken).most_common() if LANGUAGES.get(one) in LATIN]
    return list(dict.fromkeys([*usual[:1], *([] if usual else ["deu"]), "eng"]))


def _turned(png: bytes, turn: int) -> bytes:
    """Our own drawing, turned clockwise in the jail."""
    for header, parts in sandbox.run("consilium.records.extract.scans:turn", [png], {"turn": turn}):
        if "picture" in header and len(parts) == 1:
            return parts[0]
    return png


def _finish(file: RecordFile) -> None:
    """The words are there: guess what the document is, where nobody has said so yet, and look for conclusions."""
    record = Record.objects.select_for_update().get(pk=file.record_id)
    found = guess.from_text("\n".join(file.text), Kind.PDF)
    changed: dict[str, Any] = {}
    if record.kind == Record.Kind.OTHER and found.get("type", "other") != "other":
        guessed = Extraction(Kind.PDF, "", page_count=1, suggested_type=found["type"])
        changed["kind"] = filing.kind_of(guessed)
    if not record.clinical_date and found["date"]:
        changed["clinical_date"] = filing.past(found["date"])
    if not record.language and found["language"]:
        changed["language"] = found["language"]
    for name, value in changed.items():
        setattr(record, name, value)
    if record.conclusion_pages in ([], [-1]):
        record.conclusion_pages = filing.suggested_conclusions(record.kind, file.text)
        changed["conclusion_pages"] = True
    if changed:
        record.save(update_fields=list(changed))
    entries.read_pages(record, file, file.text)
