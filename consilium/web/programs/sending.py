"""What upload pages know of resumable uploads: where they go, and which are unfinished. Pure preparation."""

import re
from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _

from consilium.cases.models import Case
from consilium.records.models import Transfer, Upload
from consilium.web.patient.present.wording import day, moment, size

BUNDLE = re.compile(r"disc-[0-9-]{10}\.tar")  # the name our own pages give to a packed folder (resumable.ts)


def address(case: Case) -> str:
    """Where tus clients begin an upload."""
    return f"/data/cases/{case.pk}/uploads"


def context(case: Case, unfinished: Iterable[Transfer]) -> dict[str, Any]:
    """`tus`, `unfinished` and `begun` of an upload page.

    What never got a byte is not worth a word. But what was on its way when the page was left is counted a moment
    later: resumable.ts asks again and shows what has something by then.
    """
    begun = list(unfinished)
    often = Counter(title(case, one) for one in begun)
    rows = [_row(case, one, exactly=often[title(case, one)] > 1) for one in begun]
    return {"tus": address(case), "unfinished": rows, "begun": any(row["offset"] for row in rows)}


def _row(case: Case, one: Transfer, *, exactly: bool) -> dict[str, Any]:
    return {
        "name": title(case, one, exactly=exactly),
        "bundle": is_bundle(str(one.metadata.get("name", ""))),
        "percent": one.offset * 100 // one.length,
        "amount": format_html("<span data-percent>{}</span>", one.offset * 100 // one.length),  # resumable.ts moves it
        "offset": one.offset,
        "length": one.length,
        "size": size(one.length),
        "fingerprint": one.metadata.get("fingerprint", ""),
        "address": f"{address(case)}/{one.pk}",
        "until": day(one.expires_at, case),
        "discard": reverse("upload_discard", args=[case.pk, one.pk]),
    }


def title(case: Case, one: Transfer, *, exactly: bool = False) -> str:
    """What somebody calls it who began to send it. exactly: with the time of day, for two of one day."""
    name, began = str(one.metadata.get("name", "")), (moment if exactly else day)(one.created_at, case)
    if is_bundle(name) or not name:
        return _("Your disc of %(day)s") % {"day": began}
    return _("“%(name)s” of %(day)s") % {"name": name, "day": began}


def is_bundle(name: str) -> bool:
    """Whether an upload is a folder that our own pages packed."""
    return bool(BUNDLE.fullmatch(name))


def shown(name: str, at: datetime, case: Case) -> str:
    """The name of an upload in a list: a packed folder has one that only machines like."""
    return _("Disc of %(day)s") % {"day": day(at, case)} if is_bundle(name) else name or _("File")


def names(case: Case, uploads: Iterable[Upload]) -> dict[UUID, str]:
    """Upload → its name in a list, with the time of day where the name (and the day) stands for several."""
    plain = {row: shown(row.name, row.uploaded_at, case) for row in uploads}
    often = Counter(plain.values())
    return {row.pk: name if often[name] == 1 else _exactly(row, name, case) for row, name in plain.items()}


def _exactly(row: Upload, name: str, case: Case) -> str:
    when = {"day": moment(row.uploaded_at, case)}
    return _("Disc of %(day)s") % when if is_bundle(row.name) else _("“%(name)s” of %(day)s") % (when | {"name": name})
