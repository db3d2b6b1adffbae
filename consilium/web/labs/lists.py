"""Medicines and allergies as lists, each line with its source. Pure preparation."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from consilium.cases.models import Case
from consilium.records import analytes
from consilium.records.laboratory import value_of
from consilium.records.models import Entry
from consilium.web.labs import present

# How documents say that something goes on, or is over (FHIR R4 value sets, CDA ActStatus, C-CDA problem status)
_GOING_ON = frozenset({"active", "intended", "on-hold", "recurrence", "relapse", "in-progress", "suspended"})
_OVER = frozenset({"completed", "stopped", "ended", "resolved", "inactive", "aborted", "cancelled", "not-taken"})
STATES = {
    "active": gettext_lazy("active"), "completed": gettext_lazy("completed"), "stopped": gettext_lazy("stopped"),
    "resolved": gettext_lazy("resolved"), "inactive": gettext_lazy("inactive"),
    "remission": gettext_lazy("in remission"), "on-hold": gettext_lazy("on hold"),
    "not-done": gettext_lazy("not given"), "not-taken": gettext_lazy("not taken"),
    "intended": gettext_lazy("intended"), "recurrence": gettext_lazy("recurrence"), "relapse": gettext_lazy("relapse"),
    "preliminary": gettext_lazy("preliminary"), "P": gettext_lazy("preliminary"), "amended": gettext_lazy("amended"),
    "corrected": gettext_lazy("corrected"), "C": gettext_lazy("corrected"), "aborted": gettext_lazy("stopped"),
    "cancelled": gettext_lazy("cancelled"), "suspended": gettext_lazy("on hold"),
}  # fmt: skip
_SILENT = frozenset({"final", "F", "unknown", ""})


def medication(case: Case, found: Iterable[Entry]) -> dict[str, Any]:
    """Medicines in the groups their documents put them in, newest first, each once; and allergies."""
    entries = [one for one in found if one.status != Entry.Status.REJECTED]
    medicines = once([one for one in entries if one.kind == Entry.Kind.MEDICATION])
    now = [one for one in medicines if _state(one) in _GOING_ON and not one.body.get("end")]
    over = [one for one in medicines if one not in now and (_state(one) in _OVER or one.body.get("end"))]
    rest = [one for one in medicines if one not in now and one not in over]
    groups = [(_("Listed as being taken"), now), (_("Listed without a status"), rest), (_("Listed as ended"), over)]
    return {
        "groups": [{"label": label, "rows": [_line(case, one) for one in rows]} for label, rows in groups if rows],
        "allergies": [_line(case, one) for one in once([e for e in entries if e.kind == Entry.Kind.ALLERGY])],
    }


def _state(entry: Entry) -> str:
    return str(entry.body.get("state", "")).casefold()


def once(found: Sequence[Entry]) -> list[Entry]:
    """Without what another document says in the same words; newest first, undated last."""
    kept: dict[tuple[str, ...], Entry] = {}
    for one in sorted(found, key=lambda e: e.body.get("date", ""), reverse=True):
        body = one.body
        key = (analytes.fold(body.get("name", "")), *(str(body.get(k, "")) for k in ("text", "date", "end", "state")))
        kept.setdefault(key, one)
    return list(kept.values())


def _line(case: Case, entry: Entry) -> dict[str, Any]:
    body = entry.body
    return {
        "name": body.get("name", ""),
        "text": body.get("text", ""),
        "since": present.day(body["date"]) if body.get("date") else "",
        "until": present.day(body["end"]) if body.get("end") else "",
        "state": state_words(body.get("state", "")),
        "grave": body.get("flag") == "A",
        "href": present.source_href(case, value_of(entry)),
        "source": present.source_words(value_of(entry)),
    }


def state_words(state: str) -> str:
    """The document's own status in words of the page; one we have no words for stays as it is."""
    if state in _SILENT:
        return ""
    return str(STATES.get(state) or STATES.get(state.casefold()) or state)
