"""How django-allauth speaks and acts here: mail through the outbox, secrets sealed, the second step repeated."""

import base64
import ipaddress
import secrets
import uuid
from datetime import timedelta
from io import BytesIO
from typing import Any, cast
from uuid import UUID

import segno
from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from consilium.channels import email
from consilium.core import audit, clock
from consilium.people.models import User
from consilium.people.queries import default_organisation
from consilium.vault import keys, seal
from consilium.web import principal as principals
from consilium.web.accounts import sessions

# After signing in (or signing up), the second step can be set up without typing the password again for this long.
SETTING_UP = timedelta(minutes=15)
SEALED_AS = "account/second-step"

# allauth's template prefix → our mail. Anything else is not sent: a new mail must be written in texts.py first.
MAILS = {
    "account/email/email_confirmation_signup": "confirm_address",
    "account/email/email_confirmation": "confirm_address",
    "account/email/account_already_exists": "account_exists",
    "account/email/unknown_account": "account_unknown",
    "account/email/password_reset_code": "password_code",
    "account/email/password_reset": "password_changed",
    "account/email/password_changed": "password_changed",
    "account/email/password_set": "password_changed",
    "account/email/email_changed": "address_changed",
    "account/email/email_confirm": "address_changed",
    "account/email/email_deleted": "address_changed",
    "mfa/email/totp_activated": "second_step_changed",
    "mfa/email/totp_deactivated": "second_step_changed",
    "mfa/email/webauthn_added": "second_step_changed",
    "mfa/email/webauthn_removed": "second_step_changed",
    "mfa/email/recovery_codes_generated": "second_step_changed",
}


def _request() -> HttpRequest:
    """The request being answered; allauth keeps it for its adapters."""
    return cast(HttpRequest, context.request)


def display_name(user: User) -> str:
    """How the account pages call an account."""
    return user.email


class AccountAdapter(DefaultAccountAdapter):
    """Accounts by e-mail address, in the language of the page they were made on."""

    error_messages = DefaultAccountAdapter.error_messages | {
        "email_password_mismatch": _("This address and password do not belong together. Please check both."),
        "incorrect_code": _("This code is not right. Please check it, or ask for a new one."),
        "incorrect_password": _("This password is not right. Please try again."),
        "enter_current_password": _("This is not your current password. Please try again."),
        "too_many_login_attempts": _("That were too many attempts. Please wait a few minutes and try again."),
        "rate_limited": _("That were too many attempts. Please wait a few minutes and try again."),
    }

    def send_mail(self, template_prefix: str, email_address: str, context: dict[str, Any]) -> None:
        """Queue our fixed text; of allauth's context only the code is used."""
        template = MAILS[template_prefix]
        codes = {"code": context["code"]} if template in ("confirm_address", "password_code") else {}
        owner = User.objects.filter(email__iexact=email_address).first()
        language = owner.language if owner else translation.get_language() or settings.LANGUAGE_CODE
        email.send(template, to=email_address, language=language, key=f"account:{uuid.uuid4()}", **codes)

    def save_user(self, request: HttpRequest, user: Any, form: Any, commit: bool = True) -> Any:
        """A new account speaks the language of the page."""
        user.language = translation.get_language() or settings.LANGUAGE_CODE
        return super().save_user(request, user, form, commit)

    def send_account_already_exists_mail(self, email: str) -> None:
        """Tell the owner by mail; takes as long as making an account, so that the clock tells nothing either."""
        make_password(secrets.token_urlsafe())
        super().send_account_already_exists_mail(email)

    def pre_login(self, request: HttpRequest, user: Any, **hooks: Any) -> HttpResponse | None:
        """Suspended accounts stay out, like inactive ones."""
        if user.suspended_at is not None:
            user.is_active = False
        return super().pre_login(request, user, **hooks)

    def login(self, request: HttpRequest, user: Any) -> None:
        """Sign in, and note which kind of device it was for the list of sessions."""
        super().login(request, user)
        request.session[sessions.DEVICE_KEY] = sessions.device(self.get_http_user_agent(request))
        note("account.sign_in", user)

    def is_reauthentication_required(self, *, app: str = "", **kwargs: Any) -> bool:
        """Changing second steps needs one passed within five minutes; the first one needs a young session."""
        session = _request().session
        at = principals.second_step_at(session)
        if at is not None:
            return clock.now() - at >= settings.STEP_UP_LIMIT
        if has_second_step(_request().user):
            return True
        started = float(session.get(principals.STARTED_KEY, 0))
        return clock.now().timestamp() - started >= SETTING_UP.total_seconds()

    def get_reauthentication_methods(self, user: Any) -> list[dict[str, Any]]:
        """The password counts only while there is no second step; an authenticator app comes first."""
        methods = super().get_reauthentication_methods(user)
        if not user.is_authenticated or not has_second_step(user):
            return methods
        app_first = Authenticator.objects.filter(user=user, type=Authenticator.Type.TOTP).exists()
        stronger = [method for method in methods if method["id"] != "reauthenticate"]
        return sorted(stronger, key=lambda method: method["id"].endswith("webauthn") is app_first)


