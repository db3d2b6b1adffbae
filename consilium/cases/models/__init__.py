"""The tables of a case; each noun has its own file."""

from consilium.cases.models.case import Case, CaseEvent, CaseRole, ClockStop, Deadline
from consilium.cases.models.desk import FollowUp, GuestLink, RecordRequest
from consilium.cases.models.intake import Intake, Question, Recap
from consilium.cases.models.matching import Offer

__all__ = [
    "Case",
    "CaseEvent",
    "CaseRole",
    "ClockStop",
    "Deadline",
    "FollowUp",
    "GuestLink",
    "Intake",
    "Offer",
    "Question",
    "Recap",
    "RecordRequest",
]
