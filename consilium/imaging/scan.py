"""What a DICOM file is about: the facts of its header (PS3.3, PS3.6), a preview, or the words of a report.

Runs inside the jail as the parser of kind "dicom".
"""

from __future__ import annotations

import contextlib
import io
import re
import sys
from typing import IO, TYPE_CHECKING, Any

from pydicom.dataset import Dataset
from pydicom.uid import UID

from consilium.imaging import dataset as files
from consilium.imaging import frames
from consilium.records.extract import ccda, pdf
from consilium.records.extract.guess import hl7_date
from consilium.records.extract.plain import send_pages

if TYPE_CHECKING:
    from consilium.records.extract.reader import Job

_TEXTS: dict[str, str] = {
    "patient_name": "PatientName", "patient_id": "PatientID", "patient_sex": "PatientSex",
    "study_uid": "StudyInstanceUID", "series_uid": "SeriesInstanceUID", "instance_uid": "SOPInstanceUID",
    "sop_class": "SOPClassUID", "modality": "Modality", "body_part": "BodyPartExamined",
    "laterality": "Laterality", "image_laterality": "ImageLaterality", "study_description": "StudyDescription",
    "series_description": "SeriesDescription", "study_time": "StudyTime", "accession": "AccessionNumber",
    "institution": "InstitutionName", "manufacturer": "Manufacturer", "contrast": "ContrastBolusAgent",
    "photometric": "PhotometricInterpretation", "frame_of_reference": "FrameOfReferenceUID",
    "view_position": "ViewPosition", "protocol": "ProtocolName", "burned_in": "BurnedInAnnotation",
}  # fmt: skip
_NUMBERS: dict[str, str] = {
    "series_number": "SeriesNumber", "instance_number": "InstanceNumber", "rows": "Rows", "columns": "Columns",
    "slice_thickness": "SliceThickness", "slice_location": "SliceLocation", "bits_stored": "BitsStored",
    "repetition_time": "RepetitionTime", "echo_time": "EchoTime",
}  # fmt: skip
_LISTS: dict[str, str] = {
    "pixel_spacing": "PixelSpacing", "imager_pixel_spacing": "ImagerPixelSpacing",
    "image_position": "ImagePositionPatient", "image_orientation": "ImageOrientationPatient",
    "window_centre": "WindowCenter", "window_width": "WindowWidth",
}  # fmt: skip
_ENCAPSULATED_PDF = "1.2.840.10008.5.1.4.1.1.104.1"
_ENCAPSULATED_CDA = "1.2.840.10008.5.1.4.1.1.104.2"


def parse(job: Job) -> None:
    """Facts, suggestion, and by content: a frame, the pages of a PDF, the words of a report, or a flag."""
    sys.setrecursionlimit(600)  # nested sequences deeper than any real file end here
    try:
        with job.open() as handle:
            _report(job, _whole_or_header(job, handle))
    except files.TooMuch:
        job.problem("too_large")
    except Exception:  # pydicom raises many types on damaged values; whichever it is, the file is damaged
        job.problem("truncated_dicom")


def _whole_or_header(job: Job, handle: IO[bytes]) -> Dataset:
    """The data set; when its end is missing, at least the header, flagged."""
    try:
        return files.read(handle, pixels=not job.options["cut"])
    except files.TooMuch:
        raise
    except Exception:  # pydicom raises many types when pixels end early
        job.problem("truncated_dicom")
        return files.read(handle, pixels=False)


def _report(job: Job, found: Dataset) -> None:
    facts = header_facts(found)
    job.facts(**facts)
    job.suggest(type="imaging", pages=facts["frames"] or 1, date=facts["study_date"] or facts["content_date"])
    if not facts.get("sop_class") and not facts.get("study_uid") and not facts["frames"]:
        job.problem("truncated_dicom")
    elif facts["frames"]:
        _preview(job, found, facts)
    else:
        _without_picture(job, found, facts)


def header_facts(found: Dataset) -> dict[str, Any]:
    """JSON-safe facts of a data set; a value that cannot be read is left out."""
    facts: dict[str, Any] = {key: _text(found, name) for key, name in _TEXTS.items()}
    facts |= {key: _number(found, name) for key, name in _NUMBERS.items()}
    facts |= {key: _numbers(found, name) for key, name in _LISTS.items()}
    for key, name in (("patient_birth_date", "PatientBirthDate"), ("study_date", "StudyDate"),
                      ("series_date", "SeriesDate"), ("content_date", "ContentDate")):  # fmt: skip
        facts[key] = hl7_date(_text(found, name).replace(".", "").replace("-", ""))
    facts["transfer_syntax"] = files.transfer_syntax_of(found)
    facts["sop_class_name"] = UID(facts["sop_class"]).name if facts["sop_class"] else ""
    facts["frames"] = _frames(found)
    return {key: value for key, value in facts.items() if value not in (None, "", []) or key in _ALWAYS}


_ALWAYS = {"frames", "study_date", "content_date", "patient_name", "patient_birth_date"}


def _frames(found: Dataset) -> int:
    has_plan = frames.number_of_frames(found)
    return has_plan if _text(found, "Modality") not in ("RTSTRUCT", "RTPLAN", "SR", "PR", "KO") else 0


def _text(found: Dataset, name: str) -> str:
    try:
        value = found.get(name)
        return "" if value is None else str(value)[:400].strip(" \0")
    except Exception:  # a single damaged value must not hide the others
        return ""


def _number(found: Dataset, name: str) -> float | int | None:
    try:
        value = float(found.get(name))
    except Exception:  # absent or damaged
        return None
    return int(value) if value.is_integer() else value


