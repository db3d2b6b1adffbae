from django.apps import AppConfig


class TalksConfig(AppConfig):
    name = "consilium.talks"
    label = "talks"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # The needs and effects of this room join the workflow when it is loaded.
        from consilium.talks import actions  # noqa: F401
