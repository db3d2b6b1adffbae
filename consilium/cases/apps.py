from django.apps import AppConfig


class CasesConfig(AppConfig):
    name = "consilium.cases"
    label = "cases"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # Needs and effects join the workflow when their module is loaded; checks prove that none is missing.
        from consilium.cases import checks, needs, notices  # noqa: F401
        from consilium.cases.actions import follow_up, offers  # noqa: F401
