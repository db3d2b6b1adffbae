"""Candidates with their reasons, and what became of the offers."""

from collections.abc import Iterable
from typing import Any

from django.utils.translation import gettext as _

from consilium.access.principals import Principal
from consilium.cases.matching import Candidate
from consilium.cases.models import Case, Offer
from consilium.cases.needs import Asked, unmet
from consilium.cases.workflow import row_for
from consilium.core import clock
from consilium.packs import registry
from consilium.web.desk.present.dates import languages, moment, span

TONES = {"open": "accent", "accepted": "good", "declined": "warn", "timed_out": "warn"}


def candidates(found: Iterable[Candidate]) -> list[dict[str, Any]]:
    """Every specialist with reasons for and against; nothing is hidden in a score."""
    titles = {pack.id: str(pack.title) for pack in registry.specialties()}
    return [
        {
            "name": candidate.specialist.name,
            "role": candidate.specialist.title,
            "portrait": candidate.specialist.portrait,
            "place": candidate.specialist.institution,
            "facts": [
                ", ".join(str(titles.get(code, code)) for code in candidate.specialist.specialties),
                _("Writes: %(languages)s") % {"languages": languages(candidate.specialist.languages)},
                _("%(active)s of %(capacity)s cases now")
                % {"active": candidate.active_cases, "capacity": candidate.specialist.capacity},
            ],
            "checks": [{"text": str(words), "passed": ok} for ok, words in candidate.reasons],
            "excluded": candidate.excluded,
        }
        for candidate in found
    ]


def offers(found: Iterable[Offer]) -> list[dict[str, Any]]:
    """Whom we asked, in order, and the answers."""
    return [
        {
            "name": offer.specialist.name,
            "status": offer.get_status_display(),
            "tone": TONES.get(offer.status, "neutral"),
            "text": _offer_words(offer),
        }
        for offer in found
    ]


def _offer_words(offer: Offer) -> str:
    if offer.status == Offer.Status.OPEN and offer.expires_at:
        left = offer.expires_at - clock.now()
        if left.total_seconds() > 0:
            return _("asked %(at)s, answer due in %(left)s") % {"at": moment(offer.opened_at), "left": span(left)}
        return _("asked %(at)s, the time is over") % {"at": moment(offer.opened_at)}
    if offer.status == Offer.Status.QUEUED:
        return _("asked if nobody before accepts")
    reason = " – ".join(str(part) for part in (offer.get_reason_display(), offer.reason_note) if part)
    return " – ".join(part for part in (moment(offer.answered_at), reason) if part)


def waits(case: Case, by: Principal) -> list[Any]:
    """What has to be done before anybody can be asked; choosing somebody is this page's own part."""
    row = row_for("offer", case.state)
    return unmet(tuple(name for name in row.needs if name != "offer_open"), Asked(case, by)) if row else []
