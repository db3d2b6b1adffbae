"""What the desk lists: the cases of scopes, narrowed and ordered by what has to be done next."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Any
from uuid import UUID

from django.db.models import Case as Choose
from django.db.models import Count, Exists, F, IntegerField, OuterRef, Prefetch, Q, QuerySet, Value, When
from django.db.models.fields import BooleanField

from consilium.access import scopes
from consilium.access.principals import Principal
from consilium.cases.models import Case, CaseRole, ClockStop, GuestLink, RecordRequest
from consilium.cases.states import OPEN, OWNER, State
from consilium.core import clock, ids
from consilium.core.errors import NotFound
from consilium.opinions.models import Delivery
from consilium.packs import registry
from consilium.people import actions as people
from consilium.people import queries as people_queries
from consilium.people.models import Organisation, Person
from consilium.records.models import InboxStudy, Record
from consilium.talks.models import Message, MessageRead
from consilium.vault import blind

VIEWS = ("list", "lanes")
ACTIVE = (OPEN - {State.DRAFT}) | {State.URGENT, State.INCIDENT_HOLD}
# The tabs of the list, in terms of the annotations of `board`.
GROUPS = {
    "open": Q(state__in=ACTIVE),
    "mine": Q(mine=True),
    "others": Q(state__in=ACTIVE, mine=False),
    "overdue": Q(overdue=True),
    "ended": ~Q(state__in=ACTIVE | {State.DRAFT}),
}
COORDINATOR_STATES = frozenset(state for state, owner in OWNER.items() if owner == "coordinator") | {
    State.INCIDENT_HOLD
}
UNDECIDED_MATTERS = (State.SUBMITTED, State.COLLECTING, State.RECAP, State.TRIAGE, State.BLIND_READ, State.IN_REVIEW)
MAX_FOUND = 50
INSIGHT_DAYS = 180


@dataclass(frozen=True)
class Filters:
    """What the page was asked for; anything not on the lists above is as if it had not been asked."""

    whose: str = "open"
    state: str = ""
    specialty: str = ""
    view: str = "list"


def filters_from(query: Mapping[str, str]) -> Filters:
    """Allow-listed filters (trust.md, threat 13)."""
    specialties = [pack.id for pack in registry.specialties()]

    def one_of(name: str, allowed: Any, default: str) -> str:
        return query.get(name, "") if query.get(name, "") in allowed else default

    return Filters(
        one_of("whose", GROUPS, "open"),
        one_of("state", State.values, ""),
        one_of("specialty", specialties, ""),
        one_of("view", VIEWS, "list"),
    )


def board(by: Principal) -> QuerySet[Case]:
    """Every case of the desk with `mine`, `overdue`, `unread`, `undecided` and `rank`, most urgent first."""
    now = clock.now()
    wanted = RecordRequest.objects.filter(case=OuterRef("pk"), mandatory=True)
    paused = ClockStop.objects.filter(case=OuterRef("pk"), ended_at=None)
    found = scopes.cases(by).annotate(
        missing=Exists(wanted.filter(status=RecordRequest.Status.MISSING)),
        asked=Exists(wanted.filter(status=RecordRequest.Status.ASKED)),
        undecided=Exists(Record.objects.filter(space=OuterRef("pk"), status=Record.Status.UNDECIDED)),
        unread=Exists(_unread(by)),
        paused=Exists(paused),
    )
    overdue = Q(due_at__lt=now, paused=False, state__in=ACTIVE)
    found = found.annotate(mine=_flag(_mine()), overdue=_flag(overdue))
    rank = Choose(
        When(state=State.URGENT, then=Value(0)),
        When(overdue=True, then=Value(1)),
        When(mine=True, then=Value(2)),
        default=Value(3),
        output_field=IntegerField(),
    )
    ordered = found.annotate(rank=rank).order_by("rank", F("due_at").asc(nulls_last=True), "pk")
    open_stops = ClockStop.objects.filter(ended_at=None).order_by("started_at")
    return ordered.prefetch_related(Prefetch("clock_stops", queryset=open_stops, to_attr="open_stops"))


def _flag(condition: Q) -> Choose:
    return Choose(When(condition, then=Value(True)), default=Value(False), output_field=BooleanField())


def _mine() -> Q:
    """The coordinator's turn: by state, or because something in another's turn waits for the desk."""
    collecting = Q(state=State.COLLECTING) & (Q(missing=True) | Q(asked=False))
    chosen = Q(state=State.TRIAGE, triaged_at__isnull=False)
    doubtful = Q(undecided=True, state__in=UNDECIDED_MATTERS)
    answer = Q(unread=True, state__in=ACTIVE)
    return Q(state__in=COORDINATOR_STATES) | collecting | chosen | doubtful | answer


def _unread(by: Principal) -> QuerySet[Message]:
    read = MessageRead.objects.filter(message=OuterRef("pk"), by=by.ref)
    return Message.objects.filter(case=OuterRef("pk")).filter(~Exists(read))


def narrowed(cases: QuerySet[Case], filters: Filters) -> QuerySet[Case]:
    """The cases a set of filters asks for."""
    found = cases.filter(Q(state=filters.state) if filters.state else GROUPS[filters.whose])
    return found.filter(specialty=filters.specialty) if filters.specialty else found


def totals(cases: QuerySet[Case]) -> dict[str, int]:
    """How many cases each tab holds, in one query."""
    # Other names than the annotations', which an aggregate of the same name would hide.
    found = cases.order_by().aggregate(**{f"n_{name}": Count("pk", filter=which) for name, which in GROUPS.items()})
    return {name: found[f"n_{name}"] for name in GROUPS}


def search(by: Principal, text: str) -> list[Case]:
    """Cases by reference, or by the patient's name and birth date through keyed hashes; exact, at most 50."""
    found = board(by)
    spelled = ids.normalise(text)
    by_reference = Q(reference="-".join(spelled[i : i + 4] for i in range(0, len(spelled), 4)))
    parts = text.split()
    born = [iso for part in parts if (iso := blind.iso_date(part))]
    name = " ".join(part for part in parts if not blind.iso_date(part))
    persons = people.find_person_ids(organisation_of(by), name=name, birth_date=born[0] if born else "")
    return list(found.filter(by_reference | Q(patient__in=persons))[:MAX_FOUND])


