"""JPEG lossless (ITU-T T.81 process 14) for previews: no permissively licensed decoder is installed."""

from __future__ import annotations

from typing import Any

import numpy as np
from pydicom.dataset import Dataset
from pydicom.encaps import generate_frames, get_frame

SYNTAXES = {"1.2.840.10008.1.2.4.57", "1.2.840.10008.1.2.4.70"}
Array = np.ndarray[Any, np.dtype[Any]]


def handles(transfer_syntax: str) -> bool:
    return transfer_syntax in SYNTAXES


def frame(found: Dataset, index: int) -> Array:
    """Decoded frame `index` of an encapsulated data set. Raises NotImplementedError, ValueError."""
    raise NotImplementedError("JPEG lossless")


__all__ = ["frame", "generate_frames", "get_frame", "handles"]
