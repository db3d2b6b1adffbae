"""What upload pages know of resumable uploads: where they go, and which are unfinished. Pure preparation."""

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from consilium.cases.models import Case
from consilium.records.models import Transfer
from consilium.web.patient.present.wording import day, size

BUNDLE = re.compile(r"disc-[0-9-]{10}\.tar")  # the name our own pages give to a packed folder (resumable.ts)


def address(case: Case) -> str:
    """Where tus clients begin an upload."""
    return f"/data/cases/{case.pk}/uploads"


def context(case: Case, unfinished: Iterable[Transfer]) -> dict[str, Any]:
    """`tus` and `unfinished` of an upload page; what never got a byte is not worth a word."""
    rows = [_row(case, one) for one in unfinished if one.offset]
    return {"tus": address(case), "unfinished": rows}


def _row(case: Case, one: Transfer) -> dict[str, Any]:
    bundle = bool(BUNDLE.fullmatch(str(one.metadata.get("name", ""))))
    return {
        "name": title(case, one),
        "bundle": bundle,
        "percent": one.offset * 100 // one.length,
        "offset": one.offset,
        "length": one.length,
        "size": size(one.length),
        "fingerprint": one.metadata.get("fingerprint", ""),
        "address": f"{address(case)}/{one.pk}",
        "until": day(one.expires_at, case),
        "discard": reverse("upload_discard", args=[case.pk, one.pk]),
    }


def title(case: Case, one: Transfer) -> str:
    """What somebody calls it who began to send it."""
    name, began = str(one.metadata.get("name", "")), day(one.created_at, case)
    if BUNDLE.fullmatch(name) or not name:
        return _("Your disc of %(day)s") % {"day": began}
    return _("“%(name)s” of %(day)s") % {"name": name, "day": began}


def shown(name: str, at: datetime, case: Case) -> str:
    """The name of an upload in a list: a packed folder has one that only machines like."""
    return _("Disc of %(day)s") % {"day": day(at, case)} if BUNDLE.fullmatch(name) else name or _("File")
