"""Setting up, using and removing second steps: allauth's views, with what they leave open closed."""

from typing import Any, cast

from allauth.account.internal.flows.login import record_authentication
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base.internal.flows import post_authentication
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.views import ActivateTOTPView
from allauth.mfa.webauthn.views import AddWebAuthnView, RemoveWebAuthnView
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect

from consilium.web import guards
from consilium.web.accounts.adapter import has_second_step, note, passkeys_possible
from consilium.web.http import Request


class SettingUp:
    """Open to accounts without a second step, and to those that passed theirs: never to a session at one factor."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        parent = super().dispatch  # type: ignore[misc]
        active = cast(Request, request).principal.active  # a suspended account sets nothing up
        if request.user.is_authenticated and active and not has_second_step(request.user):
            return parent(request, *args, **kwargs)
        return guards.signed_in(parent)(request, *args, **kwargs)

    def passed(self, kind: str) -> None:
        """What was just set up was just used: the session has passed its second step."""
        request: HttpRequest = self.request  # type: ignore[attr-defined]
        authenticator = Authenticator.objects.filter(user=request.user, type=kind).latest("pk")
        post_authentication(request, authenticator, reauthenticated=True)
        note("account.second_step_add", request.user)  # type: ignore[arg-type]


class SetUpApp(SettingUp, ActivateTOTPView):
    def form_valid(self, form: Any) -> HttpResponse:
        response = super().form_valid(form)
        self.passed(Authenticator.Type.TOTP)
        return response


class SetUpPasskey(SettingUp, AddWebAuthnView):
    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"possible": passkeys_possible(self.request)}

    def form_valid(self, form: Any) -> HttpResponse:
        response = super().form_valid(form)
        self.passed(Authenticator.Type.WEBAUTHN)
        return response


class RemovePasskey(RemoveWebAuthnView):
    def form_valid(self, form: Any) -> HttpResponse:
        if not get_adapter().can_delete_authenticator(cast(Authenticator, self.get_object())):
            messages.error(self.request, str(get_adapter().error_messages["cannot_delete_authenticator"]))
            return redirect("mfa_list_webauthn")
        response = super().form_valid(form)
        note("account.second_step_remove", self.request.user)  # type: ignore[arg-type]
        return response


def pass_in_demo(request: HttpRequest) -> None:
    """Demonstration only: mark the second step of a demonstration account as passed now."""
    record_authentication(request, request.user, method="mfa", type="demo", reauthenticated=True)  # type: ignore[arg-type]
