"""The case's verbs on records: they ask the policy, then call the room below."""

from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from consilium.access.principals import Principal
from consilium.access.rules import require
from consilium.cases.models import Case, RecordRequest
from consilium.core import clock, jobs
from consilium.core.errors import NotFound
from consilium.packs import registry
from consilium.packs.schema import RecordItem
from consilium.records import actions as records
from consilium.records import ingest, queries, transfers
from consilium.records.models import Record, Transfer, Upload
from consilium.vault.blobs import BlobInfo


def add_upload(case: Case, blob: BlobInfo, name: str, *, by: Principal) -> Upload:
    """Add what was sent: the sealed bytes are on disk already; reading them is a job."""
    from consilium.cases.jobs import ingest_upload

    require("record.add", case, by)
    with transaction.atomic():
        upload, is_new = records.register_upload(case.pk, blob, name, by=by)
        if is_new:
            jobs.enqueue(ingest_upload, str(upload.pk), key=f"ingest:{upload.pk}")
    return upload


def add_transfer(case: Case, transfer: Transfer, *, by: Principal) -> Upload:
    """Add what arrived in a resumable upload, once; every byte of it is sealed on disk already.

    Raises NotAllowed when the right to add was withdrawn meanwhile, BadInput while bytes are missing.
    """
    from consilium.cases.jobs import ingest_upload

    require("record.add", case, by)
    if transfer.space != case.pk or transfer.sender != by.ref:
        raise NotFound()
    with transaction.atomic():
        upload = transfers.finish(transfer, by=by)
        jobs.enqueue(ingest_upload, str(upload.pk), key=f"ingest:{upload.pk}")
    return upload


def discard_transfer(case: Case, transfer: Transfer, *, by: Principal) -> None:
    """Throw away one's own unfinished upload."""
    require("record.add", case, by)
    if transfer.space != case.pk or transfer.sender != by.ref:
        raise NotFound()
    transfers.discard(transfer)


def read_upload(upload_id: UUID) -> None:
    """Read an upload in the sandbox and file it; called by the job."""
    upload = Upload.objects.filter(pk=upload_id).first()
    case = Case.objects.filter(pk=upload.space).select_related("patient").first() if upload else None
    if upload is None or case is None or upload.status in (Upload.Status.DONE, Upload.Status.REFUSED):
        return
    patient = case.patient
    owner = ingest.Owner(case.organisation_id, patient.given_name, patient.family_name, patient.birth_date)
    if transfers.settle(upload):
        ingest.ingest(upload, owner)
        take_note(case)


LOOKS, AGAIN_AFTER = 100, timedelta(seconds=5)


def take_note(case: Case, *, looks: int = LOOKS) -> None:
    """Tick what has come, and again while images are still looked at: what a study shows is not known before."""
    from consilium.cases.jobs import note_arrival

    tick_checklist(case)
    if looks and queries.is_any_unfinished(case.pk):
        again = clock.now() + AGAIN_AFTER
        window = again.timestamp() // AGAIN_AFTER.total_seconds()
        key = f"look:{case.pk}:{window:.0f}"  # one look for all that asks in these seconds
        jobs.enqueue(note_arrival, str(case.pk), looks - 1, key=key, run_after=again)


# What such a record holds, its type does not tell: a letter is not yet the report of an injection.
UNSPECIFIC = frozenset({Record.Kind.LETTER, Record.Kind.DISCHARGE, Record.Kind.LABORATORY, Record.Kind.OTHER})
# What nobody can open answers nothing, whatever its name says; a copy that can be read ticks the item when it comes.
UNREADABLE = frozenset({"encrypted_pdf", "damaged_pdf", "damaged_image", "damaged_text", "unsupported"})


def tick_checklist(case: Case) -> None:
    """Mark missing checklist items as here when a readable record certainly answers them; people decide on the rest."""
    records = list(Record.objects.filter(space=case.pk, status__in=("ready", "flagged")))
    items = registry.specialty(case.specialty).records
    codes = [item.code for item in items if any(_answers_surely(item, record) for record in records)]
    waiting = case.record_requests.filter(item__in=codes, status=RecordRequest.Status.MISSING)
    waiting.update(status=RecordRequest.Status.HERE, decided_by="system")


def _answers_surely(item: RecordItem, record: Record) -> bool:
    """It can be opened, and its type says enough; images come from the right device."""
    problems = set(record.problems)
    if problems & UNREADABLE or ("no_preview" in problems and record.kind != Record.Kind.IMAGING):
        return False
    return answers_by_type(item, record) and _suits(item, record) is True


def answers_by_type(item: RecordItem, record: Record) -> bool:
    """Its type is the one the item asks for first, and tells what is in it."""
    return record.kind == item.kinds[0] and (item.need == "mandatory" or record.kind not in UNSPECIFIC)


def may_answer(item: RecordItem, record: Record) -> bool:
    """Type, and for images modality and body part, where the headers name them (DICOM PS3.3 C.7.3.1, C.7.3.1.1.2)."""
    return _suits(item, record) is not False


def _suits(item: RecordItem, record: Record) -> bool | None:
    """None: the headers do not tell. The series of the right device speak, not a screenshot that lies beside them."""
    if record.kind not in item.kinds:
        return False
    if record.kind != Record.Kind.IMAGING or item.imaging is None:
        return True
    series = record.facts.get("series") or [record.facts]
    right = [one for one in series if one.get("modality") in item.imaging.modalities]
    if not right:
        return False
    parts = {str(one.get("body_part", "")).upper() for one in right} - {""}
    wanted = item.imaging.body_parts
    if wanted and parts and not any(one in part or part in one for part in parts for one in wanted):
        return False
    told = (parts or not wanted) and not all(one.get("secondary") for one in right)
    return True if told else None


def _of(case: Case, record: Record) -> Record:
    if record.space != case.pk:
        raise NotFound(_("This record is not part of the case."))
    return record


def remove_record(case: Case, record: Record, *, by: Principal) -> None:
    """Take a record out (it can be restored)."""
    require("record.remove", case, by)
    records.remove(_of(case, record), by=by)


def restore_record(case: Case, record: Record, *, by: Principal) -> None:
    """Bring a removed record back."""
    require("record.remove", case, by)
    records.restore(_of(case, record), by=by)


def decide_record(case: Case, record: Record, *, belongs: bool, by: Principal) -> None:
    """Decide on a record whose header names somebody else."""
    require("record.decide", case, by)
    with transaction.atomic():
        records.decide(_of(case, record), belongs=belongs, by=by)
        tick_checklist(case)


def decide_alike(case: Case, record: Record, *, belongs: bool, by: Principal) -> int:
    """The same decision for every undecided record that names the same person; returns how many."""
    require("record.decide", case, by)
    with transaction.atomic():
        count = records.decide_alike(_of(case, record), belongs=belongs, by=by)
        tick_checklist(case)
    return count


def correct_record(case: Case, record: Record, *, by: Principal, kind: str, title: str, clinical_date: str) -> None:
    """Correct type, title or date of a record."""
    require("record.correct", case, by)
    with transaction.atomic():
        records.correct(_of(case, record), by=by, kind=kind, title=title, clinical_date=clinical_date)
        tick_checklist(case)
