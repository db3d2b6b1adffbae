"""The DICOM JSON model (PS3.18 Annex F) of a data set, straight from its bytes.

Strict: ascending tags, exact lengths, bounded depth. Whatever bends a rule is NotFast, for pydicom to judge.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from struct import Struct
from typing import TYPE_CHECKING, Any

from consilium.imaging.header_tags import dictionary_vr, private_vr
from consilium.imaging.header_values import (
    BINARY,
    DECODERS,
    DEFAULT,
    EXPLICIT_BYTES,
    LONG_BYTES,
    Decoder,
    Encodings,
    NotFast,
    attribute,
    encodings_of,
)

if TYPE_CHECKING:
    from consilium.imaging.header import Header

UNDEFINED = 0xFFFFFFFF
ITEM, ITEM_END, SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
PIXELS = frozenset({0x7FE00008, 0x7FE00009, 0x7FE00010})
MAX_DEPTH = 32
MAX_ELEMENTS = 250_000
INLINE_MAX = 1023  # bytes; from 1 KiB on a binary value is bulk data
_PIXEL_REPRESENTATION = 0x00280103
_LUT_DESCRIPTORS = frozenset({0x00281101, 0x00281102, 0x00281103, 0x00283002})
_SPECIAL = _LUT_DESCRIPTORS | {0x00080005, _PIXEL_REPRESENTATION}
_SIGNED_BY_PIXELS = frozenset({
    0x00189810, 0x00221452, 0x00280104, 0x00280105, 0x00280106, 0x00280107, 0x00280108, 0x00280109, 0x00280110,
    0x00280111, 0x00280120, 0x00280121, 0x00281101, 0x00281102, 0x00281103, 0x00283002, 0x00409211, 0x00409216,
    0x00603004, 0x00603006,
})  # fmt: skip
_WORDS = frozenset({0x54000110, 0x54000112, 0x5400100A, 0x54001010, 0x7FE00010})  # OW in implicit VR
_implicit = Struct("<HHL").unpack_from
_explicit = Struct("<HH2sH").unpack_from
_long = Struct("<L").unpack_from

Bulk = Callable[[str], str]
# the eight bytes of an explicit element → (bytes to the next one, tag, key, VR, decoder)
_PLAIN: dict[bytes, tuple[int, int, str, str, Decoder]] = {}
_NONE: dict[bytes, tuple[int, int, str, str, Decoder]] = {}
_MAX_PLAIN = 8192
_NOT_KNOWN_YET = object()


def dicom_json(data: bytes, header: Header, *, bulk: Bulk) -> dict[str, Any]:
    """Every element of the data set, group lengths aside (PS3.18 §F.2.2), as far as `data` reaches.

    Pixel data and binary values of 1 KiB and more become `bulk(path)`, with path "7FE00010" or, in items (from 0),
    "00880200/0/7FE00010". Elements after the pixel data are read when `data` holds the whole file. Raises NotFast.
    """
    return _reader(data, header, bulk).whole(header)


def bulk_range(data: bytes, header: Header, path: str) -> tuple[int, int] | None:
    """(start, length) in the file of the value `dicom_json` named by `path`; None when there is no such value."""
    found = _reader(data, header, lambda _path: "")
    found.whole(header)
    return found.places.get(path)


def items(
    data: bytes, start: int, end: int, tag: int, *, implicit: bool, delimited: bool, encodings: Encodings, signed: int
) -> list[dict[str, Any]]:
    """The items of the sequence `tag` whose value lies at start…end, a delimiter included. Raises NotFast.

    `signed`: pixel representation of the data set around it, -1 when not known.
    """
    reader = Reader(data, end, lambda path: path)
    around = _Around(implicit, encodings, signed if signed >= 0 else _NOT_KNOWN_YET, f"{tag:08X}/", 1)
    return reader.sequence(start, end, around, delimited=delimited)[0]


def _reader(data: bytes, header: Header, bulk: Bulk) -> Reader:
    return Reader(data if isinstance(data, bytes) else bytes(data), len(data), bulk)


class _Around:
    """What an item inherits from the data set around it."""

    __slots__ = ("depth", "encodings", "implicit", "path", "signed")

    def __init__(self, implicit: bool, encodings: Encodings, signed: Any, path: str, depth: int) -> None:
        self.implicit = implicit
        self.encodings = encodings
        self.signed = signed  # pixel representation: 0, 1, None for "there is none", or not known yet
        self.path = path
        self.depth = depth


class _Level:
    """One data set while it is read."""

    __slots__ = ("around", "creators", "encodings", "found", "lut_entries", "own_signed", "waiting")

    def __init__(self, around: _Around) -> None:
        self.around = around
        self.encodings = around.encodings
        self.found: dict[str, Any] = {}
        self.creators: dict[int, str] = {}
        self.own_signed: int | None = None
        self.lut_entries: int | None = None
        self.waiting: list[tuple[int, bytes]] = []  # "US or SS" whose pixel representation may still come


class Reader:
    def __init__(self, data: bytes, end: int, bulk: Bulk) -> None:
        self.data = data
        self.end = end
        self.bulk = bulk
        self.places: dict[str, tuple[int, int]] = {}
        self.room = MAX_ELEMENTS

    def whole(self, header: Header) -> dict[str, Any]:
        top = _Level(_Around(header.implicit, DEFAULT, None, "", 0))
        self._elements(top, header.dataset_start, self.end, header=header)
        return top.found

    def _elements(self, level: _Level, pos: int, end: int | None, header: Header | None = None) -> int:
        """Read elements until `end`, or with None until the item delimiter. Returns the position behind."""
        last, limit, data, found = -1, self.end if end is None else end, self.data, level.found
        known = _NONE if level.around.implicit else _PLAIN
        while pos != end:
            if (plain := known.get(data[pos : pos + 8])) is not None:
                step, tag, key, vr, decode = plain
                if last < tag and pos + step <= limit and self.room:
                    values = decode(data[pos + 8 : pos + step], level.encodings)
                    found[key] = {"vr": vr, "Value": values} if values else {"vr": vr}
                    last, pos = tag, pos + step
                    self.room -= 1
                    continue
            tag, vr, length, pos = self._head(pos, level.around.implicit)
            if tag == ITEM_END:
                if end is not None or length:
                    raise NotFast("structure")
                break
            if tag <= last or tag >> 16 in (0, 2, 0xFFFE):
                raise NotFast("order")
            last = tag
            self.room -= 1
            if self.room < 0 or (end is not None and pos > end):
                raise NotFast("elements" if self.room < 0 else "structure")
            if header is not None and tag in PIXELS:
                pos = self._pixels(level, tag, vr, length, pos, header)
                continue
            pos = self._element(level, tag, vr, length, pos, end)
        self._settle(level, header)
        return pos

    def _head(self, pos: int, implicit: bool) -> tuple[int, str | None, int, int]:
        """(tag, VR or None, length, where the value starts)."""
        if pos + 8 > self.end:
            raise NotFast("short", pos + 12)
        group, element, raw_vr, length = _explicit(self.data, pos)
        tag = group << 16 | element
        if implicit or group == 0xFFFE:
            return tag, None, _long(self.data, pos + 4)[0], pos + 8
        if raw_vr not in EXPLICIT_BYTES:
            raise NotFast("vr")
        vr = raw_vr.decode("ascii")
        if raw_vr not in LONG_BYTES:
            return tag, vr, length, pos + 8
        if pos + 12 > self.end:
            raise NotFast("short", pos + 12)
        return tag, vr, _long(self.data, pos + 8)[0], pos + 12

    def _element(self, level: _Level, tag: int, vr: str | None, length: int, pos: int, end: int | None) -> int:
        if length == UNDEFINED:
            if vr not in (None, "SQ", "UN"):
                return self._fragments(level, tag, vr, pos)
            if vr is None and not sequence_by_tag(tag, self.data, pos):
                raise NotFast("undefined length")
            return self._sequence(level, tag, pos, None, None)
        after = pos + length
        if after > (self.end if end is None else end):
            raise NotFast("short" if end is None or end == self.end else "structure", after)
        vr = self._vr(level, tag, vr, length)
        if vr == "SQ":
            return self._sequence(level, tag, pos, after, after)
        if tag & 0xFFFF:
            self._value(level, tag, vr, pos, length)
        elif length != 4:  # a group length
            raise NotFast("value")
        return after

    def _vr(self, level: _Level, tag: int, vr: str | None, length: int) -> str:
        """As pydicom completes it: implicit VR from the dictionaries, UN where the dictionary knows better."""
        if vr not in (None, "UN"):
            return vr
        if tag >> 16 & 1:
            element = tag & 0xFFFF
            if 0x10 <= element < 0x100:
                return "LO"
            creator = level.creators.get(tag & 0xFFFF0000 | element >> 8) if element & 0xFF00 else None
            return private_vr(tag, creator) if creator else "UN"
        if vr == "UN" and length >= 0xFFFF:
            return "UN"
        return dictionary_vr(tag)

    def _remember(self, tag: int, vr: str, pos: int, length: int) -> None:
        """Short values in explicit VR that mean nothing for others need no thought the next time."""
        head = self.data[pos - 8 : pos]
        special = tag in _SPECIAL or (tag >> 16 & 1 and tag & 0xFFFF < 0x100) or vr == "PN" or not tag & 0xFFFF
        if special or head[4:6] != vr.encode() or head[4:6] in LONG_BYTES:
            return
        if len(_PLAIN) >= _MAX_PLAIN:
            _PLAIN.clear()
        _PLAIN[head] = (8 + length, tag, f"{tag:08X}", vr, DECODERS[vr])

    def _value(self, level: _Level, tag: int, vr: str, pos: int, length: int) -> None:
        raw = self.data[pos : pos + length] if vr not in BINARY or length <= INLINE_MAX else b""
        if vr not in DECODERS and vr not in BINARY:
            vr = self._settled_vr(level, tag, vr, raw)
            if not vr:
                return
        key = f"{tag:08X}"
        if vr in BINARY:
            level.found[key] = self._binary(level.around.path + key, vr, raw, pos, length)
            return
        values = DECODERS[vr](raw, level.encodings)
        if tag == 0x00080005:
            level.encodings = encodings_of(raw)
        elif tag == _PIXEL_REPRESENTATION:
            level.own_signed = _single_word(vr, values)
        elif tag in _LUT_DESCRIPTORS:
            values = _descriptor(values)
            level.lut_entries = values[0] if tag == 0x00283002 and values else level.lut_entries
        elif tag >> 16 & 1 and 0x10 <= tag & 0xFFFF < 0x100 and len(values) == 1 and isinstance(values[0], str):
            level.creators[tag] = values[0]
        level.found[key] = attribute(vr, values)
        if not level.around.implicit:
            self._remember(tag, vr, pos, length)

    def _binary(self, path: str, vr: str, raw: bytes, pos: int, length: int) -> dict[str, Any]:
        if not length:
            return {"vr": vr}
        if length <= INLINE_MAX:
            return {"vr": vr, "InlineBinary": base64.b64encode(raw).decode("ascii")}
        self.places[path] = (pos, length)
        return {"vr": vr, "BulkDataURI": self.bulk(path)}

    # -- ambiguous VRs of the dictionary, PS3.5 Annex A and §8 ------------------------------------
    def _settled_vr(self, level: _Level, tag: int, vr: str, raw: bytes) -> str:
        """One VR for an ambiguous one; "" when it must wait for the pixel representation."""
        if vr == "US or SS" and tag in _SIGNED_BY_PIXELS:
            level.found[f"{tag:08X}"] = {}
            level.waiting.append((tag, raw))
            if tag == 0x00283002 and len(raw) >= 2:
                level.lut_entries = int.from_bytes(raw[:2], "little")
            return ""
        if tag == 0x00283006 and level.lut_entries is not None:
            return "US" if level.lut_entries == 1 else "OW"
        if level.around.implicit and (tag in _WORDS or (tag & 0xFFE1FFFF == 0x60003000 and tag < 0x601F0000)):
            return "OW"
        raise NotFast("ambiguous")

    def _signed(self, level: _Level, tag: int) -> Any:
        """The pixel representation that counts for `tag`'s level: own, else inherited."""
        if level.own_signed is not None:
            return level.own_signed
        if tag < _PIXEL_REPRESENTATION:
            return _NOT_KNOWN_YET
        return level.around.signed

    def _settle(self, level: _Level, header: Header | None) -> None:
        for tag, raw in level.waiting:
            signed = self._signed(level, 0xFFFFFFFF)
            pixels = "7FE00010" in level.found or (header is not None and header.pixels is not None)
            if signed is _NOT_KNOWN_YET or (signed is None and pixels):
                raise NotFast("ambiguous")
            vr = "SS" if signed else "US"
            level.found[f"{tag:08X}"] = attribute(vr, DECODERS[vr](raw, level.encodings))

    # -- sequences and encapsulated values ---------------------------------------------------------
    def _sequence(self, level: _Level, tag: int, pos: int, end: int | None, limit: int | None) -> int:
        around = level.around
        inner = _Around(
            around.implicit, level.encodings, self._signed(level, tag), f"{around.path}{tag:08X}/", around.depth + 1
        )
        values, pos = self.sequence(pos, limit, inner, delimited=end is None)
        if tag & 0xFFFF:
            level.found[f"{tag:08X}"] = {"vr": "SQ", "Value": values} if values else {"vr": "SQ"}
        return pos

    def sequence(
        self, pos: int, end: int | None, around: _Around, *, delimited: bool
    ) -> tuple[list[dict[str, Any]], int]:
        """Items and the position behind them, up to the delimiter or `end`."""
        if around.depth > MAX_DEPTH:
            raise NotFast("deep")
        values: list[dict[str, Any]] = []
        path = around.path
        while delimited or pos != end:
            tag, _vr, length, pos = self._head(pos, True)
            if tag == SEQUENCE_END and delimited:
                break
            if tag != ITEM or (length != UNDEFINED and pos + length > (self.end if end is None else end)):
                raise NotFast("structure")
            implicit = around.implicit or not upper_letters(self.data[pos + 4 : pos + 6])
            inner = _Around(implicit, around.encodings, around.signed, f"{path}{len(values)}/", around.depth)
            level = _Level(inner)
            pos = self._elements(level, pos, None if length == UNDEFINED else pos + length)
            values.append(level.found)
        if end is not None and pos > end:
            raise NotFast("structure")
        return values, pos

    def _fragments(self, level: _Level, tag: int, vr: str, pos: int) -> int:
        """A value of undefined length that is no sequence: encapsulated fragments (PS3.5 §A.4)."""
        start = pos
        if vr not in ("OB", "OW"):
            raise NotFast("undefined length")
        while True:
            item, _vr, length, pos = self._head(pos, True)
            if item == SEQUENCE_END:
                break
            if item != ITEM or pos + length > self.end:
                raise NotFast("structure")
            pos += length
        self._bulk(level, tag, vr, start, pos - 8 - start)
        return pos

    def _pixels(self, level: _Level, tag: int, vr: str | None, length: int, pos: int, header: Header) -> int:
        """Always bulk data; goes on behind the pixels only when they are there."""
        vr = "OW" if vr is None else vr
        if length != UNDEFINED:
            self._bulk(level, tag, vr, pos, length)
            return pos + length if pos + length <= self.end else self.end
        if self.end < header.size:
            self._bulk(level, tag, vr, pos, 0)
            return self.end
        return self._fragments(level, tag, vr, pos)

    def _bulk(self, level: _Level, tag: int, vr: str, start: int, length: int) -> None:
        path = f"{level.around.path}{tag:08X}"
        self.places[path] = (start, length)
        level.found[f"{tag:08X}"] = {"vr": vr, "BulkDataURI": self.bulk(path)}


def sequence_by_tag(tag: int, data: bytes, pos: int) -> bool:
    """Whether a value of undefined length in implicit VR is a sequence: by the dictionary, else by its first item."""
    if not tag >> 16 & 1 and (vr := dictionary_vr(tag)) != "UN":
        return vr == "SQ"
    return data[pos : pos + 4] == b"\xfe\xff\x00\xe0"


def upper_letters(raw: bytes) -> bool:
    """Whether these two bytes may be a VR: PS3.5 §6.2.2 lets items be implicit VR inside explicit data."""
    return len(raw) == 2 and 0x40 < raw[0] < 0x5B and 0x40 < raw[1] < 0x5B


def _single_word(vr: str, values: list[Any]) -> int | None:
    if not values:
        return None
    if vr != "US" or len(values) != 1:
        raise NotFast("ambiguous")
    return values[0]


def _descriptor(values: list[Any]) -> list[Any]:
    """The first number of a LUT descriptor is unsigned even where the VR is SS (PS3.3 §C.11.1.1)."""
    if len(values) > 1 and isinstance(values[0], int) and values[0] < 0:
        return [values[0] + 65536, *values[1:]]
    return values
