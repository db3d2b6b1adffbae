"""Asking the patient for a record tells the patient; asking the practice does not."""

import pytest
from django.core import mail

from consilium.cases.actions import desk
from consilium.cases.states import State
from consilium.core import jobs
from consilium.testing import factories

pytestmark = pytest.mark.django_db


def test_the_patient_hears_of_a_record_that_is_wanted(cast, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    case = factories.case_in(State.COLLECTING, cast)
    jobs.drain()
    mail.outbox.clear()
    first, second = case.record_requests.all()[:2]
    desk.set_record_status(case, first.item, "asked", by=cast.dora.by, asked_of="provider", note="By fax, please.")
    jobs.drain()
    assert mail.outbox == []
    desk.set_record_status(case, second.item, "asked", by=cast.dora.by, asked_of="patient", note="The MRI of May.")
    jobs.drain()
    assert [message.to for message in mail.outbox] == [[cast.anna.user.email]]
    assert "MRI" not in mail.outbox[0].body
