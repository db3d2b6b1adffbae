"""Everything of a case as one zip, made while it is sent: originals, reports and an index page.

Python's zipfile writes to a pipe that cannot seek (APPNOTE 4.4.4, bit 3: sizes follow the data), so neither memory nor
disk ever holds the archive. Names inside are made safe; nothing leaves the folder they are unpacked to.
"""

import re
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.template.loader import render_to_string

from consilium.cases.models import Case
from consilium.opinions.models import Report
from consilium.records import content
from consilium.records.models import Record
from consilium.vault import blobs
from consilium.web.patient.present.wording import size

UNSAFE = re.compile(r'[\x00-\x1f<>:"/\\|?*]+')


@dataclass(frozen=True)
class Entry:
    """One file of the archive."""

    name: str
    chunks: Iterable[bytes]
    sha256: str
    size: int
    title: str = ""


class _Pipe:
    """What zipfile writes into; the generator takes it out again."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._at = 0

    def write(self, data: bytes) -> int:
        self._parts.append(bytes(data))
        self._at += len(data)
        return len(data)

    def flush(self) -> None:
        """Nothing is kept back."""

    def taken(self) -> bytes:
        """What was written since the last call."""
        data, self._parts = b"".join(self._parts), []
        return data


def stream(case: Case, records: list[Record], reports: list[Report]) -> Iterator[bytes]:
    """The archive in pieces."""
    entries = [*report_entries(case, reports), *record_entries(case, records)]
    index = render_to_string("patient/index_of_archive.html", {"case": case, "entries": _listed(entries)})
    pipe = _Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_STORED) as archive:  # type: ignore[arg-type]
        yield from _written(archive, pipe, "index.html", [index.encode()])
        for entry in entries:
            yield from _written(archive, pipe, entry.name, entry.chunks)
    yield pipe.taken()


def _written(archive: zipfile.ZipFile, pipe: _Pipe, name: str, chunks: Iterable[bytes]) -> Iterator[bytes]:
    with archive.open(name, "w", force_zip64=True) as member:
        for chunk in chunks:
            member.write(chunk)
            yield pipe.taken()


def record_entries(case: Case, records: list[Record]) -> Iterator[Entry]:
    """The originals, one folder a record."""
    for number, record in enumerate(records, start=1):
        title = record.title or str(record.get_kind_display())
        folder = f"records/{number:02d} {safe(title)}"
        for position, file in enumerate(record.files.all(), start=1):
            name = safe(file.name) or "file"
            prefix = f"{position:04d} " if record.images or position > 1 else ""
            yield Entry(f"{folder}/{prefix}{name}", content.chunks(file), file.sha256, file.size, title)


def report_entries(case: Case, reports: list[Report]) -> Iterator[Entry]:
    """Both documents of every version."""
    for report in reports:
        for kind in ("patient", "clinical"):
            blob, digest, length = (getattr(report, f"{kind}_{what}") for what in ("blob", "sha256", "size"))
            yield Entry(f"report/version-{report.number}-{kind}.pdf", _bytes(case, blob), digest, length)


def _bytes(case: Case, blob: object) -> Iterator[bytes]:
    yield from blobs.read(blob, space=case.pk)  # type: ignore[arg-type]


def _listed(entries: list[Entry]) -> list[dict[str, str]]:
    return [{"name": e.name, "title": e.title, "size": size(e.size), "sha256": e.sha256} for e in entries]


def safe(name: str) -> str:
    """A name that every system can unpack."""
    return UNSAFE.sub("_", name).strip(" .")[:80]
