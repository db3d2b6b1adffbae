"""Building, sealing and delivering reports. Building runs in a job: bytes never travel inside a transaction."""

import hashlib
import json
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from consilium.access.principals import SYSTEM, Principal
from consilium.cases import notices
from consilium.cases.actions import advance
from consilium.cases.effects import Step, after
from consilium.cases.models import Case
from consilium.cases.needs import Asked, Sentence, need
from consilium.cases.states import State
from consilium.core import audit, clock, ids, jobs
from consilium.core.errors import NotReady
from consilium.opinions import content
from consilium.opinions.models import Delivery, Opinion, Report, SeenRecord
from consilium.records.actions import seen_hash
from consilium.records.models import Record
from consilium.vault import blobs


@after("pass_quality", "issue_addendum")
def _queue(step: Step) -> None:
    from consilium.opinions.jobs import build_report

    opinion = step.case.opinions.filter(status=Opinion.Status.SIGNED).latest("number")
    jobs.enqueue(build_report, str(opinion.pk), key=f"report:{opinion.pk}:{opinion.digest[:16]}")


def build(opinion: Opinion) -> Report:
    """Build both PDFs and the FHIR document, seal them, store them; the second run finds the first one's report."""
    # typst, pyHanko and the FHIR models are heavy: only the worker that builds loads them.
    from consilium.opinions.report import render, seal
    from consilium.opinions.report.fhir import fhir_document

    existing = Report.objects.filter(opinion=opinion).first()
    if existing:
        return existing
    code, now = ids.code(12), clock.now()
    seen = _seen_records(opinion)
    said = content.assemble(opinion, issued_at=now, verify_code=code, seen=seen, thumbnails=True)
    name = str(_("Organisation's seal on behalf of %(name)s") % {"name": opinion.specialist.name})
    clinical = seal.seal(render.build_clinical(said), reason=name, name=opinion.case.organisation.name)
    patient = seal.seal(render.build_patient(said), reason=name, name=opinion.case.organisation.name)
    fhir = json.dumps(fhir_document(said), ensure_ascii=False).encode()
    stored = [_store(opinion.case, data) for data in (clinical, patient, fhir)]
    return _write(opinion, code, seen, stored)


def _store(case: Case, data: bytes) -> blobs.BlobInfo:
    return blobs.put([data], space=case.pk, tenant=case.organisation_id)


def _write(opinion: Opinion, code: str, seen: list[SeenRecord], stored: list[blobs.BlobInfo]) -> Report:
    clinical, patient, fhir = stored
    with transaction.atomic():
        report, created = Report.objects.get_or_create(
            opinion=opinion,
            defaults={
                "case": opinion.case,
                "number": opinion.number,
                "verify_code": code,
                "issued_at": clock.now(),
                "clinical_blob": clinical.id,
                "clinical_sha256": clinical.sha256,
                "clinical_size": clinical.size,
                "patient_blob": patient.id,
                "patient_sha256": patient.sha256,
                "patient_size": patient.size,
                "fhir_blob": fhir.id,
            },
        )
        if not created:
            return report
        for row in seen:
            row.report = report
        SeenRecord.objects.bulk_create(seen)
        opinion.case.reports.filter(number__lt=report.number, superseded_at=None).update(superseded_at=clock.now())
        Opinion.objects.filter(pk=opinion.pk).update(status=Opinion.Status.RELEASED)
        audit.record(
            "report.seal",
            by=SYSTEM,
            thing=f"report:{report.pk}",
            space=opinion.case_id,
            clinical=clinical.sha256,
            patient=patient.sha256,
        )
    return report


