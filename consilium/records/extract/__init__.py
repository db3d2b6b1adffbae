"""Read a file that a stranger sent: what it is, what it says, what it looks like, what is wrong with it.

`extract` runs every parser in a jailed child process; this process only looks at magic bytes. The original is
never changed. A file that cannot be read is flagged with a sentence, not refused.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from consilium.records import sandbox
from consilium.records.extract import entry, sections
from consilium.records.extract.archive import Member, open_archive
from consilium.records.extract.result import (
    DEFAULT,
    SUGGESTED_TYPES,
    Chunks,
    Extraction,
    Limits,
    Preview,
    clean_text,
    safe_json,
)
from consilium.records.problems import Problem
from consilium.records.sniff import HEAD, MEDIA_TYPES, TAIL, Kind, sniff

__all__ = [
    "DEFAULT", "Chunks", "Extraction", "Kind", "Limits", "Member", "Preview", "Problem", "extract",
    "open_archive", "sniff",
]  # fmt: skip

READER = "consilium.records.extract.reader:read"
_NOT_PARSED = {Kind.EMPTY, Kind.EXECUTABLE, Kind.ZIP, Kind.TAR, Kind.ARCHIVE, Kind.UNKNOWN, Kind.DICOMDIR}
_NAMED = {
    Kind.EMPTY: "empty", Kind.EXECUTABLE: "executable", Kind.DICOMDIR: "left_out", Kind.UNKNOWN: "unsupported",
    Kind.ARCHIVE: "archive_other", Kind.TAR: "archive_nested",
}  # fmt: skip
_DAMAGED = {
    Kind.PDF: "damaged_pdf", Kind.DICOM: "truncated_dicom", Kind.JPEG: "damaged_image", Kind.PNG: "damaged_image",
    Kind.HEIC: "damaged_image", Kind.TIFF: "damaged_image", Kind.WEBP: "damaged_image", Kind.GIF: "damaged_image",
    Kind.BMP: "damaged_image",
}  # fmt: skip


def extract(source: Chunks, *, limits: Limits = DEFAULT) -> Extraction:
    """Read one file. `source`: chunks of its bytes, or a function that gives them.

    Never raises for what the bytes contain; a sandbox that cannot run at all gives the flag "not_read".
    """
    chunks = source() if callable(source) else iter(source)
    counted = _Counted(chunks)
    fd, kept = sandbox.memory_file(counted, most=limits.max_input)
    try:
        size = counted.drain()
        head = os.pread(fd, HEAD, 0)
        kind = sniff(head, os.pread(fd, TAIL, max(0, kept - TAIL)))
        found = Extraction(kind, MEDIA_TYPES.get(kind, "application/octet-stream"), size=size)
        _flag_by_kind(found, cut=size > kept)
        if kind not in _NOT_PARSED:
            _read(found, fd, limits, cut=size > kept)
    finally:
        os.close(fd)
    return found


class _Counted:
    """Chunks, of which the rest can be counted without keeping it."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._given = 0

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._chunks:
            self._given += len(chunk)
            yield chunk

    def drain(self) -> int:
        """Go through what a bounded reader left; returns the size of everything."""
        for _chunk in self:
            pass
        return self._given


def _flag_by_kind(found: Extraction, *, cut: bool) -> None:
    if found.kind in _NAMED:
        found.flag(_NAMED[found.kind])
    if cut:
        found.flag("too_large")


def _read(found: Extraction, fd: int, limits: Limits, *, cut: bool) -> None:
    options: dict[str, Any] = {
        "kind": str(found.kind), "cut": cut, "max_pages": limits.max_pages, "max_text": limits.max_text,
        "page_width": limits.page_width, "thumbnail": limits.thumbnail,
    }  # fmt: skip
    try:
        for header, parts in sandbox.run(
            READER, fd, options, seconds=limits.seconds, cpu_seconds=limits.cpu_seconds,
            memory=limits.memory, max_output=limits.max_output,
        ):  # fmt: skip
            _take(found, header, parts, limits)
    except sandbox.JobFailed as failure:
        if failure.reason == "lost":  # the sandbox was killed, which says nothing about the file
            found.flag("not_read")
            return
        found.facts["stopped"] = failure.reason
        found.flag("timed_out" if failure.reason == "late" else _DAMAGED.get(found.kind, "damaged_text"))
    except (sandbox.SandboxError, OSError):
        found.flag("not_read")


