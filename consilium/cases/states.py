"""The states of a case, whose turn each one is, and the phases the permission policy speaks of."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class State(models.TextChoices):
    DRAFT = "draft", _("being prepared")
    SUBMITTED = "submitted", _("submitted")
    COLLECTING = "collecting", _("collecting records")
    RECAP = "recap", _("waiting for confirmation")
    TRIAGE = "triage", _("triage")
    OFFERED = "offered", _("offered to a specialist")
    BLIND_READ = "blind_read", _("first reading")
    IN_REVIEW = "in_review", _("in review")
    QUALITY_CHECK = "quality_check", _("quality check")
    SIGNED = "signed", _("signed")
    DELIVERED = "delivered", _("delivered")
    CLARIFYING = "clarifying", _("clarifying")
    FOLLOW_UP = "follow_up", _("follow-up")
    CLOSED = "closed", _("closed")
    ARCHIVED = "archived", _("archived")
    ERASED = "erased", _("erased")
    REDIRECTED = "redirected", _("redirected")
    WITHDRAWN = "withdrawn", _("withdrawn")
    EXPIRED = "expired", _("expired")
    INCIDENT_HOLD = "incident_hold", _("on hold")
    URGENT = "urgent", _("urgent")


class Phase(models.TextChoices):
    """What the policy distinguishes; several states share one phase."""

    PREPARING = "preparing", _("preparing")
    DESK = "desk", _("at the desk")
    MATCHING = "matching", _("finding a specialist")
    BLIND = "blind", _("blind reading")
    REVIEW = "review", _("review")
    QUALITY = "quality", _("quality check")
    SIGNED = "signed", _("signed, not yet delivered")
    RELEASED = "released", _("report released")
    ENDED = "ended", _("ended without a report")
    HALTED = "halted", _("halted")
    ERASED = "erased", _("erased")


PHASE: dict[str, Phase] = {
    State.DRAFT: Phase.PREPARING,
    State.SUBMITTED: Phase.DESK,
    State.COLLECTING: Phase.DESK,
    State.RECAP: Phase.DESK,
    State.TRIAGE: Phase.DESK,
    State.OFFERED: Phase.MATCHING,
    State.BLIND_READ: Phase.BLIND,
    State.IN_REVIEW: Phase.REVIEW,
    State.QUALITY_CHECK: Phase.QUALITY,
    State.SIGNED: Phase.SIGNED,
    State.DELIVERED: Phase.RELEASED,
    State.CLARIFYING: Phase.RELEASED,
    State.FOLLOW_UP: Phase.RELEASED,
    State.CLOSED: Phase.RELEASED,
    State.ARCHIVED: Phase.RELEASED,
    State.ERASED: Phase.ERASED,
    State.REDIRECTED: Phase.ENDED,
    State.WITHDRAWN: Phase.ENDED,
    State.EXPIRED: Phase.ENDED,
    State.INCIDENT_HOLD: Phase.HALTED,
    State.URGENT: Phase.HALTED,
}

# Whose turn it is: every state has exactly one owner (architecture.md, rule 1).
OWNER: dict[str, str] = {
    State.DRAFT: "patient",
    State.SUBMITTED: "coordinator",
    State.COLLECTING: "patient",
    State.RECAP: "patient",
    State.TRIAGE: "triage_clinician",
    State.OFFERED: "specialist",
    State.BLIND_READ: "specialist",
    State.IN_REVIEW: "specialist",
    State.QUALITY_CHECK: "quality_reviewer",
    State.SIGNED: "coordinator",
    State.DELIVERED: "patient",
    State.CLARIFYING: "specialist",
    State.FOLLOW_UP: "patient",
    State.CLOSED: "system",
    State.ARCHIVED: "system",
    State.ERASED: "system",
    State.REDIRECTED: "system",
    State.WITHDRAWN: "system",
    State.EXPIRED: "system",
    State.INCIDENT_HOLD: "administrator",
    State.URGENT: "coordinator",
}

OPEN: frozenset[str] = frozenset(
    {
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
        State.CLARIFYING,
        State.FOLLOW_UP,
    }
)
ENDED: frozenset[str] = frozenset({State.CLOSED, State.REDIRECTED, State.WITHDRAWN, State.EXPIRED})
