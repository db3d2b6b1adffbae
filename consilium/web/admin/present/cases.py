"""Cases without content: reference, state, dates; their history without notes; who opened what."""

from collections.abc import Iterable
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from consilium.access.principals import Principal
from consilium.cases.actions.advance import possible, what_is_missing
from consilium.cases.models import Case, CaseEvent
from consilium.cases.states import State
from consilium.cases.workflow import row_for
from consilium.core.models import AuditEvent
from consilium.web.desk.present.dates import day, moment
from consilium.web.desk.present.events import titles as event_titles

# Steps an administrator takes on a page of their own, in this order.
VERBS = ("hold", "resume", "archive", "erase")


def rows(found: Iterable[Case]) -> list[list[Any]]:
    """Cases as table rows."""
    return [
        [
            {"text": case.reference, "href": reverse("admin_case", args=[case.pk])},
            str(case.get_state_display()),
            day(case.submitted_at),
            day(case.state_since),
            _marks(case),
        ]
        for case in found
    ]


def _marks(case: Case) -> Any:
    if case.legal_hold:
        return {"text": _("legal hold"), "tone": "warn"}
    if case.erasure_requested_at and case.state != State.ERASED:
        return {"text": _("erasure requested"), "tone": "danger"}
    return "–"


def tabs(chosen: str) -> list[dict[str, Any]]:
    """Which cases."""
    labels = {
        "all": _("All"),
        "erasure": _("Erasure requested"),
        "hold": _("Legal hold"),
        "halted": _("Stopped"),
    }
    return [
        {"label": label, "href": "?" if key == "all" else f"?which={key}", "current": key == chosen}
        for key, label in labels.items()
    ]


def facts(case: Case) -> list[dict[str, str]]:
    """Dates and marks; nothing of the illness."""
    return [
        {"term": _("State"), "text": str(case.get_state_display())},
        {"term": _("In this state since"), "text": moment(case.state_since)},
        {"term": _("Begun"), "text": moment(case.created_at)},
        {"term": _("Submitted"), "text": moment(case.submitted_at) or "–"},
        {"term": _("Report delivered"), "text": moment(case.delivered_at) or "–"},
        {"term": _("Legal hold"), "text": _("yes") if case.legal_hold else _("no")},
        {"term": _("Erasure requested"), "text": moment(case.erasure_requested_at) or _("no")},
    ]


def steps(case: Case, by: Principal) -> list[dict[str, Any]]:
    """What an administrator can do now, with what is missing for it."""
    found = []
    for verb in VERBS:
        row = row_for(verb, case.state)
        if row and possible(case, verb, by):
            missing = [] if "note_given" in row.needs else what_is_missing(case, verb, by)
            href = reverse("admin_step", args=[case.pk, verb])
            found.append({"label": str(row.label), "href": href, "missing": missing, "danger": verb == "erase"})
    return found


def history(events: Iterable[CaseEvent], names: dict[str, str], roles: dict[str, str]) -> list[dict[str, Any]]:
    """Steps with when and who; notes are clinical and are left out."""
    titles = event_titles()
    return [
        {
            "when": moment(event.at),
            "iso": event.at.isoformat(),
            "who": who(event.by, names, roles),
            "title": titles.get(event.verb, event.verb.replace("_", " ")),
            "tone": "" if event.to_state else "quiet",
        }
        for event in reversed(list(events))
    ]


def who(ref: str, names: dict[str, str], roles: dict[str, str]) -> str:
    """Staff by name, everybody else by what they are on the case."""
    if ref.startswith("guest:"):
        return _("treating doctor (by link)")
    if ref == "system":
        return _("Consilium, by itself")
    if ref.startswith("dimse:"):
        return _("A hospital's system (%(name)s)") % {"name": ref.partition(":")[2]}
    return names.get(ref) or roles.get(ref) or _("an account")


def accesses(events: Iterable[AuditEvent], names: dict[str, str], roles: dict[str, str]) -> list[list[Any]]:
    """Entries of the audit log as rows: when, who, what, outcome."""
    return [
        [
            {"text": moment(event.recorded), "iso": event.recorded.isoformat()},
            who(event.agent, names, roles),
            action_words(event.action),
            {"text": _("refused"), "tone": "danger"} if event.outcome != "success" else _("done"),
        ]
        for event in events
    ]


def action_words(action: str) -> str:
    """An action of the log in words, as far as it is one of those that people ask about."""
    words = {
        "case.read": _("Opened the case"),
        "story.read": _("Read the story"),
        "record.list": _("Opened the list of records"),
        "records.list": _("Opened the list of records"),
        "record.read": _("Read a record"),
        "record.download": _("Downloaded a record"),
        "record.upload": _("Added a record"),
        "record.receive": _("Sent images"),
        "inbox.assign": _("Added images from the inbox"),
        "record.decide": _("Decided on a doubtful record"),
        "message.read": _("Read messages"),
        "message.send": _("Wrote a message"),
        "report.read": pgettext("done by somebody", "Read the report"),
        "report.list": _("Opened the page of the report"),
        "report.download": _("Downloaded the report"),
        "link.open": _("Opened a link"),
        "link.make": _("Made a link"),
        "link.revoke": _("Closed a link"),
        "consent.give": _("Gave consent"),
        "consent.withdraw": _("Withdrew consent"),
        "case.read_dates": _("Opened the dates of the case"),
        "story.save": _("Saved a part of the story"),
        "recap.confirm": _("Confirmed the summary"),
        "offer.choose": _("Chose whom to ask"),
        "offer.open": _("Asked a specialist"),
        "offer.declare": _("Declared conflicts of interest"),
        "blind_read.save": _("Saved the first impression"),
        "blind_read.reveal": _("Opened the first opinion"),
        "opinion.start": _("Began the opinion"),
        "opinion.save": _("Saved the opinion"),
        "finding.add": _("Added a finding"),
        "quality.save": _("Saved the quality check"),
        "report.seal": _("Sealed the report"),
        "report.deliver": _("Delivered the report"),
        "access_history.read": _("Looked at this list"),
    }
    room, _dot, verb = action.partition(".")
    known = words.get(action) or (event_titles().get(verb) if room == "case" else None)
    return known or action.replace("_", " ").replace(".", ": ")
