"""The left half of the specialist's desk: the records, one of them open, beside whatever is being written."""

from typing import Any
from uuid import UUID

from django.urls import reverse

from consilium.access import scopes
from consilium.access.principals import Principal
from consilium.cases.models import Case
from consilium.cases.states import Phase
from consilium.core import audit
from consilium.people.queries import names_of
from consilium.records.models import Record
from consilium.talks import actions as talks
from consilium.web.http import Request, query_of
from consilium.web.labs.document import document
from consilium.web.reading import present as reading
from consilium.web.slides import present as slides


def is_blind(case: Case, by: Principal) -> bool:
    """Whether the person reads blind; answers from prefetched rows where they are there."""
    return any(read.specialist.user_id == by.id and read.locked_at is None for read in case.blind_reads.all())


def build(request: Request, case: Case, regions: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    """Context of specialist/pane.html: the list, the open record with its viewer, and the query that keeps it open."""
    by, query = request.principal, _asked(request, case)
    found = scopes.records(by, case).exclude(status=Record.Status.REMOVED).prefetch_related("files__previews")
    # Newest clinical date first; undated ones after those, newest arrival first.
    records = sorted(found, key=lambda r: (r.clinical_date or "", r.added_at.isoformat()), reverse=True)
    opened = next((record for record in records if str(record.pk) == query.get("record")), None)
    conclusion = scopes.sees_conclusion(by, case)
    rows = [reading.row(r, case, withheld=bool(r.conclusion_pages) and not conclusion) for r in records]
    context: dict[str, Any] = {"rows": rows, "base": request.path, "query": "", "regions": regions or []}
    if opened is None:
        return context
    audit.read(f"record:{opened.pk}", by=by, space=case.pk)
    pages = scopes.visible_pages(by, case, opened)
    # The windowed pictures live below the record's own address.
    viewer = reading.viewer(opened, query, pages, reverse("record", args=[case.pk, opened.pk]))
    keep = f"?record={opened.pk}" + (f"&series={query['series']}" if query.get("series") else "")
    for link in (*viewer.series, *viewer.windows):
        link["href"] = f"{request.path}?record={opened.pk}&{link['href'].partition('?')[2]}"
    context["marks"] = _marks(viewer, regions or [])
    if viewer.is_slide:
        context["slide"] = slides.beside(viewer, query, f"{request.path}?record={opened.pk}", context["marks"])
    return context | {
        "opened": opened,
        "row": reading.row(opened, case, withheld=bool(opened.conclusion_pages) and not conclusion),
        "viewer": viewer,
        "texts": reading.texts(opened, pages),
        "document": document(
            opened, scopes.entries(by, case, within=opened), whole=scopes.sees_original(by, case, opened)
        ),
        "facts": reading.facts_of(opened),
        "query": keep,
        "frames_at": f"{request.path}?record={opened.pk}{viewer.kept.replace('?', '&', 1)}",
        "series": query.get("series", ""),
    }


def _marks(viewer: reading.Viewer, regions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Marked regions with the number of the picture they belong to, in the viewer's percent units."""
    numbers = {(str(file), index): n for n, (file, _kind, index) in enumerate(viewer.places, start=1)}
    return [
        {**region, "page": numbers[region["file"], region["index"]]}
        for region in regions
        if (region["file"], region["index"]) in numbers
    ]


def _asked(request: Request, case: Case) -> dict[str, str]:
    """The query; ?file=&index= (a finding's place) becomes the series and frame that show it."""
    query = query_of(request)
    if "file" not in query:
        return query
    try:
        file = scopes.files(request.principal, case).filter(pk=UUID(query["file"])).first()
        index = int(query.get("index", "0"))
    except ValueError:
        return query
    if file is None:
        return query
    query |= {"record": str(file.record_id), "series": file.series}
    pages = list(range(max(file.record.pages, 1)))
    viewer = reading.viewer(file.record, query, pages, "")
    places = [(shown, number) for shown, _kind, number in viewer.places]
    query["frame"] = str(places.index((file.pk, index)) + 1) if (file.pk, index) in places else "1"
    return query


def place_of(request: Request, case: Case, data: dict[str, Any]) -> dict[str, Any]:
    """The anchor of a finding from the marked region: the viewer's picture number becomes (file, kind, index)."""
    record = scopes.records(request.principal, case).filter(pk=data.get("record")).first()
    if record is None or not data.get("page"):
        return {}
    pages = scopes.visible_pages(request.principal, case, record)
    viewer = reading.viewer(record, {"series": data.get("series") or ""}, pages, "")
    if not 1 <= data["page"] <= len(viewer.places):
        return {}
    file, kind, index = viewer.places[data["page"] - 1]
    region = {key: data.get(key) or 0 for key in "xywh"}
    return {"file": str(file), "kind": kind, "index": index, **region}


def guest_names(case: Case) -> dict[str, str]:
    """Names of treating doctors who write through a link."""
    return {f"guest:{link.pk}": str(link.recipient.get("name", "")) for link in case.guest_links.all()}


def thread(request: Request, case: Case) -> dict[str, Any]:
    """Messages the specialist is party to, marked as read, with names."""
    found = list(scopes.messages(request.principal, case))
    talks.mark_read(found, by=request.principal)
    names = names_of([message.by for message in found]) | guest_names(case)
    mine = request.principal.ref
    return {
        "messages": [{"message": m, "who": names.get(m.by, m.role), "mine": m.by == mine} for m in found],
        "with_patient": not is_blind(case, request.principal),
        "with_doctor": case.phase == Phase.RELEASED,
    }
