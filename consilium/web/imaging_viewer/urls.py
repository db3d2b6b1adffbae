"""Addresses of the image viewer (below cases/<case_id>/). The viewer's own router knows the last part, `viewer`."""

from django.urls import URLPattern, URLResolver, path

from consilium.web.imaging_viewer import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("viewer/", views.case_viewer, name="case_viewer"),
    path("records/<uuid:record_id>/viewer/", views.record_viewer, name="record_viewer"),
]
