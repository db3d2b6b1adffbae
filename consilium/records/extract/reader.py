"""Inside the jail: choose the parser for a kind and send what it finds, piece by piece.

Pieces are sent as soon as they are known, so that a file that takes too long still shows its first pages.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol

from consilium.records.extract import entry, guess, sections
from consilium.records.sniff import Kind


class Output(Protocol):
    def send(self, header: dict[str, Any], *parts: bytes) -> None: ...


@dataclass
class Job:
    """What a parser gets: the bytes, the bounds, and where its findings go."""

    fd: int
    options: dict[str, Any]
    output: Output
    said: list[str] = field(default_factory=list)
    room: int = 0

    @property
    def kind(self) -> Kind:
        return Kind(self.options["kind"])

    @property
    def size(self) -> int:
        return os.fstat(self.fd).st_size

    def open(self) -> io.BufferedReader:
        """The bytes as a fresh seekable file."""
        handle = os.fdopen(os.dup(self.fd), "rb")
        handle.seek(0)
        return handle

    def data(self) -> bytes:
        with self.open() as handle:
            return handle.read()

    def facts(self, **facts: Any) -> None:
        self.output.send({"facts": {k: v for k, v in facts.items() if v not in (None, "", [], {})}})

    def problem(self, code: str) -> None:
        self.output.send({"problem": code})

    def suggest(self, **what: Any) -> None:
        self.output.send({"suggest": what})

    def text(self, page: str) -> None:
        """One page of text, bounded over the whole file."""
        page = page[: max(0, min(40_000, self.options["max_text"] - self.room))]
        self.room += len(page)
        if sum(map(len, self.said)) < 60_000:
            self.said.append(page)
        self.output.send({"text": page})

    def entries(self, found: Iterable[dict[str, Any]]) -> None:
        """Structured facts (entry.py), in bounded groups."""
        for group in entry.batches(found):
            self.output.send({"entries": group})

    def sections(self, found: list[dict[str, Any]]) -> None:
        """The words of a structured document under their headings (blocks.py)."""
        self.output.send({"sections": sections.checked(found)})

    def preview(self, kind: str, index: int, width: int, height: int, data: bytes) -> None:
        self.output.send({"preview": {"kind": kind, "index": index, "width": width, "height": height}}, data)


PARSERS: dict[Kind, str] = {
    Kind.PDF: "consilium.records.extract.pdf",
    Kind.DICOM: "consilium.imaging.scan",
    Kind.JPEG: "consilium.records.extract.photo",
    Kind.PNG: "consilium.records.extract.photo",
    Kind.HEIC: "consilium.records.extract.photo",
    Kind.TIFF: "consilium.records.extract.photo",
    Kind.WEBP: "consilium.records.extract.photo",
    Kind.GIF: "consilium.records.extract.photo",
    Kind.BMP: "consilium.records.extract.photo",
    Kind.FHIR_JSON: "consilium.records.extract.fhir",
    Kind.CCDA_XML: "consilium.records.extract.ccda",
    Kind.HL7V2: "consilium.records.extract.hl7v2",
    Kind.TEXT: "consilium.records.extract.plain",
    Kind.HTML: "consilium.records.extract.plain",
    Kind.RTF: "consilium.records.extract.plain",
    Kind.DOCX: "consilium.records.extract.office",
    Kind.ODT: "consilium.records.extract.office",
}


def read(fd: int, options: dict[str, Any], output: Output) -> None:
    """The job of `extract`: every parser module has `parse(job)`."""
    job = Job(fd, options, output)
    importlib.import_module(PARSERS[job.kind]).parse(job)
    words = "\n".join(job.said)
    if words.strip() and job.kind not in (Kind.DICOM, Kind.DICOMDIR):
        job.suggest(**guess.from_text(words, job.kind))


def nothing(_fd: int, _options: dict[str, Any], _output: Output) -> None:
    """An empty job: proves that a child can be started and locked."""


def warm() -> None:
    """Import every parser and touch what they load lazily, before the door is locked."""
    for name in sorted(set(PARSERS.values())):
        with contextlib.suppress(ModuleNotFoundError):
            module = importlib.import_module(name)
            getattr(module, "warm", nothing_to_warm)()


def nothing_to_warm() -> None:
    return None
