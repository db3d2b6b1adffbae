"""Noun factories: a case in any state, reached by the same verbs people use."""

import base64
from datetime import timedelta
from typing import Any

from PIL import Image

from consilium.access.principals import SYSTEM
from consilium.cases.actions import advance, desk, intake, offers, team
from consilium.cases.actions import records as case_records
from consilium.cases.models import Case, CaseRole
from consilium.cases.states import State
from consilium.consents import actions as consents
from consilium.core import clock, jobs
from consilium.opinions.actions import blind, quality
from consilium.opinions.actions import opinion as opinions
from consilium.opinions.models import Opinion
from consilium.packs import registry
from consilium.records import slide_tiles
from consilium.records.models import Record, RecordFile, Slide, Upload
from consilium.talks import actions as talks
from consilium.testing.cast import Cast, Member
from consilium.vault import blobs

PATH = [
    State.DRAFT,
    State.SUBMITTED,
    State.COLLECTING,
    State.RECAP,
    State.TRIAGE,
    State.OFFERED,
    State.BLIND_READ,
    State.IN_REVIEW,
    State.QUALITY_CHECK,
    State.SIGNED,
    State.DELIVERED,
]


def draft(cast: Cast, *, specialty: str = "orthopaedic-spine", patient: Member | None = None) -> Case:
    """A draft with nothing told yet."""
    anna = patient or cast.anna
    return intake.start_case(anna.person, specialty, by=anna.by, language="en")


def told(cast: Cast, **fields: Any) -> Case:
    """A draft with everything told and confirmed: ready to submit."""
    case = draft(cast, **fields)
    by = (fields.get("patient") or cast.anna).by
    pack = registry.specialty(case.specialty)
    intake.answer_screening(case, {q.code: q.fits for q in pack.suitability}, by=by)
    intake.answer_red_flags(case, {flag.code: "no" for flag in pack.red_flags}, by=by)
    intake.save_section(case, "goals", {"text": "Walk the dog for an hour again."}, by=by)
    intake.save_first_opinion(
        case,
        by=by,
        diagnosis="Lumbar disc herniation L4/L5",
        treatment="Spinal fusion L4/L5",
        institution="City Hospital",
        planned_treatment_on=(clock.now() + timedelta(days=40)).date(),
    )
    intake.save_questions(case, ["Is a spinal fusion necessary, or can I wait?"], by=by)
    clauses = [clause.code for clause in registry.jurisdiction(case.jurisdiction).consents]
    consents.give(case.pk, clauses, jurisdiction=case.jurisdiction, language="en", by=by)
    intake.confirm_recap(case, by=by)
    return case


def plain_record(
    case: Case, title: str = "Letter", *, kind: str = "letter", text: str = "Page one", **fields: Any
) -> Record:
    """A ready one-page record with a sealed original of a few bytes, without running the sandbox."""
    info = blobs.put([text.encode()], space=case.pk, tenant=case.organisation_id)
    upload = Upload.objects.create(
        space=case.pk, blob=info.id, size=info.size, sha256=info.sha256, status="done", uploaded_by="system"
    )
    record = Record(space=case.pk, upload=upload, kind=kind, pages=1, added_by="system", **fields)
    record.title = title
    record.save()
    RecordFile.objects.create(
        space=case.pk,
        record=record,
        blob=info.id,
        size=info.size,
        sha256=info.sha256,
        media_type="text/plain",
        kind="text",
        name=f"{title}.txt",
        text=[text],
    )
    return record


def plain_slide(case: Case, title: str = "Biopsy") -> Slide:
    """A slide of one tile that is ready for zooming, without running the sandbox."""
    tile = slide_tiles.jpeg(Image.new("RGB", (64, 48), "pink"))
    info = blobs.put([tile], space=case.pk, tenant=case.organisation_id)
    file = plain_record(case, title, kind=Record.Kind.SLIDES, images=1).files.get()
    file.kind, file.frames = "slide", 1
    file.save(update_fields=["kind", "frames"])
    tiles = base64.b64encode(slide_tiles.ENTRY.pack(0, 0, len(tile))).decode()
    return Slide.objects.create(
        space=case.pk, file=file, width=64, height=48, levels=1, mpp=0.5, status=Slide.Status.READY, done=1, total=1,
        tiles=[info.id.hex], index={"levels": [{"source": 0, "done": 1, "tiles": tiles}]},
    )  # fmt: skip


