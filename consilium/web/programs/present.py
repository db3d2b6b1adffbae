"""Keys for other programs as rows, and the addresses to paste. Pure preparation."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from consilium.cases.models import Case
from consilium.records.models import DataToken
from consilium.web.patient.present.wording import moment
from consilium.web.programs import sending


def addresses(case: Case) -> dict[str, str]:
    """Full addresses of the case's DICOMweb and upload roots."""
    return {
        "dicomweb": f"{settings.PUBLIC_URL}/data/cases/{case.pk}/dicomweb",
        "uploads": f"{settings.PUBLIC_URL}{sending.address(case)}",
    }


def key(case: Case, token: DataToken, now: datetime) -> dict[str, Any]:
    """One key of the list."""
    living = token.revoked_at is None and token.expires_at > now
    ended = _("ended") if token.revoked_at else _("run out")
    return {
        "id": token.pk,
        "label": token.label or _("Another program"),
        "allows": allows(token),
        "living": living,
        "state": _("works") if living else ended,
        "until": moment(token.expires_at, case),
        "used": moment(token.last_used_at, case) if token.last_used_at else "",
    }


def allows(token: DataToken) -> str:
    """What the key lets a program do."""
    if token.may_read and token.may_add:
        return _("may read and add records")
    return _("may add records") if token.may_add else _("may read records")
