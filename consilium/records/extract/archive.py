"""A zip as a stream of its members. Unpacking happens in the jail; nothing is written under a member's name."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from consilium.records import sandbox
from consilium.records.extract.result import Chunks, clean_text
from consilium.records.problems import TABLE, Problem, problem

WALKER = "consilium.records.extract.unzip:walk"


@dataclass(frozen=True)
class ArchiveLimits:
    """Bounds of one archive, counted on the bytes that really come out."""

    max_input: int = 2 * 2**30
    max_files: int = 20_000
    max_member: int = 2 * 2**30
    max_total: int = 6 * 2**30
    max_ratio: int = 200
    depth: int = 2  # a zip in a zip is opened, one deeper is not
    seconds: float = 3600.0  # includes the time that the reader of the members takes
    cpu_seconds: int = 300


ARCHIVE = ArchiveLimits()


@dataclass
class Member:
    """One file of an archive, or (name "") a problem of the archive itself.

    Read `chunks()` before asking for the next member; what is not read is skipped. After reading, `problems` may
    have grown: a member that turned out damaged, or a bomb.
    """

    name: str
    problems: list[Problem] = field(default_factory=list)
    size: int = 0  # bytes read so far
    _frames: Iterator[sandbox.Frame] | None = None

    @property
    def refused(self) -> bool:
        """Nothing of it is to be kept. Left-out clutter counts: there is nothing to keep."""
        return any(one.severity == "refuse" or one.code == "left_out" for one in self.problems)

    def chunks(self) -> Iterator[bytes]:
        """The bytes, once."""
        while self._frames is not None:
            header, parts = next(self._frames, ({"end": True}, []))
            if "chunk" in header and parts:
                self.size += len(parts[0])
                yield parts[0]
            else:
                self._frames = None
                if "end" not in header:
                    self._add(str(header.get("cut", "archive_damaged")))

    def _add(self, code: str) -> None:
        self.problems.append(_problem(code))

    def skip(self) -> None:
        for _chunk in self.chunks():
            pass


def _problem(code: str) -> Problem:
    return problem(code if code in TABLE else "archive_damaged")


def open_archive(source: Chunks, *, limits: ArchiveLimits = ARCHIVE) -> Iterator[Member]:
    """The members of a zip, one by one. Never raises for what the bytes contain.

    The order is the archive's. Problems of the whole archive come as a member without a name.
    """
    chunks = source() if callable(source) else iter(source)
    fd, size = sandbox.memory_file(chunks, most=limits.max_input + 1)
    try:
        if size > limits.max_input:
            yield Member("", [problem("too_large")])
            return
        yield from _members(fd, limits)
    finally:
        os.close(fd)


def _members(fd: int, limits: ArchiveLimits) -> Iterator[Member]:
    options = {
        "max_files": limits.max_files, "max_member": limits.max_member, "max_total": limits.max_total,
        "max_ratio": limits.max_ratio, "depth": limits.depth,
    }  # fmt: skip
    frames = sandbox.run(
        WALKER, fd, options, seconds=limits.seconds, cpu_seconds=limits.cpu_seconds,
        max_output=limits.max_total + 64 * 2**20, stream=True,
    )  # fmt: skip
    frames = _until_failure(frames)
    count = 0
    for header, _parts in frames:
        member = _announced(header, frames)
        if member is not None:
            count += 1
            if count > limits.max_files + 10:  # the child counts too; it is not trusted to
                yield Member("", [problem("too_many_files")])
                return
            yield member
            member.skip()


def _announced(header: dict[str, Any], frames: Iterator[sandbox.Frame]) -> Member | None:
    """A member or a problem from one frame; None for anything else a hostile child may send."""
    if "archive" in header:
        return Member(_name(header.get("name", "")).rstrip("/"), [_problem(str(header["archive"]))])
    if "cut" in header:
        return Member(_name(header.get("member", "")), [_problem(str(header["cut"]))])
    if "member" not in header:
        return None
    codes = header.get("problems")
    member = Member(_name(header["member"]), [_problem(str(c)) for c in codes[:5]] if isinstance(codes, list) else [])
    if not member.refused:
        member._frames = frames
    return member


def _name(value: Any) -> str:
    """The child has made the name safe; that is checked again here because the child may lie."""
    parts = clean_text(str(value)[:1500]).replace("\n", "_").replace("\t", "_").replace("\\", "/").split("/")
    return "/".join(p for p in parts if p not in ("", ".", ".."))


def _until_failure(frames: Iterator[sandbox.Frame]) -> Iterator[sandbox.Frame]:
    """The frames; the child's early end becomes one more frame."""
    try:
        yield from frames
    except sandbox.JobFailed as failure:
        code = "archive_bomb" if failure.reason in ("late", "memory", "flood") else "archive_damaged"
        yield {"archive": code, "cut": code}, []
    except sandbox.SandboxError:
        yield {"archive": "not_read", "cut": "not_read"}, []