def _numbers(found: Dataset, name: str) -> list[float]:
    try:
        value = found.get(name)
        values = [value] if isinstance(value, (int, float, str)) else list(value or [])
        return [float(v) for v in values[:6]]
    except Exception:  # absent or damaged
        return []


def _preview(job: Job, found: Dataset, facts: dict[str, Any]) -> None:
    """The middle frame and a thumbnail of it: the middle says more of a stack than its first slice."""
    if job.options["cut"]:
        return
    index = facts["frames"] // 2
    if _cut_short(found, facts):
        job.problem("truncated_dicom")
        _pad(found, facts)
    try:
        picture = frames.render(found, index)
    except frames.NotRendered:
        job.problem("truncated_dicom" if frames.decodable(found) else "no_preview")
        return
    encode = frames.png if picture.mode == "L" else pdf.jpeg  # colour is mostly photographs: PNG is slow
    picture.thumbnail((1024, 1024))
    job.preview("frame", index, picture.width, picture.height, encode(picture))
    picture.thumbnail((job.options["thumbnail"], job.options["thumbnail"]))
    job.preview("thumbnail", index, picture.width, picture.height, encode(picture))


def _pad(found: Dataset, facts: dict[str, Any]) -> None:
    """Fill the missing rest of uncompressed pixels with black: what has arrived can be shown, with the flag."""
    missing = _expected(found, facts) - len(found.get("PixelData") or b"")
    if "PixelData" in found and 0 < missing < 256 * 2**20 and not UID(facts["transfer_syntax"]).is_encapsulated:
        found.PixelData = bytes(found.PixelData) + bytes(missing)


def _expected(found: Dataset, facts: dict[str, Any]) -> int:
    bits = int(found.get("BitsAllocated") or 8) * int(found.get("SamplesPerPixel") or 1)
    if _text(found, "PhotometricInterpretation") == "YBR_FULL_422":  # PS3.3 §C.7.6.3.1.2: fewer samples
        bits = bits * 2 // 3
    return int(found.Rows) * int(found.Columns) * bits * facts["frames"] // 8


def _cut_short(found: Dataset, facts: dict[str, Any]) -> bool:
    """Fewer pixel bytes than rows × columns × … promise (uncompressed only), or none at all."""
    pixels = found.get("PixelData")
    if pixels is None:
        return "FloatPixelData" not in found and "DoubleFloatPixelData" not in found
    if UID(facts["transfer_syntax"]).is_encapsulated:
        return not pixels  # whether compressed frames are whole shows when one is decoded
    return len(pixels) < _expected(found, facts)


def _without_picture(job: Job, found: Dataset, facts: dict[str, Any]) -> None:
    if "EncapsulatedDocument" in found:
        kind = _text(found, "MIMETypeOfEncapsulatedDocument")
        job.facts(embedded=kind or "application/pdf", title=_text(found, "DocumentTitle"))
        if facts["sop_class"] == _ENCAPSULATED_PDF or kind == "application/pdf":
            pdf.parse_bytes(job, bytes(found.EncapsulatedDocument))
        elif facts["sop_class"] == _ENCAPSULATED_CDA:
            ccda.parse_stream(job, io.BytesIO(bytes(found.EncapsulatedDocument).rstrip(b"\0")))  # padded to even
        else:
            job.problem("no_preview")
    elif "ContentSequence" in found or facts.get("modality") == "SR":
        send_pages(job, report_text(found))
        job.facts(title=_coded(found, "ConceptNameCodeSequence"), verified=_text(found, "VerificationFlag"))
    else:
        job.problem("no_image")
        job.facts(**_plan_facts(found))


def _plan_facts(found: Dataset) -> dict[str, Any]:
    """The labels of a structure set or plan: which regions it names."""
    names = [_text(item, "ROIName") for item in (found.get("StructureSetROISequence") or [])[:100]]
    return {"regions": names, "title": _text(found, "StructureSetLabel") or _text(found, "RTPlanLabel")}


def report_text(found: Dataset) -> str:
    """The content tree of a structured report as indented lines (PS3.3 §C.17.3)."""
    lines = [_coded(found, "ConceptNameCodeSequence")]
    with contextlib.suppress(RecursionError):
        _walk(found, 0, lines)
    return "\n".join(lines)


def _walk(item: Dataset, depth: int, lines: list[str]) -> None:
    for child in item.get("ContentSequence") or []:
        if len(lines) > 5000 or depth > 60:
            return
        label, value = _coded(child, "ConceptNameCodeSequence"), _value(child)
        if label or value:
            lines.append("  " * depth + ": ".join(part for part in (label, value) if part))
        _walk(child, depth + 1, lines)


def _coded(item: Dataset, name: str) -> str:
    codes = item.get(name) or []
    return _text(codes[0], "CodeMeaning") or _text(codes[0], "CodeValue") if codes else ""


def _value(item: Dataset) -> str:
    """By value type (0040,A040)."""
    kind = _text(item, "ValueType")
    if kind == "NUM":
        measured = (item.get("MeasuredValueSequence") or [Dataset()])[0]
        return f"{_text(measured, 'NumericValue')} {_coded(measured, 'MeasurementUnitsCodeSequence')}".strip()
    if kind == "CODE":
        return _coded(item, "ConceptCodeSequence")
    name = {"TEXT": "TextValue", "DATE": "Date", "TIME": "Time", "DATETIME": "DateTime", "PNAME": "PersonName",
            "UIDREF": "UID"}.get(kind)  # fmt: skip
    if kind in ("IMAGE", "COMPOSITE", "WAVEFORM"):
        return kind.lower()
    value = item.get(name) if name else None
    return re.sub(r"\s*\n\s*", "\n", str(value)[:20_000]).strip() if value is not None else ""
