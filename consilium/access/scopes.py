"""The only querysets that interfaces may start from. What is not in scope does not exist (404).

Built from the policy table: the states in which a role may see something come from its phases, so a
change in access/policy.py is a change here.
"""

from collections.abc import Callable, Iterable
from uuid import UUID

from django.db.models import Q, QuerySet

from consilium.access import visibility
from consilium.access.policy import ACTIONS, ORGANISATION_WIDE, REVIEWING
from consilium.access.principals import Principal
from consilium.access.rules import granted, may, strong_enough
from consilium.cases.models import Case, CaseRole, GuestLink
from consilium.cases.states import PHASE, Phase
from consilium.core import clock
from consilium.core.errors import NotFound
from consilium.opinions.actions import blind
from consilium.opinions.models import Report
from consilium.records.models import DataToken, Entry, InboxStudy, Record, RecordFile, Transfer, Upload
from consilium.records.transfers import still_open
from consilium.talks.models import Clarification, Message
from consilium.vault import columns


def states_for(action: str, role: str) -> list[str]:
    """The states in which the policy grants `action` to `role`."""
    phases = ACTIONS[action].grants.get(role, ())
    return [state for state, phase in PHASE.items() if phase in phases]


def cases(by: Principal, action: str = "case.view") -> QuerySet[Case]:
    """The cases on which `by` may do `action` now (by default: know that they exist)."""
    if not by.active or not strong_enough(by):
        return Case.objects.none()
    matching = _by_link(by, action) if by.kind == "guest" else _by_account(by, action)
    return (
        Case.objects.filter(matching)
        .distinct()
        .select_related("organisation", "patient", "intake")
        .prefetch_related("case_roles", "guest_links")
    )


def _by_account(by: Principal, action: str) -> Q:
    now = clock.now()
    matching = Q(pk__in=[])
    if by.kind != "user":
        return matching
    held = CaseRole.objects.filter(user_id=by.id, ended_at=None, confirmed_at__isnull=False)
    held = held.filter(Q(expires_at=None) | Q(expires_at__gt=now))
    for role in sorted(set(held.values_list("role", flat=True))):  # most people hold one or none: ask before joining
        if states := states_for(action, role):
            matching |= Q(pk__in=held.filter(role=role).values("case_id"), state__in=states)
    reviewing = held.filter(role__in=REVIEWING).values("case_id")
    for role in by.roles & ORGANISATION_WIDE:
        if states := states_for(action, role):
            matching |= Q(organisation_id=by.organisation_id, state__in=states) & ~Q(pk__in=reviewing)
    return matching


def _by_link(by: Principal, action: str) -> Q:
    links = GuestLink.objects.filter(pk=by.id, revoked_at=None, expires_at__gt=clock.now())
    matching = Q(pk__in=[])
    for link in links:
        matching |= Q(pk=link.case_id, state__in=states_for(action, link.role))
    return matching


def case(by: Principal, case_id: UUID, action: str = "case.view") -> Case:
    """One case in scope, or NotFound; absent and forbidden look the same."""
    found = cases(by, action).filter(pk=case_id).first()
    if found is None:
        raise NotFound()
    return found


def sees_conclusion(by: Principal, of: Case) -> bool:
    """Whether the first opinion's conclusion is open to `by` on this case."""
    return visibility.sees_conclusion(of.roles_of(by), of.phase, reads_blind=blind.reads_blind(of, by))


def records(by: Principal, of: Case) -> QuerySet[Record]:
    """The records of a case that `by` may see."""
    if not may("record.view", of, by):
        return Record.objects.none()
    found = Record.objects.filter(space=of.pk)
    roles = of.roles_of(by)
    hidden = [status for status in Record.Status.values if not visibility.sees_record(status, roles)]
    found = found.exclude(status__in=hidden)
    if of.conclusions_marked_at and blind.reads_blind(of, by):
        # Nobody has looked for a conclusion in papers that came after the marking: they open with the lock.
        found = found.exclude(images=0, added_at__gt=of.conclusions_marked_at)
    return found


def record(by: Principal, of: Case, record_id: UUID) -> Record:
    """One record in scope, or NotFound."""
    found = records(by, of).filter(pk=record_id).first()
    if found is None:
        raise NotFound()
    return found


def record_anywhere(by: Principal, record_id: UUID) -> tuple[Record, Case]:
    """A record by its own id, with its case, when both are in scope; for byte routes without a case in the path."""
    found = Record.objects.filter(pk=record_id).first()
    if found is None:
        raise NotFound()
    of = case(by, found.space, "record.view")
    return record(by, of, record_id), of


def files(by: Principal, of: Case) -> QuerySet[RecordFile]:
    """The files of the records in scope."""
    return RecordFile.objects.filter(record__in=records(by, of))


def visible_pages(by: Principal, of: Case, which: Record) -> list[int]:
    """Pages (from 0) of a record open to `by`: all but the withheld conclusions."""
    return pages_of(by, of)(which)


def pages_of(by: Principal, of: Case) -> Callable[[Record], list[int]]:
    """`visible_pages` for many records of a case: what depends on the reader is asked once."""
    conclusion = sees_conclusion(by, of)
    return lambda which: visibility.visible_pages(max(which.pages, 1), which.conclusion_pages, conclusion=conclusion)


