"""Demo mode only: the page that shows what would have been mailed."""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from consilium.channels.email import folder


@require_safe
def outbox(request: HttpRequest) -> HttpResponse:
    """The newest messages of the mail folder; 404 outside demo mode."""
    if not settings.DEMO:
        raise Http404
    to = request.GET.get("to", "").strip().lower()
    messages = [message for message in folder.messages() if not to or to in message.to.lower()]
    return render(request, "demo/mail.html", {"mails": messages, "to": to})
