"""What became of an upload, in one line: how much of it was taken in, what was left out, what is to look at."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from consilium.records.filing import base
from consilium.records.models import Record, Upload
from consilium.records.problems import TABLE
from consilium.web.programs import sending

NOTES_SHOWN = 20
AGAIN = ("duplicate", "copy")


def is_worth_a_word(row: Upload) -> bool:
    """A single letter that became a record says all by standing in the list."""
    whole = row.members > 1 or row.notes or sending.is_bundle(row.name)
    return row.status == Upload.Status.DONE and bool(whole)


def told(row: Upload, name: str, records: Iterable[Record]) -> dict[str, Any]:
    """{"id", "name", "text", "notes"} of an upload that was read. records: all of the case, also those taken out."""
    text = sentence(row.notes[0].get("code", "")) if _is_about_itself(row) else summary(row, records)
    return {"id": str(row.pk), "name": name, "text": text, "notes": notes(row)}


def summary(row: Upload, records: Iterable[Record]) -> str:
    """The line of a folder or zip: "112 files: 98 images and 6 documents taken in, 7 here already, 1 to look at"."""
    counted, noted = _taken(row, records), Counter[str]()
    for note in row.notes:
        noted[note.get("code", "")] += _stands_for(note)
    left, again = noted["left_out"], sum(noted[code] for code in AGAIN)
    look = noted.total() - left - again
    if left:
        words = ngettext("%(n)s part of the disc's viewer left out", "%(n)s parts of the disc's viewer left out", left)
        counted.append(words % {"n": left})
    if again:
        counted.append(ngettext("%(n)s here already", "%(n)s here already", again) % {"n": again})
    if look:
        counted.append(ngettext("%(n)s to look at", "%(n)s to look at", look) % {"n": look})
    unlisted = noted.total() - len(row.notes)
    every = row.members + len({note["name"] for note in row.notes if note.get("name")}) + unlisted
    files = ngettext("%(n)s file", "%(n)s files", every) % {"n": every}
    return f"{files}: {', '.join(counted)}" if counted else files


def _taken(row: Upload, records: Iterable[Record]) -> list[str]:
    """Images join studies, which may have come with an earlier upload; every document is a record of its own."""
    documents = sum(record.upload_id == row.pk and not record.images for record in records)
    images = max(row.members - documents, 0)
    parts = [ngettext("%(n)s image", "%(n)s images", images) % {"n": images}] if images else []
    parts += [ngettext("%(n)s document", "%(n)s documents", documents) % {"n": documents}] if documents else []
    if len(parts) == 2:
        parts = [_("%(one)s and %(other)s") % {"one": parts[0], "other": parts[1]}]
    return [_("%(what)s taken in") % {"what": what} for what in parts]


def notes(row: Upload) -> dict[str, Any] | None:
    """Members of an archive that were left out or looked at with a note; None without any."""
    if not row.notes or _is_about_itself(row):
        return None
    said = [note for note in row.notes if note.get("code") != "left_out"]
    shown = _of_every_kind(said)
    rows = [{"name": note.get("name", ""), "text": sentence(note.get("code", ""))} for note in shown]
    left_out = sum(map(_stands_for, row.notes)) - sum(map(_stands_for, said))
    return {"rows": rows, "more": sum(map(_stands_for, said)) - len(rows), "left_out": left_out}


def _of_every_kind(said: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """About NOTES_SHOWN, in their order: twenty empty files must not hide the one with a password."""
    kinds = {note.get("code", "") for note in said}
    most, told = max(1, NOTES_SHOWN // max(1, len(kinds))), Counter[str]()
    shown = []
    for note in said:
        told[note.get("code", "")] += 1
        if len(said) <= NOTES_SHOWN or told[note.get("code", "")] <= most:
            shown.append(note)
    return shown


def _stands_for(note: dict[str, Any]) -> int:
    """How many files: itself, and those like it that are not listed (ingest.py)."""
    return 1 + int(note.get("more") or 0)


def _is_about_itself(row: Upload) -> bool:
    """Whether the only note of an upload is about the upload, not about something in it."""
    return len(row.notes) == 1 and row.notes[0].get("name") in (row.name, base(row.name))


def sentence(code: str) -> str:
    """The plain sentence of a problem code."""
    if code == "duplicate":
        return _("You sent this file before. We keep it once.")
    return str(TABLE[code].sentence) if code in TABLE else _("We could not use this file. Please ask your coordinator.")
