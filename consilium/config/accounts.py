"""Settings of the accounts stack (django-allauth): e-mail by code, TOTP, passkeys, recovery codes.

Imported by settings.py, never read on its own.
"""

import os

# Limits and used codes must be the same in every web process and on every node, so they live in the database.
# Tests keep them in memory: a test without a database clears them too.
_SHARED = "PYTEST_VERSION" not in os.environ
CACHES = {
    "default": {
        "BACKEND": "consilium.web.cache.DatabaseCache" if _SHARED else "django.core.cache.backends.locmem.LocMemCache",
    }
}

ACCOUNT_ADAPTER = "consilium.web.accounts.adapter.AccountAdapter"
MFA_ADAPTER = "consilium.web.accounts.adapter.MFAAdapter"
ACCOUNT_FORMS = {
    "login": "consilium.web.accounts.forms.SignInForm",
    "signup": "consilium.web.accounts.forms.SignupForm",
    "add_email": "consilium.web.accounts.forms.NewAddressForm",
    "change_email": "consilium.web.accounts.forms.OtherAddressForm",
    "change_password": "consilium.web.accounts.forms.ChangePasswordForm",
    "set_password": "consilium.web.accounts.forms.SetPasswordForm",
    "reset_password": "consilium.web.accounts.forms.ForgottenPasswordForm",
    "reset_password_from_key": "consilium.web.accounts.forms.NewPasswordForm",
    "confirm_email_verification_code": "consilium.web.accounts.forms.MailedCodeForm",
    "confirm_password_reset_code": "consilium.web.accounts.forms.ResetCodeForm",
    "reauthenticate": "consilium.web.accounts.forms.PasswordAgainForm",
}
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_USER_MODEL_EMAIL_FIELD = "email"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]  # a mistyped password is one mailed code away from a new one
ACCOUNT_UNIQUE_EMAIL = True
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = True
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_TIMEOUT = 15 * 60
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_MAX_ATTEMPTS = 5
ACCOUNT_EMAIL_VERIFICATION_SUPPORTS_CHANGE = False  # it would tell a known address from an unknown one
ACCOUNT_EMAIL_VERIFICATION_SUPPORTS_RESEND = True
ACCOUNT_PASSWORD_RESET_BY_CODE_ENABLED = True
ACCOUNT_PASSWORD_RESET_BY_CODE_TIMEOUT = 15 * 60
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_USER_DISPLAY = "consilium.web.accounts.adapter.display_name"
# The same answer whether or not an address is known (trust.md, threat 21).
ACCOUNT_PREVENT_ENUMERATION = "strict"
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = False
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_REAUTHENTICATION_TIMEOUT = 300
ACCOUNT_RATE_LIMITS = {
    "login": "60/m/ip",
    "login_failed": "20/m/ip,5/5m/key",
    "signup": "40/m/ip",
    "confirm_email": "1/10s/key,20/h/key",
    "reset_password": "20/m/ip,5/m/key",
    "reauthenticate": "10/m/user",
    "change_password": "5/m/user",
    "manage_email": "10/m/user",
}
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_PASSKEY_SIGNUP_ENABLED = False
MFA_TOTP_ISSUER = "Consilium"
MFA_RECOVERY_CODE_COUNT = 10
MFA_TOTP_TOLERANCE = 1  # a code that changes while it is typed; forms.OnceOnly refuses each code the second time
MFA_WEBAUTHN_USER_VERIFICATION = "required"  # the device asks for finger, face or PIN
MFA_FORMS = {
    "authenticate": "consilium.web.accounts.forms.SecondStepForm",
    "reauthenticate": "consilium.web.accounts.forms.SecondStepAgainForm",
    "activate_totp": "consilium.web.accounts.forms.FirstCodeForm",
    "add_webauthn": "consilium.web.accounts.forms.NewPasskeyForm",
    "edit_webauthn": "consilium.web.accounts.forms.PasskeyNameForm",
}
