"""Addresses of this area (below cases/<case_id>/records/)."""

from django.urls import URLPattern, URLResolver, path

from consilium.web.programs import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("programs/", views.programs, name="programs"),
    path("programs/key/", views.new_key, name="program_key"),
    path("programs/key/<uuid:token_id>/end/", views.end_key, name="program_key_end"),
    path("unfinished/<uuid:transfer_id>/discard/", views.discard, name="upload_discard"),
]
