"""The header and the DICOM JSON model of files that are `NotFast`, by pydicom.

pydicom recurses and inflates as the bytes say, so these run in the jail: `scan_jailed`, `json_jailed`.
"""

from __future__ import annotations

import base64
import io
import json
import math
import sys
import warnings
import zlib
from collections.abc import Callable, Iterable
from typing import IO, TYPE_CHECKING, Any, BinaryIO

import pydicom
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filereader import read_dataset
from pydicom.multival import MultiValue
from pydicom.tag import BaseTag

from consilium.imaging import header as fast
from consilium.imaging.header import Header, NotFast
from consilium.imaging.header_json import INLINE_MAX, PIXELS
from consilium.imaging.header_tags import DEFLATED, WANTED
from consilium.imaging.header_values import BINARY, attribute

if TYPE_CHECKING:
    from consilium.records.extract.reader import Output

MAX_INFLATED = 64 * 2**20
BIG_ENDIAN = "1.2.840.10008.1.2.2"
_MAX_DEPTH = 64
_DEFERRED = 2**20  # longer values stay in the file
_UNDEFINED = 0xFFFFFFFF  # pixel data in fragments (PS3.5 §A.4), whatever the transfer syntax


def scan_slow(data: bytes | BinaryIO) -> Header:
    """The Header of a whole file, or of one open for reading.

    Of deflated data sets `pixels` is None: no offset in the file leads to them.

    Raises NotFast when pydicom finds no data set either.
    """
    found, header = _read(data)
    for tag, key in WANTED.items():
        if tag in found and (entry := _entry(found, tag)):
            header.tags[key] = entry
    if not header.tags.get("00080016") and not header.tags.get("00080018") and header.pixels is None:
        raise NotFast("no data set")
    return header


def json_slow(data: bytes | BinaryIO, *, bulk: Callable[[str], str]) -> dict[str, Any]:
    """As `header_json.dicom_json`, for every file pydicom can read; a value it cannot is left out."""
    return _json(_read(data)[0], "", bulk, 0)


def scan_jailed(source: Iterable[bytes], **limits: Any) -> Header:
    """`scan_slow` in the jail on the chunks of a whole file. Raises NotFast."""
    found = _jailed(source, {"what": "header"}, limits)
    if not isinstance(found, dict):
        raise NotFast("unreadable")
    return Header.restored(found)


def json_jailed(source: Iterable[bytes], *, bulk: Callable[[str], str], **limits: Any) -> dict[str, Any]:
    """`json_slow` in the jail on the chunks of a whole file. Raises NotFast."""
    found = _jailed(source, {"what": "json"}, limits)
    if not isinstance(found, dict):
        raise NotFast("unreadable")
    return _named(found, bulk)


def _jailed(source: Iterable[bytes], options: dict[str, Any], limits: dict[str, Any]) -> Any:
    from consilium.records import sandbox

    answer = b""
    try:
        for _header, parts in sandbox.run("consilium.imaging.header_slow:job", source, options, **limits):
            answer = parts[0] if parts else b""
        return json.loads(answer) if answer else None
    except (sandbox.JobFailed, ValueError, RecursionError):
        raise NotFast("unreadable") from None


def job(fd: int, options: dict[str, Any], output: Output) -> None:
    """The job of `scan_jailed` and `json_jailed`: one frame with JSON, none when the file cannot be read."""
    pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE
    sys.setrecursionlimit(800)  # deeper nesting than any real file ends here
    try:
        with open(fd, "rb", closefd=False) as handle:
            if options["what"] == "json":
                found = json_slow(handle, bulk=lambda path: path)
            else:
                found = scan_slow(handle).stored()
    except NotFast:
        return
    output.send({}, json.dumps(found).encode())


def _named(found: Any, bulk: Callable[[str], str]) -> Any:
    """Give the bulk data, so far named by its path, the caller's URIs."""
    if isinstance(found, list):
        return [_named(one, bulk) for one in found]
    if not isinstance(found, dict):
        return found
    return {
        key: bulk(value) if key == "BulkDataURI" and isinstance(value, str) else _named(value, bulk)
        for key, value in found.items()
    }


