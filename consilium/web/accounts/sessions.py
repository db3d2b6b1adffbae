"""The sessions of an account: where it is signed in, and signing out elsewhere."""

import re
from datetime import UTC, datetime
from typing import NamedTuple

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.models import Session
from django.utils.translation import gettext_lazy as _

from consilium.core import clock
from consilium.people.models import User
from consilium.web import principal as principals

DEVICE_KEY = "consilium_device"
BROWSERS = (("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS", "Mac"),
    ("Linux", "Linux"),
)


class Open(NamedTuple):
    """One open session, as its owner sees it. `here` marks the one that asks."""

    device: str
    started: datetime | None
    seen: datetime | None
    here: bool


def device(agent: str) -> str:
    """Browser and system in two words, e.g. "Firefox on Windows"; empty when unknown. Nothing finer is kept."""
    browser = next((name for mark, name in BROWSERS if mark in agent), "")
    system = next((name for mark, name in SYSTEMS if re.search(mark, agent)), "")
    return str(_("%(browser)s on %(system)s") % {"browser": browser, "system": system}) if browser and system else ""


def open_sessions(user: User, here: str | None) -> list[Open]:
    """Every open session of the account, this one first. `here` is the key of the asking session."""
    found = [(session.session_key == here, session.get_decoded()) for session in _of(user)]
    rows = [
        Open(
            str(data.get(DEVICE_KEY, "")),
            _time(data.get(principals.STARTED_KEY)),
            _time(data.get(principals.SEEN_KEY)),
            mine,
        )
        for mine, data in found
    ]
    return sorted(rows, key=lambda row: (not row.here, -(row.seen.timestamp() if row.seen else 0)))


def end_others(user: User, here: str | None) -> int:
    """Sign the account out everywhere but here; the number of sessions that ended."""
    others = [session for session in _of(user) if session.session_key != here]
    for session in others:
        session.delete()
    return len(others)


def _of(user: User) -> list[Session]:
    alive = Session.objects.filter(expire_date__gt=clock.now())
    return [session for session in alive.iterator() if session.get_decoded().get(SESSION_KEY) == str(user.pk)]


def _time(epoch: float | None) -> datetime | None:
    return datetime.fromtimestamp(epoch, UTC) if epoch else None
