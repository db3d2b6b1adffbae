"""Synthetic DICOM for measurements: deterministic, no patient, shaped like what scanners write.

Each generator yields whole PS3.10 files (explicit VR little endian) as bytes. A CT or MR header has 78 elements,
two of them private blobs of 8 KB and several nested sequences; pixels are a phantom with noise.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filewriter import dcmwrite
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian

_ROOT = "1.2.826.0.1.3680043.8.498"
# replaced per instance; each as wide as what replaces it, so that lengths stay true
_STUDY, _SERIES, _INSTANCE, _PLACE, _NUMBER, _PATIENT = (
    "9100000", "9200000", "9300000", "-9999.99", "9999", "Q9999999",
)  # fmt: skip
_CLASSES = {"CT": "1.2.840.10008.5.1.4.1.1.2", "MR": "1.2.840.10008.5.1.4.1.1.4", "DX": "1.2.840.10008.5.1.4.1.1.1.1"}


def ct_series(n: int = 600, *, seed: int = 1, edge: int = 512) -> Iterator[bytes]:
    """`n` slices of one CT series, `edge`² × 16 bit (≈ 535 KB each at 512)."""
    yield from _series("CT", n, seed, edge, edge)


def mr_series(n: int = 300, *, seed: int = 2, edge: int = 256) -> Iterator[bytes]:
    """`n` slices of one MR series, `edge`² × 16 bit."""
    yield from _series("MR", n, seed, edge, edge)


def dx(n: int = 20, *, seed: int = 3, rows: int = 2500, columns: int = 2048) -> Iterator[bytes]:
    """`n` projection radiographs of ≈ 10 MB, each a study of its own."""
    for index in range(n):
        yield _file("DX", seed, study=index, series=0, instance=0, shape=(rows, columns))


def small_studies(n: int = 2000, *, seed: int = 4, edge: int = 16) -> Iterator[bytes]:
    """`n` studies of `n` patients with two tiny CT instances each: 2n files."""
    for index in range(n):
        for instance in range(2):
            yield _file("CT", seed, study=index, series=0, instance=instance, shape=(edge, edge), patient=index)


def _series(modality: str, n: int, seed: int, rows: int, columns: int) -> Iterator[bytes]:
    for index in range(n):
        yield _file(modality, seed, study=0, series=0, instance=index, shape=(rows, columns))


def _file(
    modality: str, seed: int, *, study: int, series: int, instance: int, shape: tuple[int, int], patient: int = 0
) -> bytes:
    head = _template(modality, seed, shape)
    base = seed * 10_000  # fits seven digits for seeds below 90
    for token, value in (
        (_STUDY, f"{1_000_000 + base + study:07d}"),
        (_SERIES, f"{2_000_000 + base + series:07d}"),
        (_INSTANCE, f"{3_000_000 + base + study * 2 + instance:07d}"),
        (_PLACE, f"{instance * 0.75 - 200:8.2f}"),
        (_PATIENT, f"Q{patient + base:07d}"),
        (_NUMBER, f"{instance + 1:4d}"),  # last: its digits also stand in the patient's token
    ):
        head = head.replace(token.encode(), value.encode())
    return head + _pixels(seed, shape, instance + study)


def _pixels(seed: int, shape: tuple[int, int], index: int) -> bytes:
    noise = np.random.default_rng((seed, index)).integers(-25, 25, shape, dtype=np.int16)
    return (_phantom(shape) + noise).astype("<i2").tobytes()


@cache
def _phantom(shape: tuple[int, int]) -> np.ndarray[Any, np.dtype[np.int16]]:
    """Air, a body of water, two lungs and a spine, in Hounsfield units."""
    y, x = np.mgrid[-1 : 1 : shape[0] * 1j, -1 : 1 : shape[1] * 1j]
    image = np.full(shape, -1000, np.int16)
    image[(x / 0.85) ** 2 + (y / 0.65) ** 2 < 1] = 40
    for centre in (-0.4, 0.4):
        image[((x - centre) / 0.25) ** 2 + (y / 0.4) ** 2 < 1] = -800
    image[x**2 + ((y - 0.4) / 1.2) ** 2 < 0.01] = 700
    return image


@cache
def _template(modality: str, seed: int, shape: tuple[int, int]) -> bytes:
    """The bytes up to the value of the pixel data, with the tokens still in it."""
    found = _dataset(modality, seed, shape)
    meta = found.file_meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = found.SOPClassUID
    meta.MediaStorageSOPInstanceUID = found.SOPInstanceUID
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    found.PixelData = b"\0" * (shape[0] * shape[1] * 2)
    found["PixelData"].VR = "OW"
    out = io.BytesIO()
    dcmwrite(out, found, enforce_file_format=True)
    return out.getvalue()[: -len(found.PixelData)]


def _dataset(modality: str, seed: int, shape: tuple[int, int]) -> Dataset:
    found = Dataset()
    for group in (_identity(modality), _acquisition(modality), _geometry(modality, shape)):
        for keyword, value in group.items():
            setattr(found, keyword, value)
    _sequences(found)
    blob = np.random.default_rng(seed).integers(0, 256, 8192, dtype=np.uint8).tobytes()
    for group, creator in ((0x0019, "CONSILIUM BENCH A"), (0x0029, "CONSILIUM BENCH B")):
        block = found.private_block(group, creator, create=True)
        block.add_new(0x08, "CS", "PRIVATE")
        block.add_new(0x10, "OB", blob)
        block.add_new(0x20, "DS", ["1.25", "2.5"])
    return found


def _identity(modality: str) -> dict[str, Any]:
    return {
        "SpecificCharacterSet": "ISO_IR 100", "SOPClassUID": _CLASSES[modality],
        "SOPInstanceUID": f"{_ROOT}.3.{_INSTANCE}", "StudyDate": "20260314", "SeriesDate": "20260314",
        "AcquisitionDate": "20260314", "ContentDate": "20260314", "StudyTime": "101500", "SeriesTime": "101730",
        "AcquisitionTime": "101731.250000", "ContentTime": "101731.500000", "AccessionNumber": "A0012345",
        "Modality": modality, "Manufacturer": "Example Scanners", "InstitutionName": "Krankenhaus Süd",
        "ReferringPhysicianName": "Weiß^Anna", "StationName": "ROOM1", "StudyDescription": "Thorax mit Kontrast",
        "SeriesDescription": "Thorax 0.75 Weichteil", "ManufacturerModelName": "Model X", "PatientName": "Müller^Eva",
        "PatientID": _PATIENT, "PatientBirthDate": "19610203", "PatientSex": "F", "PatientAge": "065Y",
        "PatientWeight": "70.5", "StudyInstanceUID": f"{_ROOT}.1.{_STUDY}",
        "SeriesInstanceUID": f"{_ROOT}.2.{_SERIES}", "StudyID": "4711", "SeriesNumber": "3", "InstanceNumber": _NUMBER,
    }  # fmt: skip


def _acquisition(modality: str) -> dict[str, Any]:
    found = {
        "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"], "BodyPartExamined": "CHEST", "SoftwareVersions": ["V1", "V2"],
        "ProtocolName": "Thorax", "PatientPosition": "HFS", "AcquisitionNumber": "1", "DeviceSerialNumber": "123456",
    }  # fmt: skip
    if modality == "MR":
        return found | {
            "ScanningSequence": "SE", "SequenceVariant": "SK", "MRAcquisitionType": "2D", "SliceThickness": "3",
            "RepetitionTime": "2500", "EchoTime": "80", "MagneticFieldStrength": "1.5", "SpacingBetweenSlices": "3.3",
            "EchoNumbers": "1", "FlipAngle": "90", "ReconstructionDiameter": "250",
        }  # fmt: skip
    return found | {
        "ContrastBolusAgent": "Iohexol", "SliceThickness": "0.75", "KVP": "120", "DataCollectionDiameter": "500",
        "ReconstructionDiameter": "384", "GantryDetectorTilt": "0", "TableHeight": "151.5", "ExposureTime": "500",
        "XRayTubeCurrent": "221", "Exposure": "110", "ConvolutionKernel": "B30f",
    }  # fmt: skip


def _geometry(modality: str, shape: tuple[int, int]) -> dict[str, Any]:
    found = {
        "FrameOfReferenceUID": f"{_ROOT}.4.1", "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2", "Rows": shape[0], "Columns": shape[1], "BitsAllocated": 16,
        "BitsStored": 16, "HighBit": 15, "PixelRepresentation": 1, "WindowCenter": ["40", "-600"],
        "WindowWidth": ["400", "1600"], "RescaleIntercept": "0", "RescaleSlope": "1",
    }  # fmt: skip
    if modality == "DX":
        return found | {"ImagerPixelSpacing": ["0.168", "0.168"], "ViewPosition": "PA", "ImageLaterality": "U"}
    return found | {
        "ImagePositionPatient": ["-192.0", "-192.0", _PLACE], "ImageOrientationPatient": ["1", "0", "0", "0", "1", "0"],
        "SliceLocation": _PLACE, "PixelSpacing": ["0.75", "0.75"],
    }  # fmt: skip


def _sequences(found: Dataset) -> None:
    """Defined and undefined lengths, two levels deep, as real modalities mix them."""
    code = _code("113014", "DCM", "Study")
    reference = Dataset()
    reference.ReferencedSOPClassUID = _CLASSES["CT"]
    reference.ReferencedSOPInstanceUID = f"{_ROOT}.5.1"
    reference.PurposeOfReferenceCodeSequence = Sequence([code])
    found.ReferencedImageSequence = Sequence([reference, reference])
    found["ReferencedImageSequence"].is_undefined_length = True
    found.ProcedureCodeSequence = Sequence([_code("CT123", "99LOCAL", "CT Thorax")])
    request = Dataset()
    request.ScheduledProcedureStepID = "S1"
    request.RequestedProcedureID = "R1"
    found.RequestAttributesSequence = Sequence([request])


def _code(value: str, scheme: str, meaning: str) -> Dataset:
    found = Dataset()
    found.CodeValue, found.CodingSchemeDesignator, found.CodeMeaning = value, scheme, meaning
    return found
