"""A tar bundle as a list of byte ranges: the browser packs a whole disc into one stream, and nothing is copied again.

Strict and bounded, so it may run in the web process: fixed blocks of 512 bytes, sizes checked against the true end,
no recursion, nothing unpacked. Format: POSIX.1-2017, pax, "ustar Interchange Format" and "pax Header Block", and
GNU's long names ("L").
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from consilium.records.extract import leftout
from consilium.records.extract.names import decoded, safe_name
from consilium.records.problems import Problem, problem
from consilium.records.sniff import Kind, is_tar_header, sniff

BLOCK = 512
PEEK = 2048  # of each member, to tell a program from an image
WINDOW = 64 * 1024
MOST_FILES = 100_000
MOST_EXTENSION = 64 * 1024  # bytes of one pax header or long name
_FILES, _FOLDER, _LINKS = (b"0", b"\0", b"7"), b"5", (b"1", b"2", b"3", b"4", b"6")

ReadAt = Callable[[int, int], bytes]  # (start, length) → up to `length` bytes from there


@dataclass(frozen=True, slots=True)
class TarMember:
    """A file of the bundle: its bytes are [offset, offset + size) of the bundle. Name "": a problem of the bundle.

    `kind` is judged by the first 2 KiB only; `refused` says that nothing of it is to be kept.
    """

    name: str
    offset: int = 0
    size: int = 0
    problems: tuple[Problem, ...] = ()
    kind: Kind = Kind.EMPTY

    @property
    def refused(self) -> bool:
        return any(one.severity == "refuse" or one.code == "left_out" for one in self.problems)


def members(source: BinaryIO | ReadAt, size: int, *, most_files: int = MOST_FILES) -> Iterator[TarMember]:
    """The files of a tar bundle of `size` bytes, in order; never raises for what the bytes contain.

    Good members before a damaged place are given; the damage comes last, as a member without a name.
    """
    yield from judged(list(walk(source, size, most_files=most_files)))


def walk(source: BinaryIO | ReadAt, size: int, *, most_files: int = MOST_FILES) -> Iterator[TarMember]:
    """The same before the names of all of them tell which belong to the disc's viewer: see `judged`."""
    return _Walk(_Window(source, size), size, most_files).run()


def judged(found: Sequence[TarMember]) -> Iterator[TarMember]:
    """Members of a whole bundle, now also with the problem of what is to be left out."""
    disc = leftout.survey(one.name for one in found if one.name)
    for one in found:
        code = "" if one.refused or not one.name else leftout.verdict(one.name, one.kind, disc)
        yield TarMember(one.name, one.offset, one.size, (*one.problems, problem(code)), one.kind) if code else one


class _Window:
    """Reads by position, many small headers from one larger read."""

    def __init__(self, source: BinaryIO | ReadAt, size: int) -> None:
        self._source, self._size = source, size
        self._start, self._bytes = 0, b""

    def read(self, start: int, length: int) -> bytes:
        """Up to `length` (≤ 64 KiB) bytes at `start`; fewer only at the end."""
        at = start - self._start
        if not (at >= 0 and at + length <= len(self._bytes)):
            self._start, self._bytes = start, self._fetch(start, min(WINDOW, max(0, self._size - start)))
            at = 0
        return self._bytes[at : at + length]

    def _fetch(self, start: int, length: int) -> bytes:
        if callable(self._source):
            return self._source(start, length)
        self._source.seek(start)
        got = b""
        while len(got) < length and (piece := self._source.read(length - len(got))):
            got += piece
        return got


class _Damaged(Exception):  # noqa: N818 - a named outcome
    """From here on nothing can be trusted."""


