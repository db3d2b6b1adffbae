"""Refusals: what a person asked for and cannot have, with one sentence that says what to do."""

from typing import Any


class Refusal(Exception):  # noqa: N818 - a refusal is an answer, not a fault
    """Base of everything the product says no to; `sentence` is shown to the person as it is."""

    status = 409

    def __init__(self, sentence: Any = "", *, code: str = "") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.code = code

    def __str__(self) -> str:
        return str(self.sentence)


class BadInput(Refusal):
    """The input cannot be used; the sentence says what would work."""

    status = 400


class NotAllowed(Refusal):
    """The principal may see the thing but may not do this to it now."""

    status = 403


class NotFound(Refusal):
    """Absent or not theirs to see: the two are indistinguishable on purpose."""

    status = 404


class StepUpNeeded(NotAllowed):
    """The verb needs a fresh second-step confirmation."""


class NotReady(Refusal):
    """A need of the workflow is unmet; `missing` lists the sentences."""

    def __init__(self, sentence: Any, *, missing: list[Any] | None = None, code: str = "") -> None:
        super().__init__(sentence, code=code)
        self.missing = missing or []
