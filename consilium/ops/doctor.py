"""`consilium doctor`: look at everything, say in words what is wrong, exit 1 when something must be done."""

import json
import os
import shutil
from argparse import Namespace
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from consilium.ops import preflight
from consilium.ops.command import say, start_django

LEAST_FREE = 2 * 1024**3
OLD_BACKUP = timedelta(days=2)
LATE_BEAT = timedelta(seconds=60)


class Finding(NamedTuple):
    """`ok` None: worth knowing, nothing to do before people come."""

    area: str
    ok: bool | None
    words: str


def doctor(arguments: Namespace) -> int:
    start_django()
    findings = list(examine())
    if arguments.json:
        say(json.dumps({"ok": all(f.ok is not False for f in findings), "findings": [f._asdict() for f in findings]}))
    else:
        for finding in findings:
            say(f"{ {True: '✓', False: '✗', None: '!'}[finding.ok] } {finding.area}: {finding.words}")
    return 0 if all(finding.ok is not False for finding in findings) else 1


def examine() -> Iterator[Finding]:
    """Every check; one that itself fails is a finding, never a traceback."""
    for area, check in CHECKS:
        try:
            yield from check(area)
        except Exception as error:
            yield Finding(area, False, f"could not be checked ({type(error).__name__}).")


def refusing(check: Callable[[], Iterator[str]], fine: str) -> Callable[[str], Iterator[Finding]]:
    """A finding per sentence of a preflight check, or `fine`."""

    def run(area: str) -> Iterator[Finding]:
        sentences = list(check())
        yield from (Finding(area, False, sentence) for sentence in sentences)
        if not sentences:
            yield Finding(area, True, fine)

    return run


def configuration(area: str) -> Iterator[Finding]:
    from django.conf import settings
    from django.core import checks

    serious = [one for one in checks.run_checks() if one.level >= checks.ERROR]
    yield from (Finding(area, False, f"{one.id}: {one.msg}") for one in serious)
    if not serious:
        mode = "demo mode" if settings.DEMO else "debug mode" if settings.DEBUG else "production"
        yield Finding(area, True, f"{mode}, reachable as {settings.PUBLIC_URL}.")
    host = urlsplit(settings.PUBLIC_URL).hostname or ""
    if not settings.SECURE_TRANSPORT and not preflight.is_loopback(host):
        yield Finding(area, False, "CONSILIUM_PUBLIC_URL is not https:// – sign-in would travel in clear.")
    if host not in settings.ALLOWED_HOSTS and not any(h == "*" for h in settings.ALLOWED_HOSTS):
        yield Finding(area, False, f"{host} is missing in CONSILIUM_ALLOWED_HOSTS: add it.")


def disk(area: str) -> Iterator[Finding]:
    from django.conf import settings

    for path in (settings.DATA_DIR, settings.KEY_DIR):
        if not Path(path).is_dir():
            yield Finding(area, False, f"{path} does not exist: run `consilium migrate`.")
            continue
        free = shutil.disk_usage(path).free
        words = f"{free / 1024**3:.1f} GiB free at {path}."
        yield Finding(area, free >= LEAST_FREE, words if free >= LEAST_FREE else f"only {words} Make room.")


def sandbox(area: str) -> Iterator[Finding]:
    from consilium.records.sandbox import capabilities

    # A missing wall is worth knowing (the others stand); no wall at all means that nothing can be read.
    found = capabilities()
    standing = any(in_force for in_force, _words in found)
    for in_force, words in found:
        yield Finding(area, True if in_force else None if standing else False, words)


def malware_check(area: str) -> Iterator[Finding]:
    from django.conf import settings

    from consilium.records import malware

    if sentences := list(preflight.malware_policy()):
        yield from (Finding(area, False, sentence) for sentence in sentences)
        return
    if not malware.configured():
        yield Finding(area, None, "no virus scanner is configured: files are not checked. Set CONSILIUM_CLAMD.")
        return
    version = malware.version()
    if version is None:
        words = "uploads wait" if malware.required() else "files are not checked"
        yield Finding(area, False, f"the virus scanner does not answer, so {words}: start clamd.")
        return
    yield Finding(area, True, f"{version} answers.")
    if settings.CLAMD.startswith("tcp://") and not preflight.is_loopback(urlsplit(settings.CLAMD).hostname or ""):
        yield Finding(area, None, "files travel to the scanner unencrypted: keep it on this machine.")


def scans(area: str) -> Iterator[Finding]:
    from consilium.records import ocr

    if not ocr.program():
        yield Finding(area, None, "tesseract is not installed: the words of scans and photos are not read.")
        return
    there, wanted = ocr.languages(), set(ocr.LANGUAGES.values())
    yield Finding(area, True, f"tesseract reads {', '.join(sorted(there & wanted)) or 'nothing'}.")
    if missing := sorted(wanted - there):
        yield Finding(area, None, f"languages missing: install {', '.join(f'tesseract-ocr-{m}' for m in missing)}.")


