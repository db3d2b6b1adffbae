from django.apps import AppConfig


class OpinionsConfig(AppConfig):
    name = "consilium.opinions"
    label = "opinions"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # The needs and effects of this room join the workflow when it is loaded.
        from consilium.opinions.actions import addendum, blind, opinion, quality, report  # noqa: F401
