"""What a web process does before its first request: it loads what every page needs, and keeps it for good.

A full garbage collection walks over all that lives: some 150,000 objects of Django, our modules and the templates. It
came with every dozenth page and took 100 ms of it. What is frozen after loading is not walked over again.
"""

import gc

from django.conf import settings
from django.template.loader import get_template


def warm_up() -> None:
    """Compile the templates (not while developing, when each is read anew), and freeze what is loaded by now."""
    if not settings.DEBUG:
        root = settings.PACKAGE_DIR / "web" / "templates"
        for path in root.rglob("*.html"):
            get_template(path.relative_to(root).as_posix())
    gc.collect()
    gc.freeze()
