"""What the pages of a shared case show."""

from typing import Any

from consilium.access.principals import Principal
from consilium.access.rules import may
from consilium.cases.models import Case
from consilium.core.text import iso_date
from consilium.opinions.models import Report
from consilium.packs import registry
from consilium.people.queries import names_of
from consilium.talks.models import Message
from consilium.web import report_view
from consilium.web.clinician.guards import Place


def report_page(case: Case, by: Principal, report: Report, versions: list[Report], place: Place) -> dict[str, Any]:
    """The chosen version with its proofs, the other versions, and whether one may reply."""
    return report_view.of_report(report) | {
        "case": case,
        "place": place,
        "link": place.link,
        "patient": patient(case),
        "versions": [version(row, place, current=row.pk == report.pk) for row in versions],
        "newest": versions[0],
        "outdated": report.pk != versions[0].pk,
        "may_reply": may("message.send", case, by),
    }


def patient(case: Case) -> dict[str, Any]:
    """Whose report it is."""
    return {"name": case.patient.full_name, "born": iso_date(case.patient.birth_date)}


def version(row: Report, place: Place, *, current: bool) -> dict[str, Any]:
    """One line of the list of versions."""
    return {
        "number": row.number,
        "issued": row.issued_at,
        "superseded": row.superseded_at,
        "note": row.opinion.change_note,
        "href": "" if current else f"{place.home}?version={row.number}",
    }


def bubbles(case: Case, found: list[Message], by: Principal) -> list[dict[str, Any]]:
    """The conversation of the care team, oldest first."""
    names = names_of(sorted({message.by for message in found}))
    names |= {f"guest:{link.pk}": str(link.recipient.get("name", "")) for link in case.guest_links.all()}
    return [{"message": m, "who": names.get(m.by, ""), "mine": m.by == by.ref} for m in found]


def urgent_page(case: Case, place: Place) -> dict[str, Any]:
    """The urgent message while it waits to be received."""
    event = case.events.filter(verb="raise_urgent").order_by("-at").first()
    names = names_of([event.by]) if event else {}
    return {
        "case": case,
        "place": place,
        "link": place.link,
        "patient": patient(case),
        "event": event,
        "who": names.get(event.by, "") if event else "",
        "contact": case.organisation.contact,
    }


def card(case: Case) -> dict[str, Any]:
    """A case in the list of a treating doctor with an account."""
    urgent = case.state == "urgent"
    return {
        "title": case.patient.full_name,
        "reference": case.reference,
        "specialty": str(registry.specialty(case.specialty).title),
        "urgent": urgent,
        "delivered": case.delivered_at,
        "id": case.pk,
    }
