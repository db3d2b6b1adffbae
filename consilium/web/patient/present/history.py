"""Steps and reads in plain words: the history of the case, and who looked at what."""

from typing import Any
from uuid import UUID

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from consilium.cases.models import Case, CaseEvent
from consilium.people.queries import names_of
from consilium.records.models import Record
from consilium.vault.fields import shown
from consilium.web.patient.present.wording import iso, moment

STEPS: dict[str, Promise] = {
    "start": gettext_lazy("The case was begun"),
    "submit": gettext_lazy("You sent the case"),
    "redirect": gettext_lazy("The request was closed"),
    "turn_down": gettext_lazy("We could not help from afar and said where to go instead"),
    "expire": gettext_lazy("The draft expired"),
    "send_back": gettext_lazy("We sent the case back to you"),
    "check_identity": gettext_lazy("Your identity was checked"),
    "check_in": gettext_lazy("Your request was checked and accepted"),
    "record_asked": gettext_lazy("We asked for a record"),
    "record_here": gettext_lazy("A record has arrived"),
    "record_waived": gettext_lazy("A record is not needed"),
    "record_missing": gettext_lazy("A record was marked as missing"),
    "stop_clock": gettext_lazy("The clock was stopped"),
    "start_clock": gettext_lazy("The clock runs again"),
    "complete_records": gettext_lazy("The records are complete"),
    "reopen_records": gettext_lazy("We are collecting records again"),
    "confirm_recap": gettext_lazy("You confirmed the one-page summary"),
    "set_triage": gettext_lazy("A doctor looked at how urgent it is"),
    "mark_conclusions": gettext_lazy("The first opinion was covered for the fresh reading"),
    "offer": gettext_lazy("A specialist was asked"),
    "accept": gettext_lazy("A specialist accepted your case"),
    "decline": gettext_lazy("A specialist could not take it; the next one is asked"),
    "escalate_offers": gettext_lazy("Your coordinator is looking for another specialist"),
    "lock_blind_read": gettext_lazy("The specialist wrote down a first, fresh view"),
    "hand_back": gettext_lazy("The specialist handed the case back; we look for another one"),
    "sign": gettext_lazy("The specialist signed the report"),
    "return_for_revision": gettext_lazy("The check asked for improvements"),
    "pass_quality": gettext_lazy("The report passed the check"),
    "oral_explanation": gettext_lazy("The result was explained to you"),
    "deliver": gettext_lazy("The report was delivered"),
    "ask_clarification": gettext_lazy("You asked about the report"),
    "answer_clarification": gettext_lazy("Your question was answered"),
    "issue_addendum": gettext_lazy("A new version of the report was signed"),
    "begin_follow_up": gettext_lazy("The time for questions is over"),
    "close": gettext_lazy("The case was closed"),
    "archive": gettext_lazy("The case was archived"),
    "erase": gettext_lazy("The case was erased"),
    "withdraw": gettext_lazy("The case was withdrawn"),
    "hold": gettext_lazy("The case was paused"),
    "resume": gettext_lazy("The case goes on"),
    "raise_urgent": gettext_lazy("A doctor sent an urgent message"),
    "acknowledge_urgent": gettext_lazy("The urgent message was received"),
    "request_erasure": gettext_lazy("You asked for erasure"),
    "legal_hold": gettext_lazy("The case must be kept for legal reasons"),
    "legal_hold_lifted": gettext_lazy("The case need not be kept any longer"),
}
# The words of the desk for the patient; other notes are for colleagues.
NOTES_FOR_PATIENT = {"turn_down", "send_back", "raise_urgent"}