def dimse(area: str) -> Iterator[Finding]:
    from django.conf import settings

    from consilium.core import clock
    from consilium.gateways.dimse import config
    from consilium.records.models import InboxStudy

    if not settings.DIMSE_BIND:
        yield Finding(area, None, "off: set CONSILIUM_DIMSE_BIND to take images by C-STORE.")
        return
    sentences = list(preflight.dimse())
    yield from (Finding(area, False, sentence) for sentence in sentences)
    if sentences:
        return
    if not config.peers(settings.DIMSE_PEERS):
        yield Finding(area, None, "nobody may send: list AE titles in CONSILIUM_DIMSE_PEERS.")
    elif config.organisation() is None:
        yield Finding(area, False, "there is no organisation for the inbox: see CONSILIUM_DIMSE_ORGANISATION.")
    else:
        how = "encrypted" if config.encrypted() else "unencrypted"
        waiting = InboxStudy.objects.filter(status=InboxStudy.Status.WAITING, expires_at__gt=clock.now()).count()
        words = f"{settings.DIMSE_AE_TITLE} at {settings.DIMSE_BIND}, {how}; {waiting} studies wait in the inbox."
        yield Finding(area, True, words)


def seal_key(area: str) -> Iterator[Finding]:
    from consilium.opinions.report import seal_key as report_seal

    problems = report_seal.check()
    yield from (Finding(area, False, sentence) for sentence in problems)
    if not problems:
        yield Finding(area, True, "reports can be signed.")


def fonts(area: str) -> Iterator[Finding]:
    from consilium.opinions import report

    found = [*(Path(report.__file__).parent / "fonts").glob("*.[ot]tf")]
    yield Finding(area, bool(found), f"{len(found)} for reports." if found else "none for reports: reinstall.")


def mail(area: str) -> Iterator[Finding]:
    from django.conf import settings

    if settings.EMAIL_BACKEND.startswith("consilium."):
        ok = True if settings.DEMO else None
        yield Finding(area, ok, f"written to {settings.MAIL_DIR}, sent to nobody; set CONSILIUM_EMAIL_URL to send.")
    elif settings.EMAIL_BACKEND.endswith("smtp.EmailBackend"):
        yield from _mail_server(area)
    if not settings.DEMO and settings.DEFAULT_FROM_EMAIL.endswith(".invalid>"):
        yield Finding(area, None, "the sender is a placeholder: set CONSILIUM_MAIL_FROM.")


def _mail_server(area: str) -> Iterator[Finding]:
    from django.core.mail import get_connection

    try:
        get_connection(timeout=5).open()
        yield Finding(area, True, "the mail server answers.")
    except OSError as error:
        yield Finding(
            area, False, f"the mail server does not answer ({type(error).__name__}): check CONSILIUM_EMAIL_URL."
        )


def time_of_day(area: str) -> Iterator[Finding]:
    """The database server's clock against ours; deadlines live on both."""
    from django.db import connection

    from consilium.core import clock

    if connection.vendor == "sqlite":
        yield Finding(area, clock.now().year >= 2025, f"{clock.now():%Y-%m-%d %H:%M} UTC.")
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        ((theirs,),) = cursor.fetchall()
    apart = abs((theirs - clock.now()).total_seconds())
    words = f"{apart:.1f} s apart from the database server."
    yield Finding(area, apart < 5, words if apart < 5 else f"{words} Set both by NTP.")


def workers(area: str) -> Iterator[Finding]:
    from consilium.core import clock
    from consilium.core.models.jobs import Job, WorkerBeat

    alive = WorkerBeat.objects.filter(beat_at__gte=clock.now() - LATE_BEAT).count()
    words = f"{alive} alive." if alive else "no job worker is alive: start `consilium serve`."
    yield Finding(area, True if alive else None, words)
    parked = Job.objects.filter(parked_at__isnull=False).count()
    if parked:
        yield Finding(area, False, f"{parked} jobs failed for good: see `consilium jobs list`, then retry them.")


def audit_log(area: str) -> Iterator[Finding]:
    from consilium.core import audit

    report = audit.verify()
    yield from (Finding(area, False, sentence) for sentence in report.problems)
    if not report.problems:
        yield Finding(area, True, f"{report.events} entries, unbroken.")


def backups(area: str) -> Iterator[Finding]:
    from django.conf import settings

    from consilium.core import clock
    from consilium.ops.backup import LAST

    try:
        made = datetime.fromisoformat(json.loads((Path(settings.DATA_DIR) / LAST).read_text())["made_at"])
    except (OSError, ValueError, KeyError):
        yield Finding(area, True if settings.DEMO else None, "none was made yet: run `consilium backup`.")
        return
    fresh = clock.now() - made < OLD_BACKUP
    yield Finding(area, fresh or None, f"the last good one is from {made:%Y-%m-%d %H:%M} UTC.")


def user(area: str) -> Iterator[Finding]:
    from django.conf import settings

    if os.geteuid() == 0 and not settings.DEMO:
        yield Finding(area, None, "Consilium runs as root; give it a user of its own.")
    else:
        yield Finding(area, True, "fine.")


CHECKS: list[tuple[str, Callable[[str], Iterator[Finding]]]] = [
    ("configuration", configuration),
    ("directories", refusing(preflight.places, "there, and nobody else's.")),
    ("keys", refusing(preflight.key_problems, "there, readable, and outside the data.")),
    ("database", refusing(preflight.database_problems, "reachable and up to date.")),
    ("accounts", refusing(preflight.accounts, "no demo accounts outside demo mode.")),
    ("disk", disk),
    ("parsing", sandbox),
    ("malware", malware_check),
    ("scans", scans),
    ("images by DICOM", dimse),
    ("report seal", seal_key),
    ("fonts", fonts),
    ("mail", mail),
    ("clock", time_of_day),
    ("workers", workers),
    ("audit log", audit_log),
    ("backups", backups),
    ("user", user),
]
