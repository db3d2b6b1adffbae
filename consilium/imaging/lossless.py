"""JPEG lossless, Huffman, non-hierarchical (ITU-T T.81 process 14; PS3.5 §A.4.1) for previews.

Hospital discs are full of it and no permissively licensed decoder is installed, so the part that DICOM uses is
read here: any predictor, one to three interleaved components without subsampling, restart at whole rows.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from pydicom.dataset import Dataset
from pydicom.encaps import get_frame

SYNTAXES = {"1.2.840.10008.1.2.4.57", "1.2.840.10008.1.2.4.70"}
MAX_SAMPLES = 16_000_000  # a preview is not worth more processor time than this takes
Array = np.ndarray[Any, np.dtype[Any]]
Table = tuple[list[int], list[int]]  # by the next 16 bits: (category, code length)


def handles(transfer_syntax: str) -> bool:
    return transfer_syntax in SYNTAXES


def frame(found: Dataset, index: int) -> Array:
    """Decoded frame `index` (from 0): (rows, columns) or (rows, columns, 3), the type the header says.

    Raises ValueError on damaged data, NotImplementedError on what DICOM does not use.
    """
    count = int(found.get("NumberOfFrames") or 1)
    values = decode(get_frame(found.PixelData, index, number_of_frames=count))
    if values.shape[:2] != (int(found.Rows), int(found.Columns)):
        raise ValueError("size differs from the header")
    if int(found.get("PixelRepresentation") or 0) and values.dtype == np.uint16:
        return values.view(np.int16)
    return values


@dataclass
class _Header:
    precision: int = 0
    rows: int = 0
    columns: int = 0
    components: int = 0
    restart: int = 0
    tables: dict[int, Table] = field(default_factory=dict)
    selected: list[int] = field(default_factory=list)
    predictor: int = 0
    shift: int = 0


def decode(data: bytes) -> Array:
    """One JPEG lossless image. uint8 up to 8 bits of precision, else uint16."""
    header, scan = _read_header(data)
    samples = header.rows * header.columns * header.components
    if not 0 < samples <= MAX_SAMPLES:
        raise NotImplementedError("too many samples")
    rows_each = header.rows
    if header.restart:
        if header.restart % header.columns:
            raise NotImplementedError("restart inside a row")
        rows_each = header.restart // header.columns
    parts, done = [], 0
    for segment in _segments(data[scan:]):
        if done >= header.rows:
            break
        rows = min(rows_each, header.rows - done)
        parts.append(_predicted(_differences(segment, header, rows), header))
        done += rows
    if done < header.rows:
        raise ValueError("image ends early")
    values = np.concatenate(parts) << header.shift
    values = values.astype(np.uint8 if header.precision <= 8 else np.uint16)
    return values[..., 0] if header.components == 1 else values


def _read_header(data: bytes) -> tuple[_Header, int]:
    """The marker segments up to the scan (T.81 annex B) and where the entropy-coded data begin."""
    header, at = _Header(), 2
    if data[:2] != b"\xff\xd8":
        raise ValueError("not a JPEG")
    while at + 4 <= len(data):
        marker, size = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        body = data[at + 4 : at + 2 + size]
        if marker == 0xC3:
            header.precision, header.components = body[0], body[5]
            header.rows, header.columns = (int.from_bytes(body[i : i + 2], "big") for i in (1, 3))
            if any(body[7 + 3 * i] != 0x11 for i in range(header.components)):
                raise NotImplementedError("subsampled components")
        elif marker == 0xC4:
            _read_tables(body, header)
        elif marker == 0xDD:
            header.restart = int.from_bytes(body[:2], "big")
        elif marker == 0xDA:
            header.selected = [body[2 + 2 * i] >> 4 for i in range(body[0])]
            header.predictor, header.shift = body[-3], body[-1] & 15
            if body[0] != header.components:
                raise NotImplementedError("components in separate scans")
            return header, at + 2 + size
        elif 0xC0 <= marker <= 0xCF and marker not in (0xC8, 0xCC):
            raise NotImplementedError("another JPEG process")
        at += 2 + size
    raise ValueError("no scan")


def _read_tables(body: bytes, header: _Header) -> None:
    at = 0
    while at + 17 <= len(body):
        counts = body[at + 1 : at + 17]
        total = sum(counts)
        header.tables[body[at] & 15] = _table(counts, body[at + 17 : at + 17 + total])
        at += 17 + total


def _table(counts: bytes, symbols: bytes) -> Table:
    """Canonical codes (T.81 annex C) spread over all 16-bit prefixes; length 0 marks a code that does not exist."""
    categories, lengths = [0] * 65536, [0] * 65536
    code, at = 0, 0
    for length, count in enumerate(counts, start=1):
        for symbol in symbols[at : at + count]:
            low, high = code << (16 - length), (code + 1) << (16 - length)
            if high > 65536 or symbol > 16:
                raise ValueError("impossible code table")
            categories[low:high] = [symbol] * (high - low)
            lengths[low:high] = [length] * (high - low)
            code += 1
        at += count
        code <<= 1
    return categories, lengths


def _segments(data: bytes) -> list[bytes]:
    """Entropy-coded data between restart markers, byte stuffing removed, up to any other marker."""
    out, start, at = [], 0, data.find(b"\xff")
    while 0 <= at < len(data) - 1:
        following = data[at + 1]
        if following != 0 and following != 0xFF:
            out.append(data[start:at])
            if not 0xD0 <= following <= 0xD7:
                return [part.replace(b"\xff\x00", b"\xff") for part in out]
            start = at + 2
        at = data.find(b"\xff", at + (1 if following == 0xFF else 2))
    out.append(data[start:])
    return [part.replace(b"\xff\x00", b"\xff") for part in out]


def _differences(data: bytes, header: _Header, rows: int) -> Array:
    """Decode the Huffman-coded differences (T.81 §H.1.2.2) of `rows` rows: (rows, columns, components), int32.

    Plain Python, so the loop keeps its state in local names: about a microsecond a sample.
    """
    tables = [header.tables[number] for number in header.selected]
    out = [0] * (rows * header.columns * header.components)
    buffer, bits, at, end = 0, 0, 0, len(data)
    single = tables[0] if all(table is tables[0] for table in tables) else None
    categories, lengths = single or tables[0]
    for position in range(len(out)):
        if single is None:
            categories, lengths = tables[position % header.components]
        if bits < 32:
            buffer = ((buffer & ((1 << bits) - 1)) << 64) | int.from_bytes(data[at : at + 8].ljust(8, b"\0"), "big")
            bits, at = bits + 64, at + 8
        prefix = (buffer >> (bits - 16)) & 0xFFFF
        length, category = lengths[prefix], categories[prefix]
        if not length or at - (bits >> 3) > end + 2:
            raise ValueError("damaged data")
        bits -= length
        if category == 16:
            out[position] = 32768
        elif category:
            bits -= category
            value = (buffer >> bits) & ((1 << category) - 1)
            out[position] = value if value >> (category - 1) else value - (1 << category) + 1
    return np.array(out, np.int32).reshape(rows, header.columns, header.components)


def _predicted(differences: Array, header: _Header) -> Array:
    """Samples from differences (T.81 §H.1.2.1, table H.1), modulo 2^16. The first row is predicted from the left."""
    start = 1 << (header.precision - header.shift - 1)
    differences[0, 0] += start
    if header.predictor == 1:
        differences[:, 0] = np.cumsum(differences[:, 0], axis=0)
        return np.cumsum(differences, axis=1, dtype=np.int64) & 0xFFFF
    out = differences.astype(np.int64)
    out[0] = np.cumsum(out[0], axis=0) & 0xFFFF
    if header.predictor == 2:
        return np.cumsum(out, axis=0) & 0xFFFF
    for row in range(1, len(out)):
        _predict_row(out, row, header.predictor)
    return out


def _predict_row(out: Array, row: int, predictor: int) -> None:
    above, here = out[row - 1], out[row]
    here[0] = (here[0] + above[0]) & 0xFFFF
    for column in range(1, len(here)):
        left, up, corner = here[column - 1], above[column], above[column - 1]
        here[column] = (here[column] + _PREDICTORS[predictor](left, up, corner)) & 0xFFFF


_PREDICTORS: dict[int, Any] = {
    3: lambda _left, _up, corner: corner,
    4: lambda left, up, corner: left + up - corner,
    5: lambda left, up, corner: left + ((up - corner) >> 1),
    6: lambda left, up, corner: up + ((left - corner) >> 1),
    7: lambda left, up, _corner: (left + up) >> 1,
}
