"""Who may do what, in which phase: two tables, printed on docs/reference/policy.md.

`ROLES` says what a role on a case is. `ACTIONS` grants each action to roles in phases; what is not granted
is denied, and an unknown action is an exception. Verbs of the workflow have their own `who` in
cases/workflow.py. Phases are the values of cases.states.Phase, written out because this file
stands below every model.
"""

from dataclasses import dataclass
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

# fmt: off
ROLES: Final[dict[str, Promise]] = {
    "patient": _("the person the case is about"),
    "proxy_view": _("a relative the patient allowed to read along"),
    "proxy_act": _("a relative the patient allowed to act for them"),
    "support_scribe": _("types what a patient says on the phone or wrote on paper"),
    "treating_clinician": _("the doctor who treats the patient, by account or by a scoped link"),
    "coordinator": _("runs the desk and is the reachable human"),
    "triage_clinician": _("sets pack, urgency and re-reads, marks what the blind read must not show"),
    "offered_specialist": _("a specialist who has been asked and has not answered yet"),
    "specialist": _("the specialist who accepted the case"),
    "re_reader": _("reads images or slides again for the specialist"),
    "panel_chair": _("leads a panel of several specialties"),
    "quality_reviewer": _("checks a signed opinion before it is released"),
    "interpreter": _("translates between patient and specialist"),
    "sponsor": _("pays for a programme and sees totals only"),
    "administrator": _("administers the platform and data protection; no clinical content"),
    "system": _("the scheduler and the workers"),
}

# Memberships that count on every case of the organisation; all other roles are given case by case.
ORGANISATION_WIDE: Final = frozenset(
    {"coordinator", "triage_clinician", "quality_reviewer", "administrator", "sponsor"}
)

# Whoever reviews a case holds no office on it: a desk's pages would tell what the blind read must not know.
REVIEWING: Final = frozenset({"offered_specialist", "specialist", "re_reader"})

PREPARING: Final = ("preparing",)
DESK: Final = ("desk", "matching")
WORK: Final = ("blind", "review", "quality", "signed")
RELEASED: Final = ("released",)
HALTED: Final = ("halted",)
ENDED: Final = ("ended",)
LIVE: Final = DESK + WORK + RELEASED + HALTED
ALL: Final = PREPARING + LIVE + ENDED
GONE: Final = ("erased",)
# fmt: on


@dataclass(frozen=True)
class Action:
    """One row: the phases in which each role may do it; `step_up` asks for a fresh second step."""

    name: str
    label: Promise | str
    grants: dict[str, tuple[str, ...]]
    step_up: bool = False


def _action(name: str, label: Promise | str, step_up: bool = False, **grants: tuple[str, ...]) -> Action:
    return Action(name, label, grants, step_up)


