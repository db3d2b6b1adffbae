"""Relatives and links, in words."""

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from consilium.access.principals import Principal
from consilium.access.rules import may
from consilium.cases.actions.team import MAX_CODE_ATTEMPTS, NewLink
from consilium.cases.models import Case, CaseRole, GuestLink
from consilium.core import clock
from consilium.people.queries import names_of
from consilium.vault.fields import shown
from consilium.web.patient.present.wording import day


def relatives(case: Case, grants: list[CaseRole], by: Principal) -> list[dict[str, Any]]:
    """Each relative with what they may do, whether they accepted, and the end."""
    names = names_of([f"user:{grant.user_id}" for grant in grants])
    manages = may("team.manage", case, by)
    return [
        {
            "name": names.get(f"user:{grant.user_id}", ""),
            "may": _("may act for the patient") if grant.role == "proxy_act" else _("may read along"),
            "accepted": grant.confirmed_at is not None,
            "until": day(grant.expires_at, case) if grant.expires_at else "",
            "over": bool(grant.expires_at and grant.expires_at <= clock.now()),
            "end_url": reverse("case_people_end", args=[case.pk, grant.pk])
            if manages or grant.user_id == by.id
            else "",
            "mine": grant.user_id == by.id,
        }
        for grant in grants
    ]


def ending(case: Case, grant: CaseRole, mine: bool) -> dict[str, Any]:
    """The confirmation page."""
    name = names_of([f"user:{grant.user_id}"]).get(f"user:{grant.user_id}", "")
    heading = _("Step back from this case?") if mine else _("End the access of %(name)s?") % {"name": name}
    lines = [_("From now on the case cannot be opened any more, not even on a page that is open.")]
    lines.append(_("A new invitation is possible at any time."))
    label = _("Step back") if mine else _("End the access")
    back = reverse("case_people", args=[case.pk])
    return {"heading": heading, "consequences": lines, "confirm_label": label, "cancel_url": back}


def links(case: Case) -> list[dict[str, Any]]:
    """Links, the newest first."""
    return [
        _link(case, link) for link in sorted(case.guest_links.all(), key=lambda link: link.granted_at, reverse=True)
    ]


def _link(case: Case, link: GuestLink) -> dict[str, Any]:
    open_now = link.holds(link.pk) and link.attempts < MAX_CODE_ATTEMPTS
    recipient = shown(link, "recipient", {})  # an erased case keeps its links, unreadable
    if link.revoked_at:
        state, tone = _("closed"), "neutral"
    elif link.attempts >= MAX_CODE_ATTEMPTS:
        state, tone = _("locked after too many wrong codes"), "danger"
    else:
        state, tone = (_("open"), "good") if open_now else (_("expired"), "neutral")
    return {
        "name": recipient.get("name", ""),
        "institution": recipient.get("institution", ""),
        "state": state,
        "tone": tone,
        "made": day(link.granted_at, case),
        "until": day(link.expires_at, case),
        "opened": day(link.opened_at, case) if link.opened_at else "",
        "revoke_url": reverse("case_link_revoke", args=[case.pk, link.pk]) if not link.revoked_at else "",
    }


def known_doctor(case: Case) -> dict[str, str]:
    """Who gave the first opinion: most often the one who should read the report."""
    said = case.first_opinion or {}
    return {"name": said.get("doctor", ""), "institution": said.get("institution", "")}


def made(case: Case, new: NewLink, address: str) -> dict[str, Any]:
    """Link and code, shown once."""
    recipient = new.link.recipient
    return {
        "address": address,
        "code": f"{new.code[:3]} {new.code[3:]}",
        "name": recipient.get("name", ""),
        "email": recipient.get("email", ""),
        "telephone": recipient.get("telephone", ""),
        "until": day(new.link.expires_at, case),
    }


def revoking(case: Case, link: GuestLink) -> dict[str, Any]:
    """The confirmation page."""
    heading = _("Close the link of %(name)s?") % {"name": link.recipient.get("name", "")}
    lines = [
        _("The link stops working at once, also where it is open now."),
        _("What was downloaded already stays with the doctor."),
        _("You can make a new link at any time."),
    ]
    back = reverse("case_links", args=[case.pk])
    return {"heading": heading, "consequences": lines, "confirm_label": _("Close the link"), "cancel_url": back}
