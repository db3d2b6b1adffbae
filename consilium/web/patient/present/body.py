"""The body map: simple drawn figures, front and back, whose regions belong to the check boxes of the list.

Shapes are rounded rectangles in a box of 200 × 420. Seen from the front, the person's left is on the right.
"""

from collections.abc import Iterable
from typing import Any

from django.utils.translation import pgettext_lazy

from consilium.packs.schema import BodyRegion

Shape = tuple[float, float, float, float, float]  # x, y, width, height, corner radius

# What the figure itself is drawn of.
OUTLINE: tuple[Shape, ...] = (
    (78, 8, 44, 54, 22),
    (90, 56, 20, 24, 6),
    (60, 74, 80, 132, 26),
    (62, 186, 76, 44, 20),
    (36, 80, 24, 132, 12),
    (140, 80, 24, 132, 12),
    (32, 206, 24, 30, 12),
    (144, 206, 24, 30, 12),
    (64, 214, 33, 172, 15),
    (103, 214, 33, 172, 15),
    (60, 378, 36, 22, 10),
    (104, 378, 36, 22, 10),
)
# Regions on the side that is drawn on the left of the picture are written once and mirrored.
CENTRE: dict[str, tuple[Shape, ...]] = {
    "head": ((78, 8, 44, 54, 22),),
    "jaw": ((84, 44, 32, 18, 9),),
    "neck": ((88, 60, 24, 18, 6),),
    "chest": ((66, 84, 68, 50, 16),),
    "upper-back": ((66, 82, 68, 56, 16),),
    "lower-back": ((68, 146, 64, 46, 14),),
    "back": ((66, 82, 68, 112, 20),),
    "trunk": ((62, 80, 76, 124, 24),),
    "abdomen": ((68, 138, 64, 50, 16),),
    "lower-abdomen": ((70, 170, 60, 30, 12),),
    "pelvis": ((64, 190, 72, 36, 18),),
    "groin": ((84, 204, 32, 26, 12),),
    "legs": ((64, 216, 33, 168, 15), (103, 216, 33, 168, 15)),
    "arms": ((36, 82, 24, 128, 12), (140, 82, 24, 128, 12)),
    "bone-limb": ((42, 92, 12, 108, 6), (146, 92, 12, 108, 6), (74, 226, 12, 148, 6), (114, 226, 12, 148, 6)),
}
SIDED: dict[str, tuple[Shape, ...]] = {
    "eye": ((84, 26, 13, 9, 4),),
    "shoulder": ((44, 76, 30, 28, 14),),
    "arm": ((36, 96, 24, 114, 12),),
    "armpit": ((56, 104, 16, 22, 8),),
    "breast": ((68, 98, 28, 28, 14),),
    "buttock": ((66, 192, 32, 36, 16),),
    "hip": ((62, 194, 26, 32, 13),),
    "leg": ((64, 216, 33, 164, 15),),
    "knee": ((64, 288, 33, 34, 14),),
    "foot": ((60, 376, 36, 24, 10),),
}
WIDTH = 200


def shapes(code: str, view: str) -> tuple[Shape, ...]:
    """Where a region lies in the picture of one view; empty for regions that no picture shows (the skin)."""
    if code in CENTRE:
        return CENTRE[code]
    name, _sep, side = code.rpartition("-")
    found = SIDED.get(name, ())
    drawn_left = (side == "right") == (view == "front")
    return found if drawn_left else tuple((WIDTH - x - width, y, width, height, r) for x, y, width, height, r in found)


def views(regions: Iterable[BodyRegion], chosen: set[str]) -> list[dict[str, Any]]:
    """Front and back as they are drawn: regions in the order of the list, each with the id of its check box."""
    numbered = list(enumerate(regions))
    drawn = [
        {"title": title, "view": view, "outline": OUTLINE, "regions": _regions(numbered, view, chosen)}
        for view, title in (("front", pgettext_lazy("body", "Front")), ("back", pgettext_lazy("body", "Back")))
    ]
    return [view for view in drawn if view["regions"]]


def _regions(numbered: list[tuple[int, BodyRegion]], view: str, chosen: set[str]) -> list[dict[str, Any]]:
    return [
        {
            "box": f"id_regions_{number}",
            "number": number,
            "title": str(region.title),
            "chosen": region.code in chosen,
            "shapes": shapes(region.code, view),
        }
        for number, region in numbered
        if region.view in (view, "both") and shapes(region.code, view)
    ]
