"""Queue a mail, and send it once."""

import hashlib
import re
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMessage
from django.utils import translation

from consilium.channels.email.texts import CLOSING, TEXTS
from consilium.core import jobs

# A code is short and carries no words, so nobody's history can slip through it.
CODES = {
    "reference": re.compile(r"[A-Z0-9][A-Z0-9-]{2,30}"),
    "code": re.compile(r"[0-9A-Z-]{4,20}"),
    "link": re.compile(r"https?://[^\s<>\"]{1,300}"),
}


def send(template: str, *, to: str, language: str, key: str, **codes: str) -> None:
    """Queue the mail `template` to one address, in the caller's transaction; once per `key`.

    Raises KeyError for an unknown template, ValueError for codes that it does not take or that are no codes.
    """
    text = TEXTS[template]
    if set(codes) != text.codes:
        raise ValueError(f"The mail {template} takes the codes {sorted(text.codes)}.")
    for name, value in codes.items():
        if not CODES[name].fullmatch(value) or (name == "link" and not value.startswith(f"{settings.PUBLIC_URL}/")):
            raise ValueError(f"This is no {name} that may stand in a mail.")
    jobs.enqueue(deliver, template, to, language, key, codes, key=_fit(f"mail:{key}"))


@jobs.task(queue="mail", attempts=8)
def deliver(template: str, to: str, language: str, key: str, codes: dict[str, str]) -> None:
    """Send one mail; after a crash at the worst moment it repeats with the same Message-ID."""
    with jobs.effects.once(_fit(f"mail:{key}")) as first:
        if first:
            compose(template, to, language, key, codes).send()


def compose(template: str, to: str, language: str, key: str, codes: dict[str, str]) -> EmailMessage:
    """The message in the reader's language."""
    known = {code for code, _name in settings.LANGUAGES}
    with translation.override(language if language in known else settings.LANGUAGE_CODE):
        text = TEXTS[template]
        values = {**codes, "site": f"{settings.PUBLIC_URL}/"}
        paragraphs = [str(paragraph) % values for paragraph in text.paragraphs]
        body = "\n\n".join([*paragraphs, "-- \n" + str(CLOSING)]) + "\n"
        subject = str(text.subject)
    headers = {"Message-ID": message_id(key), "Auto-Submitted": "auto-generated"}  # RFC 5322 §3.6.4, RFC 3834 §5
    return EmailMessage(subject, body, settings.DEFAULT_FROM_EMAIL, [to], headers=headers)


def message_id(key: str) -> str:
    """Made from the idempotency key: a repeated message is recognised as the same one."""
    domain = urlsplit(settings.PUBLIC_URL).hostname or "localhost"
    return f"<{hashlib.sha256(key.encode()).hexdigest()[:40]}@{domain}>"


def _fit(key: str) -> str:
    return key if len(key) <= 200 else hashlib.sha256(key.encode()).hexdigest()
