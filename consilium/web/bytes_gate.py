"""The gate of the data plane: one question per request, answered with what may be sent, or None.

Order: session → principal → scope → visibility → audit, all before the first byte. Absent and denied are
both None.
"""

from dataclasses import dataclass, field
from importlib import import_module
from typing import Any
from uuid import UUID

from django.conf import settings

from consilium.access import scopes
from consilium.access.principals import ANONYMOUS, Principal
from consilium.cases.models import Case
from consilium.core import audit
from consilium.core.errors import NotFound, Refusal
from consilium.opinions.actions import report as reports
from consilium.records import checking, content, previews, returning
from consilium.records.models import Preview, Record, RecordFile
from consilium.vault import blobs
from consilium.vault.errors import VaultError
from consilium.web import principal as principals

PREAMBLE = 128  # bytes of a DICOM file before "DICM" (PS3.10 §7.1), where executables were hidden (CVE-2019-11687)


@dataclass(frozen=True)
class ByteGrant:
    """What may be sent, and under which name. `blank` leading bytes are sent as zeros."""

    blob: UUID
    space: UUID
    media_type: str
    size: int
    filename: str
    disposition: str = "inline"
    blank: int = 0
    offset: int = 0
    more: list[list[Any]] = field(default_factory=list)


def open_record(cookies: dict[str, str], thing: UUID, part: str) -> ByteGrant | None:
    """The grant for `part` ("file:page:3", "report:clinical") of `thing`, or None."""
    by = principal_of(cookies)
    kind, _, rest = part.partition(":")
    try:
        return _file(by, thing, rest) if kind == "file" else _report(by, thing, rest)
    except (Refusal, VaultError):
        return None


def principal_of(cookies: dict[str, str]) -> Principal:
    """The principal of a request's session cookie."""
    key = cookies.get(settings.SESSION_COOKIE_NAME, "")
    if not key:
        return ANONYMOUS
    session = import_module(settings.SESSION_ENGINE).SessionStore(session_key=key)
    return principals.from_session(session)


def _file(by: Principal, file_id: UUID, rest: str) -> ByteGrant:
    file, record, case = scopes.file_anywhere(by, file_id)
    what, _, number = rest.partition(":")
    if checking.is_hidden(file) or (record.status == Record.Status.REMOVED and _stays_closed(record, what)):
        raise NotFound()
    if what == "original":
        return _original(by, file, record, case)
    index = int(number or 0)
    _require_open_page(by, file, record, case, what, index)
    found = previews.preview(file, what, index) if what != "thumbnail" else _thumbnail(file)
    if found is None:
        raise NotFound()
    audit.read(f"record:{record.pk}", by=by, space=case.pk)
    size = blobs.size(found.blob, space=file.space)
    return ByteGrant(found.blob, file.space, found.media_type, size, f"{what}-{index + 1}")


def _stays_closed(record: Record, what: str) -> bool:
    """Of what was taken out, pictures of its pages help to decide whether to bring it back; nothing else is opened."""
    return what == "original" or returning.MALWARE in record.problems


def _require_open_page(by: Principal, file: RecordFile, record: Record, case: Case, what: str, index: int) -> None:
    """Pages that state the first conclusion are withheld while somebody reads blind; so is their thumbnail."""
    if what == "frame":
        if not scopes.sees_original(by, case, record):
            raise NotFound()
        return
    if index not in scopes.visible_pages(by, case, record):
        raise NotFound()


def _thumbnail(file: RecordFile) -> Preview | None:
    return file.previews.filter(kind="thumbnail").first()


def _original(by: Principal, file: RecordFile, record: Record, case: Case) -> ByteGrant:
    if not scopes.sees_original(by, case, record):
        raise NotFound()
    audit.read(f"record:{record.pk}", by=by, space=case.pk, action="record.download")
    head = content.read_at(file, 0, PREAMBLE + 4)
    blank = PREAMBLE if head[PREAMBLE:] == b"DICM" else 0
    suffix = SUFFIXES.get(file.media_type, "bin")
    name = f"record-{str(file.pk)[:8]}.{suffix}"
    return ByteGrant(
        file.blob, file.space, file.media_type, file.size, name, "attachment", blank, file.offset, file.more
    )


SUFFIXES = {
    "application/pdf": "pdf",
    "application/dicom": "dcm",
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/heic": "heic",
    "image/tiff": "tif",
    "image/webp": "webp",
    "text/plain": "txt",
    "application/fhir+json": "json",
    "application/xml": "xml",
    "text/xml": "xml",
}


def _report(by: Principal, report_id: UUID, which: str) -> ByteGrant:
    report = scopes.report_anywhere(by, report_id)
    blob = {"clinical": report.clinical_blob, "patient": report.patient_blob, "fhir": report.fhir_blob}[which]
    audit.read(f"report:{report.pk}", by=by, space=report.case_id, action="report.download", code=which)
    reports.note_receipt(report, by=by, downloaded=True)
    media_type = "application/fhir+json" if which == "fhir" else "application/pdf"
    suffix = "json" if which == "fhir" else "pdf"
    name = f"consilium-{report.case.reference}-v{report.number}-{which}.{suffix}"
    size = blobs.size(blob, space=report.case_id)
    return ByteGrant(blob, report.case_id, media_type, size, name, "attachment")
