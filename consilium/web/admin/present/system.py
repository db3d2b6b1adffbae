"""The overview, the packs and the audit log in words."""

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from consilium.core import clock
from consilium.packs import registry
from consilium.people.models import User
from consilium.web.admin.present.people import standing
from consilium.web.admin.queries import LogState, name_of, specialist_of
from consilium.web.desk.present.dates import day, moment

TONES = {"draft": "warn", "signed-off": "good", "expired": "danger"}


def pages() -> list[dict[str, str]]:
    """The rooms of the administration."""
    return [
        {
            "title": _("People and roles"),
            "text": _("Invite staff, give and end roles, suspend an account."),
            "href": reverse("admin_people"),
        },
        {
            "title": _("Specialists"),
            "text": _("Profiles, licences with their validity, verification."),
            "href": reverse("admin_specialists"),
        },
        {
            "title": _("Cases"),
            "text": _("Dates and states without content, legal holds, erasure, access history."),
            "href": reverse("admin_cases"),
        },
        {
            "title": _("Accounts to be deleted"),
            "text": _("People who asked for their account to be deleted."),
            "href": reverse("admin_deletions"),
        },
        {
            "title": _("Organisation"),
            "text": _("Name, address, contact, and the rule new cases begin with."),
            "href": reverse("admin_organisation"),
        },
        {
            "title": _("Packs"),
            "text": _("What each specialty and each country asks for, and who signed it off."),
            "href": reverse("admin_packs"),
        },
        {
            "title": _("Audit log"),
            "text": _("Whether it is whole, and when it was last signed."),
            "href": reverse("admin_audit"),
        },
    ]


def waiting(*, deletions: int, erasures: int, doctors: list[User]) -> list[dict[str, str]]:
    """What an administrator should look at."""
    found = []
    if erasures:
        words = ngettext("%(n)s case has to be erased", "%(n)s cases have to be erased", erasures)
        found.append({"text": words % {"n": erasures}, "href": reverse("admin_cases") + "?which=erasure"})
    if deletions:
        words = ngettext("%(n)s account is to be deleted", "%(n)s accounts are to be deleted", deletions)
        found.append({"text": words % {"n": deletions}, "href": reverse("admin_deletions")})
    for user in doctors:
        words, tone = standing(specialist_of(user))
        if tone != "good":
            name = name_of(user)
            found.append({"text": f"{name}: {words}", "href": reverse("admin_specialist", args=[user.pk])})
    return found


def specialties() -> list[list[Any]]:
    """Specialty packs as rows."""
    return [_pack(pack) for pack in registry.specialties()]


def jurisdictions() -> list[list[Any]]:
    """Jurisdiction packs as rows."""
    return [_pack(pack) for pack in registry.jurisdictions()]


def _pack(pack: Any) -> list[Any]:
    words = {"draft": _("draft, not signed off"), "signed-off": _("signed off"), "expired": _("sign-off has expired")}
    state = pack.signature.state(clock.now().date())
    return [
        {"text": str(pack.title), "note": pack.id},
        pack.version,
        {"text": words[state], "tone": TONES[state]},
        pack.signature.owner or _("nobody yet"),
        day(pack.signature.review_date),
        day(pack.signature.expiry),
    ]


def log_facts(state: LogState) -> list[dict[str, str]]:
    """Length of the log and its last signed checkpoint."""
    last = state.checkpoint
    signed = _("none yet")
    if last:
        recorded = last_recorded(last.statement)
        signed = _("at entry %(n)s") % {"n": last.size} + (f", {recorded}" if recorded else "")
    return [
        {"term": _("Entries"), "text": str(state.entries)},
        {"term": _("Last signed checkpoint"), "text": signed},
        {"term": _("Entries since then"), "text": str(state.entries - (last.size if last else 0))},
    ]


def last_recorded(statement: str) -> str:
    """When a checkpoint was signed, from its signed statement."""
    import json
    from datetime import datetime

    try:
        return moment(datetime.fromisoformat(json.loads(statement)["recorded"]))
    except (ValueError, KeyError, TypeError):
        return ""
