"""What a web process does before its first request: it loads what every page needs, and keeps it for good."""

from django.conf import settings
from django.template.loader import get_template

from consilium.core.memory import spare_the_collector


def warm_up() -> None:
    """Compile the templates (not while developing, when each is read anew), and freeze what is loaded by now."""
    if not settings.DEBUG:
        root = settings.PACKAGE_DIR / "web" / "templates"
        for path in root.rglob("*.html"):
            get_template(path.relative_to(root).as_posix())
    spare_the_collector()
