"""The main navigation as a table: who sees which link. A row whose page does not exist yet is not shown."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

EVERYBODY: frozenset[str] = frozenset()


class Link(NamedTuple):
    """One link: the words, the URL name, and the roles that see it (none: everybody signed in)."""

    label: Any
    url_name: str
    roles: frozenset[str] = EVERYBODY


PATIENT = (Link(pgettext_lazy("navigation", "My cases"), "my_cases"),)
STAFF = (
    Link(_("Desk"), "desk", frozenset({"coordinator"})),
    Link(_("Inbox"), "desk_inbox", frozenset({"coordinator"})),
    Link(_("Triage"), "triage_list", frozenset({"triage_clinician"})),
    Link(pgettext_lazy("navigation", "My reviews"), "specialist_home", frozenset({"specialist"})),
    Link(_("Quality"), "quality_home", frozenset({"quality_reviewer"})),
    Link(_("For patients"), "scribe_home", frozenset({"support_scribe"})),
    Link(_("Administration"), "admin_home", frozenset({"administrator"})),
)
TABLES = {"patient": PATIENT, "staff": STAFF}


def links_for(kind: str, *, roles: frozenset[str], path: str) -> list[dict[str, Any]]:
    """Links of a navigation for these roles, with the one for `path` marked as current."""
    found: list[dict[str, Any]] = []
    for link in TABLES[kind]:
        if link.roles and not link.roles & roles:
            continue
        try:
            href = reverse(link.url_name)
        except NoReverseMatch:
            continue
        found.append({"label": link.label, "href": href, "current": False})
    here = [one for one in found if path == one["href"] or (one["href"] != "/" and path.startswith(one["href"]))]
    if here:  # the innermost: the inbox lies below the desk
        max(here, key=lambda one: len(one["href"]))["current"] = True
    return found


def role_nav(variables: dict[str, Any], context: Mapping[str, Any]) -> None:
    """Fill `items` from the table unless the page brought its own."""
    if variables["items"] is not None:
        return
    request = context.get("request")
    principal = getattr(request, "principal", None)
    roles = frozenset(getattr(principal, "roles", ()) or ())
    variables["items"] = links_for(variables["kind"], roles=roles, path=getattr(request, "path", ""))
