"""Django's WSGI application: every page. Served through the bridge of `asgi.py`."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "consilium.config.settings")

application = get_wsgi_application()
