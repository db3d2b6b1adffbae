"""Messages as they are shown, and whom one can write to."""

from datetime import timedelta
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from consilium.access.principals import Principal
from consilium.access.rules import may
from consilium.cases.models import Case
from consilium.core import clock
from consilium.people.queries import names_of
from consilium.talks.models import Message
from consilium.web.patient.present.wording import iso, moment

AUDIENCES = {
    "patient_desk": gettext_lazy("Your coordinator"),
    "patient_specialist": gettext_lazy("Your specialist and your coordinator"),
    "care_team": gettext_lazy("Everybody, also your treating doctor"),
}
DOUBLE_CLICK = timedelta(seconds=30)
ROLES = {
    "patient": gettext_lazy("Patient"),
    "proxy_view": gettext_lazy("Relative"),
    "proxy_act": gettext_lazy("Relative"),
    "coordinator": gettext_lazy("Coordinator"),
    "specialist": gettext_lazy("Specialist"),
    "treating_clinician": gettext_lazy("Treating doctor"),
    "interpreter": gettext_lazy("Interpreter"),
}


def any_unread(messages: QuerySet[Message], by: Principal) -> bool:
    """Whether something has come that the reader did not see."""
    return messages.exclude(by=by.ref).exclude(reads__by=by.ref).exists()


def just_sent(messages: QuerySet[Message], by: Principal, said: dict[str, str]) -> bool:
    """Whether these very words went out a moment ago: a button pressed twice sends once."""
    last = messages.filter(by=by.ref, sent_at__gte=clock.now() - DOUBLE_CLICK).order_by("-sent_at").first()
    return bool(last and (last.audience, last.body) == (said["audience"], said["body"].strip()))


def bubbles(case: Case, messages: list[Message], by: Principal) -> list[dict[str, Any]]:
    """Messages in order, oldest first."""
    names = names_of(sorted({message.by for message in messages}))
    doctors = {f"guest:{link.pk}": str(link.recipient.get("name", "")) for link in case.guest_links.all()}
    return [
        {
            "who": _("You")
            if message.by == by.ref
            else names.get(message.by) or doctors.get(message.by) or _("Somebody"),
            "role": ROLES.get(message.role, ""),
            "when": moment(message.sent_at, case),
            "iso": iso(message.sent_at),
            "mine": message.by == by.ref,
            "body": message.body,
            "to": AUDIENCES.get(message.audience, ""),
        }
        for message in messages
    ]


def audiences(case: Case, by: Principal) -> list[tuple[str, Any]]:
    """Whom the reader can write to now: the specialist once there is one, the treating doctor after delivery."""
    if not may("message.send", case, by):
        return []
    held = {role.role for role in case.case_roles.all() if role.ended_at is None}
    found = [("patient_desk", AUDIENCES["patient_desk"])]
    if "specialist" in held:
        found.append(("patient_specialist", AUDIENCES["patient_specialist"]))
    if case.delivered_at and (
        any(link.holds(link.pk) for link in case.guest_links.all()) or "treating_clinician" in held
    ):
        found.append(("care_team", AUDIENCES["care_team"]))
    return found
