"""Every mail that Consilium sends. None says why somebody is a patient, or of what; a link asks them to sign in."""

from typing import Any, NamedTuple

from django.utils.translation import gettext_lazy as _


class Text(NamedTuple):
    """Subject, paragraphs, and the codes that must be given. `%(name)s` marks where a code goes."""

    subject: Any
    paragraphs: tuple[Any, ...]
    codes: frozenset[str] = frozenset()


REFERENCE = frozenset({"reference"})
CODE = frozenset({"code"})
LINK = frozenset({"link"})
NEVER_ASKED = _("Nobody from Consilium will ever ask you for this code.")
NOT_YOU = _("If this was not you, please set a new password at once and write to us: %(site)shelp/")
SIGN_IN = _("Please sign in to see it: %(site)s")

TEXTS: dict[str, Text] = {
    "case_received": Text(
        _("We have received your request"),
        (_("Thank you. Your request %(reference)s has arrived safely, and a person will look at it."), SIGN_IN),
        REFERENCE,
    ),
    "your_turn": Text(
        _("There is something for you to do"),
        (_("%(reference)s needs one step from you."), SIGN_IN),
        REFERENCE,
    ),
    "case_moved": Text(_("There is news for you"), (_("%(reference)s has moved on."), SIGN_IN), REFERENCE),
    "case_closed": Text(_("Your request is closed"), (_("%(reference)s was closed."), SIGN_IN), REFERENCE),
    "desk_work": Text(_("New on your desk"), (_("%(reference)s is waiting on your desk."), SIGN_IN), REFERENCE),
    "offer": Text(
        _("A request for your opinion"),
        (_("%(reference)s was offered to you. Please accept it or decline it."), SIGN_IN),
        REFERENCE,
    ),
    "urgent": Text(
        _("Please read this today"),
        (_("There is an important message about %(reference)s. Please read it today."), SIGN_IN),
        REFERENCE,
    ),
    "reminder": Text(
        _("A friendly reminder"), (_("%(reference)s is still waiting for one step from you."), SIGN_IN), REFERENCE
    ),
    "overdue": Text(_("Overdue"), (_("%(reference)s is later than promised. Please look at it."), SIGN_IN), REFERENCE),
    "follow_up": Text(
        _("How did it go?"),
        (_("Some time has passed since %(reference)s. Two short questions would help others."), SIGN_IN),
        REFERENCE,
    ),
    "report_ready": Text(
        _("Something is ready for you"), (_("%(reference)s is complete and ready to read."), SIGN_IN), REFERENCE
    ),
    "report_updated": Text(
        _("A new version is ready"),
        (_("There is a new version for %(reference)s. It replaces the earlier one."), SIGN_IN),
        REFERENCE,
    ),
    "message": Text(_("You have a message"), (_("There is a new message about %(reference)s."), SIGN_IN), REFERENCE),
    "guest_link": Text(
        _("Documents were shared with you"),
        (
            _("Somebody has shared documents with you through Consilium."),
            _("Open them here: %(link)s"),
            _("You will be asked for a code, which reaches you in another way. The link works for a limited time."),
        ),
        LINK,
    ),
    "guest_news": Text(
        _("Something new was shared with you"),
        (
            _("There is something new for %(reference)s."),
            _("Please open the link from our earlier message, with the code you were given."),
        ),
        REFERENCE,
    ),
    "guest_urgent": Text(
        _("Please read this today"),
        (
            _("There is an important message about %(reference)s. Please read it today."),
            _("Please open the link from our earlier message, with the code you were given."),
        ),
        REFERENCE,
    ),
    "guest_code": Text(
        _("Your code"),
        (_("Your code is %(code)s. Nobody from Consilium will ever ask you for it."),),
        frozenset({"code"}),
    ),
    "invitation": Text(
        _("You are invited to Consilium"),
        (_("Somebody would like you to work with them on Consilium."), _("Accept here: %(link)s")),
        LINK,
    ),
    "confirm_address": Text(
        _("Your code"),
        (
            _("Your code is %(code)s. Please enter it on the page that is open in your browser."),
            _("It is valid for 15 minutes."),
            NEVER_ASKED,
            _("If you did not ask for it, you need not do anything."),
        ),
        CODE,
    ),
    "account_exists": Text(
        _("You already have an account"),
        (
            _("Somebody, probably you, tried to sign up with this address. It already has an account."),
            _("Please sign in: %(site)saccount/sign-in/"),
            _("If you have forgotten your password: %(site)saccount/password/forgotten/"),
        ),
    ),
    "account_unknown": Text(
        _("There is no account with this address"),
        (
            _("Somebody, probably you, asked for a new password. This address has no account."),
            _("Perhaps you signed up with another address. You can also create an account: %(site)saccount/sign-up/"),
        ),
    ),
    "password_code": Text(
        _("Your code for a new password"),
        (
            _("Your code is %(code)s. Please enter it on the page that is open in your browser."),
            _("It is valid for 15 minutes."),
            NEVER_ASKED,
            _("If you did not ask for it, you need not do anything. Your password stays as it is."),
        ),
        CODE,
    ),
    "password_changed": Text(_("Your password was changed"), (_("The password of your account was changed."), NOT_YOU)),
    "address_changed": Text(
        _("Your e-mail address was changed"), (_("The e-mail address of your account was changed."), NOT_YOU)
    ),
    "second_step_changed": Text(
        _("Your second step was changed"),
        (_("An app, a passkey or the recovery codes of your account were changed."), NOT_YOU),
    ),
    "deletion_asked": Text(
        _("Somebody wants their account deleted"),
        (_("A person asked for their account to be deleted. Please look at it under administration."), SIGN_IN),
    ),
    "access_used": Text(
        _("Your records were opened"),
        (_("Somebody was given exceptional access to %(reference)s. You can see who, when and why."), SIGN_IN),
        REFERENCE,
    ),
}
CLOSING = _("This is an automatic message. It says little on purpose: mail is not private.")
