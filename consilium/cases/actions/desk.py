"""The desk: identity, record checklist, pauses, triage, conclusions, oral explanation, legal hold, erasure."""

from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from consilium.access.principals import Principal
from consilium.access.rules import require
from consilium.cases import deadlines, notices
from consilium.cases.actions.records import may_answer
from consilium.cases.models import Case, CaseEvent, ClockStop, RecordRequest
from consilium.core import audit, clock
from consilium.core.errors import BadInput
from consilium.packs import registry
from consilium.records.models import Record


def check_identity(case: Case, *, by: Principal, jurisdiction: str = "", procedure: str = "") -> None:
    """Record that identity, eligibility and the applicable rule were checked."""
    require("identity.check", case, by)
    pack = registry.jurisdiction(jurisdiction or case.jurisdiction)
    if procedure and pack.procedure(procedure) is None:
        raise BadInput(_("This procedure is not on the list of the chosen rule."))
    with transaction.atomic():
        case.patient.identity_checked_at = clock.now()
        case.patient.save(update_fields=["identity_checked_at"])
        case.jurisdiction, case.procedure = pack.id, procedure
        case.save(update_fields=["jurisdiction", "procedure"])
        _note(case, "check_identity", by)


def set_record_status(
    case: Case, item: str, status: str, *, by: Principal, note: str = "", asked_of: str = ""
) -> RecordRequest:
    """Mark a checklist item as here, missing, asked for (of patient or provider) or waived with a reason."""
    require("request.manage", case, by)
    row = case.record_requests.get(item=item)
    if status not in RecordRequest.Status.values:
        raise BadInput(_("Please choose what is true of this record."))
    if status == RecordRequest.Status.WAIVED and not note.strip():
        raise BadInput(_("Please write why this record is not needed."))
    if status == RecordRequest.Status.ASKED and asked_of not in ("patient", "provider"):
        raise BadInput(_("Please choose who is asked for this record."))
    with transaction.atomic():
        now = clock.now()
        row.status, row.note = status, note.strip()
        if status == RecordRequest.Status.ASKED:
            row.asked_of, row.asked_at = asked_of, now
            if asked_of == "patient":
                notices.tell(case, "patient", "your_turn", key=f"record_asked:{row.pk}:{now.isoformat()}")
            if not case.clock_stops.filter(reason="missing_records", ended_at=None).exists():
                stop_clock(case, ClockStop.Reason.MISSING_RECORDS, by=by)
        else:
            row.decided_at, row.decided_by = now, by.ref
        row.save()
        _note(case, f"record_{status}", by, code=item)
        if status != RecordRequest.Status.ASKED:
            _start_clock_when_nothing_is_asked(case, by)
    return row


def ask_for_record(case: Case, item: str, *, asked_of: str, note: str, by: Principal) -> RecordRequest:
    """Ask patient or provider for a record of the specialty's checklist; the clock stands still meanwhile."""
    if not case.record_requests.filter(item=item).exists():
        raise BadInput(_("Please choose a record from the list."))
    return set_record_status(case, item, RecordRequest.Status.ASKED, by=by, note=note, asked_of=asked_of)


def _start_clock_when_nothing_is_asked(case: Case, by: Principal) -> None:
    if not case.record_requests.filter(status=RecordRequest.Status.ASKED).exists():
        for stop in case.clock_stops.filter(reason=ClockStop.Reason.MISSING_RECORDS, ended_at=None):
            start_clock(stop, by=by)


def suggest_here(case: Case) -> dict[str, list[Record]]:
    """For each checklist item, the readable records on the case that could answer it."""
    records = list(Record.objects.filter(space=case.pk, status__in=("ready", "flagged")))
    items = registry.specialty(case.specialty).records
    return {item.code: [record for record in records if may_answer(item, record)] for item in items}


def stop_clock(case: Case, reason: str, *, by: Principal) -> ClockStop:
    """Stop the clock with a coded reason; deadlines stand still until it starts again."""
    require("clock.stop", case, by)
    if reason not in ClockStop.Reason.values:
        raise BadInput(_("Please choose a reason for the pause."))
    with transaction.atomic():
        stop, created = ClockStop.objects.get_or_create(
            case=case,
            reason=reason,
            ended_at=None,
            defaults={"started_by": by.ref, "started_at": clock.now()},
        )
        if created:
            _note(case, "stop_clock", by, code=reason)
    return stop


