"""The methods of the route table are the methods that are answered; a view cannot add one by accident."""

from collections.abc import Callable
from functools import cache
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed

from consilium.web.routes import Route, all_routes


class ListedMethods:
    """Django middleware: 405 (RFC 9110 §15.5.6) for everybody alike, before a view is asked.

    Generic views would answer PUT like POST, and plain functions any method like GET.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *_view: Any) -> HttpResponse | None:
        """None when the method is listed (HEAD wherever GET is)."""
        row = _rows().get(request.resolver_match.url_name or "") if request.resolver_match else None
        method = "GET" if request.method == "HEAD" else request.method
        return None if row is None or method in row.methods else HttpResponseNotAllowed(row.methods)


@cache
def _rows() -> dict[str, Route]:
    return all_routes()
