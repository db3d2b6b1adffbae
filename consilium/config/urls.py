"""Every address of the product; each route has its row in web/routes.py and the `routes.py` of its area."""

from django.conf import settings
from django.urls import URLPattern, URLResolver, include, path

from consilium.web.styleguide import styleguide

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("consilium.web.public.urls")),
    path("", include("consilium.web.accounts.urls")),
    path("", include("consilium.web.patient.urls")),
    path("desk/", include("consilium.web.desk.urls")),
    path("specialist/", include("consilium.web.specialist.urls")),
    path("cases/<uuid:case_id>/records/", include("consilium.web.labs.urls")),
    path("cases/<uuid:case_id>/records/", include("consilium.web.programs.urls")),
    path("cases/<uuid:case_id>/records/", include("consilium.web.reading.urls")),
    path("cases/<uuid:case_id>/", include("consilium.web.imaging_viewer.urls")),
    path("cases/<uuid:case_id>/", include("consilium.web.slides.urls")),
    path("", include("consilium.web.clinician.urls")),
    path("quality/", include("consilium.web.quality.urls")),
    path("admin/", include("consilium.web.admin.urls")),
]

if settings.DEMO or settings.DEBUG:
    # The gallery of components is for the people who build pages; a real site does not have it.
    urlpatterns.append(path("styleguide/", styleguide, name="styleguide"))

handler400 = "consilium.web.errors.bad_request"
handler403 = "consilium.web.errors.forbidden"
handler404 = "consilium.web.errors.not_found"
handler500 = "consilium.web.errors.server_error"
