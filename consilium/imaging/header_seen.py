"""Elements that were decoded before: the slices of a series share nearly all of theirs."""

from __future__ import annotations

from typing import Any

from consilium.imaging.header_values import Encodings

MOST = 4096  # elements remembered of one character set
SHORT = 1024  # bytes; a longer element is decoded each time

# (implicit VR, character sets, tag, of defined length, pixel representation)
Sequence = tuple[bool, Encodings, int, bool, int]


class Seen:
    """For a caller who reads many headers of one case, and lets go of it together with them.

    Headers that were read with the same one share the lists in their `tags`: these are for reading only.
    """

    __slots__ = ("_values", "sequences")

    def __init__(self) -> None:
        self._values: dict[tuple[bool, Encodings], dict[bytes, list[Any]]] = {}
        self.sequences: dict[Sequence, tuple[bytes, list[Any] | None]] = {}  # → the last one's bytes, VR and items

    def values(self, implicit: bool, encodings: Encodings) -> dict[bytes, list[Any]]:
        """Whole elements as they stand in the file → VR and values."""
        found = self._values.setdefault((implicit, encodings), {})
        if len(found) > MOST:
            found.clear()
        if len(self.sequences) > MOST:
            self.sequences.clear()
        return found
