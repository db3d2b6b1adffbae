"""Everything of a case as one zip, made while it is sent: originals, reports and an index page.

Python's zipfile writes to a pipe that cannot seek (APPNOTE 4.4.4, bit 3: sizes follow the data), so neither memory nor
disk ever holds the archive. Names inside are made safe; nothing leaves the folder they are unpacked to.
"""

import re
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.template.loader import render_to_string
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from consilium.cases.models import Case
from consilium.imaging.dicomdir import Member, dicomdir
from consilium.opinions.models import Report
from consilium.records import checking, content
from consilium.records.models import Record, RecordFile
from consilium.vault import blobs
from consilium.web.patient.present.wording import day, size, titled

UNSAFE = re.compile(r'[\x00-\x1f<>:"/\\|?*]+')
# What stands where an examination has no name of its own: the code of the device (PS3.3 C.7.3.1.1.1)
BARE_CODE = re.compile(r"[A-Z]{2,4}")


@dataclass(frozen=True)
class Entry:
    """One file of the archive."""

    name: str
    chunks: Iterable[bytes]
    sha256: str
    size: int
    title: str = ""
    when: str = ""
    doubtful: bool = False  # it may be another person's: nobody has decided yet


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
    discs = [_Disc(case, number, record) for number, record in enumerate(filter(_is_study, records), start=1)]
    documents = record_entries(case, [record for record in records if not _is_study(record)])
    entries = [*report_entries(case, reports), *documents]
    images = [entry for disc in discs for entry in disc.entries]
    told = {
        "case": case,
        "entries": _listed(entries),
        "studies": [disc.listed() for disc in discs],
        "reports": bool(reports),
        "doubtful": sum(map(_is_doubtful, records)),
    }
    pipe = _Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_STORED) as archive:  # type: ignore[arg-type]
        yield from _written(
            archive, pipe, "index.html", [render_to_string("patient/index_of_archive.html", told).encode()]
        )
        sums = "".join(f"{entry.sha256}  {entry.name}\n" for entry in [*entries, *images] if entry.sha256)
        yield from _written(archive, pipe, "SHA256SUMS", [sums.encode()])
        if any(disc.members for disc in discs):
            yield from _written(archive, pipe, "DICOMDIR", [dicomdir(m for disc in discs for m in disc.members)])
        for entry in [*entries, *images]:
            yield from _written(archive, pipe, entry.name, entry.chunks)
    yield pipe.taken()


def _is_study(record: Record) -> bool:
    """Images whose headers are known: they go into the DICOM file-set."""
    return bool(record.images) and any(file.header for file in record.files.all())


def _is_doubtful(record: Record) -> bool:
    return record.status == Record.Status.UNDECIDED


def _day(record: Record, case: Case) -> str:
    """The day of a record in words; what is no whole date stays as it is."""
    try:
        return day(date.fromisoformat(record.clinical_date), case)
    except ValueError:
        return record.clinical_date


def _title(record: Record) -> str:
    kind = str(capfirst(str(record.get_kind_display())))
    title = titled(record.title)
    return f"{kind} ({title})" if BARE_CODE.fullmatch(title) else title or kind


class _Disc:
    """One study as it lies on a disc: DICOM/ST000001/SE000001/IM000001 (PS3.10 §8.5: at most eight characters)."""

    def __init__(self, case: Case, number: int, record: Record) -> None:
        self.title, self.when, self.doubtful = _title(record), _day(record, case), _is_doubtful(record)
        self.folder = f"DICOM/ST{number:06d}"
        self.entries: list[Entry] = []
        self.members: list[Member] = []
        self.series: list[dict[str, Any]] = []
        series: dict[str, int] = {}
        files = (file for file in record.files.all() if file.header and not checking.is_hidden(file))
        for position, file in enumerate(files, start=1):
            place = series.setdefault(file.series, len(series) + 1)
            if place > len(self.series):
                self.series.append({"label": _series_label(file), "images": 0})
            self.series[place - 1]["images"] += max(file.frames, 1)
            file_id = ("DICOM", f"ST{number:06d}", f"SE{place:06d}", f"IM{position:06d}")
            self.entries.append(Entry("/".join(file_id), content.chunks(file), file.sha256, file.size, self.title))
            if _begins_as_a_file_of_a_set(file):
                self.members.append(Member(file.header["tags"], file.header["ts"], file_id))

    def listed(self) -> dict[str, Any]:
        return {
            "title": self.title,
            "when": self.when,
            "doubtful": self.doubtful,
            "folder": self.folder,
            "count": len(self.entries),
            "images": sum(one["images"] for one in self.series),
            "series": self.series,
            "size": size(sum(entry.size for entry in self.entries)),
        }


def _series_label(file: RecordFile) -> str:
    return str(file.facts.get("series_description") or file.facts.get("modality") or _("Series"))


def _begins_as_a_file_of_a_set(file: RecordFile) -> bool:
    """Preamble and prefix (PS3.10 §7.1): viewers refuse what a DICOMDIR names without them. It stays in its folder."""
    return b"".join(content.chunks(file, 0, 132))[128:] == b"DICM"


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
        files = (file for file in record.files.all() if not checking.is_hidden(file))
        for position, file in enumerate(files, start=1):
            name = safe(file.name) or "file"
            prefix = f"{position:04d} " if record.images or position > 1 else ""
            told = (title, _day(record, case), _is_doubtful(record))
            yield Entry(f"{folder}/{prefix}{name}", content.chunks(file), file.sha256, file.size, *told)


def report_entries(case: Case, reports: list[Report]) -> Iterator[Entry]:
    """Both documents of every version."""
    for report in reports:
        for kind in ("patient", "clinical"):
            blob, digest, length = (getattr(report, f"{kind}_{what}") for what in ("blob", "sha256", "size"))
            yield Entry(f"report/version-{report.number}-{kind}.pdf", _bytes(case, blob), digest, length)


def _bytes(case: Case, blob: object) -> Iterator[bytes]:
    yield from blobs.read(blob, space=case.pk)  # type: ignore[arg-type]


def _listed(entries: list[Entry]) -> list[dict[str, Any]]:
    return [
        {"name": e.name, "when": e.when, "doubtful": e.doubtful, "size": size(e.size), "sha256": e.sha256}
        for e in entries
    ]


def safe(name: str) -> str:
    """A name that every system can unpack."""
    return UNSAFE.sub("_", name).strip(" .")[:80]
