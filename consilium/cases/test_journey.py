"""One case from draft to follow-up by the verbs alone: the spine of the product."""

import pytest

from consilium.cases.states import State
from consilium.testing import factories

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("state", State.values)
def test_every_state_is_reached_by_verbs(cast, state):
    case = factories.case_in(state, cast)
    case.refresh_from_db()
    assert case.state == state
    assert case.events.exists() and (state in ("draft",) or case.version > 0)
