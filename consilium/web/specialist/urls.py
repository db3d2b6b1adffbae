"""Addresses of the specialist's area (below specialist/)."""

from django.urls import URLPattern, URLResolver, path

from consilium.web.specialist import editor, views

CASE = "cases/<uuid:case_id>/"

urlpatterns: list[URLPattern | URLResolver] = [
    path("", views.home, name="specialist_home"),
    path(CASE, views.review, name="review"),
    path(f"{CASE}offer/", views.offer, name="offer"),
    path(f"{CASE}decline/", views.decline, name="decline"),
    path(f"{CASE}first-impression/", views.blind_read, name="blind_read"),
    path(f"{CASE}first-impression/lock/", views.lock_blind_read, name="lock_blind_read"),
    path(f"{CASE}first-opinion/", views.reveal, name="reveal"),
    path(f"{CASE}opinion/<slug:part>/", editor.part, name="opinion"),
    path(f"{CASE}findings/<uuid:finding_id>/remove/", editor.remove_finding, name="remove_finding"),
    path(f"{CASE}addendum/", editor.start_addendum, name="addendum"),
    path(f"{CASE}answer/", views.answer, name="answer_clarification"),
    path(f"{CASE}message/", views.message, name="specialist_message"),
    path(f"{CASE}ask/", views.ask_for_record, name="ask_for_record"),
    path(f"{CASE}step/<slug:name>/", views.step, name="specialist_step"),
]
