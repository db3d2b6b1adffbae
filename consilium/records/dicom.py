"""From sealed bytes to a `NewInstance`: is it DICOM, and what does its header say?"""

from collections.abc import Callable
from functools import partial
from typing import Any

from consilium.imaging import header
from consilium.records import content
from consilium.records.extract import Kind, sniff
from consilium.records.instances import NewInstance
from consilium.records.sniff import HEAD
from consilium.vault.segments import Slice

FIRST = HEAD  # bytes in which nearly every header ends, and by which a file is judged
MOST = 8 * 2**20  # a header longer than this is no header
NEEDED = ("00080016", "00080018", "0020000D", "0020000E")  # SOP class and the three UIDs (PS3.3 §C.12.1, C.7.2, C.7.3)


Read = Callable[[int, int], bytes]  # (start, length) → up to `length` bytes of the file


def instance(
    what: content.Content, slices: list[Slice], *, name: str, read: Read | None = None, seen: header.Seen | None = None
) -> NewInstance | None:
    """The instance of a DICOM file, or None: it is something else, or too damaged to be filed as an image.

    read: a cheaper way to its bytes than `content.read_at`. seen: what earlier headers of the same case said.
    """
    if not what.size:
        return None
    read = read or partial(content.read_at, what)
    first = read(0, FIRST)
    if sniff(first, b"") != Kind.DICOM:
        return None
    found = _header_of(what, first, read, seen)
    if found is None or any(not found["tags"].get(tag, ("", ()))[1] for tag in NEEDED):
        return None
    return NewInstance(slices, found, name)


def read_header(what: content.Content) -> dict[str, Any] | None:
    """The header as instances.py keeps it; what the fast scanner does not know is read by pydicom in the jail."""
    return _header_of(what, content.read_at(what, 0, FIRST), partial(content.read_at, what))


def _header_of(
    what: content.Content, first: bytes, read: Read, seen: header.Seen | None = None
) -> dict[str, Any] | None:
    length = FIRST
    while True:
        try:
            return as_kept(header.scan(first, size=what.size, seen=seen))
        except header.NotFast as no:
            if no.reason != "short" or length >= min(MOST, what.size):
                break
            length = min(MOST, max(length * 4, no.needed))
            first = read(0, length)
    from consilium.imaging import header_slow

    try:
        return as_kept(header_slow.scan_jailed(content.chunks(what)))
    except header.NotFast:
        return None


def as_kept(found: header.Header) -> dict[str, Any]:
    """The JSON that is sealed beside the file (instances.NewInstance.header)."""
    return {
        "ts": found.transfer_syntax,
        "tags": found.tags,
        "dataset": found.dataset_start,
        "pixels": list(found.pixels) if found.pixels else None,
    }