def case_in(state: str, cast: Cast, **fields: Any) -> Case:
    """A case brought to `state` by the verbs of the cast (side states start where they usually do)."""
    if state in (State.URGENT, State.INCIDENT_HOLD):
        case = case_in(State.IN_REVIEW, cast, **fields)
        verb, by = ("raise_urgent", cast.chen.by) if state == State.URGENT else ("hold", cast.dora.by)
        advance(case, verb, by=by, note="A reason.")
        return case
    if state == State.REDIRECTED:
        case = case_in(State.SUBMITTED, cast, **fields)
        advance(case, "turn_down", by=cast.dora.by, note="Please see a doctor in person.")
        return case
    if state == State.WITHDRAWN:
        case = case_in(State.SUBMITTED, cast, **fields)
        advance(case, "withdraw", by=cast.anna.by)
        return case
    return _late(state, cast, fields) if state not in PATH else _on_path(state, cast, fields)


def _late(state: str, cast: Cast, fields: dict[str, Any]) -> Case:
    if state == State.EXPIRED:
        with clock.frozen(clock.now() - timedelta(days=31)):
            case = draft(cast, **fields)
        advance(case, "expire", by=SYSTEM)
        return case
    case = _on_path(State.DELIVERED, cast, fields)
    if state == State.CLARIFYING:
        talks.ask(case, by=cast.anna.by, question="Does this hold if the pain comes back?")
        case.refresh_from_db()
        return case
    for verb, days in (("begin_follow_up", 15), ("close", 200), ("archive", 400), ("erase", 20_000)):
        with clock.frozen(clock.now() + timedelta(days=days)):
            if verb == "archive" or verb == "erase":
                Case.objects.filter(pk=case.pk).update(state_since=clock.now() - timedelta(days=20_000))
                case.refresh_from_db()
            advance(case, verb, by=SYSTEM)
        if case.state == state:
            break
    jobs.drain()  # an erased case loses its key by a job
    return case


def _on_path(state: str, cast: Cast, fields: dict[str, Any]) -> Case:
    case = draft(cast, **fields) if state == State.DRAFT else told(cast, **fields)
    for goal in PATH[1 : PATH.index(State(state)) + 1]:
        STEPS[goal](case, cast)
        case.refresh_from_db()
    return case


def _submit(case: Case, cast: Cast) -> None:
    advance(case, "submit", by=(_patient(case, cast)).by)


def _patient(case: Case, cast: Cast) -> Member:
    return Member(case.patient.user, case.patient)  # type: ignore[arg-type]


def _check_in(case: Case, cast: Cast) -> None:
    desk.check_identity(case, by=cast.dora.by)
    advance(case, "check_in", by=cast.dora.by)


def _complete(case: Case, cast: Cast) -> None:
    plain_record(case)
    for request in case.record_requests.filter(mandatory=True):
        desk.set_record_status(case, request.item, "waived", by=cast.dora.by, note="Not needed here.")
    advance(case, "complete_records", by=cast.dora.by)


def _confirm(case: Case, cast: Cast) -> None:
    patient = _patient(case, cast)
    intake.confirm_recap(case, by=patient.by)
    advance(case, "confirm_recap", by=patient.by)


def _offer(case: Case, cast: Cast) -> None:
    desk.set_triage(case, by=cast.tess.by, urgency="routine", complexity="complex", re_reads=[])
    desk.mark_conclusions(case, {}, by=cast.tess.by)
    offers.offer(case, [cast.chen.specialist], by=cast.dora.by)


def _accept(case: Case, cast: Cast) -> None:
    offers.declare_conflicts(case, by=cast.chen.by, none=True)
    offers.accept(case, by=cast.chen.by)


def _lock(case: Case, cast: Cast) -> None:
    blind.save(
        case,
        by=cast.chen.by,
        diagnosis="Disc herniation without instability",
        treatment="Structured physiotherapy first",
        reasoning="No slip on the films.",
        confidence="moderate",
    )
    blind.lock(case, by=cast.chen.by)


