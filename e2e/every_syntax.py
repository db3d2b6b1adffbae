"""One study with a series in every transfer syntax that hospitals send, for whom a viewer is tested with.

Most files come from the public samples, with another name and numbers in their header; the pixel data stay as their
makers encoded them. Where no sample exists, a sample is encoded anew.
"""

import io
import os
import zipfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pydicom
from pydicom.uid import JPEG2000, JPEGLSNearLossless, generate_uid

from consilium.demo.dicom import Subject

SAMPLES = Path(os.environ.get("CONSILIUM_SAMPLES", "")) / "dicom" / "transfer-syntaxes"
# The same picture in seven syntaxes: what a decoder gets wrong shows beside the others.
TWINS = {
    "explicit little endian": "MR_small",
    "implicit little endian": "MR_small_implicit",
    "explicit big endian": "MR_small_bigendian",
    "RLE": "MR_small_RLE",
    "JPEG 2000 lossless": "MR_small_jp2klossless",
    "JPEG-LS lossless": "MR_small_jpeg_ls_lossless",
}
OTHERS = {
    "deflated": "image_dfl",
    "JPEG baseline": "SC_rgb_jpeg_dcmtk",
    "JPEG extended": "JPEG-lossy",
    "JPEG lossless": "JPEG-LL",
    "HTJ2K": "HTJ2K_08_RGB",
}
ENCODED = {
    "JPEG 2000 lossy": (JPEG2000, {"j2k_psnr": [80]}),
    "JPEG-LS near-lossless": (JPEGLSNearLossless, {"jls_error": 1}),
}
# Twins up to a visible difference; the first is what the others are compared with.
ALIKE = [*TWINS, *ENCODED]


def available() -> bool:
    """Whether the samples are on this machine."""
    return all((SAMPLES / f"{name}.dcm").is_file() for name in (TWINS | OTHERS).values())


def disc(subject: Subject) -> bytes:
    """A zip of the study; its series are described by the names above."""
    kept, study = io.BytesIO(), generate_uid()
    with zipfile.ZipFile(kept, "w") as archive:
        for number, (name, found) in enumerate(_images(), start=1):
            written = io.BytesIO()
            _described(found, subject, study, number, name).save_as(written)
            archive.writestr(f"IMAGES/{number}", written.getvalue())
    return kept.getvalue()


def _images() -> Iterator[tuple[str, Any]]:
    for name, file in (TWINS | OTHERS).items():
        yield name, pydicom.dcmread(SAMPLES / f"{file}.dcm")
    for name, (syntax, options) in ENCODED.items():
        found = pydicom.dcmread(SAMPLES / "MR_small.dcm")
        found.compress(syntax, **options)
        yield name, found


def _described(found: Any, subject: Subject, study: str, number: int, name: str) -> Any:
    found.PatientName, found.PatientID = f"{subject.family}^{subject.given}", "SAMPLE"
    found.PatientBirthDate, found.PatientSex = subject.born.replace("-", ""), subject.sex[0].upper()
    found.StudyInstanceUID, found.SeriesInstanceUID, found.SOPInstanceUID = study, generate_uid(), generate_uid()
    found.file_meta.MediaStorageSOPInstanceUID = found.SOPInstanceUID
    found.StudyDate, found.StudyDescription = date(2026, 1, 5).strftime("%Y%m%d"), "Every syntax"
    found.SeriesNumber, found.SeriesDescription = number, name
    return found
