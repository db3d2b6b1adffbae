"""The story as titled rows: codes become words, and a blind reader gets it without the first opinion."""

import pytest

from consilium.cases import story
from consilium.cases.actions import intake
from consilium.testing import factories
from consilium.testing.cast import Cast

pytestmark = pytest.mark.django_db


def test_codes_become_words(cast: Cast) -> None:
    case, by = factories.draft(cast), cast.anna.by
    intake.save_section(case, "symptoms", {"regions": ["lower-back"], "course": "waves"}, by=by)
    intake.save_section(case, "answers", {"dominant-pain": "leg", "weakness": "no", "walking-distance": 400}, by=by)
    rows = {row.code: row for part in story.parts(case) for row in part.rows}
    assert rows["regions"].text == "Lower back"
    assert rows["course"].text == "It comes and goes"
    assert (rows["dominant-pain"].label, rows["dominant-pain"].text) == ("Where is the pain stronger?", "In the leg")
    assert rows["weakness"].text == "No"
    assert rows["walking-distance"].text == "400 m"


def test_zero_is_an_answer(cast: Cast) -> None:
    case = factories.draft(cast)
    intake.save_section(case, "answers", {"walking-distance": 0}, by=cast.anna.by)
    assert "0 m" in [row.text for part in story.parts(case) for row in part.rows]


def test_first_opinion_can_be_left_out(cast: Cast) -> None:
    case = factories.told(cast)
    whole = str(story.parts(case))
    assert "Spinal fusion L4/L5" in whole
    blind = str(story.parts(case, first_opinion=False))
    assert "Spinal fusion L4/L5" not in blind
    assert "Walk the dog" in blind
