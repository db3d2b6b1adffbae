"""The mail with a link for the treating doctor: sent once, by the worker, and stored nowhere in clear."""

import pytest
from django.core import mail
from django_tasks_db.models import DBTaskResult

from consilium.cases.actions import team
from consilium.cases.states import State
from consilium.core import jobs
from consilium.testing import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def made(cast, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    case = factories.case_in(State.DELIVERED, cast)
    jobs.drain()
    mail.outbox.clear()
    recipient = {"name": "Dr Weiss", "institution": "", "email": "praxis@example.org", "telephone": ""}
    return team.make_link(case, by=cast.anna.by, recipient=recipient)


def test_the_link_arrives_once(made, settings):
    address = f"{settings.PUBLIC_URL}/link/{made.token}/"
    team.mail_link(made, address)
    queued = str(list(DBTaskResult.objects.values_list("args_kwargs", flat=True)))
    assert made.token not in queued
    jobs.drain()
    assert [message.to for message in mail.outbox] == [["praxis@example.org"]]
    assert address in mail.outbox[0].body
    assert made.code not in mail.outbox[0].body


def test_a_link_that_was_closed_before_is_not_mailed(made, settings, cast):
    team.mail_link(made, f"{settings.PUBLIC_URL}/link/{made.token}/")
    team.revoke_link(made.link, by=cast.anna.by)
    jobs.drain()
    assert mail.outbox == []