class MFAAdapter(DefaultMFAAdapter):
    """Second steps: their secrets are sealed with a key of the account's own."""

    error_messages = DefaultMFAAdapter.error_messages | {
        "incorrect_code": _("This code is not right. Please wait for the next one and try again."),
        "cannot_delete_authenticator": _("This is your last second step. Please set up another one first."),
        "unverified_email": _("Please confirm your e-mail address first."),
    }

    def encrypt(self, text: str) -> str:
        """Seal for the account that is setting a second step up; the account's id stands in front."""
        space = cast(UUID, _request().user.pk)
        keys.create_space(space, tenant=default_organisation().pk)
        sealed = seal.seal(space, SEALED_AS, text.encode())
        return f"{space}.{base64.b64encode(sealed).decode()}"

    def decrypt(self, encrypted_text: str) -> str:
        """Open what `encrypt` sealed. Raises vault errors when changed or erased."""
        space, _dot, sealed = encrypted_text.partition(".")
        return seal.unseal(UUID(space), SEALED_AS, base64.b64decode(sealed)).decode()

    def build_totp_svg(self, url: str) -> str:
        """The QR code as a stand-alone SVG; shown as a data: image, which the content security policy allows."""
        drawn = BytesIO()
        segno.make(url, error="m").save(drawn, kind="svg", xmldecl=False, scale=6, dark="#22302e", light="#fffdf9")
        return drawn.getvalue().decode()

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        """Every account keeps at least one app or passkey."""
        others = Authenticator.objects.filter(user_id=authenticator.user.pk).exclude(pk=authenticator.pk)
        return others.exclude(type=Authenticator.Type.RECOVERY_CODES).exists()

    def generate_authenticator_name(self, user: Any, type: Any) -> str:  # noqa: A002 - allauth's name
        """A name that tells devices apart, e.g. "Firefox on Windows"."""
        return sessions.device(_request().headers.get("User-Agent", "")) or gettext("My device")

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        """The site as the passkey's window shows it."""
        return {"id": _request().get_host().rsplit(":", 1)[0], "name": settings.MFA_TOTP_ISSUER}


def has_second_step(user: Any) -> bool:
    """Whether an app or a passkey is set up (recovery codes alone are none)."""
    if not user.is_authenticated:
        return False
    found = Authenticator.objects.filter(user=user).exclude(type=Authenticator.Type.RECOVERY_CODES)
    return found.exists()


def passkeys_possible(request: HttpRequest) -> bool:
    """Passkeys belong to a domain; a site reached by a bare address cannot have any (WebAuthn §5.1.2)."""
    host = request.get_host().rsplit(":", 1)[0].strip("[]")
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return True
    return False


def note(action: str, user: User) -> None:
    """Write what an account did to itself into the audit log."""
    with transaction.atomic():
        audit.record(action, by=user, thing=user.ref)
