"""Giving and withdrawing consent."""

import hashlib
from collections.abc import Iterable
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import override

from consilium.access.principals import Principal
from consilium.consents.models import Consent
from consilium.core import audit, clock

MANDATORY = (
    Consent.Clause.REMOTE_OPINION,
    Consent.Clause.PROCESSING,
    Consent.Clause.SPECIALIST_ACCESS,
)
OPTIONAL = (Consent.Clause.SHARE_TREATING, Consent.Clause.FOLLOW_UP, Consent.Clause.RESEARCH)
TEXT_VERSION = "2026-11"


def clause_text(clause: str, language: str) -> str:
    """The exact words a person agrees to, in `language`."""
    with override(language):
        return _("I agree to %(clause)s.") % {"clause": Consent.Clause(clause).label}


def give(
    space: UUID, clauses: Iterable[str], *, by: Principal, language: str, on_behalf_of: str = ""
) -> list[Consent]:
    """Record consent to each of `clauses`; those already given stay as they were."""
    given: list[Consent] = []
    with transaction.atomic():
        for clause in clauses:
            text = clause_text(clause, language)
            consent, created = Consent.objects.get_or_create(
                space=space,
                clause=clause,
                withdrawn_at=None,
                defaults={
                    "text_version": TEXT_VERSION,
                    "text_sha256": hashlib.sha256(text.encode()).hexdigest(),
                    "language": language,
                    "given_by": by.ref,
                    "on_behalf_of": on_behalf_of,
                },
            )
            if created:
                audit.record("consent.give", by=by, thing=f"consent:{consent.pk}", space=space, clause=str(clause))
            given.append(consent)
    return given


def withdraw(space: UUID, clause: str, *, by: Principal) -> None:
    """End a consent; what was done under it stays lawful, nothing new happens under it (GDPR Art. 7(3))."""
    with transaction.atomic():
        for consent in Consent.objects.filter(space=space, clause=clause, withdrawn_at=None):
            consent.withdrawn_at = clock.now()
            consent.withdrawn_by = by.ref
            consent.save(update_fields=["withdrawn_at", "withdrawn_by"])
            audit.record("consent.withdraw", by=by, thing=f"consent:{consent.pk}", space=space, clause=str(clause))


def holds(space: UUID, clause: str) -> bool:
    """Whether consent to `clause` is in force."""
    return Consent.objects.filter(space=space, clause=clause, withdrawn_at=None).exists()


def mandatory_given(space: UUID) -> bool:
    """Whether every clause without which no case can run is in force."""
    given = Consent.objects.filter(space=space, clause__in=MANDATORY, withdrawn_at=None)
    return given.values("clause").distinct().count() == len(MANDATORY)