def _seen_records(opinion: Opinion) -> list[SeenRecord]:
    """Every record open to the specialist when signing, by hash; `opened` says whether it was looked at."""
    records = Record.objects.filter(
        space=opinion.case_id, status__in=("ready", "flagged"), added_at__lte=opinion.signed_at or clock.now()
    ).prefetch_related("files")
    read = {
        event.thing for event in audit.for_space(opinion.case_id).filter(agent=f"user:{opinion.specialist.user_id}")
    }
    return [
        SeenRecord(
            case=opinion.case,
            record=record,
            title=record.title,
            kind=record.kind,
            sha256=seen_hash(list(record.files.all())),
            files=record.files.count(),
            opened=f"record:{record.pk}" in read,
        )
        for record in records
    ]


@need("report_built")
def _built(asked: Asked) -> Sentence:
    built = asked.case.reports.exists()
    return None if built else _("The report is being prepared; this takes a few seconds.")


def release(opinion: Opinion) -> Report:
    """After building: deliver at once unless an oral explanation must come first; addenda go out directly."""
    report = build(opinion)
    case = Case.objects.get(pk=opinion.case_id)
    if case.state == State.SIGNED:
        try:
            advance(case, "deliver", by=SYSTEM)
        except NotReady:
            return report  # the coordinator books the oral explanation and delivers
    elif opinion.number > 1:
        hand_over(case, report)
    return report


@after("deliver")
def _delivered(step: Step) -> None:
    report = step.case.reports.order_by("-number").first()
    if report is not None:
        hand_over(step.case, report)


def hand_over(case: Case, report: Report) -> None:
    """Make the report available to patient, relatives and treating doctors, and tell each of them once."""
    with transaction.atomic():
        for recipient, reference in recipients(case):
            Delivery.objects.get_or_create(report=report, to=reference, defaults={"case": case, "recipient": recipient})
        template = "report_ready" if report.number == 1 else "report_updated"
        for role in ("patient", "proxy_view", "proxy_act", "treating_clinician"):
            notices.tell(case, role, template, key=f"report:{report.pk}")
        notices.tell_guests(case, "guest_news", key=f"report:{report.pk}")
        audit.record("report.deliver", by=SYSTEM, thing=f"report:{report.pk}", space=case.pk)


def recipients(case: Case) -> list[tuple[str, str]]:
    """(recipient kind, reference) of everybody the report goes to now."""
    kinds = {"patient": "patient", "proxy_view": "proxy", "proxy_act": "proxy"}
    kinds["treating_clinician"] = "treating_clinician"
    roles = case.case_roles.filter(role__in=kinds, ended_at=None, confirmed_at__isnull=False)
    roles = roles.exclude(expires_at__lte=clock.now())
    found = [(kinds[role.role], f"user:{role.user_id}") for role in roles]
    links = case.guest_links.filter(revoked_at=None, expires_at__gt=clock.now())
    return found + [("treating_clinician", f"guest:{link.pk}") for link in links]


def note_receipt(report: Report, *, by: Principal, downloaded: bool = False) -> None:
    """The receipt: when a recipient first opened or downloaded the report."""
    now = clock.now()
    mine = Delivery.objects.filter(report=report, to=by.ref)
    if "treating_clinician" in report.case.roles_of(by) and not mine.exists():
        Delivery.objects.get_or_create(
            report=report, to=by.ref, defaults={"case": report.case, "recipient": "treating_clinician"}
        )
    mine.filter(opened_at=None).update(opened_at=now)
    if downloaded:
        mine.filter(downloaded_at=None).update(downloaded_at=now)


def by_verify_code(text: str) -> Report | None:
    """The report a printed code belongs to, whatever its spelling; public, so it says nothing of the person."""
    code = ids.normalise(text)
    spelled = "-".join(code[i : i + 4] for i in range(0, len(code), 4))
    return Report.objects.filter(verify_code=spelled).first()


def by_file_hash(data: bytes) -> Report | None:
    """The report a file is, byte for byte."""
    digest = hashlib.sha256(data).hexdigest()
    return Report.objects.filter(clinical_sha256=digest).first() or Report.objects.filter(patient_sha256=digest).first()


def report_by_id(report_id: UUID) -> Report | None:
    """The report with that id (authorisation is the caller's scope)."""
    return Report.objects.filter(pk=report_id).first()