def write_opinion(case: Case, cast: Cast) -> Opinion:
    """A complete draft: passes the release checklist."""
    blind.reveal(case, by=cast.chen.by)
    draft_opinion = opinions.draft_of(case, by=cast.chen.by)
    record = Record.objects.filter(space=case.pk).first() or plain_record(case)
    file = record.files.first()
    assert file is not None
    opinions.add_finding(
        draft_opinion,
        by=cast.chen.by,
        text="Disc bulge L4/L5 without nerve root contact.",
        significance="Explains the back pain in part.",
        anchor={"file": str(file.pk), "kind": "page", "index": 0, "x": 0.1, "y": 0.1, "w": 0.5, "h": 0.2},
    )
    return opinions.save(draft_opinion, complete_content(case), by=cast.chen.by)


def complete_content(case: Case) -> dict[str, Any]:
    """Content that the release checklist accepts."""
    pack = registry.specialty(case.specialty)
    due = (clock.now() + timedelta(days=30)).date().isoformat()
    return {
        "answers": {
            str(question.pk): {"short": "You can wait.", "reasoning": "The signs of nerve damage are absent."}
            for question in case.questions.all()
        },
        "comparison": {
            "diagnosis": "confirmed",
            "diagnosis_note": "The same disc.",
            "treatment": "changed",
            "treatment_note": "Physiotherapy before surgery.",
        },
        "differential": "Facet joint pain is less likely because the pain is worse on sitting.",
        "options": [
            {
                "title": "Physiotherapy for twelve weeks",
                "benefits": "No operation.",
                "risks": "Takes time.",
                "do_nothing": False,
            },
            {"title": "Wait and watch", "benefits": "Nothing to bear.", "risks": "Pain may stay.", "do_nothing": True},
        ],
        "recommendation": {
            "text": "Twelve weeks of structured physiotherapy, then a new look.",
            "strength": "strong",
            "guideline": "",
            "guideline_date": "",
            "no_guideline": True,
        },
        "limitations": ["Nobody has examined you in person."],
        "next_steps": [{"what": "Begin physiotherapy", "owner": "Patient and family doctor", "by_date": due}],
        "references": [{"citation": "Canadian Spine Society, back pain pathway", "date": "2020"}],
        "patient_summary": {
            "opening": "Dear Ms Berger, I have read all your papers with care.",
            "text": "Your disc is worn. It does not press on a nerve. You can wait with the operation.\n\n"
            "Please begin with exercises. Most people feel better after some weeks.",
        },
        "questions_to_ask": ["Which exercises are right for me?"],
        "clinician_letter": "Dear colleague, I suggest conservative treatment first. Kind regards.",
        "sections": {section.code: "Considered; see the findings." for section in pack.sections},
    }


def _sign(case: Case, cast: Cast) -> None:
    write_opinion(case, cast)
    opinions.sign(case, by=cast.chen.by)


def _pass(case: Case, cast: Cast) -> None:
    ticks = {item.code: True for item in registry.specialty(case.specialty).release}
    quality.save(case, by=cast.quinn.by, checklist=ticks)
    quality.pass_quality(case, by=cast.quinn.by)


def _deliver(case: Case, cast: Cast) -> None:
    jobs.drain()


STEPS: dict[str, Any] = {
    State.SUBMITTED: _submit,
    State.COLLECTING: _check_in,
    State.RECAP: _complete,
    State.TRIAGE: _confirm,
    State.OFFERED: _offer,
    State.BLIND_READ: _accept,
    State.IN_REVIEW: _lock,
    State.QUALITY_CHECK: _sign,
    State.SIGNED: _pass,
    State.DELIVERED: _deliver,
}


def proxy(case: Case, member: Member, role: str = CaseRole.Role.PROXY_VIEW, *, by: Member) -> CaseRole:
    """A confirmed relative."""
    grant = team.invite_proxy(case, member.user.email, role, by=by.by)
    team.confirm_invitation(grant, by=member.by)
    return grant


def link(case: Case, by: Member) -> team.NewLink:
    """An open link for Dr Weiss."""
    recipient = {"name": "Dr Jonas Weiss", "institution": "City Hospital", "email": "weiss@example.org"}
    return team.make_link(case, by=by.by, recipient=recipient)


def upload(case: Case, data: bytes, name: str, *, by: Member) -> Upload:
    """Send a file and read it: the real path, sandbox included."""
    info = blobs.put([data], space=case.pk, tenant=case.organisation_id)
    sent = case_records.add_upload(case, info, name, by=by.by)
    jobs.drain()
    sent.refresh_from_db()
    return sent
