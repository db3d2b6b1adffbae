"""Mail without a mail server: one .eml file a message in MAIL_DIR, shown on a page in demo mode."""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage as Parsed
from pathlib import Path
from typing import NamedTuple

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

from consilium.core import clock
from consilium.core.secretfile import write_atomic


class FolderBackend(BaseEmailBackend):
    """Django mail backend. The file is named by the Message-ID, so a repeated message replaces itself."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        for message in email_messages:
            parsed = message.message()
            name = hashlib.sha256(str(parsed["Message-ID"]).encode()).hexdigest()[:32]
            write_atomic(Path(settings.MAIL_DIR) / f"{name}.eml", parsed.as_bytes())
        return len(email_messages)


class Shown(NamedTuple):
    """A message for the page."""

    to: str
    subject: str
    body: str
    at: datetime


def messages(limit: int = 100) -> list[Shown]:
    """The newest messages in the folder, newest first."""
    paths = sorted(Path(settings.MAIL_DIR).glob("*.eml"), key=lambda path: path.stat().st_mtime_ns, reverse=True)
    return [_shown(path) for path in paths[:limit]]


def _shown(path: Path) -> Shown:
    parsed = message_from_bytes(path.read_bytes(), policy=policy.default)
    assert isinstance(parsed, Parsed)
    body = parsed.get_body(("plain",))
    at = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    return Shown(str(parsed["To"]), str(parsed["Subject"]), body.get_content() if body else "", min(at, clock.now()))
