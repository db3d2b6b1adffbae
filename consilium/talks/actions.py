"""Messages and the bounded clarification round."""

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from consilium.access import visibility
from consilium.access.principals import Principal
from consilium.access.rules import require
from consilium.cases import notices
from consilium.cases.actions import advance
from consilium.cases.effects import Step, after
from consilium.cases.models import Case
from consilium.cases.needs import Asked, Sentence, need, unmet
from consilium.cases.states import State
from consilium.cases.timers import MAX_CLARIFICATIONS
from consilium.core import audit, clock
from consilium.core.errors import BadInput, NotAllowed, Refusal
from consilium.opinions.actions import blind
from consilium.opinions.models import Opinion
from consilium.talks.models import Clarification, Message, MessageRead

MAX_MESSAGE = 5000
# Whom a message to an audience is announced to by mail: roles on the case.
TOLD = {
    "patient_desk": ("patient", "coordinator"),
    "patient_specialist": ("patient", "specialist"),
    "care_team": ("patient", "specialist", "coordinator", "treating_clinician"),
    "staff": ("coordinator",),
}


def send_message(case: Case, *, by: Principal, audience: str, body: str) -> Message:
    """Write into a thread one is party to; the others are told by mail without a word of the content."""
    require("message.send", case, by)
    roles, unlocked = case.roles_of(by), blind.reads_blind(case, by)
    if audience not in Message.Audience.values or not visibility.hears(audience, roles, reads_blind=unlocked):
        raise NotAllowed(_("You cannot write to these people."))
    if not body.strip():
        raise BadInput(_("Please write your message first."))
    if len(body) > MAX_MESSAGE:
        raise BadInput(_("Please shorten your message to %(n)s characters.") % {"n": MAX_MESSAGE})
    role = next(iter(sorted(roles & visibility.AUDIENCES[audience])))
    with transaction.atomic():
        message = Message.objects.create(case=case, audience=audience, by=by.ref, role=role, body=body.strip())
        MessageRead.objects.create(message=message, by=by.ref)
        audit.record("message.send", by=by, thing=f"message:{message.pk}", space=case.pk, code=audience)
        for told in TOLD[audience]:
            if told not in roles:
                notices.tell(case, told, "message", key=f"message:{message.pk}")
        if audience == "care_team" and "treating_clinician" not in roles:
            notices.tell_guests(case, "guest_news", key=f"message:{message.pk}")
    return message


def mark_read(messages: list[Message], *, by: Principal) -> None:
    """Remember when somebody first saw each message."""
    seen = set(MessageRead.objects.filter(message__in=messages, by=by.ref).values_list("message_id", flat=True))
    fresh = [MessageRead(message=m, by=by.ref) for m in messages if m.pk not in seen]
    MessageRead.objects.bulk_create(fresh, ignore_conflicts=True)


def ask(case: Case, *, by: Principal, question: str, kind: str = Clarification.Kind.QUESTION) -> Clarification:
    """Ask about the released report or correct a fact: bounded in number and time."""
    require("clarification.ask", case, by)
    if kind not in Clarification.Kind.values:
        raise BadInput(_("Please choose whether you ask a question or correct something."))
    if len(question.strip()) < 10:
        raise BadInput(_("Please write your question as a full sentence."))
    if len(question) > MAX_MESSAGE:
        raise BadInput(_("Please shorten your question to %(n)s characters.") % {"n": MAX_MESSAGE})
    over = unmet(("clarification_open",), Asked(case, by))
    if over or case.state not in (State.DELIVERED, State.CLARIFYING):
        raise Refusal(_("The time for questions about this report is over. Your coordinator gladly helps you."))
    if case.clarifications.count() >= MAX_CLARIFICATIONS:
        raise Refusal(_("You have asked three questions already. Your coordinator will gladly help you further."))
    released = case.opinions.filter(status=Opinion.Status.RELEASED).order_by("-number").first()
    with transaction.atomic():
        clarification = Clarification.objects.create(
            case=case, opinion=released, kind=kind, asked_by=by.ref, question=question.strip()
        )
        audit.record("clarification.ask", by=by, thing=f"clarification:{clarification.pk}", space=case.pk, code=kind)
        if case.state == State.DELIVERED:
            advance(case, "ask_clarification", by=by)
    return clarification


@need("question_asked")
def _asked(asked: Asked) -> Sentence:
    waiting = asked.case.clarifications.filter(answered_at=None).exists()
    return None if waiting else _("Please write your question first.")


def answer(clarification: Clarification, *, by: Principal, text: str) -> None:
    """Answer one question; when all are answered the case goes back to the patient."""
    case = clarification.case
    require("clarification.answer", case, by)
    if not text.strip():
        raise BadInput(_("Please write your answer first."))
    with transaction.atomic():
        waiting = Clarification.objects.select_for_update().filter(pk=clarification.pk, answered_at=None)
        if not waiting.exists():
            raise Refusal(_("This question has been answered already."))
        clarification.answer, clarification.answered_by = text.strip()[: 2 * MAX_MESSAGE], by.ref
        clarification.answered_at = clock.now()
        clarification.save(update_fields=["answer", "answered_by", "answered_at"])
        audit.record("clarification.answer", by=by, thing=f"clarification:{clarification.pk}", space=case.pk)


def close_round(case: Case, *, by: Principal) -> None:
    """Send the answers: the case is the patient's again."""
    advance(case, "answer_clarification", by=by)


@need("clarifications_answered")
def _answered(asked: Asked) -> Sentence:
    waiting = asked.case.clarifications.filter(answered_at=None).exists()
    return _("Please answer every open question first.") if waiting else None


@after("issue_addendum")
def _link_to_addendum(step: Step) -> None:
    """Questions answered since the last version are what led to this one."""
    newest = step.case.opinions.latest("number")
    step.case.clarifications.filter(led_to=None, answered_at__isnull=False, opinion__number__lt=newest.number).update(
        led_to=newest
    )
