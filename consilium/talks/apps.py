from django.apps import AppConfig


class TalksConfig(AppConfig):
    name = "consilium.talks"
    label = "talks"
    default_auto_field = "django.db.models.BigAutoField"