def sees_original(by: Principal, of: Case, which: Record) -> bool:
    """Whether the unchanged file may be opened or downloaded."""
    return visibility.sees_original(which.conclusion_pages, conclusion=sees_conclusion(by, of))


def uploads(by: Principal, of: Case) -> QuerySet[Upload]:
    """What was sent to a case, with its state, for those who add or look after records."""
    if not (may("record.add", of, by) or may("record.remove", of, by)):
        return Upload.objects.none()
    return Upload.objects.filter(space=of.pk)


def transfers(by: Principal, of: Case) -> QuerySet[Transfer]:
    """What `by` began to send to a case and has not finished."""
    return still_open(of.pk, by.ref) if may("record.add", of, by) else Transfer.objects.none()


def data_tokens(by: Principal, of: Case) -> QuerySet[DataToken]:
    """The keys for other programs that `by` made for a case."""
    if by.kind != "user" or not may("key.make", of, by):
        return DataToken.objects.none()
    return DataToken.objects.filter(space=of.pk, user=by.id)


def reports(by: Principal, of: Case) -> QuerySet[Report]:
    """The released reports of a case that `by` may read."""
    return of.reports.order_by("-number") if may("report.view", of, by) else Report.objects.none()


def report(by: Principal, of: Case, number: int | None = None) -> Report:
    """One report (the newest without a number), or NotFound."""
    found = reports(by, of)
    one = found.filter(number=number).first() if number else found.first()
    if one is None:
        raise NotFound()
    return one


def messages(by: Principal, of: Case) -> QuerySet[Message]:
    """The messages `by` is party to."""
    if not may("message.view", of, by):
        return Message.objects.none()
    roles, unlocked = of.roles_of(by), blind.reads_blind(of, by)
    heard = [a for a in Message.Audience.values if visibility.hears(a, roles, reads_blind=unlocked)]
    return of.messages.filter(audience__in=heard)


def clarifications(by: Principal, of: Case) -> QuerySet[Clarification]:
    """Questions about the report and their answers."""
    return of.clarifications.all() if may("clarification.view", of, by) else Clarification.objects.none()


def file_anywhere(by: Principal, file_id: UUID) -> tuple[RecordFile, Record, Case]:
    """A file by its own id with its record and case, when all are in scope; for byte routes."""
    found = RecordFile.objects.filter(pk=file_id).select_related("record").first()
    if found is None:
        raise NotFound()
    which, of = record_anywhere(by, found.record_id)
    return found, which, of


def report_anywhere(by: Principal, report_id: UUID) -> Report:
    """A report by its own id, when it is in scope; for byte routes."""
    found = Report.objects.filter(pk=report_id).select_related("case").first()
    if found is None:
        raise NotFound()
    return report(by, case(by, found.case_id, "report.view"), found.number)


def entries(by: Principal, of: Case, *kinds: str, within: Record | None = None) -> list[Entry]:
    """Structured facts read from the records in scope, each with its record.

    What stands on a withheld page does not exist, and a structured document is open as a whole or not at all. Records
    that somebody has to decide on first (perhaps another person's) and removed ones give none to the whole case's
    tables; `within`: of that record only, whatever its status. The records are for naming the source, not for saving.
    """
    found = records(by, of)
    chosen = found.filter(pk=within.pk) if within else found.filter(status__in=("ready", "flagged"))
    conclusion = sees_conclusion(by, of)
    opened = {one.pk: one for one in named(by, of, chosen)}
    rows = Entry.objects.filter(space=of.pk, record__in=list(opened))
    rows = list(rows.filter(kind__in=kinds) if kinds else rows)
    columns.open_on(rows, "body", of.pk)
    out: list[Entry] = []
    for row in rows:
        row.record = opened[row.record_id]
        closed = row.record.conclusion_pages
        if visibility.sees_original(closed, conclusion=conclusion) or (
            row.body.get("paged") and row.page not in closed
        ):
            out.append(row)
    return out


def named(by: Principal, of: Case, found: Iterable[Record]) -> list[Record]:
    """Records to be named on a page: a title is read from the first page, so a partly withheld record has none here.

    The titles are taken from these instances only, which nobody may save.
    """
    conclusion = sees_conclusion(by, of)
    out = list(found)
    for one in out:
        if not visibility.sees_original(one.conclusion_pages, conclusion=conclusion):
            one.title = ""
    return out


def inbox(by: Principal) -> QuerySet[InboxStudy]:
    """What hospitals sent to the organisation of `by` without naming a case, newest first."""
    if not by.active or not strong_enough(by) or not granted("inbox.view", Phase.DESK, by.roles & ORGANISATION_WIDE):
        return InboxStudy.objects.none()
    return InboxStudy.objects.filter(tenant=by.organisation_id)


def inbox_study(by: Principal, study_id: UUID) -> InboxStudy:
    """One study of the inbox that waits for a decision, or NotFound."""
    found = inbox(by).filter(pk=study_id, status=InboxStudy.Status.WAITING).first()
    if found is None:
        raise NotFound()
    return found
