"""What the image viewer's page needs to know. Pure preparation; the page's own script hands it to the viewer."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.urls import reverse

from consilium.cases.models import Case
from consilium.records.models import Record, RecordFile

FOLDER = Path(settings.PACKAGE_DIR) / "web" / "static" / "viewer"
STUDY, SERIES, INSTANCE = "0020000D", "0020000E", "00080018"  # PS3.6: the UIDs of a DICOM image


@dataclass(frozen=True)
class Installed:
    """The viewer that scripts/viewer_assets put in place: its folder's address and its two files."""

    base: str
    script: str
    style: str


def installed() -> Installed | None:
    """None when set-up could not fetch the viewer."""
    return _installed(FOLDER / "installed.json")


@cache
def _installed(note: Path) -> Installed | None:
    try:
        known = json.loads(note.read_text())
    except (OSError, ValueError):
        return None
    base = f"{settings.STATIC_URL}viewer/{known['build']}/"
    return Installed(base, base + known["script"], base + known["style"])


def newest(records: list[Record]) -> Record | None:
    """The images somebody sees first who asks for the case's viewer without saying which."""
    ordered = sorted(records, key=lambda r: (r.clinical_date or "", r.added_at.isoformat()))
    return ordered[-1] if ordered else None


def opening(record: Record, file_id: str = "") -> dict[str, str]:
    """UIDs of what to open: the study of the record; with a file its series and image, too. Empty when unknown."""
    chosen = record.files.filter(pk=file_id).first() if _is_uuid(file_id) else None
    file = chosen or record.files.exclude(instance="").first()
    study = uid(file, STUDY) if file else ""
    if not study:
        return {}
    found = {"study": study}
    return found | ({"series": uid(chosen, SERIES), "instance": uid(chosen, INSTANCE)} if chosen else {})


def uid(file: RecordFile, tag: str) -> str:
    """A UID of the image's header, "" when the header was not read."""
    values: Any = ((file.header or {}).get("tags", {}).get(tag) or ["UI", []])[1]
    return str(values[0]) if values else ""


def places(case: Case, record: Record | None) -> dict[str, str]:
    """Addresses: where the viewer's router starts, where it gets images, and where the way back leads."""
    at = reverse("record_viewer", args=[case.pk, record.pk]) if record else reverse("case_viewer", args=[case.pk])
    back = reverse("record", args=[case.pk, record.pk]) if record else reverse("records", args=[case.pk])
    return {
        "at": at,
        "router": at.removesuffix("/viewer/"),
        "images": f"/data/cases/{case.pk}/dicomweb",
        "back": back,
    }


def _is_uuid(text: str) -> bool:
    try:
        return bool(UUID(text))
    except ValueError:
        return False
