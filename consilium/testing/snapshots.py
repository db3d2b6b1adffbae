"""Reviewed snapshots: a test writes nothing; `CONSILIUM_SNAPSHOTS=write` renews a file for a person to review."""

import difflib
import os
from pathlib import Path


def matches(path: Path, text: str) -> None:
    """Compare `text` with the reviewed file and fail with the difference."""
    if os.environ.get("CONSILIUM_SNAPSHOTS") == "write":
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    reviewed = path.read_text() if path.is_file() else ""
    if reviewed != text:
        lines = difflib.unified_diff(reviewed.splitlines(), text.splitlines(), "reviewed", "now", lineterm="", n=0)
        raise AssertionError("Differs from the reviewed snapshot:\n" + "\n".join(list(lines)[:80]))
