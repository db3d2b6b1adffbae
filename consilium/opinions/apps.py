from django.apps import AppConfig


class OpinionsConfig(AppConfig):
    name = "consilium.opinions"
    label = "opinions"
    default_auto_field = "django.db.models.BigAutoField"
