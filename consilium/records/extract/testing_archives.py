"""Archives that go wrong in a known way, made on the spot for tests. Each maker returns the bytes."""

from __future__ import annotations

import io
import struct
import tarfile
import zipfile
from collections.abc import Iterable

BLOCK = 512
END = b"\0" * 2 * BLOCK


def tarred(files: Iterable[tuple[str, bytes]], *, form: int = tarfile.PAX_FORMAT) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as archive:
        for name, data in files:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def tar_of(name: str, sort: bytes, *, link: str = "/etc/passwd") -> bytes:
    """One entry of another sort than a file: a link, a device, a folder."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        info = tarfile.TarInfo(name)
        info.type, info.linkname = sort, link
        archive.addfile(info)
    return out.getvalue()


def header(
    name: bytes = b"a.txt",
    size: int | bytes = 0,
    sort: bytes = b"0",
    *,
    prefix: bytes = b"",
    magic: bytes = b"ustar\x0000",
) -> bytes:
    """One header block with a true checksum, whatever else it says. `size`: a number, or the field's 12 bytes."""
    field = size if isinstance(size, bytes) else b"%011o\0" % size
    block = bytearray(BLOCK)
    block[0 : len(name)] = name
    block[100:124] = b"0000644\0" + b"0000000\0" * 2
    block[124:136], block[136:148] = field, b"00000000000\0"
    block[156:157], block[257 : 257 + len(magic)] = sort, magic
    block[345 : 345 + len(prefix)] = prefix
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def padded(data: bytes) -> bytes:
    return data + b"\0" * (-len(data) % BLOCK)


def pax(*records: bytes, sort: bytes = b"x") -> bytes:
    """A pax header block with these raw records."""
    body = b"".join(records)
    return header(b"pax", len(body), sort) + padded(body)


def record(key: str, value: bytes) -> bytes:
    """One record with its true length (POSIX.1-2017 pax)."""
    body = b" " + key.encode() + b"=" + value + b"\n"
    length = len(body) + 1
    while len(str(length)) + len(body) != length:
        length += 1
    return str(length).encode() + body


def zip_with_raw_name(raw: bytes, data: bytes = b"x") -> bytes:
    """A zip whose name field holds these bytes, without the flag for UTF-8, as old writers made them."""
    place = b"N" * len(raw)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(zipfile.ZipInfo(place.decode()), data)
    return out.getvalue().replace(place, raw)


def zip_of_many(count: int) -> bytes:
    """`count` empty files, written straight: the module would take seconds."""
    local = struct.pack("<4s5H3L2H", b"PK\x03\x04", 20, 0, 0, 0, 33, 0, 0, 0, 6, 0)
    central = struct.pack("<4s6H3L5H2L", b"PK\x01\x02", 20, 20, 0, 0, 0, 33, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0)[:-4]
    body, table = bytearray(), bytearray()
    for number in range(count):
        name = b"%06d" % number
        table += central + struct.pack("<L", len(body)) + name
        body += local + name
    many = min(count, 0xFFFF)
    at, size = len(body), len(table)
    zip64 = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, count, count, size, at)
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, at + size, 1)
    return bytes(body + table + zip64 + locator) + struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, many, many, size, at, 0)


def tar_of_many(count: int) -> bytes:
    block = bytearray(header(b"000000"))
    base = sum(block[:148]) + sum(block[156:]) + 256 - 6 * 48
    out = bytearray()
    for number in range(count):
        name = b"%06d" % number
        block[:6], block[148:156] = name, b"%06o\0 " % (base + sum(name))
        out += block
    return bytes(out + END)


def zip_overlapping(size: int, copies: int) -> bytes:
    """Many entries of the table that all point at one compressed member (as the "better zip bomb" does)."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo("k00.bin"), b"\0" * size, compress_type=zipfile.ZIP_DEFLATED)
    data = out.getvalue()
    start = data.index(b"PK\x01\x02")
    end = data.index(b"PK\x05\x06")
    entry = data[start:end]
    table = b"".join(entry.replace(b"k00.bin", b"k%02d.bin" % number) for number in range(copies))
    return data[:start] + table + struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, copies, copies, len(table), start, 0)


def zip_patched(
    data: bytes, *, local: dict[int, bytes] | None = None, central: dict[int, bytes] | None = None
) -> bytes:
    """A zip with bytes overwritten in its first local header and first table entry (APPNOTE 4.3.7, 4.3.12)."""
    patched = bytearray(data)
    at = patched.index(b"PK\x01\x02")
    for base, changes in ((0, local or {}), (at, central or {})):
        for offset, value in changes.items():
            patched[base + offset : base + offset + len(value)] = value
    return bytes(patched)
