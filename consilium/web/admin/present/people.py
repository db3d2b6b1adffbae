"""Staff, specialists and licences as lists."""

from collections.abc import Iterable
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from consilium.core import clock
from consilium.packs import registry
from consilium.people.models import Licence, Membership, Specialist, User
from consilium.web.admin.queries import name_of, specialist_of
from consilium.web.desk.present.dates import day, languages
from consilium.web.models import DeletionRequest

SOON_DAYS = 60


def rows(found: Iterable[User]) -> list[list[Any]]:
    """Staff as table rows: name, roles, state."""
    return [
        [
            {"text": name_of(user), "href": reverse("admin_person", args=[user.pk]), "note": user.email},
            ", ".join(str(m.get_role_display()) for m in open_roles(user)) or _("none any more"),
            state(user),
        ]
        for user in found
    ]


def open_roles(user: User) -> list[Membership]:
    """Roles that have not ended."""
    return [membership for membership in user.memberships.all() if membership.until is None]


def state(user: User) -> dict[str, str]:
    """Active, invited or suspended."""
    if user.suspended_at:
        return {"text": _("suspended"), "tone": "danger"}
    if not user.has_usable_password():
        return {"text": _("invited"), "tone": "info"}
    return {"text": _("active"), "tone": "good"}


def role_tabs(chosen: str) -> list[dict[str, Any]]:
    """Everybody, or one role."""
    tabs = [{"label": _("Everybody"), "href": "?", "current": not chosen}]
    return tabs + [
        {"label": label, "href": f"?role={value}", "current": value == chosen}
        for value, label in Membership.Role.choices
    ]


def memberships(user: User, organisation_id: Any) -> list[dict[str, Any]]:
    """Roles of a person with since when, and the address that ends them."""
    return [
        {
            "name": membership.get_role_display(),
            "since": day(membership.since),
            "until": day(membership.until) if membership.until else "",
            "end": reverse("admin_role_end", args=[user.pk, membership.pk]) if membership.until is None else "",
        }
        for membership in sorted(user.memberships.all(), key=lambda m: (m.until is not None, m.role))
        if membership.organisation_id == organisation_id
    ]


def specialists(found: Iterable[User]) -> list[dict[str, Any]]:
    """Specialists as cards: profile, licence, verification."""
    shown = []
    for user in found:
        profile = specialist_of(user)
        words, tone = standing(profile)
        shown.append(
            {
                "name": profile.name if profile else name_of(user),
                "role": profile.title if profile else "",
                "portrait": profile.portrait if profile else "",
                "place": profile.institution if profile else "",
                "facts": _facts(profile) if profile else [],
                "state": words,
                "tone": tone,
                "href": reverse("admin_specialist", args=[user.pk]),
            }
        )
    return shown


def _facts(profile: Specialist) -> list[str]:
    titles = {pack.id: str(pack.title) for pack in registry.specialties()}
    return [
        ", ".join(str(titles.get(code, code)) for code in profile.specialties),
        _("Writes: %(languages)s") % {"languages": languages(profile.languages)},
        _("Up to %(n)s cases at the same time") % {"n": profile.capacity},
    ]


def standing(profile: Specialist | None) -> tuple[str, str]:
    """(words, tone): whether cases can be offered, and when that ends."""
    if profile is None:
        return _("no profile yet"), "warn"
    today = clock.now().date()
    valid = [one for one in profile.licences.all() if one.valid_from <= today <= one.valid_until]
    if not valid:
        return _("no valid licence"), "danger"
    if profile.verified_at is None:
        return _("not verified yet"), "warn"
    last = max(one.valid_until for one in valid)
    if (last - today).days <= SOON_DAYS:
        return _("licence ends on %(day)s") % {"day": day(last)}, "warn"
    return _("verified"), "good"


def licences(user: User, found: Iterable[Licence]) -> list[dict[str, Any]]:
    """Licences with their validity in words."""
    today = clock.now().date()
    return [
        {
            "title": f"{one.authority}, {one.number}",
            "text": _("%(country)s, valid from %(begin)s to %(end)s")
            % {"country": one.country, "begin": day(one.valid_from), "end": day(one.valid_until)},
            "state": _validity(one, today)[0],
            "tone": _validity(one, today)[1],
            "end": reverse("admin_licence_end", args=[user.pk, one.pk]) if one.valid_until >= today else "",
        }
        for one in sorted(found, key=lambda one: one.valid_until, reverse=True)
    ]


def _validity(one: Licence, today: Any) -> tuple[str, str]:
    if one.valid_until < today:
        return _("ended"), "neutral"
    if one.valid_from > today:
        return _("not yet valid"), "info"
    return (_("ends soon"), "warn") if (one.valid_until - today).days <= SOON_DAYS else (_("valid"), "good")


def wishes(found: Iterable[DeletionRequest], cases: dict[Any, list[Any]]) -> list[dict[str, Any]]:
    """Accounts whose owners asked for deletion, with the references of their cases."""
    return [
        {
            "email": wish.user.email,
            "asked": day(wish.requested_at),
            "suspended": wish.user.suspended_at is not None,
            "close": reverse("admin_deletion_close", args=[wish.pk]),
            "cases": [
                {
                    "reference": case.reference,
                    "state": case.get_state_display(),
                    "href": reverse("admin_case", args=[case.pk]),
                }
                for case in cases.get(wish.user.pk, [])
            ],
        }
        for wish in found
    ]