@dataclass(frozen=True)
class Insight:
    """Simple honest figures: cases by state, overdue ones, median days from complete records to the report."""

    by_state: dict[str, int]
    median_days: float | None
    delivered: int


def insight(by: Principal) -> Insight:
    """Two queries; None where nothing was delivered in the last 180 days."""
    plain = scopes.cases(by).select_related(None).prefetch_related(None).order_by()
    counted = plain.filter(state__in=ACTIVE).values("state").annotate(number=Count("pk", distinct=True))
    since = clock.now() - timedelta(days=INSIGHT_DAYS)
    spans = plain.filter(delivered_at__gte=since, records_complete_at__isnull=False)
    days = [_days(begin, end) for begin, end in spans.values_list("records_complete_at", "delivered_at")]
    by_state = {row["state"]: row["number"] for row in counted}
    return Insight(by_state, median(days) if days else None, len(days))


def _days(begin: datetime, end: datetime) -> float:
    return (end - begin).total_seconds() / 86400


def triage_cases(by: Principal) -> QuerySet[Case]:
    """Cases waiting in triage: those not yet looked at first, priority before routine is shown by the card."""
    undone = Choose(When(triaged_at=None, then=Value(0)), default=Value(1), output_field=IntegerField())
    waiting = scopes.cases(by, "triage.set").filter(state=State.TRIAGE).annotate(undone=undone)
    return waiting.order_by("undone", F("due_at").asc(nulls_last=True), "pk")


