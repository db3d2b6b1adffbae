"""What the tests of resumable uploads share."""

from collections.abc import Callable

import pytest

from consilium.cases.models import Case
from consilium.cases.states import State
from consilium.gateways.tus.testing_client import TusClient
from consilium.records import tokens
from consilium.testing import factories
from consilium.testing.cast import Cast, Member

KeyOf = Callable[..., dict[str, str]]


@pytest.fixture
def case(cast: Cast) -> Case:
    return factories.case_in(State.COLLECTING, cast)


@pytest.fixture
def key_of(case: Case) -> KeyOf:
    """`key_of(cast.anna, add=True)`: the header with a token of theirs."""

    def key(who: Member, *, read: bool = True, add: bool = True) -> dict[str, str]:
        _token, text = tokens.issue(case.pk, by=who.by, read=read, add=add)
        return {"authorization": f"Bearer {text}"}

    return key


@pytest.fixture
def tus(case: Case, cast: Cast, key_of: KeyOf) -> TusClient:
    return TusClient(case.pk, key_of(cast.anna))
