"""Giving and withdrawing consent. The words come from the jurisdiction pack and are stored by hash."""

import hashlib
from collections.abc import Iterable
from uuid import UUID

from django.db import transaction

from consilium.access.principals import Principal
from consilium.consents.models import Consent
from consilium.core import audit, clock
from consilium.packs import registry

SHARE_WITH_TREATING_DOCTOR = "inform-treating-doctor"


def give(
    space: UUID,
    clauses: Iterable[str],
    *,
    jurisdiction: str,
    language: str,
    by: Principal,
    on_behalf_of: str = "",
) -> None:
    """Record consent to each clause code of the pack; those in force stay as they were given."""
    pack = registry.jurisdiction(jurisdiction)
    wanted = set(clauses)
    with transaction.atomic():
        for clause in pack.consents:
            if clause.code not in wanted:
                continue
            words = f"{clause.title.in_(language)}\n{clause.text.in_(language)}"
            consent, created = Consent.objects.get_or_create(
                space=space,
                clause=clause.code,
                withdrawn_at=None,
                defaults={
                    "pack": f"{pack.id}@{pack.version}",
                    "text_sha256": hashlib.sha256(words.encode()).hexdigest(),
                    "language": language,
                    "given_by": by.ref,
                    "on_behalf_of": on_behalf_of,
                },
            )
            if created:
                audit.record("consent.give", by=by, thing=f"consent:{consent.pk}", space=space, code=clause.code)


def withdraw(space: UUID, clause: str, *, by: Principal) -> None:
    """End a consent; what was done under it stays lawful, nothing new happens under it (GDPR Art. 7(3))."""
    with transaction.atomic():
        for consent in Consent.objects.filter(space=space, clause=clause, withdrawn_at=None):
            consent.withdrawn_at = clock.now()
            consent.withdrawn_by = by.ref
            consent.save(update_fields=["withdrawn_at", "withdrawn_by"])
            audit.record("consent.withdraw", by=by, thing=f"consent:{consent.pk}", space=space, code=clause)


def in_force(space: UUID) -> frozenset[str]:
    """Codes of the clauses agreed to and not withdrawn."""
    return frozenset(Consent.objects.filter(space=space, withdrawn_at=None).values_list("clause", flat=True))


def holds(space: UUID, clause: str) -> bool:
    """Whether consent to `clause` is in force."""
    return clause in in_force(space)


def mandatory_given(space: UUID, *, jurisdiction: str) -> bool:
    """Whether every required clause of the pack is in force."""
    required = {clause.code for clause in registry.jurisdiction(jurisdiction).consents if clause.required}
    return required <= in_force(space)
