"""What people and checks need to know of an image, from its header tags: the same keys wherever an image came from.

`tags` is the header as imaging/header.py reads it: {"00100020": ["LO", ["4711"]], …}.
"""

from collections.abc import Callable
from datetime import date
from functools import partial
from typing import Any

from pydicom.datadict import tag_for_keyword
from pydicom.uid import UID

Tags = dict[str, list[Any]]

TEXTS: dict[str, str] = {
    "patient_name": "PatientName", "patient_id": "PatientID", "patient_sex": "PatientSex",
    "study_uid": "StudyInstanceUID", "series_uid": "SeriesInstanceUID", "instance_uid": "SOPInstanceUID",
    "sop_class": "SOPClassUID", "modality": "Modality", "body_part": "BodyPartExamined",
    "laterality": "Laterality", "image_laterality": "ImageLaterality", "study_description": "StudyDescription",
    "series_description": "SeriesDescription", "study_time": "StudyTime", "accession": "AccessionNumber",
    "institution": "InstitutionName", "manufacturer": "Manufacturer", "contrast": "ContrastBolusAgent",
    "photometric": "PhotometricInterpretation", "frame_of_reference": "FrameOfReferenceUID",
    "view_position": "ViewPosition", "protocol": "ProtocolName", "burned_in": "BurnedInAnnotation",
    "conversion": "ConversionType", "lossy": "LossyImageCompression",
}  # fmt: skip
NUMBERS: dict[str, str] = {
    "series_number": "SeriesNumber", "instance_number": "InstanceNumber", "rows": "Rows", "columns": "Columns",
    "slice_thickness": "SliceThickness", "slice_location": "SliceLocation", "bits_stored": "BitsStored",
    "repetition_time": "RepetitionTime", "echo_time": "EchoTime", "spacing_between_slices": "SpacingBetweenSlices",
    "field_strength": "MagneticFieldStrength",
}  # fmt: skip
LISTS: dict[str, str] = {
    "pixel_spacing": "PixelSpacing", "imager_pixel_spacing": "ImagerPixelSpacing",
    "image_position": "ImagePositionPatient", "image_orientation": "ImageOrientationPatient",
    "window_centre": "WindowCenter", "window_width": "WindowWidth",
}  # fmt: skip
DATES: dict[str, str] = {
    "patient_birth_date": "PatientBirthDate", "study_date": "StudyDate",
    "series_date": "SeriesDate", "content_date": "ContentDate",
}  # fmt: skip
ALWAYS = {"study_date", "content_date", "patient_name", "patient_birth_date"}
MOST_FRAMES = 1_000_000  # that one file is believed to hold; nothing that counts them runs longer
NOT_IMAGES = ("RTSTRUCT", "RTPLAN", "SR", "PR", "KO")


def tag(keyword: str) -> str:
    """The eight hex digits of a DICOM keyword (PS3.6)."""
    found = tag_for_keyword(keyword)
    if found is None:
        raise KeyError(keyword)
    return f"{found:08X}"


def value(tags: Tags, keyword: str) -> Any:
    """The first value of an element, or None."""
    values = tags.get(_TAG.get(keyword) or tag(keyword), ("", ()))[1]
    return values[0] if values else None


def value_of(tags: Tags) -> Callable[[str], Any]:
    """`value` of one header."""
    return partial(value, tags)


def from_tags(tags: Tags, transfer_syntax: str) -> dict[str, Any]:
    """JSON-safe facts; what is absent or cannot be read is left out."""
    facts: dict[str, Any] = dict.fromkeys(ALWAYS, "")
    for name, key, how in _RULES:
        entry = tags.get(name)
        if entry is not None and entry[1]:
            found = how(entry[1])
            if found not in (None, "", []):
                facts[key] = found
    facts["transfer_syntax"] = transfer_syntax
    if "sop_class" in facts:
        facts["sop_class_name"] = UID(facts["sop_class"]).name
    facts["frames"] = frames(tags)
    return facts


def frames(tags: Tags) -> int:
    """How many pictures it holds (0028,0008); 0 for what is no image."""
    if not value(tags, "Rows") or not value(tags, "Columns") or value(tags, "Modality") in NOT_IMAGES:
        return 0
    return max(1, min(MOST_FRAMES, int(_number(value(tags, "NumberOfFrames")) or 1)))


def expected_bytes(tags: Tags) -> int:
    """The pixel bytes that rows, columns, depth and frames promise, uncompressed (PS3.5 §8.1.1); 0 when unclear."""
    try:
        bits = int(value(tags, "BitsAllocated") or 8) * int(value(tags, "SamplesPerPixel") or 1)
        if value(tags, "PhotometricInterpretation") == "YBR_FULL_422":  # PS3.3 §C.7.6.3.1.2: fewer samples
            bits = bits * 2 // 3
        return int(value(tags, "Rows")) * int(value(tags, "Columns")) * bits * frames(tags) // 8
    except (TypeError, ValueError):
        return 0


_TAG = {
    name: tag(name)
    for name in (
        *TEXTS.values(), *NUMBERS.values(), *LISTS.values(), *DATES.values(),
        "ImageType", "NumberOfFrames", "BitsAllocated", "SamplesPerPixel",
    )
}  # fmt: skip


def _text(found: Any) -> str:
    if isinstance(found, dict):  # a person name: its spellings (PS3.18 §F.2.2), joined as in PS3.5 §6.2
        found = "=".join(str(found.get(form, "")) for form in ("Alphabetic", "Ideographic", "Phonetic")).rstrip("=")
    return "" if found is None else str(found)[:400].strip(" \0")


def _number(found: Any) -> float | int | None:
    try:
        number = float(found)
    except (TypeError, ValueError):
        return None
    if number != number or abs(number) > 1e15:
        return None
    return int(number) if number.is_integer() else number


def _numbers(values: list[Any]) -> list[float]:
    numbers = [_number(one) for one in values[:6]]
    return [float(one) for one in numbers if one is not None]


def _day(text: str) -> str:
    """DICOM DA (PS3.5 §6.2), also in its old forms with dots, as ISO 8601."""
    digits = text.replace(".", "").replace("-", "")
    try:
        return date.fromisoformat(f"{digits[:4]}-{digits[4:6]}-{digits[6:8]}").isoformat()
    except ValueError:
        return ""


_RULES: list[tuple[str, str, Callable[[list[Any]], Any]]] = [
    *((_TAG[name], key, lambda values: _text(values[0])) for key, name in TEXTS.items()),
    *((_TAG[name], key, lambda values: _number(values[0])) for key, name in NUMBERS.items()),
    *((_TAG[name], key, _numbers) for key, name in LISTS.items()),
    *((_TAG[name], key, lambda values: _day(_text(values[0]))) for key, name in DATES.items()),
    (_TAG["ImageType"], "image_type", lambda values: [_text(one) for one in values[:4]]),
]  # tag, key, values → fact
