"""The test data as the client sends it: instances with their identifiers, and request bodies made beforehand."""

import io
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

import pydicom

BOUNDARY = "consilium-bench-boundary"
BATCH = 50
STOW_HEADERS = [
    ("Content-Type", f'multipart/related; type="application/dicom"; boundary={BOUNDARY}'),
    ("Accept", "application/dicom+json"),
]


@dataclass(frozen=True)
class Instance:
    """One DICOM file, and where it belongs."""

    data: bytes
    study: str
    series: str
    sop: str

    def dataset(self) -> pydicom.Dataset:
        """Everything in it, read by pydicom."""
        return pydicom.dcmread(io.BytesIO(self.data))


@dataclass
class Corpus:
    """A set of instances with one name; `bodies`: STOW-RS requests of 50 instances each (PS3.18 §10.5)."""

    name: str
    instances: list[Instance] = field(default_factory=list)

    @property
    def size(self) -> int:
        return sum(len(one.data) for one in self.instances)

    @cached_property
    def bodies(self) -> list[bytes]:
        some = range(0, len(self.instances), BATCH)
        return [multipart(one.data for one in self.instances[start : start + BATCH]) for start in some]

    @cached_property
    def single_bodies(self) -> list[bytes]:
        return [multipart([one.data]) for one in self.instances]

    @property
    def study(self) -> str:
        return self.instances[0].study

    @property
    def series(self) -> str:
        return f"/studies/{self.study}/series/{self.instances[0].series}"


def corpus(name: str, files: Iterable[bytes]) -> Corpus:
    """Read the identifiers of every file."""
    made = Corpus(name)
    for data in files:
        head = pydicom.dcmread(io.BytesIO(data), stop_before_pixels=True)
        made.instances.append(Instance(data, head.StudyInstanceUID, head.SeriesInstanceUID, head.SOPInstanceUID))
    return made


def multipart(files: Iterable[bytes]) -> bytes:
    """A multipart/related body with one part a file."""
    start = f"--{BOUNDARY}\r\nContent-Type: application/dicom\r\n\r\n".encode()
    pieces: list[bytes] = []
    for data in files:
        pieces += [start, data, b"\r\n"]
    return b"".join([*pieces, f"--{BOUNDARY}--\r\n".encode()])
