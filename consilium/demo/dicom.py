"""DICOM files and discs out of the phantoms: correct headers, no real person (PS3.3, PS3.10)."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from consilium.demo import phantoms, spine
from consilium.demo.noise import Array

ROOT = "2.25."  # UUID-derived UIDs, PS3.5 §B.2
MR, DX, MG, US = (
    "1.2.840.10008.5.1.4.1.1.4",
    "1.2.840.10008.5.1.4.1.1.1.1",
    "1.2.840.10008.5.1.4.1.1.1.2",
    "1.2.840.10008.5.1.4.1.1.3.1",
)
EXPLICIT_LITTLE_ENDIAN = "1.2.840.10008.1.2.1"


@dataclass(frozen=True)
class Subject:
    """Whose name the headers carry. `born` is ISO 8601, `sex` a FHIR code."""

    given: str
    family: str
    born: str
    sex: str = "other"


@dataclass(frozen=True)
class Protocol:
    """What a device writes about an examination."""

    sop_class: str
    modality: str
    body_part: str
    study: str
    series: str
    spacing: float
    thickness: float = 0.0
    laterality: str = ""
    loop: bool = False  # one multi-frame object


PROTOCOLS: dict[str, tuple[Protocol, Any]] = {
    "spine": (Protocol(MR, "MR", "LSPINE", "MRI lumbar spine", "T2 sagittal", spine.SPACING, 4.0), spine.series),
    "knee": (Protocol(DX, "DX", "KNEE", "Knee standing", "AP and lateral", 0.3, laterality="R"), phantoms.knee),
    "breast": (Protocol(MG, "MG", "BREAST", "Mammography", "MLO and CC", 0.24, laterality="L"), phantoms.breast),
    "brain": (Protocol(MR, "MR", "BRAIN", "MRI brain", "FLAIR axial", 0.9, 6.0), phantoms.brain),
    "prostate": (Protocol(MR, "MR", "PROSTATE", "MRI prostate", "T2 axial", 0.6, 3.0), phantoms.prostate),
    "echo": (Protocol(US, "US", "HEART", "Echocardiography", "Apical view", 0.4, loop=True), phantoms.echo),
}


def disc(what: str, subject: Subject, when: date, seed: str) -> bytes:
    """A zip as a hospital's disc holds it: images without extension, and the clutter that ingestion leaves out."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, data in enumerate(files(what, subject, when, seed), start=1):
            _add(archive, f"DICOM/PA000001/ST000001/SE000001/IM{number:06d}", data)
        _add(archive, "AUTORUN.INF", b"[autorun]\r\nopen=VIEWER.EXE\r\n")
        _add(archive, "VIEWER.EXE", b"MZ\x90\x00" + bytes(60) + b"This program cannot be run in DOS mode.")
    return out.getvalue()


def _add(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    # A fixed time keeps the bytes the same from run to run.
    archive.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), data, zipfile.ZIP_DEFLATED)


def disc_from_samples(folder: Path) -> bytes | None:
    """The public MR series of the sample folder as a disc; None when it is not there."""
    found = sorted((folder / "dicom" / "mr-series").glob("*.dcm"))
    if not found:
        return None
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, path in enumerate(found, start=1):
            _add(archive, f"DICOM/SE000001/IM{number:06d}", path.read_bytes())
    return out.getvalue()


def files(what: str, subject: Subject, when: date, seed: str) -> list[bytes]:
    """The examination `what` as DICOM files."""
    protocol, paint = PROTOCOLS[what]
    pictures: list[Array] = paint()
    if protocol.loop:
        return [_file(protocol, subject, when, seed, 1, np.stack(pictures))]
    return [_file(protocol, subject, when, seed, n, picture) for n, picture in enumerate(pictures, start=1)]


def _uid(*parts: object) -> str:
    import hashlib
    import uuid

    return ROOT + str(uuid.UUID(bytes=hashlib.sha256("/".join(map(str, parts)).encode()).digest()[:16]).int)


def _file(protocol: Protocol, subject: Subject, when: date, seed: str, number: int, picture: Array) -> bytes:
    from pydicom.dataset import FileDataset, FileMetaDataset

    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = protocol.sop_class
    meta.MediaStorageSOPInstanceUID = _uid(seed, protocol.series, number)
    meta.TransferSyntaxUID = EXPLICIT_LITTLE_ENDIAN
    found = FileDataset(None, {}, file_meta=meta, preamble=bytes(128))
    _describe(found, protocol, subject, when, seed, number)
    _paint(found, protocol, picture)
    out = io.BytesIO()
    found.save_as(out, enforce_file_format=True)
    return out.getvalue()


def _describe(found: Any, protocol: Protocol, subject: Subject, when: date, seed: str, number: int) -> None:
    found.SpecificCharacterSet = "ISO_IR 192"
    found.SOPClassUID, found.SOPInstanceUID = protocol.sop_class, _uid(seed, protocol.series, number)
    found.StudyInstanceUID, found.SeriesInstanceUID = _uid(seed, "study"), _uid(seed, "series", protocol.series)
    found.PatientName = f"{subject.family}^{subject.given}"
    found.PatientID = f"SYN-{_uid(seed)[-6:]}"
    found.PatientBirthDate = subject.born.replace("-", "")
    found.PatientSex = {"female": "F", "male": "M"}.get(subject.sex, "O")
    found.StudyDate = found.SeriesDate = found.ContentDate = when.strftime("%Y%m%d")
    found.StudyTime = found.ContentTime = "101500"
    found.Modality, found.BodyPartExamined = protocol.modality, protocol.body_part
    found.StudyDescription, found.SeriesDescription = protocol.study, protocol.series
    found.SeriesNumber, found.InstanceNumber, found.StudyID, found.AccessionNumber = 1, number, "1", ""
    found.InstitutionName, found.Manufacturer = "Synthetic example, not a real person", "Consilium demo"
    if protocol.laterality:
        found.ImageLaterality = protocol.laterality
    if protocol.thickness:
        found.SliceThickness = protocol.thickness
        found.ImagePositionPatient = [0, 0, number * protocol.thickness]
        found.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]


def _paint(found: Any, protocol: Protocol, picture: Array) -> None:
    deep = protocol.modality != "US"
    top = 1023 if deep else 255
    pixels = (np.clip(picture, 0, 1) * top).astype("<u2" if deep else "u1")
    found.Rows, found.Columns = pixels.shape[-2:]
    if protocol.loop:
        found.NumberOfFrames, found.FrameTime = pixels.shape[0], 40
    found.SamplesPerPixel, found.PhotometricInterpretation, found.PixelRepresentation = 1, "MONOCHROME2", 0
    found.BitsAllocated, found.BitsStored, found.HighBit = (16, 10, 9) if deep else (8, 8, 7)
    found.PixelSpacing = [protocol.spacing, protocol.spacing]
    if deep:
        found.WindowCenter, found.WindowWidth = 480, 960
    found.PixelData = pixels.tobytes()
