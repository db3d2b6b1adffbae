"""What the tests of DICOMweb share."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from django.conf import settings
from django.db import connections

from consilium.access.rules import may
from consilium.cases.models import Case
from consilium.cases.states import State
from consilium.gateways.dicomweb.app import DicomWeb
from consilium.gateways.dicomweb.testing_client import Client, application
from consilium.records import tokens
from consilium.testing import factories
from consilium.testing.cast import Cast, Member
from consilium.web.case_gate import ask
from consilium.web.tests.visitor import cookie_of

ClientOf = Callable[..., Client]
SAMPLES = Path(os.environ.get("CONSILIUM_SAMPLES", "")) / "dicom"


@pytest.fixture
def case(cast: Cast) -> Case:
    return factories.case_in(State.COLLECTING, cast)


@pytest.fixture
def app(db: None) -> Iterator[DicomWeb]:
    pool = ThreadPoolExecutor(2)
    made = application(ask, pool)
    yield made
    made.close()
    together = Barrier(2)

    def let_go() -> None:
        together.wait(20)  # one for each thread
        connections.close_all()

    for done in [pool.submit(let_go), pool.submit(let_go)]:
        done.result()
    pool.shutdown()


@pytest.fixture
def client_of(app: DicomWeb) -> ClientOf:
    """`client_of(cast.anna, case)`: a DICOMweb client with a token of theirs for a case.

    Who may not let a program read comes with the session of a browser.
    """

    def client(who: Member, case: Case, *, read: bool = True, add: bool = True) -> Client:
        if read and not may("key.read", case, who.by):
            return Client(app, case.pk, cookie=f"{settings.SESSION_COOKIE_NAME}={cookie_of(who)}")
        _token, text = tokens.issue(case.pk, by=who.by, read=read, add=add)
        return Client(app, case.pk, text)

    return client


@pytest.fixture
def anna(cast: Cast, case: Case, client_of: ClientOf) -> Client:
    return client_of(cast.anna, case)
