"""What reading a file yields, and how much of it is allowed. Everything here comes from a hostile child."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from consilium.records.problems import TABLE, Problem, problem
from consilium.records.sniff import Kind

Chunks = Callable[[], Iterator[bytes]] | Iterable[bytes]
PreviewKind = Literal["page", "frame", "thumbnail"]
SUGGESTED_TYPES = ("letter", "imaging", "laboratory", "pathology", "summary", "photo", "other")


@dataclass(frozen=True)
class Limits:
    """Bounds of one reading. Sizes in bytes, times in seconds."""

    max_input: int = 512 * 2**20  # larger files: the head only, see `head_only`
    head_only: int = 32 * 2**20
    seconds: float = 30.0
    cpu_seconds: int = 25
    memory: int = 512 * 2**20  # on top of the warm interpreter
    max_output: int = 64 * 2**20
    max_pages: int = 60
    max_text: int = 400_000  # characters in all
    page_width: int = 1000
    thumbnail: int = 320


DEFAULT = Limits()


@dataclass(frozen=True)
class Preview:
    """A picture re-rendered from the file: PNG or JPEG, safe to show. `index` counts pages or frames from 0."""

    kind: PreviewKind
    index: int
    media_type: str
    width: int
    height: int
    data: bytes = field(repr=False)


@dataclass
class Extraction:
    kind: Kind
    media_type: str
    size: int = 0
    problems: list[Problem] = field(default_factory=list)
    page_count: int = 0
    text: list[str] = field(default_factory=list, repr=False)
    previews: list[Preview] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict, repr=False)
    entries: list[dict[str, Any]] = field(default_factory=list, repr=False)  # structured facts (entry.py)
    suggested_type: str = "other"
    suggested_date: str = ""  # ISO date or ""
    language: str = ""

    @property
    def refused(self) -> bool:
        return any(one.severity == "refuse" for one in self.problems)

    @property
    def thumbnail(self) -> Preview | None:
        return next((one for one in self.previews if one.kind == "thumbnail"), None)

    def flag(self, code: str) -> None:
        """Add a problem once; an unknown code from the child becomes "unsupported"."""
        found = problem(code if code in TABLE else "unsupported")
        if found not in self.problems:
            self.problems.append(found)

    def has(self, code: str) -> bool:
        return any(one.code == code for one in self.problems)


def safe_json(value: Any, *, depth: int = 8, room: int = 2000) -> Any:
    """A copy made of dict, list, str, int, float, bool, None only: bounded in depth, length and text size."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if abs(value) < 2**63 else None
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, str):
        return clean_text(value[:10_000])
    if depth > 0 and isinstance(value, list):
        return [safe_json(item, depth=depth - 1) for item in value[:room]]
    if depth > 0 and isinstance(value, dict):
        pairs = list(value.items())[:room]
        return {clean_text(str(key)[:100]): safe_json(item, depth=depth - 1) for key, item in pairs}
    return None


def clean_text(text: str) -> str:
    """Without NUL (PostgreSQL), lone surrogates and control characters other than tab and line feed."""
    kept = "".join(c for c in text if c in "\t\n" or (c >= " " and not "\x7f" <= c <= "\x9f"))
    return kept.encode("utf-8", "ignore").decode()