def start_clock(stop: ClockStop, *, by: Principal) -> None:
    """End a pause and move the deadlines that stood still by its length."""
    require("clock.stop", stop.case, by)
    with transaction.atomic():
        ended = ClockStop.objects.filter(pk=stop.pk, ended_at=None).update(ended_at=clock.now(), ended_by=by.ref)
        if not ended:
            return
        if not deadlines.is_paused(stop.case):
            deadlines.shift(stop.case, clock.now() - _pause_began(stop))
        _note(stop.case, "start_clock", by, code=stop.reason)


def _pause_began(stop: ClockStop) -> Any:
    """Start of the unbroken pause that `stop` ends: overlapping stops count once."""
    began = stop.started_at
    for other in ClockStop.objects.filter(case_id=stop.case_id).order_by("-started_at"):
        if other.started_at < began and other.ended_at and other.ended_at >= began:
            began = other.started_at
    return began


def set_triage(
    case: Case, *, by: Principal, urgency: str, complexity: str, re_reads: list[str], specialty: str = ""
) -> None:
    """Triage: the pack, how urgent, how complex, and which re-reads are wanted."""
    require("triage.set", case, by)
    if urgency not in Case.Urgency.values or complexity not in ("simple", "complex"):
        raise BadInput(_("Please choose urgency and complexity."))
    if set(re_reads) - {"radiology", "pathology"}:
        raise BadInput(_("Please choose re-reads from the list."))
    with transaction.atomic():
        pack = registry.specialty(specialty or case.specialty)
        case.specialty, case.specialty_version = pack.id, pack.version
        case.urgency, case.complexity, case.re_reads = urgency, complexity, re_reads
        case.triaged_at = clock.now()
        case.save(
            update_fields=[
                "specialty",
                "specialty_version",
                "urgency",
                "complexity",
                "re_reads",
                "triaged_at",
            ]
        )
        _note(case, "set_triage", by, code=urgency)


def mark_conclusions(case: Case, pages: dict[Record, list[int]], *, by: Principal) -> None:
    """Set, per record, the pages (from 0) the blind read must not show; everything else stays open."""
    require("conclusion.mark", case, by)
    with transaction.atomic():
        for record, hidden in pages.items():
            if record.space != case.pk or any(not 0 <= page < max(record.pages, 1) for page in hidden):
                raise BadInput(_("Please choose pages of this case's records."))
            record.conclusion_pages = sorted(set(hidden))
            record.save(update_fields=["conclusion_pages"])
        case.conclusions_marked_at = clock.now()
        case.save(update_fields=["conclusions_marked_at"])
        _note(case, "mark_conclusions", by)


def record_oral_explanation(case: Case, *, by: Principal, note: str = "") -> None:
    """Record that the result was explained by voice (Zm-RL §8(4) for listed procedures in Germany)."""
    require("oral.record", case, by)
    with transaction.atomic():
        case.oral_explanation_held_at = clock.now()
        case.save(update_fields=["oral_explanation_held_at"])
        _note(case, "oral_explanation", by, note=note)


def save_desk_note(case: Case, text: str, *, by: Principal) -> None:
    """The coordinators' own note on a case; patients and specialists never see it."""
    require("request.manage", case, by)
    with transaction.atomic():
        case.desk_note = text[:4000]
        case.save(update_fields=["desk_note"])
        audit.record("case.desk_note", by=by, thing=f"case:{case.pk}", space=case.pk)


def set_legal_hold(case: Case, held: bool, *, by: Principal) -> None:
    """Set or lift a legal hold; it stops erasure."""
    require("legal_hold.set", case, by)
    with transaction.atomic():
        case.legal_hold = held
        case.save(update_fields=["legal_hold"])
        _note(case, "legal_hold" if held else "legal_hold_lifted", by)


def request_erasure(case: Case, *, by: Principal) -> None:
    """The patient asks for erasure (GDPR Art. 17); carried out by an administrator unless a hold forbids it."""
    require("erasure.request", case, by)
    with transaction.atomic():
        case.erasure_requested_at = clock.now()
        case.save(update_fields=["erasure_requested_at"])
        _note(case, "request_erasure", by)


def _note(case: Case, verb: str, by: Principal, *, code: str = "", note: str = "") -> None:
    CaseEvent.objects.create(case=case, verb=verb, by=by.ref, note=note or code, at=clock.now())
    audit.record(f"case.{verb}", by=by, thing=f"case:{case.pk}", space=case.pk, code=code)
