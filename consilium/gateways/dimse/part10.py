"""A data set as it came over the wire, and the file that it becomes (PS3.10 §7.1): the data set stays byte for byte."""

from dataclasses import dataclass
from typing import Any

from consilium.imaging import header, header_slow
from consilium.imaging.header import Header, NotFast
from consilium.records import dicom

# PS3.5 §B.2: derived from a UUID that was made for this purpose
IMPLEMENTATION_UID = "2.25.147775577574498703293241894614016359570"
IMPLEMENTATION_NAME = "CONSILIUM"
FIRST = 64 * 1024  # bytes in which nearly every header ends
MOST = 8 * 2**20
UNPARSED = ("00080016", "00080018", "0020000D", "0020000E")  # what every instance names (PS3.3 §C.12.1)


@dataclass(frozen=True)
class Received:
    """One C-STORE request."""

    sop_class: str
    instance: str  # Affected SOP Instance UID
    transfer_syntax: str
    sender: str  # AE title
    dataset: memoryview

    @property
    def preamble(self) -> bytes:
        """What stands before the data set in the file."""
        return file_meta(self)

    @property
    def size(self) -> int:
        return len(self.preamble) + len(self.dataset)


def file_meta(one: Received) -> bytes:
    """Preamble, prefix and File Meta Information (PS3.10 Table 7.1-1), always in explicit VR little endian."""
    body = b"\x02\x00\x01\x00OB\x00\x00\x02\x00\x00\x00\x00\x01"
    body += _element(0x0002, "UI", one.sop_class, b"\0")
    body += _element(0x0003, "UI", one.instance, b"\0")
    body += _element(0x0010, "UI", one.transfer_syntax, b"\0")
    body += _element(0x0012, "UI", IMPLEMENTATION_UID, b"\0")
    body += _element(0x0013, "SH", IMPLEMENTATION_NAME, b" ")
    body += _element(0x0016, "AE", one.sender, b" ")
    return bytes(128) + b"DICM" + b"\x02\x00\x00\x00UL\x04\x00" + len(body).to_bytes(4, "little") + body


def _element(number: int, vr: str, text: str, padding: bytes) -> bytes:
    value = text.encode("ascii")
    value += padding * (len(value) % 2)
    head = b"\x02\x00" + number.to_bytes(2, "little") + vr.encode()
    return head + len(value).to_bytes(2, "little") + value


def understood(one: Received) -> dict[str, Any] | None:
    """The header as instances.py keeps it; None for a data set that is no complete instance."""
    found = _scanned(one)
    if found is None or any(not found.text(tag) for tag in UNPARSED):
        return None
    start, length = found.pixels or (0, 0)
    return dicom.as_kept(found) if start + max(0, length) <= one.size else None


def _scanned(one: Received) -> Header | None:
    """Fast where the data set is plain; anything else is read by pydicom in the jail."""
    before = one.preamble
    length = FIRST
    while True:
        try:
            return header.scan(before + one.dataset[:length], size=len(before) + len(one.dataset))
        except NotFast as no:
            if no.reason == "truncated":  # the sender has the whole: it hears that this one did not arrive so
                return None
            if no.reason != "short" or length >= min(MOST, len(one.dataset)):
                break
            length = min(MOST, max(length * 4, no.needed))
    try:
        return header_slow.scan_jailed([before, bytes(one.dataset)])
    except NotFast:
        return None