# fmt: off
ACTIONS: Final[dict[str, Action]] = {a.name: a for a in (
    _action("case.view", _("see that the case exists, its state and next step"),
            patient=ALL + GONE, proxy_view=ALL, proxy_act=ALL, support_scribe=PREPARING + DESK,
            treating_clinician=RELEASED, coordinator=ALL + GONE, triage_clinician=LIVE, specialist=LIVE,
            offered_specialist=("matching",), re_reader=WORK, panel_chair=LIVE,
            quality_reviewer=WORK + RELEASED + HALTED, interpreter=LIVE, administrator=ALL + GONE),
    _action("story.view", _("read what the patient told"),
            patient=ALL, proxy_view=ALL, proxy_act=ALL, support_scribe=PREPARING + DESK, coordinator=ALL,
            triage_clinician=LIVE, specialist=WORK + RELEASED + HALTED, re_reader=WORK, panel_chair=LIVE,
            quality_reviewer=("quality", "signed", "released"), interpreter=LIVE),
    _action("summary.view", _("read the de-identified summary of an offer"),
            offered_specialist=("matching",)),
    _action("story.edit", _("change what the patient told"),
            patient=PREPARING, proxy_act=PREPARING, support_scribe=PREPARING),
    _action("story.correct", _("correct the recap before triage"),
            patient=PREPARING + ("desk",), proxy_act=PREPARING + ("desk",), support_scribe=PREPARING + ("desk",)),
    _action("consent.give", _("give or withdraw consent"),
            patient=ALL, proxy_act=PREPARING + ("desk",), support_scribe=PREPARING),
    _action("record.view", _("read the records"),
            patient=ALL, proxy_view=ALL, proxy_act=ALL, coordinator=ALL, triage_clinician=LIVE,
            specialist=WORK + RELEASED + HALTED, re_reader=WORK, panel_chair=LIVE,
            quality_reviewer=("quality", "signed"), support_scribe=PREPARING + DESK),
    _action("record.add", _("add records"),
            patient=PREPARING + DESK + WORK + HALTED, proxy_act=PREPARING + DESK + WORK + HALTED,
            support_scribe=PREPARING + DESK, coordinator=DESK + WORK + HALTED),
    _action("record.remove", _("take a record out (and back)"),
            patient=PREPARING + ("desk",), proxy_act=PREPARING + ("desk",), support_scribe=PREPARING,
            coordinator=("desk",)),
    _action("record.decide", _("decide whether a doubtful record belongs to the patient"),
            patient=PREPARING + ("desk",), proxy_act=PREPARING + ("desk",), coordinator=DESK + WORK),
    _action("record.correct", _("correct the type, date or title of a record"),
            patient=PREPARING + ("desk",), proxy_act=PREPARING + ("desk",), coordinator=DESK + WORK,
            triage_clinician=DESK, specialist=("review",)),
    _action("record.download_all", _("download every record as one archive"), step_up=True,
            patient=ALL),
    # A key opens records outside of this site: for those whose own programs have a use for it.
    _action("key.make", _("make a key with which another program works with the records"), step_up=True,
            patient=ALL, proxy_act=ALL, specialist=WORK + RELEASED + HALTED, coordinator=DESK + WORK + HALTED),
    _action("key.read", _("let that program read the records"),
            patient=ALL, proxy_act=ALL, specialist=WORK + RELEASED + HALTED),
    _action("record.receive", _("receive images that a hospital sends to the case"),
            system=PREPARING + DESK + WORK + HALTED),
    # What waits in the inbox belongs to no case yet: it counts as the desk's.
    _action("inbox.view", _("see images that a hospital sent without naming a case"), coordinator=("desk",)),
    _action("inbox.discard", _("discard images that belong to no case"), coordinator=("desk",)),
    _action("inbox.assign", _("add images from the inbox to the case"), coordinator=DESK + WORK + HALTED),
    _action("identity.check", _("check identity and eligibility"), coordinator=("desk",)),
    _action("identity.view", _("see name, birth date and contact details"),
            patient=ALL, proxy_view=ALL, proxy_act=ALL, coordinator=ALL, support_scribe=PREPARING + DESK,
            triage_clinician=LIVE, specialist=WORK + RELEASED + HALTED, panel_chair=LIVE,
            quality_reviewer=("quality", "signed"), treating_clinician=RELEASED + HALTED, interpreter=LIVE),
    # An urgent case is halted in any phase, and the treating doctor is reached the same day.
    _action("urgent.view", _("read an urgent message that waits to be received"),
            patient=HALTED, proxy_act=HALTED, coordinator=HALTED, treating_clinician=HALTED),
    _action("request.manage", _("ask for missing records, waive with a reason"),
            coordinator=DESK + WORK, triage_clinician=("desk",), specialist=("review",)),
    _action("clock.stop", _("stop and start the clock with a coded reason"),
            coordinator=LIVE, specialist=("blind", "review"), triage_clinician=("desk",)),
    _action("triage.set", _("set specialty, urgency, complexity and re-reads"), triage_clinician=("desk",)),
    _action("conclusion.mark", _("mark the pages that state the first conclusion"),
            triage_clinician=DESK, coordinator=DESK),
    _action("offer.manage", _("choose specialists and make offers"), coordinator=DESK),
    _action("blind_read.write", _("write the blind first impression"), specialist=("blind",)),
    _action("blind_read.view", _("read the locked first impression"),
            specialist=("review", "quality", "signed", "released", "halted"), quality_reviewer=("quality", "signed"),
            panel_chair=("review", "quality")),
    _action("first_opinion.view", _("read the first opinion's conclusion"),
            patient=ALL, proxy_view=ALL, proxy_act=ALL, support_scribe=PREPARING + DESK, coordinator=ALL,
            triage_clinician=LIVE, specialist=("review", "quality", "signed", "released", "halted"),
            panel_chair=("review", "quality", "signed", "released"),
            quality_reviewer=("quality", "signed", "released"), treating_clinician=RELEASED),
    _action("opinion.write", _("write the opinion"), specialist=("review",)),
    _action("opinion.view_draft", _("read the opinion before release"),
            specialist=("review", "quality", "signed", "released", "halted"), quality_reviewer=("quality", "signed")),
    _action("quality.review", _("carry out the quality check"), quality_reviewer=("quality",)),
    _action("addendum.write", _("write an addendum"), specialist=RELEASED),
    _action("oral.record", _("record that the oral explanation was held"),
            coordinator=("signed",), specialist=("signed",)),
    _action("report.view", _("read and download the released report"),
            # a case on hold may have been released before: nobody loses what they hold in their hands
            patient=RELEASED + HALTED + ENDED, proxy_view=RELEASED + HALTED, proxy_act=RELEASED + HALTED,
            treating_clinician=RELEASED + HALTED, specialist=RELEASED + HALTED,
            coordinator=RELEASED + HALTED + ENDED, quality_reviewer=RELEASED),
    _action("clarification.ask", _("ask about the report or correct a fact"),
            patient=RELEASED, proxy_act=RELEASED),
    _action("clarification.view", _("read questions about the report and their answers"),
            patient=RELEASED, proxy_view=RELEASED, proxy_act=RELEASED, specialist=RELEASED, coordinator=RELEASED),
    _action("clarification.answer", _("answer questions about the report"), specialist=RELEASED),
    _action("message.view", _("read messages one is party to"),
            patient=ALL, proxy_view=ALL, proxy_act=ALL, coordinator=ALL, specialist=WORK + RELEASED + HALTED,
            triage_clinician=DESK, treating_clinician=RELEASED, quality_reviewer=("quality",), interpreter=LIVE),
    _action("message.send", _("write messages"),
            patient=PREPARING + LIVE, proxy_act=PREPARING + LIVE, coordinator=PREPARING + LIVE,
            specialist=WORK + RELEASED + HALTED, triage_clinician=DESK, treating_clinician=RELEASED,
            quality_reviewer=("quality",)),
    _action("team.manage", _("invite and end relatives and treating doctors"), step_up=True,
            patient=PREPARING + LIVE),
    _action("link.manage", _("make and revoke a link for the treating doctor"), step_up=True,
            patient=LIVE, proxy_act=RELEASED, coordinator=("signed", "released")),
    _action("access_history.view", _("see who looked at what and when"),
            patient=ALL + GONE, proxy_act=ALL, administrator=ALL + GONE),
    _action("follow_up.answer", _("answer the follow-up questions"), patient=RELEASED, proxy_act=RELEASED),
    _action("legal_hold.set", _("set or lift a legal hold"), step_up=True, administrator=ALL),
    _action("erasure.request", _("ask for erasure"), step_up=True, patient=PREPARING + RELEASED + ENDED),
    _action("workflow.view", _("see the history of steps"),
            patient=ALL + GONE, proxy_view=ALL, proxy_act=ALL, coordinator=ALL + GONE, triage_clinician=LIVE,
            specialist=WORK + RELEASED + HALTED, quality_reviewer=("quality", "signed"), administrator=ALL + GONE),
)}
# fmt: on
