"""Who may send, and where it goes: asked once an association, before anything is accepted (PS3.8 §9.3.4)."""

import re
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from django.conf import settings

from consilium.access.principals import SYSTEM
from consilium.access.rules import may
from consilium.cases.actions import inbox as cases
from consilium.core import ids
from consilium.gateways.dimse import config
from consilium.records.filing import Owner

REFERENCE = 8  # symbols of a case's reference


class Rejection(NamedTuple):
    """Result, source and reason of an A-ASSOCIATE-RJ (PS3.8 Table 9-21)."""

    result: int
    source: int
    reason: int


CALLING_UNKNOWN = Rejection(1, 1, 3)
CALLED_UNKNOWN = Rejection(1, 1, 7)
CONGESTED = Rejection(2, 3, 1)
NO_PLACE = Rejection(2, 3, 2)


@dataclass(frozen=True)
class Sender:
    """The actor of what arrives: a system, known by its AE title."""

    title: str

    @property
    def ref(self) -> str:
        """For the records and the audit log, e.g. `dimse:PACS1`."""
        return "dimse:" + re.sub(r"[^A-Za-z0-9._-]", "_", self.title)


@dataclass(frozen=True)
class Target:
    """Where images go: into a case (`owner` says whose they should be), or into the inbox of `tenant`."""

    tenant: UUID
    sender: Sender
    case: UUID | None = None
    owner: Owner | None = None


def admitted(calling: str, called: str, address: str) -> Target | Rejection:
    """Where what `calling` sends from `address` to `called` goes, or why it may not."""
    listed = config.peers(settings.DIMSE_PEERS)
    if not any(peer.title == calling and peer.address in ("", address) for peer in listed):
        return CALLING_UNKNOWN
    sender = Sender(calling)
    if called == settings.DIMSE_AE_TITLE:
        organisation = config.organisation()
        return Target(organisation.pk, sender) if organisation else CALLED_UNKNOWN
    return _case(called, sender)


def _case(called: str, sender: Sender) -> Target | Rejection:
    """An AE title that is the reference of a case, with or without its hyphen."""
    spelled = ids.normalise(called)
    if len(spelled) != REFERENCE:
        return CALLED_UNKNOWN
    case = cases.by_reference(f"{spelled[:4]}-{spelled[4:]}")
    if case is None or not may("record.receive", case, SYSTEM):
        return CALLED_UNKNOWN
    return Target(case.organisation_id, sender, case.pk, cases.owner_of(case))


def still_open(target: Target) -> bool:
    """Whether the case still receives images; the inbox always does."""
    return target.case is None or cases.receives(target.case)


def ended(target: Target) -> None:
    """After an association that brought something."""
    if target.case:
        cases.arrived(target.case)
