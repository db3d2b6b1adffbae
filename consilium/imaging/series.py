"""What a series is as a whole, from the facts of its images: how many, how thick, how far apart, with which gaps.

Pure arithmetic on header facts (facts.py); nothing here judges. Lengths in millimetres.
"""

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise
from statistics import median
from typing import Any

# PS3.4 Table B.5-1: Secondary Capture and its multi-frame kin
_SECONDARY = "1.2.840.10008.5.1.4.1.1.7"
_SCREEN = {"WSD", "SI", "DF", "SD"}  # (0008,0064): workstation, scanned image, digitised film, scanned document
GAP_FACTOR = 1.5  # a step this much larger than the usual one means that an image is missing
PARALLEL = 0.99  # cosine between normals that count as one orientation


def summarise(images: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """JSON-safe summary of one series; keys without a value are left out.

    {"images", "modality", "body_part", "laterality", "description", "date", "contrast", "thickness", "spacing",
    "gaps", "plane", "matrix", "field_strength", "secondary", "lossy"}
    """
    first = images[0]
    steps = _steps(images)
    usual = median(steps) if steps else None
    found = {
        "images": sum(int(one.get("frames") or 0) for one in images),
        "modality": first.get("modality"),
        "body_part": first.get("body_part"),
        "laterality": first.get("laterality") or first.get("image_laterality"),
        "description": first.get("series_description"),
        "date": first.get("study_date") or first.get("series_date"),
        "contrast": first.get("contrast"),
        "thickness": _largest(one.get("slice_thickness") for one in images),
        "spacing": round(usual, 3) if usual else first.get("spacing_between_slices"),
        "gaps": sum(1 for step in steps if usual and step > GAP_FACTOR * usual),
        "plane": _plane(first.get("image_orientation")),
        "matrix": [first["rows"], first["columns"]] if first.get("rows") and first.get("columns") else None,
        "field_strength": first.get("field_strength"),
        "secondary": all(is_secondary(one) for one in images),
        "lossy": any(one.get("lossy") == "01" for one in images),
    }
    return {key: value for key, value in found.items() if value not in (None, "", [])}


def is_secondary(facts: dict[str, Any]) -> bool:
    """A picture of a picture: a screenshot, a scanned film, a photo (PS3.3 §C.8.6.1), not what the device made."""
    if str(facts.get("sop_class", "")).startswith(_SECONDARY):
        return True
    return facts.get("conversion") in _SCREEN or "SCREEN SAVE" in facts.get("image_type", [])


def _steps(images: Sequence[dict[str, Any]]) -> list[float]:
    """Distances between neighbouring slices along their common normal; empty when they are no stack."""
    placed = [(one["image_position"], one["image_orientation"]) for one in images if _is_placed(one)]
    if len(placed) < 3 or len(placed) != len(images):
        return []
    normal = _normal(placed[0][1])
    if normal is None or any(abs(_dot(normal, _normal(o) or (0, 0, 0))) < PARALLEL for _p, o in placed):
        return []
    depths = sorted(_dot(normal, position) for position, _o in placed)
    # Several images at one place (phases, echoes, weightings) count once.
    return [b - a for a, b in pairwise(depths) if b - a > 0.01]


def _is_placed(one: dict[str, Any]) -> bool:
    return len(one.get("image_position") or []) == 3 and len(one.get("image_orientation") or []) == 6


def _normal(orientation: Sequence[float]) -> tuple[float, float, float] | None:
    """The unit vector across the image plane (PS3.3 §C.7.6.2.1.1)."""
    a, b, c, d, e, f = orientation
    cross = (b * f - c * e, c * d - a * f, a * e - b * d)
    length = math.sqrt(_dot(cross, cross))
    return (cross[0] / length, cross[1] / length, cross[2] / length) if length > 0.1 else None


def _plane(orientation: Sequence[float] | None) -> str:
    normal = _normal(orientation) if orientation and len(orientation) == 6 else None
    if normal is None:
        return ""
    return ("sagittal", "coronal", "axial")[max(range(3), key=lambda axis: abs(normal[axis]))]


def _dot(a: Sequence[float], b: Sequence[float]) -> float:
    return sum(x * y for x, y in zip(a, b, strict=True))


def _largest(values: Iterable[Any]) -> float | None:
    numbers = [float(value) for value in values if isinstance(value, (int, float))]
    return max(numbers) if numbers else None
