"""The record checklist: what a record answers for certain is ticked, the rest waits for a person."""

import pytest

from consilium.cases.actions import desk
from consilium.cases.actions.records import AGAIN_AFTER, take_note, tick_checklist
from consilium.cases.models import Case
from consilium.core import clock, jobs
from consilium.testing import factories

pytestmark = pytest.mark.django_db


def here(case: Case) -> set[str]:
    return set(case.record_requests.filter(status="here").values_list("item", flat=True))


def test_a_letter_answers_the_letter_and_nothing_it_only_might_hold(cast):
    case = factories.draft(cast)
    factories.plain_record(case)
    tick_checklist(case)
    assert here(case) == {"treating-letter"}


def test_images_answer_only_what_asks_for_their_device(cast):
    case = factories.draft(cast)
    images = factories.plain_record(case, "MRI", kind="imaging", facts={"modality": "MR", "body_part": "LSPINE"})
    tick_checklist(case)
    assert here(case) == {"mri"}
    suggested = desk.suggest_here(case)
    assert suggested["mri"] == [images]
    assert suggested["xray-standing"] == []


def test_images_of_another_body_part_answer_nothing(cast):
    case = factories.draft(cast)
    factories.plain_record(case, "MRI", kind="imaging", facts={"modality": "MR", "body_part": "BRAIN"})
    tick_checklist(case)
    assert here(case) == set()


SERIES = {"modality": "MR", "body_part": "LSPINE", "images": 30}
SHOT = {"modality": "OT", "images": 1, "secondary": True}


@pytest.mark.parametrize(
    ("facts", "ticked", "suggested"),
    [
        ({"modality": "OT", "series": [SHOT, SERIES]}, True, True),  # a screenshot that was filed first
        ({"modality": "MR", "series": [SERIES, SERIES | {"body_part": "BRAIN"}]}, True, True),
        ({"modality": "MR"}, False, True),  # nobody knows of what: a person looks
        ({"modality": "MR", "series": [{"modality": "MR", "images": 30}]}, False, True),
        ({"modality": "MR", "series": [SERIES | {"secondary": True}]}, False, True),  # pictures of a screen
        ({"modality": "MR", "series": [SERIES | {"body_part": "BRAIN"}]}, False, False),
        ({"modality": "OT", "series": [SHOT]}, False, False),
    ],
)
def test_only_what_the_headers_say_for_certain_is_ticked(cast, facts, ticked, suggested):
    case = factories.draft(cast)
    images = factories.plain_record(case, "MRI", kind="imaging", facts=facts)
    tick_checklist(case)
    assert ("mri" in here(case)) == ticked
    assert (images in desk.suggest_here(case).get("mri", [])) == suggested


def test_what_images_show_is_noted_when_they_were_looked_at(cast):
    case = factories.draft(cast)
    images = factories.plain_record(case, "Study", kind="imaging", facts={"modality": "OT"})
    images.files.update(filed_at=None)
    take_note(case)
    assert here(case) == set()
    images.facts = {"modality": "OT", "series": [SHOT, SERIES]}
    images.save()
    images.files.update(filed_at=clock.now())
    with clock.frozen(clock.now() + AGAIN_AFTER):
        jobs.drain()
    assert here(case) == {"mri"}


def test_the_report_on_images_is_not_the_images(cast):
    case = factories.draft(cast)
    factories.plain_record(case, "Report", kind="imaging_report")
    tick_checklist(case)
    assert here(case) == {"mri-report"}


@pytest.mark.parametrize("problem", ["encrypted_pdf", "damaged_pdf", "no_preview", "unsupported"])
def test_a_letter_that_nobody_can_open_answers_nothing(cast, problem):
    case = factories.draft(cast)
    factories.plain_record(case, status="flagged", problems=[problem])
    tick_checklist(case)
    assert here(case) == set()
    factories.plain_record(case, "The letter without its password")
    tick_checklist(case)
    assert here(case) == {"treating-letter"}


def test_images_of_which_one_has_no_preview_are_still_the_images(cast):
    case = factories.draft(cast)
    facts = {"modality": "MR", "body_part": "LSPINE"}
    factories.plain_record(case, "MRI", kind="imaging", facts=facts, status="flagged", problems=["no_preview"])
    tick_checklist(case)
    assert here(case) == {"mri"}
