"""The table of everything that can be wrong with a file, each with one sentence that says what to do.

Codes are stable: they are stored beside a record and used by tests, the API and translations of other
systems. Sentences may be reworded at any time. Severity "flag" means the file is kept and used, with a note;
"refuse" means that this file (or this part of an archive) is not taken into the case. The original bytes are
never altered either way.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Severity = Literal["flag", "refuse"]


@dataclass(frozen=True)
class Problem:
    """One thing that a person should know about a file. `sentence` is a lazy translation."""

    code: str
    sentence: str | Promise
    severity: Severity = "flag"


_ROWS: tuple[tuple[str, Severity, str | Promise], ...] = (
    # -- the file as such
    ("empty", "refuse", _("This file is empty. Please choose the file again and upload it once more.")),
    ("too_large", "flag", _("This file is too large for a preview. Your doctor can still download it.")),
    (
        "unsupported",
        "flag",
        _("We keep this file, but cannot show it here. If you can, please send it as a PDF or a photo as well."),
    ),
    (
        "no_preview",
        "flag",
        _("We keep this file, but cannot show a preview of it. Your doctor can open it in the viewer."),
    ),
    (
        "timed_out",
        "flag",
        _("Reading this file took too long, so the preview may be incomplete. Your doctor can still download it."),
    ),
    (
        "not_read",
        "flag",
        _("We could not look inside this file just now. It is safely kept; please open this page again later."),
    ),
    (
        "executable",
        "refuse",
        _("This is a program, not a medical document. Please send the letters, reports or images themselves."),
    ),
    (
        "web_page",
        "flag",
        _("This is a web page. We show only its text; if you can, please save it as a PDF and upload that."),
    ),
    (
        "same_number",
        "flag",
        _("Another picture has the same number, so we keep only the first. Please ask for a new copy of this one."),
    ),
    ("copy", "flag", _("You sent this more than once at the same time. We keep it once.")),
    (
        "came_again",
        "flag",
        _("This was taken out before. It has been sent again, so it is back. You can take it out again."),
    ),
    # -- documents
    (
        "encrypted_pdf",
        "flag",
        _("This PDF is protected by a password. Please save a copy without the password and upload that copy."),
    ),
    (
        "damaged_pdf",
        "flag",
        _("This PDF is damaged and cannot be opened fully. Please ask for it again, or upload photos of its pages."),
    ),
    (
        "many_pages",
        "flag",
        _("This document is long. We show its first pages here; your doctor can download all of it."),
    ),
    (
        "active_content",
        "flag",
        _("This file contains program parts or attachments. We switched them off; everything you can see is kept."),
    ),
    (
        "damaged_text",
        "flag",
        _("Parts of this file cannot be read. Please export it again, or send it as a PDF."),
    ),
    # -- photos
    (
        "damaged_image",
        "flag",
        _("This picture is damaged or incomplete. Please take the photo again and upload it once more."),
    ),
    # -- imaging
    (
        "no_preview_of_some",
        "flag",
        _("Some of these images cannot be shown on this page. They are kept; your doctor can open them in the viewer."),
    ),
    (
        "truncated_dicom",
        "flag",
        _("This image file is incomplete. Please copy it again from the disc, or ask the imaging centre for it."),
    ),
    (
        "no_image",
        "flag",
        _("This file belongs to your imaging but holds no picture itself. It is kept with the other images."),
    ),
    (
        "wrong_patient",
        "flag",
        _("The name or birth date inside this file is not the patient's. Please check that it is the right file."),
    ),
    # -- slides
    (
        "slide_damaged",
        "flag",
        _("This slide file is damaged and cannot be shown. Please copy it again, or ask the laboratory for it."),
    ),
    (
        "slide_incomplete",
        "flag",
        _("Parts of this slide file are missing. We show what is there; please ask the laboratory for a new copy."),
    ),
    (
        "slide_unsupported",
        "flag",
        _("We keep this slide file, but cannot show its format. If you can, please ask for it as DICOM or SVS."),
    ),
    # -- archives, and folders that browsers send as one
    (
        "archive_empty",
        "refuse",
        _("There is no file in this zip or folder. Please check that your files are in it, and send it again."),
    ),
    (
        "archive_encrypted",
        "refuse",
        _("This zip file is protected by a password. Please unpack it and upload the files without the password."),
    ),
    (
        "archive_damaged",
        "refuse",
        _("This zip or folder is damaged. Please send it again, or upload the files one by one."),
    ),
    (
        "archive_bomb",
        "refuse",
        _("This unpacks to far more than it should, so we stopped. Please upload the files one by one."),
    ),
    (
        "archive_path",
        "flag",
        _("This file had an unsafe name. We kept it under a safe name; nothing else was touched."),
    ),
    (
        "archive_link",
        "refuse",
        _("This is a link instead of a file. Please upload the file that the link points to."),
    ),
    (
        "archive_nested",
        "refuse",
        _("There are zip files deep inside another one. Please unpack the inner ones and upload them directly."),
    ),
    (
        "too_many_files",
        "refuse",
        _("This holds more files than we can take at once. Please send it in several smaller parts."),
    ),
    (
        "archive_part",
        "refuse",
        _("A part of this archive is not an ordinary file, so we left it out. Please upload that file by itself."),
    ),
    (
        "archive_other",
        "refuse",
        _("We cannot open this kind of packed file. Please unpack it and upload the folder, or send it as a zip."),
    ),
    # -- programs that do harm
    (
        "malware",
        "refuse",
        _("Our virus scanner warns of this file, so nobody can open it. Please ask for a clean copy and send that."),
    ),
    (
        "left_out",
        "flag",
        _("This part of the disc is viewer software or bookkeeping, not medical data. We left it out."),
    ),
)

TABLE: dict[str, Problem] = {code: Problem(code, sentence, severity) for code, severity, sentence in _ROWS}


def problem(code: str) -> Problem:
    """The problem of that code. Raises KeyError on an unknown code: the table is complete by design."""
    return TABLE[code]
