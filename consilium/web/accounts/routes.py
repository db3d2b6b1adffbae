"""Who may come in to this area: one row a route (see web/routes.py)."""

from consilium.web.routes import Route

BOTH = ("GET", "POST")
COMING_IN = "people sign up, sign in and get back in here"
SETTING_UP = "an account at one factor sets up or passes its second step here, and can do nothing else"
DEMO = "demonstration mode only; 404 otherwise"

ROUTES: tuple[Route, ...] = (
    Route("account_signup", "public", BOTH, COMING_IN),
    Route("account_login", "public", BOTH, COMING_IN),
    Route("mfa_authenticate", "public", BOTH, COMING_IN),
    Route("mfa_login_webauthn", "public", BOTH, COMING_IN),
    Route("account_logout", "public", BOTH, "anybody may leave"),
    Route("account_inactive", "public", ("GET",), COMING_IN),
    Route("account_email_verification_sent", "public", BOTH, COMING_IN),
    Route("account_reset_password", "public", BOTH, COMING_IN),
    Route("account_confirm_password_reset_code", "public", BOTH, COMING_IN),
    Route("account_complete_password_reset", "public", BOTH, COMING_IN),
    Route("account_password_reset_completed", "public", ("GET",), COMING_IN),
    Route("second_step", "public", BOTH, SETTING_UP),
    Route("mfa_activate_totp", "public", BOTH, SETTING_UP),
    Route("mfa_add_webauthn", "public", BOTH, SETTING_UP),
    Route("account_reauthenticate", "public", BOTH, SETTING_UP),
    Route("mfa_reauthenticate", "public", BOTH, SETTING_UP),
    Route("mfa_reauthenticate_webauthn", "public", BOTH, SETTING_UP),
    Route("mfa_index", "account"),
    Route("account_email", "account", BOTH),
    Route("account_change_password", "account", BOTH),
    Route("account_set_password", "account", BOTH),
    Route("mfa_deactivate_totp", "account", BOTH),
    Route("mfa_view_recovery_codes", "account"),
    Route("mfa_generate_recovery_codes", "account", BOTH),
    Route("mfa_download_recovery_codes", "account"),
    Route("mfa_list_webauthn", "account"),
    Route("mfa_edit_webauthn", "account", BOTH),
    Route("mfa_remove_webauthn", "account", BOTH),
    Route("sign_out_elsewhere", "account", ("POST",)),
    Route("account_delete", "account", BOTH),
    Route("set_language", "public", ("POST",), "anybody may choose a language"),
    Route("demo_personas", "public", BOTH, DEMO),
    Route("demo_mail", "public", ("GET",), DEMO),
)