def _take(found: Extraction, header: dict[str, Any], parts: list[bytes], limits: Limits) -> None:
    """One frame of the child into the result. Nothing in it is trusted: wrong types are dropped."""
    for name, keep in _KEEPERS.items():
        if name in header:
            keep(found, header[name], parts, limits)


def _keep_preview(found: Extraction, value: Any, parts: list[bytes], limits: Limits) -> None:
    preview = checked_preview(value, parts)
    if preview is not None and len(found.previews) < limits.max_pages + 2:
        found.previews.append(preview)


def checked_preview(value: Any, parts: list[bytes]) -> Preview | None:
    """A preview whose header fits its bytes, or None."""
    if not isinstance(value, dict) or len(parts) != 1 or value.get("kind") not in ("page", "frame", "thumbnail"):
        return None
    index, width, height = (value.get(name) for name in ("index", "width", "height"))
    if not all(type(n) is int and 0 <= n <= 100_000 for n in (index, width, height)):
        return None
    media_type = _media_type(parts[0])
    return Preview(value["kind"], index, media_type, width, height, parts[0]) if media_type else None


def _media_type(data: bytes) -> str:
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    return "image/jpeg" if data.startswith(b"\xff\xd8\xff") else ""


def _keep_text(found: Extraction, value: Any, _parts: list[bytes], limits: Limits) -> None:
    room = limits.max_text - sum(map(len, found.text))
    if isinstance(value, str) and len(found.text) < 5000:
        found.text.append(clean_text(value[: max(0, room)]))


def _keep_facts(found: Extraction, value: Any, _parts: list[bytes], _limits: Limits) -> None:
    if isinstance(value, dict):
        found.facts.update(safe_json(value))


def _keep_problem(found: Extraction, value: Any, _parts: list[bytes], _limits: Limits) -> None:
    found.flag(str(value)[:40])


def _keep_suggestion(found: Extraction, value: Any, _parts: list[bytes], _limits: Limits) -> None:
    """Guesses that a person confirms: type of record, date, language, number of pages."""
    if not isinstance(value, dict):
        return
    if value.get("type") in SUGGESTED_TYPES:
        found.suggested_type = value["type"]
    if isinstance(value.get("date"), str) and len(value["date"]) == 10:
        found.suggested_date = clean_text(value["date"])
    if isinstance(value.get("language"), str) and len(value["language"]) == 2:
        found.language = value["language"]
    if type(value.get("pages")) is int:
        found.page_count = max(0, min(value["pages"], 1_000_000))


def _keep_entries(found: Extraction, value: Any, _parts: list[bytes], _limits: Limits) -> None:
    room = entry.MAX_ENTRIES - len(found.entries)
    if isinstance(value, list) and room > 0:
        found.entries += filter(None, map(entry.checked, value[: min(room, entry.BATCH)]))


def _keep_sections(found: Extraction, value: Any, _parts: list[bytes], _limits: Limits) -> None:
    """Kept with the facts of the file, sealed like them; shown by the reading room as headings and tables."""
    if clean := sections.checked(value):
        found.facts["sections"] = clean


_KEEPERS: dict[str, Callable[[Extraction, Any, list[bytes], Limits], None]] = {
    "preview": _keep_preview,
    "text": _keep_text,
    "facts": _keep_facts,
    "problem": _keep_problem,
    "suggest": _keep_suggestion,
    "entries": _keep_entries,
    "sections": _keep_sections,
}


def extract_many(sources: Iterable[Chunks], *, limits: Limits = DEFAULT) -> Iterator[Extraction]:
    """Read many files (a series of slices), in order, as many at once as there are processors."""
    from collections import deque
    from concurrent.futures import Future, ThreadPoolExecutor

    width = max(2, os.cpu_count() or 2)
    waiting: deque[Future[Extraction]] = deque()
    with ThreadPoolExecutor(width, thread_name_prefix="extract") as workers:
        for source in sources:
            waiting.append(workers.submit(extract, source, limits=limits))
            if len(waiting) >= 2 * width:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