# -- reading --------------------------------------------------------------------------------------
def _read(data: bytes | BinaryIO) -> tuple[Dataset, Header]:
    """The data set and a Header without tags. Raises NotFast."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _parsed(io.BytesIO(data) if isinstance(data, bytes) else data)
    except NotFast:
        raise
    except Exception:  # pydicom raises many types on damaged bytes
        raise NotFast("unreadable") from None


def _parsed(handle: IO[bytes]) -> tuple[Dataset, Header]:
    size = handle.seek(0, io.SEEK_END)
    handle.seek(0)
    if handle.read(132)[128:] != b"DICM":
        handle.seek(0)
    meta: FileMetaDataset = pydicom.filereader._read_file_meta_info(handle)
    syntax = str(meta.get("TransferSyntaxUID", "") or "")
    start = handle.tell()
    if syntax in DEFLATED:
        plain = io.BytesIO(_inflated(handle.read()))
        return read_dataset(plain, is_implicit_VR=False, is_little_endian=True), Header(
            syntax, start, size, {}, slow=True
        )
    handle.seek(0)
    found = pydicom.dcmread(handle, force=True, defer_size=_DEFERRED)
    implicit, little = found.original_encoding
    if not syntax:
        syntax = fast.IMPLICIT if implicit else fast.EXPLICIT if little else BIG_ENDIAN
    header = Header(syntax, start, size, {}, slow=True)
    _place_pixels(found, header)
    return found, header


def _inflated(packed: bytes) -> bytes:
    plain = zlib.decompressobj(-zlib.MAX_WBITS).decompress(packed, MAX_INFLATED + 1)
    if len(plain) > MAX_INFLATED:
        raise NotFast("too large")
    return plain


def _place_pixels(found: Dataset, header: Header) -> None:
    for tag in sorted(PIXELS):
        if (place := _place(found, tag, header.size)) is not None:
            in_fragments = header.transfer_syntax in fast.ENCAPSULATED or found.get_item(tag).length == _UNDEFINED
            header.pixels = (place[0], -1) if in_fragments else place
            header.pixels_tag = f"{tag:08X}"
    for index, tag in enumerate((0x7FE00001, 0x7FE00002)):
        if (place := _place(found, tag, header.size)) is not None:
            header.extended = header.extended or [None, None]
            header.extended[index] = place


def _place(found: Dataset, tag: int, size: int) -> tuple[int, int] | None:
    """(start, length) of a value as far as the file reaches."""
    raw = found.get_item(tag) if tag in found else None
    if not isinstance(raw, RawDataElement):
        return None
    return raw.value_tell, max(0, min(raw.length, size - raw.value_tell))


# -- values ---------------------------------------------------------------------------------------
def _entry(found: Dataset, tag: int) -> list[Any] | None:
    """[VR, values] as the fast scanner gives them; None for a value that cannot be read."""
    try:
        element = found[tag]
        if element.VR in BINARY or "or" in element.VR:
            return None
        if element.VR == "SQ":
            return ["SQ", _items(element, f"{tag:08X}", lambda path: path, 0)]
        return [str(element.VR), _values(element)]
    except NotFast:
        raise
    except Exception:  # one damaged value must not hide the others
        return None


def _values(element: DataElement) -> list[Any]:
    value = element.value
    if value is None or value == "" or value == b"":
        return []
    many = value if isinstance(value, (MultiValue, list, tuple)) else [value]
    return [_plain(element.VR, one) for one in many]


def _plain(vr: str, value: Any) -> Any:
    """JSON-safe: what cannot be a number where one belongs stays text (PS3.18 Table F.2.3-1), an empty one None."""
    if vr == "AT":
        return f"{int(value):08X}"
    if vr in ("DS", "FL", "FD"):
        number = _number(float, value)
        return number if not isinstance(number, float) or math.isfinite(number) else None
    if vr in ("IS", "SL", "SS", "SV", "UL", "US", "UV"):
        return _number(int, value)
    text = value.decode("latin-1") if isinstance(value, bytes) else str(value)
    return text.encode("utf-8", "replace").decode() or None


def _number(kind: type[int] | type[float], value: Any) -> Any:
    try:
        number = kind(value)
    except (TypeError, ValueError, OverflowError):
        return str(value).strip() or None
    return str(value) if kind is int and number != value else number


def _json(found: Dataset, path: str, bulk: Callable[[str], str], depth: int) -> dict[str, Any]:
    if depth > _MAX_DEPTH:
        raise NotFast("deep")
    out: dict[str, Any] = {}
    for tag in sorted(found.keys()):
        key = f"{tag:08X}"
        if not tag & 0xFFFF or tag >> 16 in (0, 2):
            continue
        one = _attribute_or_none(found, tag, path + key, bulk, depth)
        if one is not None:
            out[key] = one
    return out


def _attribute_or_none(
    found: Dataset, tag: BaseTag, path: str, bulk: Callable[[str], str], depth: int
) -> dict[str, Any] | None:
    raw = found.get_item(tag)
    if isinstance(raw, RawDataElement) and raw.value is None and raw.length:  # left in the file
        return {"vr": "OB" if raw.VR == "OB" else "OW", "BulkDataURI": bulk(path)}
    try:
        return _attribute(found[tag], path, bulk, depth)
    except NotFast:
        raise
    except Exception:  # one damaged value must not hide the others
        return None


def _items(element: DataElement, path: str, bulk: Callable[[str], str], depth: int) -> list[dict[str, Any]]:
    return [_json(item, f"{path}/{index}/", bulk, depth + 1) for index, item in enumerate(element.value)]


def _attribute(element: DataElement, path: str, bulk: Callable[[str], str], depth: int) -> dict[str, Any]:
    vr = str(element.VR)
    if vr == "SQ":
        values = _items(element, path, bulk, depth)
        return {"vr": "SQ", "Value": values} if values else {"vr": "SQ"}
    if vr in BINARY or "or" in vr:
        vr = "OW" if "or" in vr else vr
        value = bytes(element.value or b"")
        if int(element.tag) in PIXELS or len(value) > INLINE_MAX:
            return {"vr": vr, "BulkDataURI": bulk(path)}
        return {"vr": vr, "InlineBinary": base64.b64encode(value).decode()} if value else {"vr": vr}
    return attribute(vr, _values(element))


__all__ = ["job", "json_jailed", "json_slow", "scan_jailed", "scan_slow"]
