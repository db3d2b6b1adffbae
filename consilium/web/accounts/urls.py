"""Addresses of this area. allauth's views are listed one by one, so that each has its guard."""

from allauth.account import views as account
from allauth.mfa.base import views as mfa
from allauth.mfa.recovery_codes import views as codes
from allauth.mfa.totp import views as app
from allauth.mfa.webauthn import views as passkey
from django.urls import URLPattern, URLResolver, path

from consilium.web.accounts import demo, factors, views
from consilium.web.demo_mail import outbox
from consilium.web.guards import signed_in

urlpatterns: list[URLPattern | URLResolver] = [
    # coming in and going out
    path("account/sign-up/", account.signup, name="account_signup"),
    path("account/sign-in/", views.login, name="account_login"),
    path("account/sign-in/second-step/", mfa.authenticate, name="mfa_authenticate"),
    path("account/sign-in/passkey/", passkey.login_webauthn, name="mfa_login_webauthn"),
    path("account/sign-out/", views.sign_out, name="account_logout"),
    path("account/closed/", account.account_inactive, name="account_inactive"),
    path("account/code/", account.email_verification_sent, name="account_email_verification_sent"),
    path("account/password/forgotten/", account.password_reset, name="account_reset_password"),
    path(
        "account/password/forgotten/code/",
        account.confirm_password_reset_code,
        name="account_confirm_password_reset_code",
    ),
    path("account/password/new/", account.complete_password_reset, name="account_complete_password_reset"),
    path("account/password/done/", account.password_reset_from_key_done, name="account_password_reset_completed"),
    # the second step: choosing, setting up, confirming again
    path("account/second-step/", views.second_step, name="second_step"),
    path("account/second-step/app/", factors.SetUpApp.as_view(), name="mfa_activate_totp"),
    path("account/second-step/passkey/", factors.SetUpPasskey.as_view(), name="mfa_add_webauthn"),
    path("account/confirm/", account.reauthenticate, name="account_reauthenticate"),
    path("account/confirm/code/", mfa.reauthenticate, name="mfa_reauthenticate"),
    path("account/confirm/passkey/", passkey.reauthenticate_webauthn, name="mfa_reauthenticate_webauthn"),
    # with a passed second step only
    path("account/", views.security, name="mfa_index"),
    path("account/email/", signed_in(account.email), name="account_email"),
    path("account/password/", signed_in(account.password_change), name="account_change_password"),
    path("account/password/set/", signed_in(account.password_set), name="account_set_password"),
    path("account/second-step/app/remove/", signed_in(app.deactivate_totp), name="mfa_deactivate_totp"),
    path("account/second-step/codes/", signed_in(codes.view_recovery_codes), name="mfa_view_recovery_codes"),
    path(
        "account/second-step/codes/new/", signed_in(codes.generate_recovery_codes), name="mfa_generate_recovery_codes"
    ),
    path(
        "account/second-step/codes/file/", signed_in(codes.download_recovery_codes), name="mfa_download_recovery_codes"
    ),
    path("account/passkeys/", signed_in(passkey.list_webauthn), name="mfa_list_webauthn"),
    path("account/passkeys/<int:pk>/", signed_in(passkey.edit_webauthn), name="mfa_edit_webauthn"),
    path("account/passkeys/<int:pk>/remove/", signed_in(factors.RemovePasskey.as_view()), name="mfa_remove_webauthn"),
    path("account/sessions/end/", views.sign_out_elsewhere, name="sign_out_elsewhere"),
    path("account/delete/", views.deletion, name="account_delete"),
    path("language/", views.set_language, name="set_language"),
    # demonstration mode only
    path("demo/", demo.personas, name="demo_personas"),
    path("demo/mail/", outbox, name="demo_mail"),
]
