"""Every address of the URL resolver, and example addresses made of one case's parts."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.urls.converters import IntConverter, UUIDConverter

from consilium.cases.models import Case
from consilium.consents.actions import SHARE_WITH_TREATING_DOCTOR
from consilium.opinions.models import Finding
from consilium.records.models import DataToken, Entry, InboxStudy, Record, RecordFile, Slide, Transfer
from consilium.web.labs.present import key_of

NOBODY = UUID(int=0x5EC0_0000_0000_4000_8000_0000_0000_0001)  # the id of nothing
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


@dataclass(frozen=True)
class Address:
    """One pattern of the resolver: its name and the parameters it takes."""

    name: str
    blank: tuple[tuple[str, Any], ...] = ()  # each parameter with a value that means nothing

    @property
    def parameters(self) -> frozenset[str]:
        return frozenset(dict(self.blank))


def all_addresses() -> list[Address]:
    """Every pattern below the root, included ones too; a pattern without a name has the name ""."""
    return list(_walk(get_resolver(), {}))


def _walk(resolver: URLResolver, outer: dict[str, Any]) -> Iterator[Address]:
    for entry in resolver.url_patterns:
        converters = entry.pattern.converters  # type: ignore[union-attr]
        inner = outer | {name: _blank(converter) for name, converter in converters.items()}
        if isinstance(entry, URLPattern):
            yield Address(entry.name or "", tuple(inner.items()))
        else:
            yield from _walk(entry, inner)


def _blank(converter: Any) -> Any:
    if isinstance(converter, UUIDConverter):
        return NOBODY
    return 0 if isinstance(converter, IntConverter) else "nothing"


def parts_of(case: Case) -> dict[Any, Any]:
    """The values that make addresses of this case, by parameter; a part the case lacks is the id of nothing.

    A key (address, parameter) holds for that address alone.
    """
    record = Record.objects.filter(space=case.pk, status="ready").order_by("added_at", "id").first()
    file = RecordFile.objects.filter(record=record).first() if record else None
    request = case.record_requests.order_by("item").first()
    grant = case.case_roles.filter(role="proxy_view", ended_at=None).order_by("pk").first()
    finding = Finding.objects.filter(case=case).first()
    link = case.guest_links.order_by("granted_at").first()
    stop = case.clock_stops.filter(ended_at=None).first()
    transfer = Transfer.objects.filter(space=case.pk, upload=None).first()
    key = DataToken.objects.filter(space=case.pk).first()
    value = Entry.objects.filter(space=case.pk, page=1).first()
    slide = Slide.objects.filter(space=case.pk).select_related("file").first()
    waiting = InboxStudy.objects.filter(tenant=case.organisation_id, status="waiting").first()
    return ANYWHERE | {
        "case_id": case.pk,
        "record_id": record.pk if record else NOBODY,
        "file_id": file.pk if file else NOBODY,
        "item": request.item if request else "nothing",
        "grant_id": grant.pk if grant else 0,
        "finding_id": finding.pk if finding else NOBODY,
        "link_id": link.pk if link else NOBODY,
        "stop_id": stop.pk if stop else NOBODY,
        "person_id": case.patient_id,
        "study_id": waiting.pk if waiting else NOBODY,
        "transfer_id": transfer.pk if transfer else NOBODY,
        "token_id": key.pk if key else NOBODY,
        "entry_id": value.pk if value else NOBODY,
        "key": key_of(case, "potassium"),
        # an address that needs more of a record than the others
        ("slide", "record_id"): slide.file.record_id if slide else NOBODY,
        ("slide", "file_id"): slide.file_id if slide else NOBODY,
    }


# Values that are the same for every case.
ANYWHERE: dict[str, Any] = {
    "index": 0,
    "section": "goals",
    "clause": SHARE_WITH_TREATING_DOCTOR,
    "day": 30,
    "part": "answers",
    "token": "not-a-real-token",
    "code": "NOT-A-CODE",
    "pk": 0,
}
# Parameters that name a verb take every value the page knows, so that no verb escapes the matrix.
VERBS: dict[tuple[str, str], tuple[str, ...]] = {
    ("case_record_verb", "verb"): ("remove", "restore", "mine", "not-mine"),
    ("desk_step", "verb"): (
        "send_back", "turn_down", "complete_records", "reopen_records", "escalate_offers", "hand_back", "deliver",
        "begin_follow_up", "close", "withdraw", "hold", "resume", "raise_urgent", "acknowledge_urgent",
    ),
    ("admin_step", "verb"): ("archive", "erase", "hold", "resume"),
    ("specialist_step", "name"): ("urgent", "hand-back"),
    ("opinion", "part"): ("answers", "findings", "options", "sign"),
}  # fmt: skip


def paths(address: Address, parts: dict[Any, Any]) -> dict[str, str]:
    """Example paths of an address by label; more than one where a parameter names a verb."""
    varied = [(name, VERBS[address.name, name]) for name in address.parameters if (address.name, name) in VERBS]
    known = {name: parts.get((address.name, name), parts.get(name, blank)) for name, blank in address.blank}
    if not varied:
        return {address.name: reverse(address.name, kwargs=known)}
    ((name, values),) = varied
    return {f"{address.name}:{value}": reverse(address.name, kwargs=known | {name: value}) for value in values}
