"""The list of cases and invitations."""

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from consilium.access.principals import Principal
from consilium.cases.models import Case, CaseRole
from consilium.cases.states import State
from consilium.packs import registry
from consilium.web.patient.present.wording import STATE_WORDS, day

YOUR_TURN = {State.DRAFT, State.COLLECTING, State.RECAP, State.URGENT}


def lists(cases: list[Case], by: Principal) -> dict[str, Any]:
    """Cards of one's own cases and of those one accompanies."""
    own = [case for case in cases if "patient" in case.roles_of(by)]
    others = [case for case in cases if case not in own]
    return {"own": [card(case) for case in own], "others": [card(case, named=True) for case in others]}


def card(case: Case, *, named: bool = False) -> dict[str, Any]:
    """What the `case_card` component shows of a case."""
    words, tone = STATE_WORDS[case.state]
    title = str(registry.specialty(case.specialty).title)
    facts = [{"term": _("Begun"), "text": day(case.created_at, case)}]
    return {
        "title": f"{case.patient.full_name}: {title}" if named else title,
        "href": reverse("case", args=[case.pk]),
        "reference": case.reference,
        "status": words,
        "tone": tone,
        "facts": facts,
        "next": _next(case),
    }


def _next(case: Case) -> str:
    if case.state == State.DRAFT:
        return _("Go on where you stopped.")
    if case.state == State.URGENT:
        return _("There is an urgent message for you.")
    if case.state == State.RECAP:
        return _("Please read the one-page summary and confirm it.")
    return _("There is something for you to do.") if case.state in YOUR_TURN else ""


def invitations(grants: list[CaseRole]) -> list[dict[str, Any]]:
    """Who invites, and to what."""
    what = {
        "proxy_view": _("read along: the story, the records and the report"),
        "proxy_act": _("act for them: read everything, answer questions and send records"),
    }
    return [
        {
            "id": grant.pk,
            "who": grant.case.patient.full_name,
            "what": what.get(grant.role, ""),
            "until": day(grant.expires_at, grant.case) if grant.expires_at else "",
        }
        for grant in grants
    ]