def link(case: Case, link_id: UUID) -> GuestLink:
    """A link of the case, or NotFound."""
    found = case.guest_links.filter(pk=link_id).first()
    if found is None:
        raise NotFound()
    return found


def pauses(case: Case) -> list[ClockStop]:
    """The open pauses that `board` fetched with the case."""
    return getattr(case, "open_stops", [])


def clock_stop(case: Case, stop_id: UUID) -> ClockStop:
    """An open pause of the case, or NotFound."""
    found = case.clock_stops.filter(pk=stop_id, ended_at=None).first()
    if found is None:
        raise NotFound()
    return found


def request_row(case: Case, item: str) -> RecordRequest:
    """A row of the case's record checklist, or NotFound."""
    found = case.record_requests.filter(item=item).first()
    if found is None:
        raise NotFound()
    return found


def deliveries(case: Case) -> QuerySet[Delivery]:
    """To whom the report went, and the receipts."""
    return case.deliveries.select_related("report").order_by("-report__number", "told_at")


def scribed_cases(by: Principal) -> QuerySet[Case]:
    """Cases on which the scribe helps, while a scribe may still open them."""
    held = Q(case_roles__user_id=by.id, case_roles__role=CaseRole.Role.SUPPORT_SCRIBE, case_roles__ended_at=None)
    return scopes.cases(by).filter(held).order_by("-created_at")


def organisation_of(by: Principal) -> Organisation:
    """The organisation somebody works for, or NotFound."""
    found = Organisation.objects.filter(pk=by.organisation_id).first()
    if found is None:
        raise NotFound()
    return found


def persons_named(by: Principal, *, name: str, birth_date: str) -> list[Person]:
    """Persons with exactly this name and birth date (ISO 8601), for somebody on the phone."""
    found = people.find_person_ids(organisation_of(by), name=name, birth_date=birth_date)
    return list(Person.objects.filter(pk__in=found).order_by("created_at"))


def person(by: Principal, person_id: UUID) -> Person:
    """One person of the organisation, or NotFound."""
    found = Person.objects.filter(pk=person_id, organisation=by.organisation_id).first()
    if found is None:
        raise NotFound()
    return found


def assignable(by: Principal) -> QuerySet[Case]:
    """The cases that images of the inbox may be added to."""
    return scopes.cases(by, "inbox.assign")


def suggested_cases(by: Principal, studies: list[InboxStudy]) -> dict[UUID, list[Case]]:
    """For each study of the inbox the cases of whoever bears the name and birth date that its images name."""
    asked = [(name_in(study.facts), str(study.facts.get("patient_birth_date", ""))) for study in studies]
    found = people_queries.named_and_born(organisation_of(by).pk, asked) if studies else []
    cases: dict[UUID, list[Case]] = {}
    for case in assignable(by).filter(patient__in=set[UUID]().union(*found)).order_by("-created_at"):
        cases.setdefault(case.patient_id, []).append(case)
    return {
        study.pk: [case for person in persons for case in cases.get(person, [])]
        for study, persons in zip(studies, found, strict=True)
    }


def name_in(facts: Mapping[str, Any]) -> str:
    """The name that images give, without DICOM's carets (PS3.5 §6.2.1); the first of several spellings."""
    return " ".join(str(facts.get("patient_name", "")).split("=")[0].replace("^", " ").split())


def case_called(by: Principal, text: str) -> Case | None:
    """The case with this reference, however it was typed, if images may be added to it."""
    spelled = ids.normalise(text)
    reference = "-".join(spelled[i : i + 4] for i in range(0, len(spelled), 4))
    return assignable(by).filter(reference=reference).first()


def references_of(by: Principal, spaces: list[UUID]) -> dict[UUID, str]:
    """The references of cases by their ids."""
    return dict(scopes.cases(by).filter(pk__in=spaces).values_list("pk", "reference"))
