"""A DICOMDIR for a download: the directory of a DICOM file-set (PS3.3 Annex F, PS3.10 §8, PS3.11 general purpose CD).

Built from the header tags alone (imaging/header.py), so no image is read for it. Viewers open the unpacked folder
like a disc from a hospital.
"""

import io
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import dcmwrite, write_dataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian, MediaStorageDirectoryStorage, generate_uid

from consilium.imaging import facts

# SOP classes whose directory record is not IMAGE (PS3.3 Table F.4-1); everything else with pixels is one
_OTHER = {
    "1.2.840.10008.5.1.4.1.1.88.": "SR DOCUMENT",
    "1.2.840.10008.5.1.4.1.1.104.": "ENCAP DOC",
    "1.2.840.10008.5.1.4.1.1.11.": "PRESENTATION",
    "1.2.840.10008.5.1.4.1.1.9.": "WAVEFORM",
    "1.2.840.10008.5.1.4.1.1.481.2": "RT DOSE",
    "1.2.840.10008.5.1.4.1.1.481.3": "RT STRUCTURE SET",
    "1.2.840.10008.5.1.4.1.1.481.5": "RT PLAN",
}
# Keys of each level (PS3.3 §F.5): keyword → what stands when the header has none (type 1 keys may not be empty)
_PATIENT = {"PatientName": "", "PatientID": "UNKNOWN"}
_STUDY = {
    "StudyDate": "19000101", "StudyTime": "000000", "StudyDescription": "", "StudyInstanceUID": "", "StudyID": "1",
    "AccessionNumber": "",
}  # fmt: skip
_SERIES = {"Modality": "OT", "SeriesInstanceUID": "", "SeriesNumber": 0}
_KEYS: dict[str, dict[str, Any]] = {
    "IMAGE": {"InstanceNumber": 0},
    "SR DOCUMENT": {"InstanceNumber": 0, "CompletionFlag": "COMPLETE", "VerificationFlag": "UNVERIFIED",
                    "ContentDate": "19000101", "ContentTime": "000000"},
}  # fmt: skip


@dataclass(frozen=True)
class Member:
    """A file of the set: its header, its transfer syntax, and its file ID (components of at most 8 characters)."""

    tags: facts.Tags
    transfer_syntax: str
    file_id: tuple[str, ...]


@dataclass
class _Node:
    record: Dataset
    children: "dict[str, _Node]"
    offset: int = 0


def dicomdir(members: Iterable[Member], *, name: str = "CONSILIUM") -> bytes:
    """The bytes of the DICOMDIR file that belongs to `members`."""
    root: dict[str, _Node] = {}
    for member in members:
        _place(root, member)
    found = Dataset()
    found.FileSetID = name
    found.OffsetOfTheFirstDirectoryRecordOfTheRootDirectoryEntity = 0
    found.OffsetOfTheLastDirectoryRecordOfTheRootDirectoryEntity = 0
    found.FileSetConsistencyFlag = 0
    ordered = list(_walk(root))
    found.DirectoryRecordSequence = Sequence([node.record for node in ordered])
    _set_offsets(found, root, ordered)
    return _file(found)


def _place(root: dict[str, _Node], member: Member) -> None:
    value = facts.value_of(member.tags)
    patient = _child(root, f"{value('PatientID')}|{value('PatientName')}", "PATIENT", member, _PATIENT)
    study = _child(patient.children, str(value("StudyInstanceUID")), "STUDY", member, _STUDY)
    series = _child(study.children, str(value("SeriesInstanceUID")), "SERIES", member, _SERIES)
    sop_class = str(value("SOPClassUID") or "")
    kind = next((kind for start, kind in _OTHER.items() if sop_class.startswith(start)), "IMAGE")
    leaf = _child(series.children, "/".join(member.file_id), kind, member, _KEYS.get(kind, _KEYS["IMAGE"]))
    leaf.record.ReferencedFileID = list(member.file_id)
    leaf.record.ReferencedSOPClassUIDInFile = sop_class
    leaf.record.ReferencedSOPInstanceUIDInFile = str(value("SOPInstanceUID"))
    leaf.record.ReferencedTransferSyntaxUIDInFile = member.transfer_syntax


def _child(level: dict[str, _Node], key: str, kind: str, member: Member, keys: dict[str, Any]) -> _Node:
    """The record of this key, made on first use."""
    if key not in level:
        record = Dataset()
        record.OffsetOfTheNextDirectoryRecord = 0
        record.RecordInUseFlag = 0xFFFF
        record.OffsetOfReferencedLowerLevelDirectoryEntity = 0
        record.DirectoryRecordType = kind
        record.SpecificCharacterSet = "ISO_IR 192"
        value = facts.value_of(member.tags)
        for keyword, otherwise in keys.items():
            found = value(keyword)
            setattr(record, keyword, otherwise if found in (None, "") else found)
        level[key] = _Node(record, {})
    return level[key]


def _walk(level: dict[str, _Node]) -> Iterable[_Node]:
    for node in level.values():
        yield node
        yield from _walk(node.children)


def _set_offsets(found: Dataset, root: dict[str, _Node], ordered: list[_Node]) -> None:
    """Offsets count from the first byte of the file (PS3.3 §F.3.2.2); their length is fixed, so one pass is enough."""
    start = _first_record(found)
    for node in ordered:
        node.offset = start
        start += 8 + _encoded_length(node.record)  # item tag and length, then the record
    _link(root)
    nodes = list(root.values())
    found.OffsetOfTheFirstDirectoryRecordOfTheRootDirectoryEntity = nodes[0].offset if nodes else 0
    found.OffsetOfTheLastDirectoryRecordOfTheRootDirectoryEntity = nodes[-1].offset if nodes else 0


def _link(level: dict[str, _Node]) -> None:
    nodes = list(level.values())
    for node, following in zip_longest(nodes, nodes[1:]):
        node.record.OffsetOfTheNextDirectoryRecord = following.offset if following else 0
        first = next(iter(node.children.values()), None)
        node.record.OffsetOfReferencedLowerLevelDirectoryEntity = first.offset if first else 0
        _link(node.children)


def _first_record(found: Dataset) -> int:
    """Where the first item begins: the file without records, up to and with the sequence's own header."""
    empty = Dataset()
    empty.update({element.tag: element for element in found if element.keyword != "DirectoryRecordSequence"})
    empty.DirectoryRecordSequence = Sequence([])
    return len(_file(empty))


def _encoded_length(record: Dataset) -> int:
    out = DicomBytesIO()
    out.is_little_endian, out.is_implicit_VR = True, False
    write_dataset(out, record, ["utf-8"])
    return len(out.getvalue())


_INSTANCE = generate_uid(None)


def _file(found: Dataset) -> bytes:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = MediaStorageDirectoryStorage
    meta.MediaStorageSOPInstanceUID = _INSTANCE
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    out = io.BytesIO()
    found.file_meta = meta
    dcmwrite(out, found, enforce_file_format=True)
    return out.getvalue()
