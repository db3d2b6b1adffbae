"""The header of a DICOM file (PS3.10) in one pass over its first bytes: which instance it is, where its pixels are.

Pure Python without an object per element: the first eight bytes of an element say by one dictionary look-up how far
to jump and whether anybody wants the value. Bounded and strict: what is not plainly well-formed is NotFast, and read
by pydicom in the jail instead (`header_slow`).
"""

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct
from typing import Any

from consilium.imaging import header_json as annex_f
from consilium.imaging.header_json import ITEM_END, MAX_DEPTH, PIXELS, UNDEFINED, upper_letters
from consilium.imaging.header_seen import SHORT, Seen, Sequence
from consilium.imaging.header_tags import ENCAPSULATED, EXPLICIT, IMPLICIT, WANTED, dictionary_vr
from consilium.imaging.header_values import (
    DECODERS,
    DEFAULT,
    EXPLICIT_BYTES,
    LONG_BYTES,
    Decoder,
    Encodings,
    NotFast,
    encodings_of,
)

__all__ = ["ENCAPSULATED", "EXPLICIT", "IMPLICIT", "Header", "NotFast", "Seen", "scan"]

FIRST = 64 * 1024  # bytes: nearly every header ends before
MAX_HEADER = 32 * 2**20
_ITEM_TAG = b"\xfe\xff\0\xe0"
_MORE = 4 * 1024  # bytes asked for beyond the next element, so as not to come back for each
MAX_SEQUENCE = 8 * 1024  # bytes of a wanted sequence; a longer one is left out of `tags`
_EXTENDED = {0x7FE00001: 0, 0x7FE00002: 1}  # extended offset table and its lengths
_head = Struct("<HH2sH").unpack
_implicit_length = Struct("<4xL").unpack
_u32 = Struct("<L").unpack_from
_item = Struct("<HHL").unpack_from

# (bytes to the next element, or 0 when `_long` must look; tag; key, VR and decoder when the value is wanted)
_Wanted = tuple[str, str, Decoder] | None
_Step = tuple[int, int, _Wanted]
_EXPLICIT_STEPS: dict[bytes, _Step] = {}
_IMPLICIT_STEPS: dict[bytes, _Step] = {}
_MAX_STEPS = 8192
_MAX_UNKNOWN = 50_000


@dataclass(slots=True)
class Header:
    """What `scan` finds. Offsets are in bytes from the start of the file."""

    transfer_syntax: str
    dataset_start: int
    size: int
    tags: dict[str, list[Any]]
    """"00100020" → ["LO", ["x"]]: VR and values; PN as "A=I=P", sequences as items of the DICOM JSON model."""
    pixels: tuple[int, int] | None = None
    """(start, length) of the value of native pixel data; of encapsulated (where the first item is, -1)."""
    pixels_tag: str = ""
    extended: list[tuple[int, int] | None] | None = None
    """Extended offset table and lengths (7FE0,0001) (7FE0,0002): where their values are."""
    slow: bool = False
    """Read by pydicom: its DICOM JSON model comes from `header_slow.json_jailed`, not from `dicom_json`."""

    def stored(self) -> dict[str, Any]:
        """JSON-safe, to be kept (sealed) with the file; `restored` gives the header back."""
        return {
            "ts": self.transfer_syntax, "dataset": self.dataset_start, "size": self.size, "tags": self.tags,
            "pixels": self.pixels, "pixels_tag": self.pixels_tag, "extended": self.extended, "slow": self.slow,
        }  # fmt: skip

    @classmethod
    def restored(cls, kept: dict[str, Any]) -> Header:
        """The header from `stored`, also after a way through JSON. Raises KeyError on anything else."""
        pixels, extended = kept["pixels"], kept["extended"]
        return cls(
            kept["ts"], kept["dataset"], kept["size"], kept["tags"], tuple(pixels) if pixels else None,
            kept["pixels_tag"], [tuple(one) if one else None for one in extended] if extended else None, kept["slow"],
        )  # fmt: skip

    @property
    def implicit(self) -> bool:
        return self.transfer_syntax == IMPLICIT

    @property
    def encapsulated(self) -> bool:
        return self.pixels is not None and self.pixels[1] < 0

    @property
    def study(self) -> str:
        return self.text("0020000D")

    @property
    def series(self) -> str:
        return self.text("0020000E")

    @property
    def instance(self) -> str:
        return self.text("00080018")

    def text(self, key: str) -> str:
        """The first value of a tag as text, "" when absent or empty."""
        values = self.tags.get(key, ("", []))[1]
        return str(values[0]) if values and values[0] is not None else ""

    def number(self, key: str, otherwise: int = 0) -> int:
        """The first value of a tag as an integer."""
        values = self.tags.get(key, ("", []))[1]
        return int(values[0]) if values and isinstance(values[0], (int, float)) else otherwise


