"""Who is told what by mail when something happens on a case. Mails carry no health data (trust.md, threat 15)."""

from consilium.cases.effects import Step, after
from consilium.cases.models import Case
from consilium.cases.states import OWNER, State
from consilium.channels import email
from consilium.core import clock
from consilium.people.models import Membership, User

# verb → (whom, template): whom is a role on the case, or an organisation role.
ON_STEP: dict[str, tuple[tuple[str, str], ...]] = {
    "submit": (("patient", "case_received"), ("coordinator", "desk_work")),
    "send_back": (("patient", "your_turn"),),
    "check_in": (("patient", "case_moved"),),
    "complete_records": (("patient", "your_turn"),),
    "confirm_recap": (("triage_clinician", "desk_work"),),
    "offer": (("offered_specialist", "offer"),),
    "decline": (("offered_specialist", "offer"),),
    "escalate_offers": (("coordinator", "desk_work"),),
    "accept": (("patient", "case_moved"), ("coordinator", "case_moved")),
    "sign": (("quality_reviewer", "desk_work"),),
    "return_for_revision": (("specialist", "your_turn"),),
    "pass_quality": (("coordinator", "desk_work"),),
    "ask_clarification": (("specialist", "your_turn"),),
    "answer_clarification": (("patient", "case_moved"),),
    "turn_down": (("patient", "case_closed"),),
    "expire": (("patient", "case_closed"),),
    "raise_urgent": (
        ("patient", "urgent"),
        ("coordinator", "urgent"),
        ("proxy_act", "urgent"),
        ("treating_clinician", "urgent"),
    ),
    "acknowledge_urgent": (("specialist", "case_moved"), ("coordinator", "case_moved")),
    "hold": (("patient", "case_moved"),),
    "resume": (("patient", "case_moved"),),
}


@after("*")
def _tell(step: Step) -> None:
    for role, template in ON_STEP.get(step.row.verb, ()):
        tell(step.case, role, template, key=f"{template}:{step.event.pk}")
    if step.row.verb == "raise_urgent":
        tell_guests(step.case, "guest_urgent", key=f"guest_urgent:{step.event.pk}")


def tell(case: Case, role: str, template: str, *, key: str) -> None:
    """Queue one mail to everybody who holds `role` on the case or in its organisation."""
    for user in holders(case, role):
        email.send(
            template,
            to=user.email,
            language=user.language,
            key=f"{key}:{user.pk}",
            reference=case.reference,
        )


def holders(case: Case, role: str) -> list[User]:
    """Accounts that hold `role` now, by membership of the organisation or on the case; never suspended ones."""
    able = User.objects.filter(is_active=True, suspended_at=None)
    if role in Membership.Role.values and role != "specialist":
        return list(
            able.filter(memberships__organisation=case.organisation_id, memberships__role=role, memberships__until=None)
        )
    held = case.case_roles.filter(role=role, ended_at=None, confirmed_at__isnull=False)
    return list(able.filter(pk__in=held.exclude(expires_at__lte=clock.now()).values("user_id")))


def remind_owner(case: Case, *, key: str) -> None:
    """A friendly reminder to whose turn it is."""
    template = "follow_up" if case.state == State.FOLLOW_UP else "reminder"
    tell(case, OWNER[case.state], template, key=f"reminder:{key}")


def alert_desk(case: Case, *, key: str) -> None:
    """Something is overdue: the coordinators are told."""
    tell(case, "coordinator", "overdue", key=f"overdue:{key}")


def tell_guests(case: Case, template: str, *, key: str) -> None:
    """Tell treating doctors with an open link that there is something new behind it (the link itself is not sent)."""
    for link in case.guest_links.filter(revoked_at=None, expires_at__gt=clock.now()):
        address = str(link.recipient.get("email", ""))
        if address:
            email.send(template, to=address, language=case.language, key=f"{key}:{link.pk}", reference=case.reference)
