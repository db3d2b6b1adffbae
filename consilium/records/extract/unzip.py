"""Inside the jail: walk through a zip and send its members out one by one, counting real bytes only.

Sizes, counts and names in the zip's own tables are claims; what stops a bomb is what actually comes out.
"""

from __future__ import annotations

import io
import re
import stat
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

from consilium.records.sniff import HEAD, TAIL, Kind, sniff

if TYPE_CHECKING:
    from consilium.records.extract.reader import Output

CHUNK = 256 * 1024
RATIO_FREE = 16 * 2**20  # small members may compress well: the ratio counts beyond this
SPOOL = 192 * 2**20  # an inner zip must be seekable: it is held in memory, bounded
_PROGRAMS = (".exe", ".dll", ".com", ".bat", ".cmd", ".scr", ".msi", ".sys", ".ocx", ".vbs", ".ps1", ".jar", ".dylib",
             ".so", ".class", ".lnk", ".cab", ".ini", ".inf", ".chm", ".hlp", ".manifest", ".ico", ".icns")  # fmt: skip
_CLUTTER = {".ds_store", "thumbs.db", "desktop.ini", "autorun.inf", "autorun", ".localized"}
_ERRORS = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    OSError,
    ValueError,
    NotImplementedError,
    IndexError,
    OverflowError,
)


class Bomb(Exception):  # noqa: N818 - a named outcome
    """More came out than is allowed."""


@dataclass
class Bounds:
    max_files: int
    max_member: int
    max_total: int
    max_ratio: int
    depth: int
    files: int = 0
    total: int = 0


def walk(fd: int, options: dict[str, Any], output: Output) -> None:
    """The job of `open_archive`."""
    bounds = Bounds(**options)
    with open(fd, "rb", closefd=False) as handle:
        try:
            _archive(handle, "", bounds, output, depth=1)
        except Bomb:
            output.send({"archive": "archive_bomb"})


def _archive(handle: IO[bytes], prefix: str, bounds: Bounds, output: Output, *, depth: int) -> None:
    try:
        archive = zipfile.ZipFile(handle)
        members = archive.infolist()
    except _ERRORS:
        output.send({"archive": "archive_damaged", "name": prefix})
        return
    files = [m for m in members if not m.is_dir()]
    if not files:
        output.send({"archive": "archive_empty", "name": prefix})
    for info in files:
        bounds.files += 1
        if bounds.files > bounds.max_files:
            output.send({"archive": "too_many_files", "name": prefix})
            return
        _member(archive, info, prefix, bounds, output, depth=depth)


def _member(
    archive: zipfile.ZipFile,
    info: zipfile.ZipInfo,
    prefix: str,
    bounds: Bounds,
    output: Output,
    *,
    depth: int,
) -> None:
    name, unsafe = safe_name(info.filename)
    name = f"{prefix}{name}"
    problems = ["archive_path"] if unsafe else []
    refusal = _refusal(info, name)
    if refusal:
        output.send({"member": name, "size": 0, "problems": [*problems, refusal]})
        return
    try:
        with archive.open(info) as source:
            chunks = _counted(source, info, bounds)
            head = next(chunks, b"")
            kind = sniff(head[:HEAD])
            if kind is Kind.ZIP:
                _nested(head, chunks, name, bounds, output, depth=depth)
                return
            _send(name, head, chunks, kind, problems, output)
    except Bomb:
        output.send({"cut": "archive_bomb", "member": name})
        raise
    except _ERRORS:
        output.send({"cut": "archive_damaged", "member": name})
    except RuntimeError:  # zipfile: "password required for extraction"
        output.send({"cut": "archive_encrypted", "member": name})


def _refusal(info: zipfile.ZipInfo, name: str) -> str:
    mode = info.external_attr >> 16
    if stat.S_ISLNK(mode):
        return "archive_link"
    if mode and stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        return "archive_link"
    if info.flag_bits & 0x1:
        return "archive_encrypted"
    return "left_out" if is_clutter(name) else ""


def is_clutter(name: str) -> bool:
    """Bookkeeping and viewer programs that imaging discs carry."""
    parts = name.casefold().split("/")
    base = parts[-1]
    inside_app = any(p == "__macosx" or p.endswith((".app", ".framework")) for p in parts[:-1])
    return inside_app or base in _CLUTTER or base.startswith("._") or base.endswith(_PROGRAMS)


def _counted(source: IO[bytes], info: zipfile.ZipInfo, bounds: Bounds) -> Iterator[bytes]:
    packed, out = max(1, info.compress_size), 0
    while chunk := source.read(CHUNK):
        out += len(chunk)
        bounds.total += len(chunk)
        too_much = out > bounds.max_member or bounds.total > bounds.max_total
        if too_much or (out > RATIO_FREE and out / packed > bounds.max_ratio):
            raise Bomb
        yield chunk


def _send(name: str, head: bytes, chunks: Iterator[bytes], kind: Kind, problems: list[str], output: Output) -> None:
    if kind is Kind.DICOMDIR:
        output.send({"member": name, "size": 0, "problems": [*problems, "left_out"]})
        return
    output.send({"member": name, "problems": problems})
    if head:
        output.send({"chunk": True}, head)
    for chunk in chunks:
        output.send({"chunk": True}, chunk)
    output.send({"end": True})


def _nested(head: bytes, chunks: Iterator[bytes], name: str, bounds: Bounds, output: Output, *, depth: int) -> None:
    """A zip in the zip: opened, unless it is too deep, or a letter (.docx, .odt) whose table at the end says so."""
    inner = io.BytesIO()
    inner.write(head)
    for chunk in chunks:
        inner.write(chunk)
        if inner.tell() > SPOOL:
            raise Bomb
    whole = inner.getbuffer()
    kind = sniff(bytes(whole[:HEAD]), bytes(whole[-TAIL:]))
    whole.release()
    inner.seek(0)
    if kind is not Kind.ZIP:
        _send(name, inner.read(CHUNK), iter(lambda: inner.read(CHUNK), b""), kind, [], output)
    elif depth >= bounds.depth:
        output.send({"member": name, "size": 0, "problems": ["archive_nested"]})
    else:
        _archive(inner, f"{name}/", bounds, output, depth=depth + 1)


def safe_name(raw: str) -> tuple[str, bool]:
    """(a relative name without tricks, whether it had any): no root, no drive, no "..", no control characters."""
    text = unicodedata.normalize("NFC", raw).replace("\\", "/")
    parts = [p for p in text.split("/") if p not in ("", ".")]
    kept = [re.sub(r'[\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069<>:"|?*]', "_", p)[:120] for p in parts]
    kept = [p for p in kept if p != ".."]
    unsafe = raw.startswith(("/", "\\")) or ".." in parts or kept != [p[:120] for p in parts]
    return "/".join(kept[-12:]) or "file", unsafe
