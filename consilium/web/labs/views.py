"""Laboratory values and medication of a case: what the records in scope tell, as one table, trends and a list."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from consilium.access import scopes
from consilium.access.rules import may
from consilium.cases.actions import entries as verbs
from consilium.cases.models import Case
from consilium.core import audit
from consilium.core.errors import BadInput, NotFound
from consilium.records import laboratory as tables
from consilium.web.guards import with_case
from consilium.web.http import Request, query_of
from consilium.web.labs import lists, present
from consilium.web.reading.views import layout_of


@require_safe
@with_case("record.view")
def laboratory(request: Request, case: Case) -> HttpResponse:
    """Every laboratory value of the case: analytes down, days across; or the values that wait for a look."""
    found = scopes.entries(request.principal, case, "laboratory")
    rows = tables.rows(found)
    audit.read(f"case:{case.pk}", by=request.principal, space=case.pk, action="laboratory.read")
    context = present.table(case, rows, query_of(request)) | {
        "case": case,
        "may_correct": may("record.correct", case, request.principal),
        "withheld": present.is_withheld(request.principal, case),
        "layout": layout_of(request, case),
    }
    return render(request, "labs/table.html", context)


@require_safe
@with_case("record.view")
def analyte(request: Request, case: Case, key: str) -> HttpResponse:
    """One analyte over time: a chart, and the same as a table with where each value was read."""
    found = scopes.entries(request.principal, case, "laboratory")
    row = next((one for one in tables.rows(found) if present.key_of(case, one.key) == key), None)
    rejected = [one for one in tables.rejected(found) if present.key_of(case, one.key) == key]
    if row is None and not rejected:
        raise NotFound()
    audit.read(f"case:{case.pk}", by=request.principal, space=case.pk, action="laboratory.read")
    context = present.analyte(case, row, rejected) | {
        "case": case,
        "key": key,
        "may_correct": may("record.correct", case, request.principal),
        "layout": layout_of(request, case),
    }
    return render(request, "labs/analyte.html", context)


@require_POST
@with_case("record.correct")
def decide(request: Request, case: Case, entry_id: UUID) -> HttpResponse:
    """Say that a value read from a page is right, or not."""
    entry = next((one for one in scopes.entries(request.principal, case, "laboratory") if one.pk == entry_id), None)
    if entry is None:
        raise NotFound()
    if request.POST.get("answer") == "right":
        verbs.confirm_entry(case, entry, by=request.principal)
        messages.success(request, _("Thank you. The value is marked as confirmed."))
    elif request.POST.get("answer") == "wrong":
        verbs.reject_entry(case, entry, by=request.principal)
        messages.success(request, _("Thank you. The value is no longer shown as a result."))
    else:
        raise BadInput(_("Please say whether the value is right."))
    if request.POST.get("back") == "waiting":
        return redirect(f"{reverse('laboratory', args=[case.pk])}?show=waiting")
    return redirect("laboratory_analyte", case.pk, present.key_of(case, tables.key_of(entry)))


@require_safe
@with_case("record.view")
def medication(request: Request, case: Case) -> HttpResponse:
    """Medicines that structured documents list, with dose, since when and source; and what is not tolerated."""
    found = scopes.entries(request.principal, case, "medication", "allergy")
    audit.read(f"case:{case.pk}", by=request.principal, space=case.pk, action="medication.read")
    context = lists.medication(case, found) | {"case": case, "layout": layout_of(request, case)}
    return render(request, "labs/medication.html", context | {"withheld": present.is_withheld(request.principal, case)})
