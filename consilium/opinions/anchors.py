"""Where a finding was seen: the cited region as a small picture, and as the report's `Anchor`."""

import io
from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings

from consilium.opinions.models import Finding
from consilium.opinions.report import content as paper
from consilium.records import previews, slide_tiles
from consilium.records.actions import seen_hash
from consilium.records.models import RecordFile

MARGIN = 0.06  # of the picture, around the region, so that one recognises the place
EDGE = 520  # pixels of the longer side


def paper_finding(finding: Finding, *, thumbnails: bool) -> paper.Finding:
    """The report's finding, with a picture of the region when `thumbnails`."""
    return paper.Finding(finding.text, finding.significance, _anchor(finding, thumbnails))


def _anchor(finding: Finding, thumbnails: bool) -> paper.Anchor | None:
    place = finding.anchor
    if not place or finding.record is None:
        return None
    number = int(place["index"]) + 1
    return paper.Anchor(
        record_title=finding.record.title,
        record_sha256=seen_hash(list(finding.record.files.all())),
        page=number if place["kind"] == "page" else None,
        frame=_frame_number(place) if place["kind"] == "frame" else None,
        region=paper.Region(place["x"], place["y"], place["w"], place["h"]) if place["w"] and place["h"] else None,
        thumbnail=region_picture(place) if thumbnails else None,
        place=_on_slide(place) if place["kind"] == "slide" else "",
    )


def _on_slide(place: dict[str, Any]) -> str:
    """The marked place in millimetres from the top left corner; the same in every language."""
    slide = slide_tiles.of_file(place["file"])
    if slide is None or not slide.mpp or not place["w"] or not place["h"]:
        return ""
    across, down = slide.width * slide.mpp / 1000, slide.height * slide.mpp / 1000
    sides = f"{place['w'] * across:.3f} × {place['h'] * down:.3f} mm"
    return f"x {place['x'] * across:.2f} mm, y {place['y'] * down:.2f} mm, {sides}"


def _frame_number(place: dict[str, Any]) -> int:
    """The place of an image within its series, counted from 1, as a reader would say it."""
    file = RecordFile.objects.get(pk=place["file"])
    before = RecordFile.objects.filter(record=file.record_id, series=file.series, position__lt=file.position).count()
    return before + int(place["index"]) + 1


def region_picture(place: dict[str, Any]) -> bytes | None:
    """PNG of the cited region with a margin and a frame around it; None when there is no preview.

    The input is one of our own re-rendered previews, never an upload, so it is decoded here.
    """
    from PIL import Image, ImageDraw

    file = RecordFile.objects.get(pk=place["file"])
    if place["kind"] == "slide":
        place, picture = _slide_picture(file, place)
    else:
        data = previews.picture(file, place["kind"], int(place["index"]))
        picture = Image.open(io.BytesIO(data)).convert("RGB") if data else None
    if picture is None:
        return None
    width, height = picture.size
    if place["w"] and place["h"]:
        box = [place["x"] * width, place["y"] * height]
        box += [box[0] + place["w"] * width, box[1] + place["h"] * height]
        ImageDraw.Draw(picture).rectangle(box, outline=(214, 120, 30), width=max(2, width // 250))
        if place["kind"] != "slide":  # whose picture was cut with its surroundings already
            picture = picture.crop(_around(box, width, height))
    picture.thumbnail((EDGE, EDGE))
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


def _around(box: list[float], width: int, height: int) -> tuple[int, int, int, int]:
    pad_x, pad_y = MARGIN * width, MARGIN * height
    left, top = int(max(0, box[0] - pad_x)), int(max(0, box[1] - pad_y))
    return left, top, int(min(width, box[2] + pad_x)), int(min(height, box[3] + pad_y))


def _slide_picture(file: RecordFile, place: dict[str, Any]) -> tuple[dict[str, Any], Any]:
    """The region's surroundings from the tiles, sharp, and the region within that picture."""
    x, y, w, h = (float(place[side]) for side in "xywh")
    found = slide_tiles.layout(file.pk)
    if found is None:
        return place, None
    if not (w and h):
        return place, slide_tiles.picture(found, (0, 0, 1, 1), EDGE)
    pad = 0.5
    left, top = max(0.0, x - pad * w), max(0.0, y - pad * h)
    right, bottom = min(1.0, x + w + pad * w), min(1.0, y + h + pad * h)
    picture = slide_tiles.picture(found, (left, top, right - left, bottom - top), EDGE)
    inside = {"x": (x - left) / (right - left), "y": (y - top) / (bottom - top)}
    inside |= {"w": w / (right - left), "h": h / (bottom - top)}
    return place | inside, picture


@cache
def portrait(name: str) -> bytes | None:
    """The doctor's portrait as PNG or JPEG for the PDF (a raster twin lies beside each SVG)."""
    base = settings.PACKAGE_DIR / "web" / "static" / "portraits"
    for path in (base / f"{Path(name).stem}.png", base / f"{Path(name).stem}.jpg"):
        if name and path.is_file():
            return path.read_bytes()
    return None
