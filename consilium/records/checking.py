"""Images that other programs sent are checked for malware after they were acknowledged (finishing.py).

Under the policy "require" nobody reads one before: not by DICOMweb, not its pictures, not in an archive.
"""

from uuid import UUID

from consilium.records import malware
from consilium.records.models import RecordFile


def is_from_program(file: RecordFile) -> bool:
    """Whether another program sent it, also into a study that somebody uploaded: what people send has a name."""
    return file.kind == "dicom" and not file.name


def is_hidden(file: RecordFile) -> bool:
    """Whether nobody may read it yet."""
    return malware.required() and file.filed_at is None and is_from_program(file)


def hidden(space: UUID) -> frozenset[UUID]:
    """The files of a case that nobody may read yet."""
    if not malware.required():
        return frozenset()
    waiting = RecordFile.objects.filter(space=space, filed_at=None, kind="dicom").only("space", "kind", "name")
    return frozenset(file.pk for file in waiting.order_by() if is_from_program(file))
