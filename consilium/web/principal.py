"""From a session to the `Principal` of a request. The data plane uses this too, without an HttpRequest."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.base import SessionBase
from django.utils.crypto import constant_time_compare

from consilium.access.principals import ANONYMOUS, Principal
from consilium.cases.actions import team
from consilium.core import clock
from consilium.people.models import User
from consilium.people.queries import principal_of

GUEST_KEY = "consilium_guest_link"
STARTED_KEY = "consilium_started"
SEEN_KEY = "consilium_seen"
# django-allauth notes each authentication of the session here: [{"method": …, "at": epoch seconds}, …]
# and here whose they are: entries of an account that was tried before in the same browser session do not count.
AUTH_METHODS_KEY = "account_authentication_methods"
AUTH_USER_KEY = "account_authentication_methods_user"
SECOND_STEPS = ("mfa",)


def from_session(session: SessionBase) -> Principal:
    """The principal of a session as everything stands now: account, memberships, link, limits."""
    if is_over(session):
        return ANONYMOUS
    # Who signs in after opening a link is the account from then on: the two are never mixed.
    if SESSION_KEY not in session and (link_id := session.get(GUEST_KEY)):
        link = team.link_by_id(UUID(link_id))
        return team.guest_principal(link) if link else ANONYMOUS
    user = _user(session)
    if user is None:
        return ANONYMOUS
    at = second_step_at(session)
    fresh = at is not None and clock.now() - at < settings.STEP_UP_LIMIT
    return principal_of(user, strong=at is not None, fresh=fresh)


def is_over(session: SessionBase) -> bool:
    """Whether the session was idle for too long or is too old altogether."""
    now = clock.now().timestamp()
    idle = now - float(session.get(SEEN_KEY, now)) > settings.SESSION_IDLE_LIMIT.total_seconds()
    old = now - float(session.get(STARTED_KEY, now)) > settings.SESSION_ABSOLUTE_LIMIT.total_seconds()
    return idle or old


def second_step_at(session: SessionBase) -> datetime | None:
    """When a second step (TOTP, passkey, recovery code) was last passed in this session (UTC), or None."""
    if not session.get(SESSION_KEY) or session.get(AUTH_USER_KEY) != session[SESSION_KEY]:
        return None
    methods: list[dict[str, Any]] = session.get(AUTH_METHODS_KEY, [])
    times = [float(entry.get("at", 0)) for entry in methods if entry.get("method") in SECOND_STEPS]
    return datetime.fromtimestamp(max(times), UTC) if times else None


def _user(session: SessionBase) -> User | None:
    """The signed-in account, with the check of the session hash that ends sessions on a password change."""
    if SESSION_KEY not in session or session.get(BACKEND_SESSION_KEY) not in settings.AUTHENTICATION_BACKENDS:
        return None
    user = User.objects.filter(pk=session[SESSION_KEY]).first()
    if user is None:
        return None
    expected = user.get_session_auth_hash()
    return user if constant_time_compare(session.get(HASH_SESSION_KEY, ""), expected) else None
