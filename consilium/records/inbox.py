"""The inbox of an organisation: images that a hospital sent without naming a case, sealed until somebody decides.

Every study lies in a space of its own. Assigning it seals its images anew under the key of the case, in steps that a
crash interrupts without harm; discarding it, or letting it expire, destroys its key. Which case, and who may say so,
is asked one floor up (cases/actions/inbox.py).
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext_lazy as _

from consilium.access.principals import SYSTEM, Principal
from consilium.access.rules import require
from consilium.core import audit, clock
from consilium.core.audit import Actor
from consilium.core.errors import BadInput
from consilium.imaging import facts as imaging_facts
from consilium.records import content, instances, rows
from consilium.records.instances import NewInstance, Origin
from consilium.records.models import InboxInstance, InboxStudy
from consilium.vault import blind, blobs, keys
from consilium.vault.segments import SegmentWriter, joined

STEP = 50  # images moved in one transaction
STEP_BYTES = 64 * 2**20
KEPT = timedelta(days=14)  # how long the line "added to case …" stays
SHOWN = ("patient_name", "patient_birth_date", "patient_sex", "study_description", "study_date", "institution")
Status = InboxStudy.Status


class Closed(BadInput):
    """Somebody has decided on this study: what arrives now begins another one."""


# --- arriving ---------------------------------------------------------------------------------------------


def grouped_by(tenant: UUID, tags: imaging_facts.Tags) -> str:
    """What images are gathered by: their study and the patient whom they name, so that two are never mixed."""
    found = [str(imaging_facts.value(tags, name) or "") for name in ("StudyInstanceUID", "PatientBirthDate")]
    return blind.token(tenant, "inbox", "\n".join([*found, repr(imaging_facts.value(tags, "PatientName"))]))


def open_study(tenant: UUID, header: dict[str, Any], *, by: Actor) -> UUID:
    """The waiting study that an image belongs to, made with its own key when there is none."""
    study = grouped_by(tenant, header["tags"])
    waiting = InboxStudy.objects.filter(tenant=tenant, status=Status.WAITING, study=study, sender=by.ref)
    found = waiting.values_list("pk", flat=True).first()
    if found is not None:
        return found
    facts = imaging_facts.from_tags(header["tags"], header["ts"])
    made = InboxStudy(id=uuid4(), tenant=tenant, sender=by.ref, study=study, expires_at=_expiry())
    keys.create_space(made.pk, tenant=tenant)
    made.facts = {key: facts[key] for key in SHOWN if facts.get(key)} | {"modalities": []}
    with transaction.atomic():
        made.save()
        audit.record("inbox.receive", by=by, thing=f"inbox:{made.pk}")
    return made.pk


def add(study_id: UUID, tenant: UUID, new: Sequence[NewInstance], *, known: bool = True) -> list[str]:
    """Note images whose bytes are sealed in the study's space: "stored" or "duplicate" for each, in order.

    known=False: from a caller who trusts that all are new and of modalities that were noted; nothing is looked up, and
    IntegrityError says that it was wrong. Raises Closed when somebody has decided on the study meanwhile.
    """
    with transaction.atomic(savepoint=False):
        tokens = [instance_token(tenant, str(_value(one, "SOPInstanceUID"))) for one in new]
        there = set[str]()
        if known:
            _note_modalities(study_id, {str(_value(one, "Modality") or "") for one in new} - {""})
            held = InboxInstance.objects.filter(study=study_id, instance__in=tokens)
            there = set(held.values_list("instance", flat=True))
        waiting: list[InboxInstance] = []
        answers: list[str] = []
        for token, one in zip(tokens, new, strict=True):
            answers.append("duplicate" if token in there else "stored")
            if token not in there:
                waiting.append(_row(study_id, token, one))
            there.add(token)
        _count(study_id, waiting)
        rows.insert(waiting)
    return answers


def _value(one: NewInstance, keyword: str) -> Any:
    return imaging_facts.value(one.header["tags"], keyword)


def instance_token(tenant: UUID, uid: str) -> str:
    """The keyed hash under which an image is noted."""
    return blind.token(tenant, "instance", uid)


def _row(study: UUID, token: str, one: NewInstance) -> InboxInstance:
    return InboxInstance(id=uuid4(), study_id=study, instance=token, **content.placed(one.slices), header=one.header)


def _note_modalities(study_id: UUID, found: set[str]) -> None:
    study = InboxStudy.objects.select_for_update().filter(pk=study_id, status=Status.WAITING).first()
    if study is None:
        raise Closed(_("Somebody has decided on these images already."))
    listed = study.facts.get("modalities", [])
    if found - set(listed):
        study.facts = study.facts | {"modalities": sorted(found | set(listed))[:20]}
        study.save(update_fields=["facts"])


def _count(study_id: UUID, rows: list[InboxInstance]) -> None:
    waiting = InboxStudy.objects.filter(pk=study_id, status=Status.WAITING)
    size = sum(row.size for row in rows)
    if not waiting.update(
        images=F("images") + len(rows), size=F("size") + size, last_at=clock.now(), expires_at=_expiry()
    ):
        raise Closed(_("Somebody has decided on these images already."))


def _expiry() -> datetime:
    return clock.now() + timedelta(days=settings.INBOX_DAYS)


# --- deciding ---------------------------------------------------------------------------------------------


def assign(study: InboxStudy, case_space: UUID, *, by: Principal, then: Callable[[], object]) -> None:
    """Note the case a study goes to; `then` asks for `move`. Raises BadInput when somebody was faster."""
    with transaction.atomic():
        waiting = InboxStudy.objects.filter(pk=study.pk, status=Status.WAITING)
        if not waiting.update(status=Status.MOVING, case_space=case_space, assigned_by=by.ref, moved=0):
            raise BadInput(_("Somebody has decided on these images already."))
        then()
        audit.record("inbox.assign", by=by, thing=f"inbox:{study.pk}", space=case_space, images=study.images)


def discard(study: InboxStudy, *, by: Principal) -> None:
    """Throw a waiting study away for good: its key is destroyed."""
    require("inbox.discard", study, by)
    _throw_away(study, by, "inbox.discard")


def _throw_away(study: InboxStudy, by: Principal, action: str) -> None:
    with transaction.atomic():
        gone = InboxStudy.objects.select_for_update().filter(pk=study.pk, status=Status.WAITING).first()
        if gone is None:
            raise BadInput(_("Somebody has decided on these images already."))
        held = _blobs_of(gone.instances.all())
        audit.record(action, by=by, thing=f"inbox:{gone.pk}", images=gone.images)
        gone.delete()
        transaction.on_commit(lambda: _shred(study.pk, held))


def _shred(space: UUID, held: Iterable[UUID]) -> None:
    keys.destroy_space(space)
    for blob in held:
        blobs.delete(blob)


def _blobs_of(rows: Iterable[InboxInstance]) -> set[UUID]:
    return {blob for row in rows for blob in content.blob_ids(row)}


def sweep(now: datetime) -> int:
    """Throw away what nobody decided on in time, and the lines of what was assigned; returns how many studies."""
    found = 0
    for study in InboxStudy.objects.filter(expires_at__lte=now).exclude(status=Status.MOVING)[:200]:
        if study.status == Status.MOVED:
            study.delete()
        else:
            _throw_away(study, SYSTEM, "inbox.expire")
            found += 1
    return found


# --- moving -----------------------------------------------------------------------------------------------


def move(study_id: UUID, origin: Callable[[InboxStudy], Origin | None]) -> bool:
    """Carry an assigned study to its case; again after a crash it goes on. True when it is there.

    origin: asked before each step whose the images become; None when the case takes nothing any more: then what is
    left waits in the inbox again.
    """
    study = InboxStudy.objects.filter(pk=study_id, status=Status.MOVING).first()
    if study is None:
        return False
    held: set[UUID] = set()
    while batch := _next(study):
        target = origin(study)
        if target is None:
            _wait_again(study)
            return False
        held |= _blobs_of(batch)
        _move_some(study, batch, target)
    _finish(study, held)
    return True


def _wait_again(study: InboxStudy) -> None:
    left = study.instances.count()
    InboxStudy.objects.filter(pk=study.pk).update(
        status=Status.WAITING, case_space=None, assigned_by="", images=left, moved=0, expires_at=_expiry()
    )


def _next(study: InboxStudy) -> list[InboxInstance]:
    found: list[InboxInstance] = []
    for row in study.instances.all()[:STEP]:
        if found and sum(one.size for one in found) + row.size > STEP_BYTES:
            break
        found.append(row)
    return found


def _move_some(study: InboxStudy, batch: list[InboxInstance], target: Origin) -> None:
    """Seal anew, make durable, file, and only then forget the old place."""
    with SegmentWriter(space=target.space, tenant=target.owner.tenant) as out:
        new = [
            NewInstance(joined([part for chunk in content.chunks(row) for part in out.add(chunk)]), row.header)
            for row in batch
        ]
        out.finish()
        with transaction.atomic():
            answers = instances.add(new, target)
            InboxInstance.objects.filter(pk__in=[row.pk for row in batch]).delete()
            study.moved += len(batch)
            study.save(update_fields=["moved"])
    used = {part.blob for one, done in zip(new, answers, strict=True) if done.code == "stored" for part in one.slices}
    for blob in set(out.blobs) - used:
        blobs.delete(blob)


def _finish(study: InboxStudy, held: set[UUID]) -> None:
    """The images are in the case: what was sealed here is destroyed; a line says where they went."""
    InboxStudy.objects.filter(pk=study.pk).update(
        status=Status.MOVED, images=study.moved, last_at=clock.now(), expires_at=clock.now() + KEPT
    )
    _shred(study.pk, held)