def scan(data: bytes | bytearray | memoryview, *, size: int, seen: Seen | None = None) -> Header:
    """The header of a file of `size` bytes that begins with `data` (64 KiB usually do).

    seen: what the caller's earlier headers said. Raises NotFast: "short" when the first `needed` bytes are needed,
    anything else for `header_slow`.
    """
    given = len(data)
    window = given if isinstance(data, bytes) and given <= MAX_HEADER else FIRST
    while True:
        try:
            return _Scan(bytes(data[:window]), size, seen).header()
        except NotFast as no:
            if no.reason != "short" or no.needed > given or window >= MAX_HEADER:
                raise
            window = min(MAX_HEADER, max(no.needed, window * 4))


class _Scan:
    """One run over `data`; `end` is where the bytes at hand end, `size` where the file does."""

    __slots__ = ("data", "end", "room", "seen", "size")

    def __init__(self, data: bytes, size: int, seen: Seen | None = None) -> None:
        self.seen = seen or Seen()
        self.data = data
        self.end = len(data)
        self.size = max(size, len(data))
        self.room = _MAX_UNKNOWN

    def header(self) -> Header:
        syntax, start = self._meta()
        found = Header(syntax, start, self.size, {})
        self._dataset(found, _IMPLICIT_STEPS if syntax == IMPLICIT else _EXPLICIT_STEPS)
        return found

    def _short(self, needed: int) -> NotFast:
        """More bytes are needed: of `data`, or of a file that has no more."""
        if needed > min(self.size, MAX_HEADER):
            return NotFast("truncated" if needed > self.size else "long")
        return NotFast("short", min(self.size, needed + _MORE))

    # -- file meta information, PS3.10 §7.1 --------------------------------------------------------
    def _meta(self) -> tuple[str, int]:
        """(transfer syntax, where the data set starts)."""
        if self.end < 144:
            raise self._short(144)
        pos = 132 if self.data[128:132] == b"DICM" else 0
        syntax = ""
        while self.data[pos : pos + 2] == b"\2\0":
            element, vr, length, value = self._meta_element(pos)
            if element == 0x0010:
                if vr != b"UI":
                    raise NotFast("meta")
                syntax = self.data[value : value + length].decode("latin-1").rstrip(" \0")
            pos = value + length
            if pos + 8 > self.end:
                raise self._short(pos + 8)
        return self._encoding(syntax, pos), pos

    def _meta_element(self, pos: int) -> tuple[int, bytes, int, int]:
        _group, element, vr, length = _head(self.data[pos : pos + 8])
        if vr not in EXPLICIT_BYTES or vr == b"SQ":
            raise NotFast("meta")
        if vr not in LONG_BYTES:
            return element, vr, length, pos + 8
        if pos + 12 > self.end:
            raise self._short(pos + 12)
        length = _u32(self.data, pos + 8)[0]
        if length == UNDEFINED:
            raise NotFast("meta")
        return element, vr, length, pos + 12

    def _encoding(self, syntax: str, pos: int) -> str:
        """The transfer syntax, guessed when not given; what the first element looks like must agree."""
        if syntax and syntax not in (IMPLICIT, EXPLICIT) and syntax not in ENCAPSULATED:
            raise NotFast("transfer syntax")
        head = self.data[pos : pos + 8]
        group, _element, vr, _length = _head(head)
        if not 0x0008 <= group < 0x7FE0:
            raise NotFast("start")
        if syntax:
            if upper_letters(vr) == (syntax == IMPLICIT):
                raise NotFast("encoding")
            return syntax
        if vr in EXPLICIT_BYTES and group == 0x0008:
            return EXPLICIT
        if group != 0x0008 or _implicit_length(head)[0] > 0xFFFF:
            raise NotFast("no transfer syntax")
        return IMPLICIT

    # -- the data set --------------------------------------------------------------------------------
    def _dataset(self, found: Header, steps: dict[bytes, _Step]) -> None:
        data, tags, end, get = self.data, found.tags, self.end, steps.get
        encodings: Encodings = DEFAULT
        known = self.seen.values(found.implicit, encodings)
        last, pos, last_head = 0x0007FFFF, found.dataset_start, end - 8
        while pos <= last_head:
            head = data[pos : pos + 8]
            step, tag, wanted = get(head) or self._unknown(head, steps)
            if tag <= last:
                raise NotFast("order")
            last = tag
            if not step:
                pos = self._long(found, tag, pos, head, encodings)
                if pos < 0:
                    return
                continue
            if wanted is not None:
                after = pos + step
                if after > end:
                    raise self._short(after + 12)
                key, vr, decode = wanted
                raw = data[pos:after]
                value = known.get(raw)
                if value is None:
                    value = [vr, decode(raw[8:], encodings)]
                    if step < SHORT:
                        known[raw] = value
                tags[key] = value
                if tag == 0x00080005:
                    encodings = encodings_of(raw[8:])
                    known = self.seen.values(found.implicit, encodings)
                pos = after
            else:
                pos += step
        if pos != self.size:
            raise self._short(pos + 12)

    def _long(self, found: Header, tag: int, pos: int, head: bytes, encodings: Encodings) -> int:
        """Elements with a 32-bit length in explicit VR, sequences, and the pixels (returns -1 there)."""
        vr, length, value = self._length(tag, head, pos, found.implicit)
        if tag in PIXELS:
            self._pixels(found, tag, vr, length, value)
            return -1
        if vr == "SQ":
            return self._wanted_sequence(found, tag, length, value, encodings)
        if length == UNDEFINED:
            raise NotFast("undefined length")
        if tag in _EXTENDED:
            found.extended = found.extended or [None, None]
            found.extended[_EXTENDED[tag]] = (value, length)
        if tag in WANTED:
            if value + length > self.end:
                raise self._short(value + length + 12)
            if vr not in DECODERS:
                raise NotFast("value")
            found.tags[WANTED[tag]] = [vr, DECODERS[vr](self.data[value : value + length], encodings)]
        return value + length

    def _length(self, tag: int, head: bytes, pos: int, implicit: bool) -> tuple[str, int, int]:
        """(VR, length, where the value starts) of an element that `_classify` did not settle."""
        if tag >= 0xFFFE0000:
            raise NotFast("structure")
        if implicit:
            length = _implicit_length(head)[0]
            if tag in PIXELS:
                return "OW", length, pos + 8
            if length != UNDEFINED:
                return dictionary_vr(tag), length, pos + 8
            if pos + 12 > self.end:
                raise self._short(pos + 12)
            return "SQ" if annex_f.sequence_by_tag(tag, self.data, pos + 8) else "UN", length, pos + 8
        if pos + 12 > self.end:
            raise self._short(pos + 12)
        vr, length = head[4:6].decode("ascii"), _u32(self.data, pos + 8)[0]
        if vr == "UN" and length == UNDEFINED:
            vr = "SQ"
        elif vr == "UN" and length < 0xFFFF and not tag >> 16 & 1:
            vr = dictionary_vr(tag)
        return vr, length, pos + 12

    def _pixels(self, found: Header, tag: int, vr: str, length: int, value: int) -> None:
        in_fragments = found.transfer_syntax in ENCAPSULATED
        if in_fragments != (length == UNDEFINED) or vr not in ("OB", "OW", "OF", "OD"):
            raise NotFast("pixels")
        if not in_fragments and value + length > self.size:
            raise NotFast("truncated")
        if in_fragments and not _ITEM_TAG.startswith(self.data[value : value + 4]):
            raise NotFast("pixels")
        found.pixels = (value, -1 if in_fragments else length)
        found.pixels_tag = f"{tag:08X}"

    # -- sequences: jumped over; inside those of undefined length, every element is followed -----------
    def _wanted_sequence(self, found: Header, tag: int, length: int, value: int, encodings: Encodings) -> int:
        defined = length != UNDEFINED
        key = (found.implicit, encodings, tag, defined, found.number("00280103", -1) if tag > 0x00280103 else -1)
        raw, values = self.seen.sequences.get(key, (b"", None))
        if raw and self.data.startswith(raw, value) and (not defined or length == len(raw)):
            end = value + len(raw)  # the same bytes end where they ended before, and say the same
        else:
            end = value + length if defined else self._sequence_end(value, found.implicit, 1)
            values = self._items(key, value, end)
            if end <= self.end and end - value <= MAX_SEQUENCE:
                self.seen.sequences[key] = (self.data[value:end], values)
        if values is not None:
            found.tags[WANTED[tag]] = values
        return end

    def _items(self, key: Sequence, value: int, end: int) -> list[Any] | None:
        """VR and items of a sequence that is wanted and short enough, else None."""
        implicit, encodings, tag, defined, signed = key
        if tag not in WANTED or end - value > MAX_SEQUENCE:
            return None
        if end > self.end:
            raise self._short(end + 12)
        try:
            values = annex_f.items(
                self.data, value, end, tag, implicit=implicit, delimited=not defined, encodings=encodings, signed=signed
            )
        except NotFast as no:
            raise NotFast("structure" if no.reason == "short" else no.reason) from None
        return ["SQ", values]

    def _sequence_end(self, pos: int, implicit: bool, depth: int) -> int:
        """The position behind the delimiter of a sequence of undefined length whose items start at `pos`."""
        if depth > MAX_DEPTH:
            raise NotFast("deep")
        while True:
            if pos + 14 > self.end and pos + 8 != self.end:
                raise self._short(pos + 14)
            group, element, length = _item(self.data, pos)
            pos += 8
            if (group, element) == (0xFFFE, 0xE0DD):
                return pos
            if (group, element) != (0xFFFE, 0xE000):
                raise NotFast("structure")
            inner = implicit or not upper_letters(self.data[pos + 4 : pos + 6])
            pos = self._item_end(pos, None if length == UNDEFINED else pos + length, inner, depth)

    def _item_end(self, pos: int, end: int | None, implicit: bool, depth: int) -> int:
        steps = _IMPLICIT_STEPS if implicit else _EXPLICIT_STEPS
        while pos != end:
            if pos + 8 > self.end:
                raise self._short(pos + 8)
            head = self.data[pos : pos + 8]
            step, tag, _wanted = steps.get(head) or self._unknown(head, steps)
            if step:
                pos += step
            elif tag == ITEM_END and end is None:
                return pos + 8
            else:
                vr, length, pos = self._length(tag, head, pos, implicit)
                if length != UNDEFINED:
                    pos += length
                elif vr == "SQ":
                    pos = self._sequence_end(pos, implicit, depth + 1)
                else:
                    raise NotFast("undefined length")
            if end is not None and pos > end:
                raise NotFast("structure")
        return pos

    def _unknown(self, head: bytes, steps: dict[bytes, _Step]) -> _Step:
        """Tags ascend, so only so many beginnings of elements can be known: counting the others bounds the work."""
        self.room -= 1
        if self.room < 0:
            raise NotFast("elements")
        return _classify(head, steps)


def _classify(head: bytes, steps: dict[bytes, _Step]) -> _Step:
    """How to go on behind these eight bytes; remembered, for the next slice has nearly the same ones."""
    group, element, vr, length = _head(head)
    tag = group << 16 | element
    if group in (0, 2):
        raise NotFast("order")
    found: _Step = (0, tag, None)
    if steps is _IMPLICIT_STEPS and group != 0xFFFE:
        length = _implicit_length(head)[0]
        named = dictionary_vr(tag)
        plain = length != UNDEFINED and tag not in PIXELS and tag not in _EXTENDED
        if plain and not (named == "SQ" and tag in WANTED):
            wanted = (WANTED[tag], named, DECODERS[named]) if tag in WANTED else None
            found = (8 + length, tag, wanted)
    elif group != 0xFFFE and vr not in EXPLICIT_BYTES:
        raise NotFast("vr")
    elif group != 0xFFFE and vr not in LONG_BYTES:
        if tag in PIXELS:
            raise NotFast("pixels")
        name = vr.decode("ascii")
        found = (8 + length, tag, (WANTED[tag], name, DECODERS[name]) if tag in WANTED else None)
    if len(steps) >= _MAX_STEPS:
        steps.clear()
    steps[head] = found
    return found
