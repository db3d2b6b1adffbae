"""Turns a rendered page into what a phone makes of it: tilted on a table, shadowed, a little soft."""

from __future__ import annotations

import io
import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image


def phone_photo(page: bytes, seed: str, width: int = 1500, height: int = 2000) -> bytes:
    """A JPEG of ``width`` × ``height`` pixels that shows ``page`` (PNG) lying on a table. Deterministic by seed."""
    import numpy as np
    from PIL import Image, ImageFilter

    dice = random.Random(seed)  # noqa: S311  # a picture, not a secret
    noise = np.random.default_rng(dice.randrange(2**32))
    table = _table(width, height, noise)
    sheet = Image.open(io.BytesIO(page)).convert("RGB")
    corners = _corners(width, height, dice)
    paper, mask = _laid(sheet, corners, (width, height))
    shade = Image.new("L", (width, height), 0)
    shade.paste(150, (14, 20), mask)
    table.paste((25, 18, 12), (0, 0), shade.filter(ImageFilter.GaussianBlur(18)))
    table.paste(paper, (0, 0), mask)
    lit = np.asarray(table, dtype=np.float32) * _light(width, height, dice)[..., None]
    lit *= np.array([1.0, 0.965, 0.9], dtype=np.float32)  # a warm lamp
    lit += noise.normal(0, 3.2, lit.shape).astype(np.float32)
    image = Image.fromarray(lit.clip(0, 255).astype("uint8")).filter(ImageFilter.GaussianBlur(0.7))
    out = io.BytesIO()
    image.save(out, "JPEG", quality=82, exif=_exif(width, height))
    return out.getvalue()


def _table(width: int, height: int, noise: np.random.Generator) -> Image.Image:
    """A wooden table top: long grain with slow bands."""
    import numpy as np
    from PIL import Image

    grain = noise.normal(0, 1, (height // 60 + 2, width)).astype(np.float32)
    rows = np.linspace(0, grain.shape[0] - 1.001, height)
    low = rows.astype(int)
    part = (rows - low)[:, None]
    smooth = grain[low] * (1 - part) + grain[low + 1] * part
    kernel = np.ones(5, dtype=np.float32) / 5
    smooth = np.apply_along_axis(lambda row: np.convolve(row, kernel, "same"), 1, smooth)
    bands = np.sin(np.linspace(0, 23, width))[None, :] * 0.5
    level = 1 + 0.09 * (smooth + bands)
    wood = np.array([139, 101, 68], dtype=np.float32) * level[..., None]
    return Image.fromarray(wood.clip(0, 255).astype("uint8"))


def _corners(width: int, height: int, dice: random.Random) -> list[tuple[float, float]]:
    """Where the sheet's corners lie in the picture, clockwise from the top left."""
    margin_x, margin_y = width * 0.075, height * 0.06
    base = [
        (margin_x * 1.5, margin_y),
        (width - margin_x * 1.5, margin_y * 1.15),
        (width - margin_x * 0.75, height - margin_y),
        (margin_x * 0.7, height - margin_y * 0.85),
    ]
    turn = dice.uniform(-26, 26)
    lean = [turn, turn, -turn, -turn]
    return [
        (x + slant + dice.uniform(-9, 9), y + dice.uniform(-14, 14)) for (x, y), slant in zip(base, lean, strict=True)
    ]


def _laid(
    sheet: Image.Image, corners: list[tuple[float, float]], size: tuple[int, int]
) -> tuple[Image.Image, Image.Image]:
    """The sheet in perspective, and the mask of where it lies."""
    import numpy as np
    from PIL import Image

    source = [(0, 0), (sheet.width, 0), (sheet.width, sheet.height), (0, sheet.height)]
    rows, right = [], []
    for (x, y), (u, v) in zip(corners, source, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        right += [u, v]
    warp = tuple(np.linalg.solve(np.array(rows, dtype=float), np.array(right, dtype=float)))
    way, soft = Image.Transform.PERSPECTIVE, Image.Resampling.BICUBIC
    mask = Image.new("L", sheet.size, 255).transform(size, way, warp, soft)
    return sheet.transform(size, way, warp, soft, fillcolor=(255, 255, 255)), mask


def _light(width: int, height: int, dice: random.Random) -> np.ndarray:
    """Light from one corner, and the photographer's own shadow from below."""
    import numpy as np

    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    lamp = 1.02 - 0.26 * np.hypot(x / width - dice.uniform(0.15, 0.4), y / height - dice.uniform(0.1, 0.3))
    edge = x / width - 0.62 + 0.55 * (y / height - 0.8)
    shadow = 1 - 0.17 / (1 + np.exp(-edge * 26))
    return lamp * shadow


def _exif(width: int, height: int) -> Image.Exif:
    from PIL import Image

    exif = Image.Exif()
    exif[0x010F], exif[0x0110], exif[0x0112] = "Synthetic", "Example phone", 1
    exif[0x0100], exif[0x0101] = width, height
    exif[0x010E] = "Synthetic example - not a real person"
    return exif