class _Walk:
    def __init__(self, window: _Window, size: int, most_files: int) -> None:
        self._window, self._size, self._most = window, size, most_files
        self._at = 0
        self._extended: dict[str, bytes] = {}  # of the next member: pax records and GNU long name

    def run(self) -> Iterator[TarMember]:
        files = 0
        try:
            for _header in range(4 * self._most + 16):
                block = self._window.read(self._at, BLOCK)
                if not block.strip(b"\0") and len(block) == BLOCK:
                    self._check_end()
                    if not files:
                        yield _whole("archive_empty")
                    return
                member = self._one(block)
                if member is not None:
                    files += 1
                    if files > self._most:
                        break
                    yield member
            yield _whole("too_many_files")
        except _Damaged:
            yield _whole("archive_damaged")

    def _check_end(self) -> None:
        """After the end only zeros may follow, else files would be lost in silence (two bundles in one)."""
        rest = self._window.read(self._at, min(WINDOW, self._size - self._at))
        if rest.strip(b"\0") or self._size - self._at > 2**20:
            raise _Damaged

    def _one(self, block: bytes) -> TarMember | None:
        """The member whose header is `block`, or None for headers that only speak of others."""
        if not is_tar_header(block):
            raise _Damaged
        sort, declared = block[156:157], _number(block[124:136])
        if sort in (b"x", b"g", b"L", b"K"):
            self._take_extension(sort, self._read_extension(declared))
            return None
        extended, self._extended = self._extended, {}
        length = _decimal(extended["size"]) if "size" in extended else declared
        raw = extended.get("path") or _ustar_name(block)
        if sort == _FOLDER or sort in _LINKS:
            self._at += BLOCK  # links and folders have no data, whatever their header says
            return None if sort == _FOLDER else _member(raw, "archive_link")
        start = self._at + BLOCK
        if start + length > self._size:
            raise _Damaged
        self._at = start + -(-length // BLOCK) * BLOCK
        if sort not in _FILES or any(key.startswith("GNU.sparse") for key in extended):
            return _member(raw, "archive_part")
        if raw.endswith(b"/") and not length:
            return None
        return _member(raw, offset=start, size=length, head=self._window.read(start, min(length, PEEK)))

    def _read_extension(self, length: int) -> bytes:
        start = self._at + BLOCK
        if length > MOST_EXTENSION or start + length > self._size:
            raise _Damaged
        self._at = start + -(-length // BLOCK) * BLOCK
        return self._window.read(start, length)

    def _take_extension(self, sort: bytes, body: bytes) -> None:
        if sort == b"L":
            self._extended["path"] = body.rstrip(b"\0")
        elif sort == b"x":
            self._extended.update(_pax_records(body))
        elif sort == b"g" and _pax_records(body).keys() & {"path", "size"}:
            raise _Damaged  # one name or size for all files that follow: no honest packer does so


def _member(raw: bytes, code: str = "", *, offset: int = 0, size: int = 0, head: bytes = b"") -> TarMember:
    name, unsafe = safe_name(decoded(raw))
    codes = [*(["archive_path"] if unsafe else []), *([code] if code else [])]
    return TarMember(name, offset, size, tuple(map(problem, codes)), sniff(head))


def _whole(code: str) -> TarMember:
    return TarMember("", problems=(problem(code),))


def _ustar_name(block: bytes) -> bytes:
    name = block[:100].split(b"\0", 1)[0]
    # GNU's own format ("ustar  ") keeps times where POSIX keeps the prefix.
    prefix = block[345:500].split(b"\0", 1)[0] if block[257:263] == b"ustar\0" else b""
    return prefix + b"/" + name if prefix else name


def _number(field: bytes) -> int:
    """Octal digits, or GNU's base 256 with the high bit set. Raises _Damaged, also for negative numbers."""
    if field[:1] == b"\x80":
        return int.from_bytes(field[1:], "big")
    digits = field.strip(b" \0")
    if digits.strip(b"01234567"):
        raise _Damaged
    return int(digits or b"0", 8)


def _decimal(digits: bytes) -> int:
    if not digits.isdigit() or len(digits) > 19:
        raise _Damaged
    return int(digits)


def _pax_records(body: bytes) -> dict[str, bytes]:
    """ "length key=value\\n", the length counting itself (pax Header Block). Raises _Damaged."""
    records: dict[str, bytes] = {}
    at = 0
    while at < len(body):
        space = body.find(b" ", at, at + 20)
        if space < 0:
            raise _Damaged
        end = at + _decimal(body[at:space])
        key, equals, value = body[space + 1 : end - 1].partition(b"=")
        if not equals or end > len(body) or body[end - 1 : end] != b"\n" or end <= space:
            raise _Damaged
        records[key.decode("utf-8", "replace")] = value
        at = end
    return records
