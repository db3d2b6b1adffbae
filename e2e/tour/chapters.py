"""The chapters in their order."""

from e2e.tour import desk, intake, review
from e2e.tour.stage import Stage


def play(stage: Stage) -> None:
    """The whole tour; raises at the first step that does not work."""
    for chapter in (intake, desk, review):
        chapter.play(stage)
