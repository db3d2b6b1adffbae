"""Explainable matching: every candidate carries the reasons for and against; nothing is hidden in a score."""

from dataclasses import dataclass, field

from django.db.models import Count, Q
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from consilium.cases.models import Case, Offer
from consilium.core import clock
from consilium.people.models import Specialist

ACTIVE_STATES = ("blind_read", "in_review", "clarifying")

# code: (sentence when it holds, sentence when it does not, whether not holding excludes)
REASONS: dict[str, tuple[Promise, Promise, bool]] = {
    "specialty": (_("Works in this specialty"), _("Works in another specialty"), True),
    "licence": (_("Licence is valid"), _("No valid licence on file"), True),
    "verified": (_("Credentials are verified"), _("Credentials are not verified yet"), True),
    "no_conflict": (_("No known conflict of interest"), _("Works where the first opinion was given"), True),
    "not_declined": (_("Has not declined this case"), _("Has declined or handed back this case"), True),
    "language": (_("Writes the patient's language"), _("Does not write the patient's language"), False),
    "capacity": (_("Has room for another case"), _("Has no room now"), False),
    "jurisdiction": (_("Licensed where the patient lives"), _("Licensed in another country"), False),
}


@dataclass(frozen=True)
class Candidate:
    """A specialist for a case with `checks`: reason code → whether it holds."""

    specialist: Specialist
    checks: dict[str, bool]
    active_cases: int = 0

    @property
    def excluded(self) -> bool:
        return any(not ok and REASONS[code][2] for code, ok in self.checks.items())

    @property
    def score(self) -> int:
        """Reasons that hold; used for order only and always shown with the reasons themselves."""
        return sum(self.checks.values())

    @property
    def reasons(self) -> list[tuple[bool, Promise]]:
        return [(ok, REASONS[code][0] if ok else REASONS[code][1]) for code, ok in self.checks.items()]

    def stored(self) -> list[dict[str, object]]:
        """What is kept on the offer, so that the choice can be explained later."""
        return [{"code": code, "ok": ok} for code, ok in self.checks.items()]


@dataclass
class _Facts:
    country: str
    institution: str
    declined: set[object] = field(default_factory=set)


def candidates(case: Case) -> list[Candidate]:
    """Every specialist of the case's organisation, best first, the excluded ones last."""
    facts = _Facts(
        country=str(case.patient.contact.get("country", "") or case.organisation.country),
        institution=str(case.first_opinion.get("institution", "")).casefold(),
        declined=_gone(case),
    )
    found = [_judge(specialist, case, facts) for specialist in _specialists(case)]
    return sorted(found, key=lambda c: (c.excluded, -c.score, c.active_cases, c.specialist.name))


def _gone(case: Case) -> set[object]:
    """Who declined, was silent, or handed the case back: a second blind read would not be blind."""
    silent = case.offers.filter(status__in=(Offer.Status.DECLINED, Offer.Status.TIMED_OUT))
    once = case.case_roles.filter(role="specialist", ended_at__isnull=False).values("user_id")
    back = Specialist.objects.filter(user_id__in=once)
    return {*silent.values_list("specialist_id", flat=True), *back.values_list("pk", flat=True)}


def _specialists(case: Case) -> list[Specialist]:
    return list(
        Specialist.objects.filter(
            user__memberships__organisation=case.organisation_id,
            user__memberships__role="specialist",
            user__memberships__until=None,
            user__suspended_at=None,
        )
        .annotate(active=Count("offers", filter=Q(offers__status="accepted", offers__case__state__in=ACTIVE_STATES)))
        .prefetch_related("licences")
    )


def _judge(specialist: Specialist, case: Case, facts: _Facts) -> Candidate:
    today = clock.now().date()
    valid = [row for row in specialist.licences.all() if row.valid_from <= today <= row.valid_until]
    active: int = specialist.active  # type: ignore[attr-defined]  # annotation of _specialists
    institution = specialist.institution.casefold()
    return Candidate(
        specialist,
        {
            "specialty": case.specialty in specialist.specialties,
            "licence": bool(valid),
            "verified": specialist.verified_at is not None,
            "no_conflict": not (institution and facts.institution and institution in facts.institution),
            "not_declined": specialist.pk not in facts.declined,
            "language": case.language in specialist.languages,
            "capacity": active < specialist.capacity,
            "jurisdiction": facts.country in {row.country for row in valid},
        },
        active,
    )
