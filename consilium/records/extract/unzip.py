"""Inside the jail: walk through a zip and send its members out one by one, counting real bytes only.

Sizes, counts and names in the zip's own tables are claims; what stops a bomb is what actually comes out.
"""

from __future__ import annotations

import io
import os
import stat
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

from consilium.records.extract import leftout
from consilium.records.extract.names import decoded, safe_name
from consilium.records.sniff import HEAD, TAIL, Kind, sniff

if TYPE_CHECKING:
    from consilium.records.extract.reader import Output

CHUNK = 256 * 1024
RATIO_FREE = 16 * 2**20  # small members may compress well: the ratio counts beyond this
ALL_FREE = 256 * 2**20  # the same for all members together
SPOOL = 192 * 2**20  # an inner zip must be seekable: it is held in memory, bounded
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
    """More came out of a member than is allowed: the others are still read."""


class Flood(Bomb):
    """More came out of all members together than is allowed: nothing more is read."""


@dataclass
class Bounds:
    max_files: int
    max_member: int
    max_total: int
    max_ratio: int
    depth: int
    packed: int = 0  # bytes of the whole archive
    files: int = 0
    total: int = 0

    def count(self, size: int) -> None:
        """Note `size` bytes that came out. Raises Flood."""
        self.total += size
        if self.total > self.max_total or (self.total > ALL_FREE and self.total > self.max_ratio * self.packed):
            raise Flood


@dataclass
class Place:
    """Where a member lies: its safe name in its own zip, the zips around it, and what is known of the disc."""

    name: str
    prefix: str
    disc: leftout.Disc
    problems: list[str]

    @property
    def path(self) -> str:
        return self.prefix + self.name


def walk(fd: int, options: dict[str, Any], output: Output) -> None:
    """The job of `open_archive`."""
    bounds = Bounds(**options)
    bounds.packed = os.fstat(fd).st_size
    with open(fd, "rb", closefd=False) as handle:
        try:
            _archive(handle, "", bounds, output, depth=1)
        except Flood:
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
    names = [safe_name(_true_name(info)) for info in files]
    disc = leftout.survey(name for name, _unsafe in names)
    for info, (name, unsafe) in zip(files, names, strict=True):
        bounds.files += 1
        if bounds.files > bounds.max_files:
            output.send({"archive": "too_many_files", "name": prefix})
            return
        problems = ["archive_path"] if unsafe else []
        _member(archive, info, Place(name, prefix, disc, problems), bounds, output, depth=depth)


def _true_name(info: zipfile.ZipInfo) -> str:
    """APPNOTE 4.4.4, bit 11: UTF-8. Without it the tables say cp437, and most writers wrote something else."""
    return info.filename if info.flag_bits & 0x800 else decoded(info.orig_filename.encode("cp437", "replace"))


def _member(
    archive: zipfile.ZipFile,
    info: zipfile.ZipInfo,
    place: Place,
    bounds: Bounds,
    output: Output,
    *,
    depth: int,
) -> None:
    refusal = _refusal(info)
    if refusal:
        output.send({"member": place.path, "size": 0, "problems": [*place.problems, refusal]})
        return
    try:
        with archive.open(info) as source:
            chunks = _counted(source, info, bounds)
            head = next(chunks, b"")
            _judge(head, chunks, place, bounds, output, depth=depth)
    except Bomb as bomb:
        output.send({"cut": "archive_bomb", "member": place.path})
        if isinstance(bomb, Flood):
            raise
    except _ERRORS:
        output.send({"cut": "archive_damaged", "member": place.path})
    except RuntimeError:  # zipfile: "password required for extraction"
        output.send({"cut": "archive_encrypted", "member": place.path})


def _judge(head: bytes, chunks: Iterator[bytes], place: Place, bounds: Bounds, output: Output, *, depth: int) -> None:
    """Leave it out, open it, or send it on, by what its first bytes are."""
    kind = sniff(head[:HEAD])
    left = leftout.verdict(place.name, kind, place.disc)
    if left:
        output.send({"member": place.path, "size": 0, "problems": [*place.problems, left]})
    elif kind is Kind.ZIP:
        _nested(head, chunks, place, bounds, output, depth=depth)
    else:
        _send(place, head, chunks, output)


def _refusal(info: zipfile.ZipInfo) -> str:
    mode = info.external_attr >> 16
    if stat.S_ISLNK(mode):
        return "archive_link"
    if mode and stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        return "archive_link"
    return "archive_encrypted" if info.flag_bits & 0x1 else ""


def _counted(source: IO[bytes], info: zipfile.ZipInfo, bounds: Bounds) -> Iterator[bytes]:
    packed, out = max(1, info.compress_size), 0
    while chunk := source.read(CHUNK):
        out += len(chunk)
        bounds.count(len(chunk))
        if out > bounds.max_member or (out > RATIO_FREE and out / packed > bounds.max_ratio):
            raise Bomb
        yield chunk


def _send(place: Place, head: bytes, chunks: Iterator[bytes], output: Output) -> None:
    output.send({"member": place.path, "problems": place.problems})
    if head:
        output.send({"chunk": True}, head)
    for chunk in chunks:
        output.send({"chunk": True}, chunk)
    output.send({"end": True})


def _nested(head: bytes, chunks: Iterator[bytes], place: Place, bounds: Bounds, output: Output, *, depth: int) -> None:
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
        left = leftout.verdict(place.name, kind, place.disc)  # only its end told what it is: a program, a letter
        if left:
            output.send({"member": place.path, "size": 0, "problems": [*place.problems, left]})
            return
        _send(place, inner.read(CHUNK), iter(lambda: inner.read(CHUNK), b""), output)
    elif depth >= bounds.depth:
        output.send({"member": place.path, "size": 0, "problems": [*place.problems, "archive_nested"]})
    else:
        _archive(inner, f"{place.path}/", bounds, output, depth=depth + 1)
