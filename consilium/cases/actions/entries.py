"""The case's verbs on values that were read from pages: they ask the policy, then call the room below."""

from django.utils.translation import gettext_lazy as _

from consilium.access.principals import Principal
from consilium.access.rules import require
from consilium.cases.models import Case
from consilium.core.errors import NotFound
from consilium.records import entries
from consilium.records.models import Entry


def confirm_entry(case: Case, entry: Entry, *, by: Principal) -> None:
    """Say that a value was read correctly."""
    require("record.correct", case, by)
    entries.confirm(_of(case, entry), by=by)


def reject_entry(case: Case, entry: Entry, *, by: Principal) -> None:
    """Say that a value was misread; it can be confirmed again later."""
    require("record.correct", case, by)
    entries.reject(_of(case, entry), by=by)


def _of(case: Case, entry: Entry) -> Entry:
    if entry.space != case.pk:
        raise NotFound(_("This value is not part of the case."))
    return entry
