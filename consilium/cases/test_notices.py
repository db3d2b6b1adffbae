"""Who is told by mail: those who hold the role now, and nobody who once did."""

from datetime import timedelta

import pytest

from consilium.cases.models import CaseRole
from consilium.cases.notices import holders
from consilium.core import clock
from consilium.opinions.actions import report as reports
from consilium.testing import factories

pytestmark = pytest.mark.django_db


def test_who_ended_expired_or_was_never_confirmed_is_told_nothing(cast):
    case, ago = factories.told(cast), clock.now() - timedelta(days=1)
    for member, fields in (
        (cast.ben, {"confirmed_at": ago}),
        (cast.eve, {"confirmed_at": ago, "expires_at": ago}),
        (cast.novak, {"confirmed_at": ago, "ended_at": ago}),
        (cast.okafor, {"confirmed_at": None}),
    ):
        CaseRole.objects.create(case=case, user=member.user, role="proxy_act", granted_by="system", **fields)
    assert holders(case, "proxy_act") == [cast.ben.user]
    told = {reference for kind, reference in reports.recipients(case) if kind == "proxy"}
    assert told == {cast.ben.user.ref}


def test_suspended_staff_are_told_nothing(cast):
    case, dora = factories.told(cast), cast.dora
    assert holders(case, "coordinator") == [dora.user]
    dora.user.suspended_at = clock.now()
    dora.user.save()
    assert holders(case, "coordinator") == []
