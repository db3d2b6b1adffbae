"""The released report, its receipts, and the links of treating doctors."""

from collections.abc import Iterable
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from consilium.cases.models import Case, GuestLink
from consilium.core import clock
from consilium.opinions.models import Delivery, Report
from consilium.web.desk.present.dates import moment


def reports(found: Iterable[Report]) -> list[dict[str, Any]]:
    """Every version with its files."""
    return [
        {
            "title": _("Version %(n)s") % {"n": report.number},
            "issued": moment(report.issued_at),
            "code": report.verify_code,
            "current": report.superseded_at is None,
            "clinical": f"/data/reports/{report.pk}/clinical.pdf",
            "patient": f"/data/reports/{report.pk}/patient.pdf",
        }
        for report in found
    ]


def receipts(found: Iterable[Delivery], names: dict[str, str], links: Iterable[GuestLink]) -> list[list[Any]]:
    """Rows: recipient, version, told, opened, downloaded."""
    guests = {f"guest:{link.pk}": str(link.recipient.get("name", "")) for link in links}
    rows = []
    for delivery in found:
        who = names.get(delivery.to) or guests.get(delivery.to) or _("Recipient")
        opened = {"text": moment(delivery.opened_at), "tone": "good"} if delivery.opened_at else _unopened(delivery)
        recipient = {"text": who, "note": delivery.get_recipient_display()}
        downloaded = moment(delivery.downloaded_at) or "–"
        rows.append([recipient, str(delivery.report.number), moment(delivery.told_at), opened, downloaded])
    return rows


def _unopened(delivery: Delivery) -> dict[str, str]:
    days = (clock.now() - delivery.told_at).days
    return {"text": _("not yet"), "tone": "warn" if days >= 2 else "neutral"}


def links(case: Case, found: Iterable[GuestLink]) -> list[dict[str, Any]]:
    """Links with their state and the address that revokes them."""
    now = clock.now()
    shown = []
    for link in found:
        state, tone = _link_state(link, now)
        shown.append(
            {
                "name": link.recipient.get("name", ""),
                "place": link.recipient.get("institution", ""),
                "state": state,
                "tone": tone,
                "until": moment(link.expires_at),
                "opened": moment(link.opened_at),
                "revoke": reverse("desk_link_revoke", args=[case.pk, link.pk]) if tone in ("good", "info") else "",
            }
        )
    return shown


def _link_state(link: GuestLink, now: Any) -> tuple[str, str]:
    if link.revoked_at:
        return _("revoked"), "neutral"
    if link.expires_at <= now:
        return _("run out"), "neutral"
    return (_("opened"), "good") if link.opened_at else (_("not opened yet"), "info")
