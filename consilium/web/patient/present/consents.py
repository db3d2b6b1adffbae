"""The clauses of the rule that applies, and what taking one back means."""

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from consilium.cases.models import Case
from consilium.cases.states import State
from consilium.consents import actions as consents
from consilium.packs import registry
from consilium.packs.schema import Clause
from consilium.web.patient import sections


def clause(case: Case, code: str) -> Clause | None:
    """The clause with this code."""
    return next((row for row in registry.jurisdiction(case.jurisdiction).consents if row.code == code), None)


def clauses(case: Case, ticked: set[str] | None = None, forgotten: list[Clause] | None = None) -> dict[str, Any]:
    """Rows with the exact words and whether the consent is in force."""
    given, pack = consents.in_force(case.pk), registry.jurisdiction(case.jurisdiction)
    missed = {row.code for row in forgotten or []}
    rows = [
        {
            "code": row.code,
            "title": row.title,
            "text": row.text,
            "required": row.required,
            "given": row.code in given,
            "ticked": row.code in (ticked or ()),
            "missed": row.code in missed,
        }
        for row in pack.consents
    ]
    draft = case.state == State.DRAFT
    steps = {"step": sections.STEPS.index("consents") + 1, "steps": len(sections.STEPS)} if draft else {}
    return {
        "rows": rows,
        "pack": pack,
        "open": [row for row in rows if not row["given"]],
        "missed": [row for row in rows if row["missed"]],
        "draft": draft,
        "back_url": reverse("case_upload" if draft else "case", args=[case.pk]),
        "next_url": reverse("case_summary", args=[case.pk]) if draft else "",
    } | steps


def forgotten(case: Case, ticked: set[str]) -> list[Clause]:
    """Required clauses that are neither in force nor ticked."""
    have = consents.in_force(case.pk) | ticked
    return [row for row in registry.jurisdiction(case.jurisdiction).consents if row.required and row.code not in have]


def after_giving(case: Case) -> str:
    """Where to go when the consents are saved."""
    return reverse("case_summary" if case.state == State.DRAFT else "case_consents", args=[case.pk])


def withdrawal(case: Case, row: Clause, ends: bool) -> dict[str, Any]:
    """Consequences of taking a consent back, in plain words."""
    lines = [_("What was done until now stays lawful. From now on nothing new happens under this consent.")]
    if row.code == consents.SHARE_WITH_TREATING_DOCTOR:
        lines.append(_("Links that you gave to your doctor are closed at once."))
    if ends:
        lines.append(
            _("We cannot go on without this consent: your case is withdrawn, and the specialist's access ends.")
        )
    heading = _("Take back this consent?")
    return {"heading": heading, "clause": row, "consequences": lines, "danger": ends}
