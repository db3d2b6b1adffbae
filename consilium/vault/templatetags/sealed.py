"""`{{ person|unsealed:"name" }}`: a sealed value, or the word "Erased" after its key was destroyed."""

from typing import Any

from django import template
from django.db.models import Model

from consilium.vault import fields

register = template.Library()


@register.filter
def unsealed(instance: Model, name: str) -> Any:
    """The (dotted) attribute `name` of a row for display."""
    return fields.shown(instance, name)
