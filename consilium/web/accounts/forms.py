"""Forms of the account pages: allauth's, in our words, without placeholders that stand in for labels."""

from typing import Any

from allauth.account import forms as account
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base import forms as second_step
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.webauthn.forms import AddWebAuthnForm, EditWebAuthnForm
from django import forms
from django.core.cache import cache
from django.utils.translation import gettext_lazy as _

PASSWORD_HINT = _("At least 12 characters. Three or four words that mean nothing to others are easy to remember.")
USED_CODE_SECONDS = 120  # longer than any code is accepted
CODE = {"autocomplete": "one-time-code", "autocapitalize": "characters", "spellcheck": "false"}
DIGITS = {"autocomplete": "one-time-code", "inputmode": "numeric", "spellcheck": "false"}


def describe(form: forms.BaseForm, **words: tuple[Any, Any]) -> None:
    """Give fields a label and a hint, and take allauth's placeholders away."""
    for field in form.fields.values():
        field.widget.attrs.pop("placeholder", None)
    for name, (label, hint) in words.items():
        if name in form.fields:
            form.fields[name].label, form.fields[name].help_text = label, hint


class SignInForm(account.LoginForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        describe(self, login=(_("E-mail address"), ""), password=(_("Password"), ""))
        self.fields["login"].widget.attrs["autocomplete"] = "username webauthn"


class SignupForm(account.SignupForm):
    """Address and password; nothing else is asked."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        hint = _("We send a code to this address. It is also where we tell you that something happened.")
        describe(self, email=(_("E-mail address"), hint), password1=(_("Choose a password"), PASSWORD_HINT))


class NewAddressForm(account.AddEmailForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        hint = _("We send a code there. The old address stays until you have entered it.")
        describe(self, email=(_("New e-mail address"), hint))


class OtherAddressForm(account.ChangeEmailForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        describe(self, email=(_("New e-mail address"), ""))


class ChangePasswordForm(account.ChangePasswordForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        describe(
            self,
            oldpassword=(_("Your password now"), ""),
            password1=(_("New password"), PASSWORD_HINT),
            password2=(_("New password, once more"), ""),
        )


class SetPasswordForm(account.SetPasswordForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        describe(self, password1=(_("Password"), PASSWORD_HINT), password2=(_("Password, once more"), ""))


class ForgottenPasswordForm(account.ResetPasswordForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        describe(self, email=(_("E-mail address"), _("The one you signed up with.")))


class NewPasswordForm(account.ResetPasswordKeyForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        words = {"password1": (_("New password"), PASSWORD_HINT), "password2": (_("New password, once more"), "")}
        describe(self, **words)


class MailedCodeForm(account.ConfirmEmailVerificationCodeForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        describe(self, code=(_("The code from the e-mail"), _("Capital or small letters do not matter.")))
        self.fields["code"].widget.attrs.update(CODE)


class ResetCodeForm(account.ConfirmPasswordResetCodeForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        describe(self, code=(_("The code from the e-mail"), _("Capital or small letters do not matter.")))
        self.fields["code"].widget.attrs.update(CODE)


class PasswordAgainForm(account.ReauthenticateForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        describe(self, password=(_("Password"), ""))


class OnceOnly:
    """A code counts once (RFC 6238 §5.2), even while the clock of the phone still shows it."""

    def clean_code(self) -> str:
        code: str = super().clean_code()  # type: ignore[misc]
        mark = f"second-step:{self.user.pk}:{code.strip()}"  # type: ignore[attr-defined]
        if not cache.add(mark, 1, timeout=USED_CODE_SECONDS):
            raise get_adapter().validation_error("incorrect_code")
        return code


class SecondStepForm(OnceOnly, second_step.AuthenticateForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        describe(self, code=(_("Code from your app, or a recovery code"), ""))
        self.fields["code"].widget.attrs.update(DIGITS)


class SecondStepAgainForm(OnceOnly, second_step.ReauthenticateForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        describe(self, code=(_("Code from your app, or a recovery code"), ""))
        self.fields["code"].widget.attrs.update(DIGITS)


class FirstCodeForm(OnceOnly, ActivateTOTPForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        describe(self, code=(_("The six digits that the app shows now"), ""))
        self.fields["code"].widget.attrs.update(DIGITS)


class NewPasskeyForm(AddWebAuthnForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        describe(self, name=(_("A name for this device"), _("So that you recognise it later in the list.")))
        self.fields["name"].max_length = 60
        self.fields["name"].widget.attrs["maxlength"] = "60"


class PasskeyNameForm(EditWebAuthnForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        describe(self, name=(_("Name of this passkey"), ""))
        self.fields["name"].max_length = 60
        self.fields["name"].widget.attrs["maxlength"] = "60"
