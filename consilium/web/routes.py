"""The route table: every address of the product and who may come in. A route without a row fails the build.

Each area of the web keeps its rows in its own `routes.py`; they meet here. `access` is one of
"public", "guest" (a link), "account" (second step passed), "role:<membership role>[,…]", or "case:<action>" of
access/policy.py. tests/test_routes.py walks the URL resolver against this table.
"""

from dataclasses import dataclass
from importlib import import_module

AREAS = (
    *("accounts", "public", "patient", "desk", "specialist", "reading", "imaging_viewer", "clinician", "quality"),
    *("slides", "labs", "programs", "admin"),
)


@dataclass(frozen=True)
class Route:
    """One row: the URL name, who may come in, and the methods it answers."""

    name: str
    access: str
    methods: tuple[str, ...] = ("GET",)
    why: str = ""  # for public routes: why nobody has to sign in


# The data plane (gateways/data/app.py ROUTES), which no resolver knows: the part each path names, reads only.
DATA_ROUTES: tuple[Route, ...] = (
    Route("file:original", "case:record.view"),
    Route("file:thumbnail", "case:record.view"),
    Route("file:page", "case:record.view"),
    Route("file:frame", "case:record.view"),
    Route("report:clinical", "case:report.view"),
    Route("report:patient", "case:report.view"),
    Route("report:fhir", "case:report.view"),
)


def all_routes() -> dict[str, Route]:
    """Every row of every area, by URL name; a name twice is an error."""
    rows: dict[str, Route] = {}
    for area in AREAS:
        for row in import_module(f"consilium.web.{area}.routes").ROUTES:
            if row.name in rows:
                raise ValueError(f"Route {row.name} has two rows.")
            rows[row.name] = row
    return rows
