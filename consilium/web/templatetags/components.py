"""Template tags of the design system: `{% load components %}` makes every row of the registry a tag."""

from collections.abc import Callable
from typing import Any

from django import template
from django.template import TemplateSyntaxError
from django.template.context import Context
from django.utils.safestring import SafeString

from consilium.web.components.registry import COMPONENTS, Component

register = template.Library()


def render(component: Component, context: Context, args: tuple[Any, ...], kwargs: dict[str, Any]) -> SafeString:
    """Render one component; its template sees only its own parameters, the request and the CSRF token."""
    body = kwargs.pop("__body__", "")
    try:
        variables = component.bind(args, kwargs)
    except TypeError as error:
        raise TemplateSyntaxError(str(error)) from error
    variables["content"] = body
    for name in ("request", "user", "messages", "csrf_token", "perms"):
        if name in context:
            variables.setdefault(name, context[name])
    if component.prepare:
        component.prepare(variables, context.flatten())
    engine_template = context.template.engine.get_template(component.template)  # pyright: ignore[reportOptionalMemberAccess]
    return engine_template.render(context.new(variables))


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
