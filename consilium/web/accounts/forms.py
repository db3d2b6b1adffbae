"""Forms of the account pages."""

from allauth.account.forms import SignupForm as BaseSignupForm


class SignupForm(BaseSignupForm):
    """Address and password; nothing else is asked."""
