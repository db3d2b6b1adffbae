"""The steps a desk or triage page can take, as a table: what is asked before, and the verb that runs.

Which of them is possible now comes from cases/workflow.py; here stands only how the page asks.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from consilium.access.principals import Principal
from consilium.cases.actions import advance, offers
from consilium.cases.models import Case
from consilium.core.errors import NotFound

Run = Callable[[Case, Principal, str], Any]


@dataclass(frozen=True)
class StepPage:
    """One step: the note it asks for (none without a label), whether it must be written, and what runs."""

    verb: str
    label: Promise | str = ""  # when the table's own words are meant for the patient
    note: Promise | str = ""
    hint: Promise | str = ""
    required: bool = True
    danger: bool = False
    run: Run | None = None

    def take(self, case: Case, note: str, *, by: Principal) -> None:
        """Take the step through its verb."""
        if self.run:
            self.run(case, by, note)
        else:
            advance(case, self.verb, by=by, note=note)


def _take_back(case: Case, by: Principal, note: str) -> None:
    offers.take_back(case, by=by)


# fmt: off
TABLE: tuple[StepPage, ...] = (
    StepPage("send_back", note=_("What should the patient change or add?"), hint=_("The patient reads these words.")),
    StepPage("turn_down", note=_("Why, and where can the person go instead?"),
             hint=_("The patient reads these words. Please write them kindly."), danger=True),
    StepPage("complete_records"),
    StepPage("reopen_records"),
    StepPage("escalate_offers", run=_take_back),
    StepPage("hand_back", note=_("Why does the case go back?"), danger=True),
    StepPage("deliver"),
    StepPage("begin_follow_up"),
    StepPage("close"),
    StepPage("withdraw", note=_("Who asked for it, and how?"), required=False, danger=True),
    StepPage("hold", note=_("Why does the case stand still?")),
    StepPage("resume", note=_("Why can the case go on?")),
    StepPage("raise_urgent", note=_("What did you see, and what should happen today?"),
             hint=_("The coordinator reads this and calls the patient."), danger=True),
    StepPage("acknowledge_urgent", label=_("Record whom you reached"), note=_("Whom did you reach, how and when?"),
             hint=_("For example: Ms Berger by telephone at 10:20, Dr Weiss at 10:40.")),
)
# fmt: on
BY_VERB = {step.verb: step for step in TABLE}


def step_for(verb: str) -> StepPage:
    """The step of that verb; an unknown one does not exist."""
    if verb not in BY_VERB:
        raise NotFound()
    return BY_VERB[verb]
