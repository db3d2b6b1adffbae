"""The coordinators' list."""

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from consilium.access import scopes
from consilium.people.queries import names_of
from consilium.web.desk import queries
from consilium.web.desk.present import board as present
from consilium.web.guards import member
from consilium.web.http import Request

PAGE = 25
LANES = 200  # cases shown when similar ones are grouped


@require_http_methods(["GET", "HEAD", "POST"])
@member("coordinator")
def desk(request: Request) -> HttpResponse:
    """One list sorted by next action. A search is sent by POST: names do not belong into addresses and logs."""
    if request.method == "POST":
        return _found(request, request.POST.get("q", "").strip()[:100])
    filters = queries.filters_from(request.GET)
    everything = queries.board(request.principal)
    totals = queries.totals(everything)
    pages = Paginator(queries.narrowed(everything, filters), LANES if filters.view == "lanes" else PAGE)
    page = pages.get_page(request.GET.get("page"))
    names = names_of(present.refs_in(page.object_list))
    found = queries.insight(request.principal)
    context = {
        "filters": filters,
        "in_inbox": scopes.inbox(request.principal).filter(status="waiting").count(),
        "tabs": present.tabs(filters, totals),
        "facts": present.insight_facts(found, totals),
        "counts": present.state_counts(found),
        "page": page,
        "choices": present.choices(filters),
        "lanes": present.lanes(page.object_list, names) if filters.view == "lanes" else [],
        "cards": [present.card(case, names) for case in page.object_list] if filters.view == "list" else [],
    }
    return render(request, "desk/board.html", context)


def _found(request: Request, text: str) -> HttpResponse:
    found = queries.search(request.principal, text) if text else []
    names = names_of(present.refs_in(found))
    context = {"q": text, "cards": [present.card(case, names) for case in found]}
    return render(request, "desk/search.html", context)
