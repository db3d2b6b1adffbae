"""`require(action, thing, by=)`: the one question every verb asks before it does anything."""

from typing import Protocol

from django.utils.translation import gettext_lazy as _

from consilium.access.policy import ACTIONS
from consilium.access.principals import Principal
from consilium.core.errors import NotAllowed, StepUpNeeded


class Governed(Protocol):
    """A thing the policy speaks of: it knows its phase and the roles somebody has on it."""

    @property
    def phase(self) -> str: ...

    def roles_of(self, principal: Principal) -> frozenset[str]: ...


def granted(action: str, phase: str, roles: frozenset[str]) -> bool:
    """Whether the table grants `action` to any of `roles` in `phase`. Unknown actions raise KeyError."""
    grants = ACTIONS[action].grants
    return any(phase in grants.get(role, ()) for role in roles)


def may(action: str, thing: Governed, by: Principal) -> bool:
    """Whether `by` may do `action` to `thing` now (a step-up still missing counts as yes: ask for it)."""
    return by.active and granted(action, thing.phase, thing.roles_of(by)) and strong_enough(by)


def strong_enough(by: Principal) -> bool:
    """Nobody works at one factor: accounts need a second step, guests passed theirs to become one."""
    return by.kind in ("system", "guest") or by.strong


def require(action: str, thing: Governed, by: Principal) -> None:
    """Raise unless `by` may do `action` to `thing` now; default is no."""
    if not may(action, thing, by):
        raise NotAllowed(_("You are not allowed to do this here."), code=action)
    require_fresh(ACTIONS[action].step_up, by)


def require_fresh(step_up: bool, by: Principal) -> None:
    """Raise when a step-up is asked for and the principal's second step is not fresh."""
    if step_up and by.kind == "user" and not by.fresh:
        raise StepUpNeeded(_("Please confirm with your second step first."), code="step_up")
