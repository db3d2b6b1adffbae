"""Verbs on records that know nothing of cases: registering an upload, filing what was found, correcting, removing.

Who may do them is asked one floor up (cases/actions/records.py), where roles and phases are known.
"""

from datetime import date
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from consilium.access.principals import Principal
from consilium.core import audit, clock
from consilium.core.errors import BadInput
from consilium.records import filing, returning
from consilium.records.models import Record, RecordFile, Upload
from consilium.records.problems import TABLE
from consilium.vault.blobs import BlobInfo

MAX_NAME = 200


def register_upload(space: UUID, blob: BlobInfo, name: str, *, by: Principal) -> tuple[Upload, bool]:
    """Note an original that is already sealed on disk; the same bytes again give the earlier upload.

    Returns (upload, is_new).
    """
    filing.hash_uploads(space, blob.size)
    with transaction.atomic():
        earlier = Upload.objects.filter(space=space, sha256=blob.sha256).exclude(status=Upload.Status.REFUSED).first()
        if earlier and not (earlier.status == Upload.Status.DONE and returning.is_any_out(space)):
            return earlier, False
        # Bytes are kept once; they are read again, for what was taken out meanwhile comes back (returning.py).
        names = ("blob", "offset", "size", "more")
        place = {name: getattr(earlier, name) for name in names} if earlier else {"blob": blob.id, "size": blob.size}
        upload = Upload.objects.create(
            space=space,
            **place,
            sha256=blob.sha256,
            name=clean_name(name),
            uploaded_by=by.ref,
        )
        audit.record("record.upload", by=by, thing=f"upload:{upload.pk}", space=space)
    return upload, True


def clean_name(name: str) -> str:
    """A file name as people may see it: the last part of any path, printable, bounded."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    return "".join(char for char in last if char.isprintable())[:MAX_NAME]


def remove(record: Record, *, by: Principal) -> None:
    """Take a record out of the case; it can be brought back (`restore`) until the case is erased."""
    if record.status == Record.Status.REMOVED:
        return
    with transaction.atomic():
        record.status, record.removed_at, record.removed_by = Record.Status.REMOVED, clock.now(), by.ref
        record.save(update_fields=["status", "removed_at", "removed_by"])
        audit.record("record.remove", by=by, thing=f"record:{record.pk}", space=record.space)


def restore(record: Record, *, by: Principal) -> None:
    """Bring a removed record back as it was. Raises BadInput for what a virus scanner warned of."""
    if record.status != Record.Status.REMOVED:
        return
    if returning.MALWARE in record.problems:
        raise BadInput(TABLE[returning.MALWARE].sentence)
    with transaction.atomic():
        record.status = _status_of(record)
        record.removed_at, record.removed_by = None, ""
        record.save(update_fields=["status", "removed_at", "removed_by"])
        audit.record("record.restore", by=by, thing=f"record:{record.pk}", space=record.space)


def decide(record: Record, *, belongs: bool, by: Principal) -> None:
    """A person decides on a record whose header names somebody else (trust.md, threat 17)."""
    if record.status != Record.Status.UNDECIDED:
        raise BadInput(_("This record has already been decided on."))
    with transaction.atomic():
        code = "belongs" if belongs else "foreign"
        if belongs:
            record.problems = [problem for problem in record.problems if problem != "wrong_patient"]
            record.status = _status_of(record)
            record.save(update_fields=["problems", "status"])
        else:
            record.status, record.removed_at, record.removed_by = Record.Status.REMOVED, clock.now(), by.ref
            record.save(update_fields=["status", "removed_at", "removed_by"])
        audit.record("record.decide", by=by, thing=f"record:{record.pk}", space=record.space, code=code)


def decide_alike(record: Record, *, belongs: bool, by: Principal) -> int:
    """The same decision for every undecided record that names the same person; returns how many."""
    waiting = Record.objects.filter(space=record.space, status=Record.Status.UNDECIDED)
    alike = [one for one in waiting if named(one) == named(record)]
    for one in alike:
        decide(one, belongs=belongs, by=by)
    return len(alike)


def named(record: Record) -> tuple[str, str]:
    """Whom the header of a record names: name and birth date as they stand there."""
    return str(record.facts.get("patient_name") or ""), str(record.facts.get("patient_birth_date") or "")


def correct(record: Record, *, by: Principal, kind: str, title: str, clinical_date: str) -> None:
    """Correct the suggested type, title and date (ISO 8601 or empty); the original stays as it is."""
    if kind not in Record.Kind.values:
        raise BadInput(_("Please choose the type of this record from the list."))
    if clinical_date:
        try:
            when = date.fromisoformat(clinical_date)
        except ValueError:
            raise BadInput(_("Please give the date as day, month and year.")) from None
        if when > clock.now().date():
            raise BadInput(_("The date of a record cannot lie in the future."))
    with transaction.atomic():
        record.kind, record.title, record.clinical_date = kind, clean_name(title), clinical_date
        record.save(update_fields=["kind", "title", "clinical_date"])
        audit.record("record.correct", by=by, thing=f"record:{record.pk}", space=record.space)


def _status_of(record: Record) -> str:
    if "wrong_patient" in record.problems:
        return Record.Status.UNDECIDED
    return Record.Status.FLAGGED if record.problems else Record.Status.READY


def seen_hash(files: list[RecordFile]) -> str:
    """One SHA-256 for a record: the file's own, or of the sorted list of its files' hashes (one a line)."""
    import hashlib

    hashes = sorted(file.sha256 for file in files)
    return hashes[0] if len(hashes) == 1 else hashlib.sha256("\n".join(hashes).encode()).hexdigest()
