"""Pictures for the documents: bounded, re-encoded and without metadata (a photo may carry a place or a name)."""

from __future__ import annotations

import io
import warnings
from functools import lru_cache

from PIL import Image, ImageDraw, ImageOps

from .content import Region

MAX_PIXELS = 40_000_000  # refuse before decoding: a small file can inflate to gigabytes
ACCENT = (196, 98, 45)


def for_print(data: bytes | None, *, longest: int = 560) -> bytes | None:
    """JPEG of at most ``longest`` pixels a side, upright and free of metadata; None for what is no picture."""
    picture = _open(data) if data else None
    if picture is None:
        return None
    picture.thumbnail((longest, longest))
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=84)
    return out.getvalue()


def cut_out(data: bytes, region: Region | None, *, margin: float = 0.12, longest: int = 700) -> bytes | None:
    """PNG of the cited region with some surroundings and a frame round the region; None for what is no picture.

    ``margin`` is the surroundings on each side as a fraction of the whole picture.
    """
    picture = _open(data)
    if picture is None:
        return None
    if region is not None:
        picture = _framed(picture, region, margin)
    picture.thumbnail((longest, longest))
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


def _open(data: bytes) -> Image.Image | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            picture = Image.open(io.BytesIO(data), formats=("PNG", "JPEG"))
            if picture.width * picture.height > MAX_PIXELS:
                return None
            upright = ImageOps.exif_transpose(picture)
            if upright.mode in {"RGBA", "LA", "P"}:
                rgba = upright.convert("RGBA")
                white = Image.new("RGBA", rgba.size, "white")
                upright = Image.alpha_composite(white, rgba)
            return upright.convert("RGB")
    except (OSError, ValueError, SyntaxError, Warning, Image.DecompressionBombError):
        return None


def _framed(picture: Image.Image, region: Region, margin: float) -> Image.Image:
    width, height = picture.size
    left, top = _within(region.x, width), _within(region.y, height)
    right = max(left + 1, _within(region.x + region.width, width))
    bottom = max(top + 1, _within(region.y + region.height, height))
    stroke = max(2, min(width, height) // 250)
    ImageDraw.Draw(picture).rectangle((left, top, right, bottom), outline=ACCENT, width=stroke)
    reach_x, reach_y = int(width * margin), int(height * margin)
    box = (max(0, left - reach_x), max(0, top - reach_y), min(width, right + reach_x), min(height, bottom + reach_y))
    return picture.crop(box)


def _within(fraction: float, size: int) -> int:
    return max(0, min(size - 1, round(fraction * size)))


@lru_cache(maxsize=256)
def qr_svg(url: str) -> str:
    """The QR code of ``url`` (ISO/IEC 18004, level M) as SVG."""
    import segno

    out = io.BytesIO()
    segno.make(url, error="m", micro=False).save(
        out, kind="svg", border=1, dark="#22303a", light="#ffffff", xmldecl=False, svgns=True
    )
    return out.getvalue().decode()
