"""What the open pages show: places of the signed-in, the doctors, the verdict on a report."""

from typing import Any, NamedTuple

from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from consilium.access.principals import Principal
from consilium.opinions.models import Report
from consilium.packs import registry
from consilium.people.models import Specialist


class Place(NamedTuple):
    """Where people with one of `roles` work (config/urls.py)."""

    roles: frozenset[str]
    href: str
    title: Any
    text: Any
    icon: str


PLACES = (
    Place(
        frozenset({"coordinator"}),
        "/desk/",
        _("The desk"),
        _("New requests, records, offers and deadlines."),
        "inbox",
    ),
    Place(
        frozenset({"triage_clinician"}),
        "/desk/triage/",
        _("Triage"),
        _("Set urgency and re-reads, and mark the first conclusion. Within 24 hours, please."),
        "clock",
    ),
    Place(
        frozenset({"support_scribe"}),
        "/desk/phone/",
        _("Help somebody on the telephone"),
        _("You type what the person says. They see and confirm it later, by post or with an account."),
        "phone",
    ),
    Place(
        frozenset({"specialist", "re_reader", "panel_chair"}),
        "/specialist/",
        _("My reviews"),
        _("Cases offered to you, and the opinions you write."),
        "search",
    ),
    Place(frozenset({"quality_reviewer"}), "/quality/", _("Quality"), _("Reports waiting for their check."), "check"),
    Place(
        frozenset({"administrator"}), "/admin/", _("Administration"), _("People, roles, packs and the system."), "lock"
    ),
)
OWN = Place(frozenset(), "/cases/", _("My own case"), _("Your request, or that of a person you help."), "heart")


def places(who: Principal) -> list[Place]:
    """The working places of these roles, or the patients' place for people without one."""
    return [place for place in PLACES if place.roles & who.roles] or [OWN]


def doctor(specialist: Specialist) -> dict[str, Any]:
    """A doctor's card: name, field, place and own words in the reader's language."""
    language = (get_language() or "en").split("-")[0]
    words = specialist.biography.get(language) or specialist.biography.get("en", "")
    return {
        "name": specialist.name,
        "role": specialist.title or ", ".join(fields(specialist)),
        "portrait": specialist.portrait.rsplit("/", 1)[-1].removesuffix(".svg"),
        "place": specialist.institution,
        "words": words,
    }


def fields(specialist: Specialist) -> list[str]:
    """Names of the specialist's fields; unknown packs are left out."""
    known = {pack.id: str(pack.title) for pack in registry.specialties()}
    return [known[one] for one in specialist.specialties if one in known]


def verdict(report: Report | None) -> dict[str, Any]:
    """What may be said in public about a report: that it is genuine, whose it is, which version; nothing personal."""
    if report is None:
        return {"state": "not"}
    return {
        "state": "older" if report.superseded_at else "genuine",
        "version": report.number,
        "issued": report.issued_at,
        "superseded": report.superseded_at,
        "organisation": report.case.organisation.name,
    }
