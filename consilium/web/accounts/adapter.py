"""How django-allauth speaks and acts here: mail through the outbox, keys sealed, one language with the page."""

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter


class AccountAdapter(DefaultAccountAdapter):
    """Accounts by e-mail address."""


class MFAAdapter(DefaultMFAAdapter):
    """Second steps."""
