"""Pictures of a record of which something is withheld stay closed to who reads blind, as its file does."""

import pytest
from django.conf import settings
from django.urls import reverse

from consilium.cases.states import State
from consilium.records.models import Preview
from consilium.testing import factories
from consilium.vault import blobs
from consilium.web import bytes_gate
from consilium.web.tests.visitor import cookie_of

pytestmark = pytest.mark.django_db


def test_a_frame_of_a_withheld_record_is_closed_until_the_impression_is_locked(cast, as_):
    case = factories.case_in(State.BLIND_READ, cast)
    record = factories.plain_record(case, "MR", kind="imaging", images=1, conclusion_pages=[0])
    file = record.files.get()
    picture = blobs.put([b"picture"], space=case.pk, tenant=case.organisation_id)
    Preview.objects.create(file=file, kind="frame", index=0, blob=picture.id, media_type="image/png", width=1, height=1)
    cookies = {settings.SESSION_COOKIE_NAME: cookie_of(cast.chen)}
    windowed = reverse("windowed_frame", args=[case.pk, record.pk, file.pk, 0]) + "?centre=1&width=1"
    assert bytes_gate.open_record(cookies, file.pk, "file:frame:0") is None
    assert as_(cast.chen).get(windowed).status_code == 404
    factories._lock(case, cast)
    assert bytes_gate.open_record(cookies, file.pk, "file:frame:0") is not None
