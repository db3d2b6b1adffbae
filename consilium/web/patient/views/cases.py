"""My cases: one's own, those one accompanies, and invitations."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from consilium.cases.actions import team
from consilium.web.guards import signed_in
from consilium.web.http import Request
from consilium.web.patient import queries
from consilium.web.patient.present import cases as present


@require_safe
@signed_in
def my_cases(request: Request) -> HttpResponse:
    """Own cases, cases of others one may follow, invitations to answer."""
    by = request.principal
    invitations = present.invitations(queries.invitations(by))
    context = present.lists(queries.my_cases(by), by) | {"invitations": invitations}
    return render(request, "patient/my_cases.html", context)


@require_POST
@signed_in
def answer_invitation(request: Request, grant_id: int) -> HttpResponse:
    """Accept or refuse to accompany somebody."""
    grant = queries.invitation(request.principal, grant_id)
    if request.POST.get("answer") == "accept":
        team.confirm_invitation(grant, by=request.principal)
        return redirect("case", grant.case_id)
    team.end_grant(grant, by=request.principal)
    messages.success(request, _("You have declined the invitation. Nothing was shown to you."))
    return redirect("my_cases")
