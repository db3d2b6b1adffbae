"""Addresses of slides (below cases/<case_id>/)."""

from django.urls import URLPattern, URLResolver, path

from consilium.web.slides import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("records/<uuid:record_id>/slide/<uuid:file_id>/", views.slide_page, name="slide"),
]
