"""What every template knows."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest


def site(request: HttpRequest) -> dict[str, Any]:
    """Template context: the principal, the site's mode and the idle limit for the warning."""
    return {
        "principal": getattr(request, "principal", None),
        "demo_mode": settings.DEMO,
        "idle_minutes": int(settings.SESSION_IDLE_LIMIT.total_seconds() // 60),
        "languages": settings.LANGUAGES,
    }
