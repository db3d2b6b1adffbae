"""Addresses of laboratory values and medication (below cases/<case_id>/records/)."""

from django.urls import URLPattern, URLResolver, path

from consilium.web.labs import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("laboratory/", views.laboratory, name="laboratory"),
    path("laboratory/values/<uuid:entry_id>/decide/", views.decide, name="laboratory_decide"),
    path("laboratory/<slug:key>/", views.analyte, name="laboratory_analyte"),
    path("medication/", views.medication, name="medication"),
]