DOINGS: dict[str, Promise] = {
    "case.view": gettext_lazy("looked at the case"),
    "story.read": gettext_lazy("read the story"),
    "story.save": gettext_lazy("wrote a part of the story"),
    "record.read": gettext_lazy("read a record"),
    "record.view": gettext_lazy("read a record"),
    "records.list": gettext_lazy("looked at the list of records"),
    "record.list": gettext_lazy("looked at the list of records"),
    "record.upload": gettext_lazy("sent a record"),
    "record.receive": gettext_lazy("sent images"),
    "inbox.assign": gettext_lazy("added images that a hospital had sent"),
    "record.download": gettext_lazy("downloaded a record"),
    "record.download_all": gettext_lazy("downloaded everything"),
    "record.remove": gettext_lazy("took a record out"),
    "record.restore": gettext_lazy("brought a record back"),
    "record.decide": gettext_lazy("decided whose record it is"),
    "record.correct": gettext_lazy("corrected how a record is listed"),
    "report.read": gettext_lazy("read the report"),
    "report.view": gettext_lazy("read the report"),
    "report.download": gettext_lazy("downloaded the report"),
    "report.seal": gettext_lazy("sealed the report"),
    "report.deliver": gettext_lazy("delivered the report"),
    "message.read": gettext_lazy("read messages"),
    "message.send": gettext_lazy("wrote a message"),
    "consent.give": gettext_lazy("gave a consent"),
    "consent.withdraw": gettext_lazy("took back a consent"),
    "recap.confirm": gettext_lazy("confirmed the one-page summary"),
    "team.invite": gettext_lazy("invited a relative"),
    "team.confirm": gettext_lazy("accepted the invitation"),
    "team.end": gettext_lazy("ended a relative's access"),
    "link.make": gettext_lazy("made a link for a doctor"),
    "link.open": gettext_lazy("opened the link with the code"),
    "link.revoke": gettext_lazy("closed a link"),
    "offer.open": gettext_lazy("asked a specialist"),
    "offer.declare": gettext_lazy("declared conflicts of interest"),
    "clarification.ask": gettext_lazy("asked about the report"),
    "clarification.answer": gettext_lazy("answered a question about the report"),
    "follow_up.answer": gettext_lazy("answered the short questions"),
    "access.history": gettext_lazy("looked at who looked"),
    "case.desk_note": gettext_lazy("wrote a note for the desk"),
    "blind_read.save": gettext_lazy("wrote down a first view"),
    "blind_read.reveal": gettext_lazy("opened the first opinion after the fresh reading"),
    "addendum.start": gettext_lazy("began a new version of the report"),
    "addendum.note": gettext_lazy("wrote what the new version changes"),
    "addendum.discard": gettext_lazy("put a new version of the report aside"),
    "case.read": gettext_lazy("looked at the case"),
    "conclusion.mark": gettext_lazy("covered the first opinion for the fresh reading"),
    "finding.add": gettext_lazy("noted a finding"),
    "finding.change": gettext_lazy("changed a finding"),
    "finding.remove": gettext_lazy("removed a finding"),
    "offer.choose": gettext_lazy("chose specialists to ask"),
    "offer.read": gettext_lazy("read the short summary without your name"),
    "opinion.start": gettext_lazy("began to write the report"),
    "quality.save": gettext_lazy("checked a part of the report"),
    "record.create": gettext_lazy("added a record"),
    "report.list": gettext_lazy("looked at the list of reports"),
    "triage.set": gettext_lazy("set how urgent the case is"),
    "urgent.read": gettext_lazy("read the urgent message"),
    "person.read": gettext_lazy("looked at name and contact details"),
    "opinion.save": gettext_lazy("wrote a part of the report"),
    "opinion.read": gettext_lazy("read the draft of the report"),
}
PER_PAGE = 25


def steps(case: Case, events: list[CaseEvent]) -> list[dict[str, Any]]:
    """Timeline entries, the newest first."""
    names = names_of([event.by for event in events])
    erased = case.state == "erased"
    rows = []
    for event in reversed(events):
        shown = event.verb in NOTES_FOR_PATIENT and not erased
        rows.append(
            {
                "when": moment(event.at, case),
                "iso": iso(event.at),
                "title": STEPS.get(event.verb, event.verb.replace("_", " ")),
                "text": event.note if shown else "",
                "who": _who(event.by, names, {}),
            }
        )
    return rows


def looks(case: Case, events: list[Any]) -> list[list[Any]]:
    """Rows (when, who, what) of audit entries."""
    refs = sorted({event.agent for event in events})
    names = names_of(refs)
    links = case.guest_links.all()
    doctors = {f"guest:{link.pk}": str(shown(link, "recipient", {}).get("name", "")) for link in links}
    titles = _titles(case, events)
    return [
        [
            {"text": moment(event.recorded, case)},
            {"text": _who(event.agent, names, doctors)},
            {"text": _what(event.action), "note": titles.get(event.thing, "")},
        ]
        for event in events
    ]


def _who(ref: str, names: dict[str, str], doctors: dict[str, str]) -> str:
    if ref == "system":
        return _("Consilium (automatic)")
    if ref.startswith("dimse:"):
        return _("A hospital's system (%(name)s)") % {"name": ref.partition(":")[2]}
    if ref.startswith("guest:"):
        return doctors.get(ref) or _("Your doctor, by link")
    return names.get(ref) or _("A person who has left")


def _what(action: str) -> Any:
    if action in DOINGS:
        return DOINGS[action]
    verb = action.removeprefix("case.")
    return STEPS.get(verb) or action.replace("_", " ").replace(".", ": ")


def _titles(case: Case, events: list[Any]) -> dict[str, str]:
    """Titles of the records that the entries speak of, in one query."""
    ids = {UUID(event.thing.split(":", 1)[1]) for event in events if event.thing.startswith("record:")}
    if not ids:
        return {}
    rows = Record.objects.filter(space=case.pk, pk__in=ids)
    return {f"record:{row.pk}": row.title or row.get_kind_display() for row in rows}
