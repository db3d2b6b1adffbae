"""The chapters in their order."""

from e2e.tour import access, desk, intake, quality, review, sharing
from e2e.tour.stage import Stage


def play(stage: Stage) -> None:
    """The whole tour; raises at the first step that does not work."""
    for chapter in (intake, desk, review, quality, sharing, access):
        chapter.play(stage)
