"""Where a case is at home for the person looking: the patient's page, the desk's, or the specialist's."""

from typing import Any

from django import template
from django.urls import NoReverseMatch, reverse

from consilium.cases.models import Case

register = template.Library()

# The first role somebody holds decides; the order is from the closest to the case to the farthest.
HOMES = (
    ("patient", "case"),
    ("proxy_act", "case"),
    ("proxy_view", "case"),
    ("specialist", "review"),
    ("coordinator", "desk_case"),
    ("triage_clinician", "triage_case"),
    ("quality_reviewer", "quality_case"),
    ("administrator", "admin_case"),
)


@register.simple_tag(takes_context=True)
def case_home(context: dict[str, Any], case: Case) -> str:
    """The address of the case's page for this person, or nothing."""
    roles = case.roles_of(context["request"].principal)
    for role, name in HOMES:
        if role in roles:
            try:
                return reverse(name, args=[case.pk])
            except NoReverseMatch:
                return ""
    return ""
