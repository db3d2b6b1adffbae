"""The verbs of a case, one file a noun. `advance` is the only writer of `Case.state`."""

from consilium.cases.actions.advance import advance

__all__ = ["advance"]
