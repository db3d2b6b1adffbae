"""The record checklist: what a record answers for certain is ticked, the rest waits for a person."""

import pytest

from consilium.cases.actions import desk
from consilium.cases.actions.records import tick_checklist
from consilium.cases.models import Case
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
