"""Jobs of a case: reading uploads, firing deadlines."""

import base64
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from consilium.access.principals import SYSTEM
from consilium.cases import notices
from consilium.cases.actions import inbox, offers
from consilium.cases.actions import records as case_records
from consilium.cases.actions.advance import advance
from consilium.cases.models import Case, ClockStop, Deadline, GuestLink
from consilium.cases.states import State
from consilium.channels import email
from consilium.core import clock, jobs
from consilium.core.errors import Refusal
from consilium.records import malware
from consilium.vault import keys, seal


@jobs.task(queue="ingest", attempts=4)
def ingest_upload(upload_id: str) -> None:
    """Read one upload; running it twice changes nothing the second time."""
    try:
        case_records.read_upload(UUID(upload_id))
    except malware.Unavailable:  # not a failure: it waits until the scanner is back, however long that takes
        jobs.enqueue(ingest_upload, upload_id, run_after=clock.now() + malware.AGAIN_AFTER)


@jobs.task(queue="ingest", attempts=6)
def move_inbox(study_id: str) -> None:
    """Carry images from the inbox to the case they were assigned to; again after a crash it goes on."""
    inbox.move(UUID(study_id))


@jobs.task(queue="ingest")
def note_arrival(case_id: str, looks: int = case_records.LOOKS) -> None:
    """Note in the checklist what has come to a case, at most `looks` times more while images are looked at."""
    inbox.arrived(UUID(case_id), looks)


@jobs.task()
def shred_key(case_id: str) -> None:
    """Destroy the key of an erased case: what was sealed can never be read again, in any copy. Idempotent."""
    if Case.objects.filter(pk=case_id, state=State.ERASED).exists():
        keys.destroy_space(UUID(case_id))


@jobs.every(seconds=60)
@jobs.task()
def sweep_deadlines() -> None:
    """Fire every deadline whose time has come; those of paused cases wait for the clock."""
    now = clock.now()
    paused = ClockStop.objects.filter(case=OuterRef("case"), ended_at=None)
    due = Deadline.objects.filter(Q(stops=False) | ~Exists(paused), fired_at=None, cancelled_at=None, at__lte=now)
    for deadline in due.select_related("case").order_by("at")[:200]:
        fire(deadline)


def fire(deadline: Deadline) -> None:
    """Do what a deadline says, once: remind the owner, try the verb, or alert the desk."""
    with transaction.atomic():
        claimed = Deadline.objects.filter(pk=deadline.pk, fired_at=None, cancelled_at=None).update(fired_at=clock.now())
        case = deadline.case
        if not claimed or (deadline.state and case.state != deadline.state):
            return
        if deadline.kind == Deadline.Kind.REMINDER:
            notices.remind_owner(case, key=str(deadline.pk))
        elif deadline.then:
            _try(case, deadline)
        else:
            notices.alert_desk(case, key=str(deadline.pk))


def _try(case: Case, deadline: Deadline) -> None:
    """Let the system take the step; when its needs are not met, look again in a day."""
    try:
        with transaction.atomic():
            if deadline.then == "time_out_offer":
                offers.time_out(case)
            else:
                advance(case, deadline.then, by=SYSTEM)
    except Refusal:
        if case.state in (State.DELIVERED, State.FOLLOW_UP):
            Deadline.objects.create(
                case=case,
                kind=deadline.kind,
                state=deadline.state,
                at=clock.now() + timedelta(days=1),
                then=deadline.then,
                stops=deadline.stops,
            )


@jobs.task(queue="mail", attempts=8)
def mail_guest_link(link_id: str, sealed: str) -> None:
    """Mail the address of a guest link, once; the address was sealed with the case's key (trust.md, threat 7)."""
    link = GuestLink.objects.filter(pk=link_id, revoked_at=None).select_related("case").first()
    if link is None:
        return
    address = seal.unseal(link.case_id, f"guest-link:{link.pk}", base64.b64decode(sealed)).decode()
    key = f"guest_link:{link.pk}"
    with jobs.effects.once(key) as first:
        if first:
            to = str(link.recipient["email"])
            email.compose("guest_link", to, link.case.language, key, {"link": address}).send()
