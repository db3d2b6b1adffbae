"""How the installation is: what can be told cheaply while a page is drawn. `consilium doctor` looks at everything."""

import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from consilium.core import audit, clock
from consilium.core.models.jobs import Job, WorkerBeat
from consilium.records import malware

LEAST_FREE = 2 * 1024**3
LATE_BEAT = timedelta(seconds=60)


class Finding(NamedTuple):
    """`passed` None: worth knowing."""

    text: str
    passed: bool | None
    note: str = ""


def workers() -> Finding:
    """Whether somebody does the background work."""
    alive = WorkerBeat.objects.filter(beat_at__gte=clock.now() - LATE_BEAT).count()
    if alive:
        return Finding(ngettext("%(n)s worker is alive", "%(n)s workers are alive", alive) % {"n": alive}, True)
    return Finding(_("No worker is alive"), False, _("Files are not read and mail is not sent: start the service."))


def jobs() -> Finding:
    """Jobs that failed for good wait for a person."""
    parked = Job.objects.filter(parked_at__isnull=False).count()
    if not parked:
        return Finding(_("No job has failed for good"), True)
    words = ngettext("%(n)s job failed for good", "%(n)s jobs failed for good", parked) % {"n": parked}
    return Finding(words, False, _("See “consilium jobs list” on the server, then retry."))


def log_key() -> Finding:
    """Whether the audit log can be signed."""
    problems = audit.check()
    if problems:
        return Finding(_("The audit log cannot be signed"), False, _("Run “consilium doctor” on the server."))
    return Finding(_("The key of the audit log is there"), True)


def disk() -> Finding:
    """Room for files."""
    free = shutil.disk_usage(Path(settings.DATA_DIR)).free
    words = _("%(n)s GiB of disk are free") % {"n": f"{free / 1024**3:.1f}"}
    return Finding(words, free >= LEAST_FREE, "" if free >= LEAST_FREE else _("Please make room."))


def mail() -> Finding:
    """Whether mail leaves the house."""
    if settings.EMAIL_BACKEND.startswith("consilium."):
        return Finding(_("Mail is written to a folder and sent to nobody"), None)
    return Finding(_("Mail is sent through a server"), True)


def scanner() -> Finding:
    """Whether files are checked for malware."""
    if not malware.configured():
        return Finding(_("No malware check is configured"), None, _("Files are read without a virus scanner."))
    if malware.version() is not None:
        return Finding(_("Files are checked for malware"), True)
    waits = _("New files wait until it answers.") if malware.required() else _("New files are read unchecked.")
    return Finding(_("The virus scanner does not answer"), False, waits)


CHECKS: tuple[Callable[[], Finding], ...] = (workers, jobs, log_key, disk, mail, scanner)


def findings() -> list[Finding]:
    """Every check; one that itself fails is a finding."""
    found = []
    for check in CHECKS:
        try:
            found.append(check())
        except OSError:
            found.append(Finding(_("Something could not be checked"), False, check.__name__))
    return found
