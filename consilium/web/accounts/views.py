"""Account pages of our own: signing in and out, the second step, security, language, deletion."""

from typing import cast

from allauth.account import views as allauth_views
from allauth.account.adapter import get_adapter
from allauth.account.utils import get_next_redirect_url
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import translation
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST
from django.views.i18n import set_language as django_set_language

from consilium.people.models import User
from consilium.web.accounts import actions, sessions
from consilium.web.accounts.adapter import has_second_step, passkeys_possible
from consilium.web.accounts.factors import pass_in_demo
from consilium.web.guards import signed_in
from consilium.web.http import Request

# The site data a shared computer must not keep; the language stays (W3C Clear Site Data §3.1).
ONWARD_KEY = "consilium_onward"  # where to go once the second step is set up
CLEARED = '"cache", "storage"'


def login(request: HttpRequest) -> HttpResponse:
    """Sign in. A session whose account was suspended meanwhile ends here instead of going round in circles."""
    if request.user.is_authenticated and not cast(Request, request).principal.active:
        logout(request)
    return allauth_views.login(request)


def sign_out(request: HttpRequest) -> HttpResponse:
    """Sign out (POST), after asking (GET)."""
    response = allauth_views.logout(request)
    if request.method == "POST":
        response["Clear-Site-Data"] = CLEARED
    return response


def second_step(request: HttpRequest) -> HttpResponse:
    """Where everybody goes who lacks a (fresh) second step: to choose one, or to pass the one they have."""
    if not request.user.is_authenticated or not cast(Request, request).principal.active:
        return redirect(f"{reverse('account_login')}?{urlencode({'next': request.get_full_path()})}")
    onward = get_next_redirect_url(request) or reverse("home")
    if is_demo(request.user):
        return _demo_step(request, onward)
    if has_second_step(request.user):
        method = get_adapter().get_reauthentication_methods(request.user)[0]
        return redirect(f"{method['url']}?{urlencode({'next': onward})}")
    request.session[ONWARD_KEY] = onward
    return render(request, "account/second_step.html", {"passkeys_possible": passkeys_possible(request)})


def is_demo(user: object) -> bool:
    """A demonstration account on a site in demonstration mode."""
    return bool(settings.DEMO and getattr(user, "is_demo", False))


def _demo_step(request: HttpRequest, onward: str) -> HttpResponse:
    if request.method == "POST":
        pass_in_demo(request)
        return redirect(onward)
    return render(request, "demo/second_step.html", {"next": onward})


@signed_in
def security(request: HttpRequest) -> HttpResponse:
    """Everything about getting in: address, password, language, second steps, sessions, deletion."""
    user = cast(User, request.user)
    own = list(Authenticator.objects.filter(user=user).order_by("created_at"))
    kinds = {str(kind): [a.wrap() for a in own if a.type == kind] for kind in Authenticator.Type.values}
    codes = kinds["recovery_codes"]
    context = {
        "app": kinds["totp"],
        "passkeys": kinds["webauthn"],
        "codes_left": len(codes[0].get_unused_codes()) if codes else 0,
        "removable": len(kinds["totp"]) + len(kinds["webauthn"]) > 1,
        "sessions": sessions.open_sessions(user, request.session.session_key),
        "deletion": actions.open_deletion(user),
        "passkeys_possible": passkeys_possible(request),
    }
    return render(request, "account/security.html", context)


@require_POST
@signed_in
def sign_out_elsewhere(request: HttpRequest) -> HttpResponse:
    """End every other session of this account."""
    actions.end_other_sessions(cast(User, request.user), request.session.session_key)
    messages.success(request, _("You are signed out everywhere else."))
    return redirect("mfa_index")


@signed_in
def deletion(request: HttpRequest) -> HttpResponse:
    """Ask for the account to be deleted, after reading what follows; or take that back."""
    user = cast(User, request.user)
    if request.method == "POST":
        if "withdraw" in request.POST:
            actions.withdraw_deletion(user)
            messages.success(request, _("Your account stays. Nothing was deleted."))
        else:
            actions.ask_for_deletion(user, by=cast(Request, request).principal)
            messages.success(request, _("We have received your wish. A person will look at it and write to you."))
        return redirect("mfa_index")
    return render(request, "account/delete.html", {"consequences": actions.CONSEQUENCES})


@require_POST
def set_language(request: HttpRequest) -> HttpResponse:
    """Change the language of this browser and, when signed in, of the account (and so of its mail)."""
    response = django_set_language(request)
    chosen = request.POST.get("language", "")
    if translation.check_for_language(chosen) and chosen in dict(settings.LANGUAGES) and request.user.is_authenticated:
        actions.speak(cast(User, request.user), chosen)
    return response
