"""Small readings of text that several rooms need."""

from datetime import date


def iso_date(text: str) -> date | None:
    """The date an ISO 8601 text says, or None for anything else."""
    try:
        return date.fromisoformat(text)
    except (TypeError, ValueError):
        return None
