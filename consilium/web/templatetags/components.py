"""Template tags of the design system: `{% load components %}` makes every row of the registry a tag."""

from collections.abc import Callable
from typing import Any

from django import template
from django.conf import settings
from django.template import TemplateSyntaxError
from django.template.context import Context
from django.utils.safestring import SafeData, SafeString

from consilium.web.components.registry import COMPONENTS, Component

register = template.Library()

# What a component's template sees of the page beside its own parameters
AMBIENT = ("request", "user", "messages", "csrf_token", "perms")
_kept: dict[tuple[object, ...], SafeString] = {}
MOST_KEPT = 512


def render(component: Component, context: Context, args: tuple[Any, ...], kwargs: dict[str, Any]) -> SafeString:
    """Render one component; its template sees only its own parameters, the request and the CSRF token."""
    body = kwargs.pop("__body__", "")
    try:
        variables = component.bind(args, kwargs)
    except TypeError as error:
        raise TemplateSyntaxError(str(error)) from error
    if component.kept and not settings.DEBUG:
        return _drawn_once(component, context, variables)
    ambient = {name: layer[name] for layer in context.dicts for name in AMBIENT if name in layer}
    variables = {**ambient, **variables, "content": body}
    if component.prepare:
        component.prepare(variables, variables)
    return _draw(component, context, variables)


def _draw(component: Component, context: Context, variables: dict[str, Any]) -> SafeString:
    template = context.template.engine.get_template(component.template)  # pyright: ignore[reportOptionalMemberAccess]
    return template.render(context.new(variables))


def _drawn_once(component: Component, context: Context, variables: dict[str, Any]) -> SafeString:
    """A component whose HTML depends on its parameters alone, from memory."""
    values = ((str(value), isinstance(value, SafeData)) for value in variables.values())
    slot = (component.name, *values)
    found = _kept.get(slot)
    if found is None:
        found = _draw(component, context, variables)
        if len(_kept) >= MOST_KEPT:
            _kept.clear()
        _kept[slot] = found
    return found


def _leaf(component: Component) -> Callable[..., SafeString]:
    def tag(context: Context, *args: Any, **kwargs: Any) -> SafeString:
        return render(component, context, args, kwargs)

    return tag


def _wrapper(component: Component) -> Callable[..., SafeString]:
    def tag(context: Context, content: str, *args: Any, **kwargs: Any) -> SafeString:
        return render(component, context, args, {**kwargs, "__body__": content})

    return tag


for _component in COMPONENTS.values():
    if _component.body:
        register.simple_block_tag(takes_context=True, name=_component.name)(_wrapper(_component))  # pyright: ignore[reportAttributeAccessIssue]
    else:
        register.simple_tag(takes_context=True, name=_component.name)(_leaf(_component))
