"""Byte ranges of RFC 9110 §14, for representations that never change."""

import re
from collections.abc import Iterable

ONE_RANGE = re.compile(rb"bytes=[ \t]*([0-9]*)-([0-9]*)[ \t]*")


class Unsatisfiable(Exception):  # noqa: N818
    """The range starts behind the end (RFC 9110 §15.5.17)."""


def wanted_range(headers: Iterable[tuple[bytes, bytes]], size: int, tag: bytes, method: str) -> tuple[int, int] | None:
    """The requested part as (start, end), end exclusive, or None for the whole.

    Ignored, as §14.2 allows or demands: any method but GET, other units, several ranges, malformed ones, and a
    range whose If-Range names another version (§13.1.5). Raises Unsatisfiable.
    """
    found = dict(headers)
    text = found.get(b"range")
    if text is None or method != "GET" or found.get(b"if-range", tag) != tag:
        return None
    one = ONE_RANGE.fullmatch(text)
    if one is None or one.groups() == (b"", b""):
        return None
    first, last = one.groups()
    if len(first) > 18 or len(last) > 18:
        raise Unsatisfiable
    if first == b"":  # a suffix: the last N bytes
        if int(last) == 0 or size == 0:
            raise Unsatisfiable
        return max(0, size - int(last)), size
    start = int(first)
    end = min(int(last) + 1, size) if last else size
    if last and int(last) < start:
        return None  # malformed (§14.1.1)
    if start >= size:
        raise Unsatisfiable
    return start, end
