"""From the inbox to a case: who may assign what, and the way of images that name their case themselves."""

from datetime import UTC, datetime
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from consilium.access.principals import SYSTEM, Principal
from consilium.access.rules import may, require
from consilium.cases.actions.records import LOOKS, take_note
from consilium.cases.models import Case
from consilium.core import clock, jobs
from consilium.core.errors import BadInput, NotFound
from consilium.records import checking, identity, inbox, malware
from consilium.records.filing import Owner
from consilium.records.instances import Origin
from consilium.records.models import InboxStudy


def by_reference(reference: str) -> Case | None:
    """The case with this reference, for a gateway that was given it as an address."""
    return Case.objects.filter(reference=reference).select_related("patient").first()


def owner_of(case: Case) -> Owner:
    """Whose the records of a case should be."""
    patient = case.patient
    return Owner(case.organisation_id, patient.given_name, patient.family_name, patient.birth_date)


def receives(case_id: UUID) -> bool:
    """Whether images may still come to this case by themselves."""
    case = Case.objects.filter(pk=case_id).first()
    return case is not None and may("record.receive", case, SYSTEM)


def arrived(case_id: UUID, looks: int = LOOKS) -> None:
    """Note in the checklist what has just come to a case; what nobody may read yet waits until it was checked."""
    from consilium.cases.jobs import note_arrival

    case = Case.objects.filter(pk=case_id).first()
    if case is None:
        return
    if checking.hidden(case_id):
        jobs.enqueue(note_arrival, str(case_id), run_after=clock.now() + malware.AGAIN_AFTER)
    else:
        take_note(case, looks=looks)


def news(case_id: UUID) -> bool:
    """Whether `arrived_soon` has something to do: this process has not asked for the same few seconds yet."""
    return _asked.get(case_id) != _window()


def arrived_soon(case_id: UUID) -> None:
    """`arrived` in a few seconds, once for all that comes meanwhile: requests do not tell when a sender is done."""
    from consilium.cases.jobs import note_arrival

    window = _window()
    later = datetime.fromtimestamp((window + 1) * TOGETHER, UTC)
    jobs.enqueue(note_arrival, str(case_id), key=f"arrived:{case_id}:{window}", run_after=later)
    if len(_asked) > 1000:
        _asked.clear()
    _asked[case_id] = window


def _window() -> int:
    return int(clock.now().timestamp()) // TOGETHER


TOGETHER = 4  # seconds
_asked: dict[UUID, int] = {}  # this process has written the job of this case and window


def names_another(study: InboxStudy, case: Case) -> bool:
    """Whether the images name somebody else than the patient of the case."""
    patient = case.patient
    match = identity.compare(
        study.facts, given=patient.given_name, family=patient.family_name, birth_date=patient.birth_date or None
    )
    return match.verdict == "mismatch"


def assign(study: InboxStudy, case: Case, *, by: Principal, although_another: bool = False) -> None:
    """Add what waits in the inbox to a case; a job carries it there.

    Images that name somebody else need `although_another`; their record then waits for a decision in the case.
    """
    from consilium.cases.jobs import move_inbox

    require("inbox.view", study, by)
    require("inbox.assign", case, by)
    if study.tenant != case.organisation_id:
        raise NotFound()
    if names_another(study, case) and not although_another:
        raise BadInput(_("These images name another person than this case. Please compare name and birth date."))
    inbox.assign(study, case.pk, by=by, then=lambda: jobs.enqueue(move_inbox, str(study.pk)))


def discard(study: InboxStudy, *, by: Principal) -> None:
    """Throw away what belongs to no case."""
    inbox.discard(study, by=by)


def move(study_id: UUID) -> None:
    """Carry an assigned study to its case; called by the job, and again after a crash."""

    def origin(study: InboxStudy) -> Origin | None:
        case = Case.objects.filter(pk=study.case_space).select_related("patient").first()
        if case is None or not may("record.receive", case, SYSTEM):
            return None
        return Origin(case.pk, owner_of(case), study.sender)

    if inbox.move(study_id, origin):
        case = Case.objects.get(pk=InboxStudy.objects.values_list("case_space", flat=True).get(pk=study_id))
        take_note(case)
