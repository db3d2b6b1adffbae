"""Addresses of the reading room (below cases/<case_id>/records/)."""

from django.urls import URLPattern, URLResolver, path

from consilium.web.reading import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("", views.record_list, name="records"),
    path("search/", views.search, name="record_search"),
    path("compare/", views.compare, name="record_compare"),
    path("enough/", views.enough, name="record_enough"),
    path("<uuid:record_id>/", views.record_page, name="record"),
    path("<uuid:record_id>/windowed/<uuid:file_id>/<int:index>.png", views.windowed_frame, name="windowed_frame"),
]
