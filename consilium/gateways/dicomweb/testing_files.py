"""Small DICOM files for tests, of Anna Berger unless told otherwise."""

import io
from typing import Any

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian, generate_uid

CT = "1.2.840.10008.5.1.4.1.1.2"
ROOT = "1.2.826.0.1.3680043.8.498."


def uid(*parts: int | str) -> str:
    """The same UID for the same words."""
    return str(generate_uid(prefix=ROOT, entropy_srcs=[str(part) for part in parts]))


def image(number: int = 1, *, study: str = "a", series: str = "1", edge: int = 16, **changed: Any) -> bytes:
    """A CT slice whose pixels are its number; `changed`: attributes by keyword, None leaves one out."""
    found = Dataset()
    found.SpecificCharacterSet = "ISO_IR 192"
    found.SOPClassUID, found.SOPInstanceUID = CT, uid("instance", study, series, number)
    found.StudyInstanceUID, found.SeriesInstanceUID = uid("study", study), uid("series", study, series)
    found.PatientName, found.PatientID, found.PatientBirthDate, found.PatientSex = "Berger^Anna", "A-1", "19650314", "F"
    found.StudyDate, found.StudyTime, found.StudyID, found.AccessionNumber = "20260110", "101500", "7", "ACC-1"
    found.StudyDescription, found.ReferringPhysicianName = "Spine, lumbar", "Weiss^Ute"
    found.Modality, found.SeriesNumber, found.InstanceNumber = "CT", int(series), number
    found.BodyPartExamined, found.SeriesDescription = "LSPINE", "axial"
    found.Rows = found.Columns = edge
    found.BitsAllocated = found.BitsStored = 16
    found.HighBit, found.PixelRepresentation, found.SamplesPerPixel = 15, 0, 1
    found.PhotometricInterpretation = "MONOCHROME2"
    found.PixelData = number.to_bytes(2, "little") * edge * edge
    for keyword, value in changed.items():
        if value is None:
            delattr(found, keyword)
        else:
            setattr(found, keyword, value)
    return written(found)


def written(found: Dataset, syntax: UID = ExplicitVRLittleEndian) -> bytes:
    """As a PS3.10 file."""
    found.file_meta = FileMetaDataset()
    found.file_meta.TransferSyntaxUID = syntax
    found.file_meta.MediaStorageSOPClassUID = found.SOPClassUID
    found.file_meta.MediaStorageSOPInstanceUID = found.SOPInstanceUID
    out = io.BytesIO()
    found.save_as(out, enforce_file_format=True)
    return out.getvalue()


def path(number: int = 1, *, study: str = "a", series: str = "1") -> str:
    """Where `image` lies below the root."""
    return f"/studies/{uid('study', study)}/series/{uid('series', study, series)}/instances/" + uid(
        "instance", study, series, number
    )
