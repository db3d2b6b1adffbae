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
    key: str = "session"  # "session", or "session or token" where other programs come in (records/tokens.py)


READ = ("GET", "HEAD")
# One case's DICOMweb (gateways/dicomweb/app.py READING), as the paths below its root
_DICOMWEB = (
    "/{what}",
    "/studies/{study}",
    "/studies/{study}/metadata",
    "/studies/{study}/{form}",
    "/studies/{study}/{what}",
    "/studies/{study}/series/{series}",
    "/studies/{study}/series/{series}/metadata",
    "/studies/{study}/series/{series}/{form}",
    "/studies/{study}/series/{series}/{what}",
    "/studies/{study}/series/{series}/instances/{instance}",
    "/studies/{study}/series/{series}/instances/{instance}/metadata",
    "/studies/{study}/series/{series}/instances/{instance}/{form}",
    "/studies/{study}/series/{series}/instances/{instance}/pixeldata",
    "/studies/{study}/series/{series}/instances/{instance}/bulkdata/{value}",
    "/studies/{study}/series/{series}/instances/{instance}/frames/{frames}",
    "/studies/{study}/series/{series}/instances/{instance}/frames/{frames}/{form}",
)
# The data plane (config/asgi.py GATEWAYS), which no resolver knows. `key`: what opens it beside `access`.
DATA_ROUTES: tuple[Route, ...] = (
    Route("file:original", "case:record.view", READ),
    Route("file:thumbnail", "case:record.view", READ),
    Route("file:page", "case:record.view", READ),
    Route("file:frame", "case:record.view", READ),
    Route("report:clinical", "case:report.view", READ),
    Route("report:patient", "case:report.view", READ),
    Route("report:fhir", "case:report.view", READ),
    Route("slides:info", "case:record.view", READ, key="session or token"),
    Route("slides:tile", "case:record.view", READ, key="session or token"),
    Route("uploads", "case:record.add", ("POST",), key="session or token"),
    Route("upload", "case:record.add", ("HEAD", "PATCH", "DELETE"), key="session or token"),
    Route("uploads:options", "public", ("OPTIONS",), why="Says which tus is spoken here, whatever the address names."),
    *(Route(f"dicomweb:{path}", "case:record.view", READ, key="session or token") for path in _DICOMWEB),
    Route("dicomweb:store", "case:record.add", ("POST",), key="session or token"),
    Route("dicomweb:store:study", "case:record.add", ("POST",), key="session or token"),
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
