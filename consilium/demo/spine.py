"""A lumbar spine as a T2-weighted sagittal series shows it, with one bulging disc at L4/L5."""

from __future__ import annotations

import numpy as np

from consilium.demo.noise import Array, blur, box, clouds, ellipse, grid, inside, over, rician

ROWS = COLUMNS = 384
SPACING = 0.73
THICKNESS = 4.0
LEVELS = ("T12", "L1", "L2", "L3", "L4", "L5", "S1", "S2")
HEIGHTS = (23.0, 25.0, 26.0, 27.0, 27.0, 26.0, 26.0, 20.0)
DISCS = (6.5, 7.5, 9.0, 10.0, 7.0, 8.5, 2.2)
WEAR = (0.15, 0.1, 0.15, 0.3, 0.95, 0.55, 0.9)
BULGE = (0.0, 0.0, 0.0, 0.8, 8.5, 1.8, 0.0)


def series(slices: int = 17, seed: int = 1, bulge: float = 1.0) -> list[Array]:
    """``slices`` frames of 384 × 384, float 0..1, from right to left. ``bulge`` scales the L4/L5 protrusion."""
    dice = np.random.default_rng(seed)
    along, across, x, y = _curved()
    texture = clouds((ROWS, COLUMNS), dice, 1.2, 3)
    belly = clouds((ROWS, COLUMNS), dice, 5, 11)
    offsets = (np.arange(slices) - (slices - 1) / 2) * THICKNESS
    return [_slice(float(side), along, across, x, y, texture, belly, bulge, dice) for side in offsets]


def middle(slices: int = 17) -> int:
    """The frame, counted from 1, that shows the canal."""
    return slices // 2 + 1


def _curved() -> tuple[Array, Array, Array, Array]:
    """For every pixel: millimetres along the spine's curve, across it (positive to the back), and x, y."""
    x, y = grid(ROWS, COLUMNS, SPACING)
    s = np.linspace(-40, 290, 420).astype(np.float32)
    angle = np.interp(s, [-40, 20, 90, 150, 185, 205, 240, 290], [8, 4, -8, -4, 14, 34, 52, 48]).astype(np.float32)
    turn = np.deg2rad(angle)
    step = s[1] - s[0]
    path_x, path_y = np.cumsum(np.sin(turn)) * step - 14, np.cumsum(np.cos(turn)) * step - 168
    best = np.full(x.shape, 1e9, dtype=np.float32)
    along, across = np.zeros_like(x), np.zeros_like(x)
    for index in range(0, len(s), 2):
        dx, dy = x - path_x[index], y - path_y[index]
        forward = dx * np.sin(turn[index]) + dy * np.cos(turn[index])
        sideways = dx * np.cos(turn[index]) - dy * np.sin(turn[index])
        distance = dx * dx + dy * dy
        near = distance < best
        best = np.where(near, distance, best)
        along, across = np.where(near, s[index] + forward, along), np.where(near, sideways, across)
    return along, across, x, y


def _slice(
    side: float,
    along: Array,
    across: Array,
    x: Array,
    y: Array,
    texture: Array,
    belly: Array,
    bulge: float,
    dice: np.random.Generator,
) -> Array:
    """One sagittal frame ``side`` millimetres off the middle."""
    canal = float(inside(np.float32(abs(side) - 10), 4))
    bodies = float(inside(np.float32(abs(side) - 24), 5))
    image = _soft_tissue(across, x, y, texture, belly, side)
    image = _behind(image, along, across, texture, canal, side)
    image = over(image, canal * inside(np.abs(across - 25.5) - 8.2, 1.2), _fluid(along, across, side))
    image = _column(image, along, across, texture, bodies, canal, bulge, side)
    image *= _coil(x, y, across)
    return np.clip(rician(blur(image, 0.75), 0.018, dice), 0, 1)


def _soft_tissue(across: Array, x: Array, y: Array, texture: Array, belly: Array, side: float) -> Array:
    """Air, skin, fat, muscle behind and the abdomen in front."""
    back = across - 88 - 5 * np.sin(y / 55)
    front = -across - 112
    body = inside(np.maximum(back, front), 2)
    image = np.full(x.shape, 0.23, dtype=np.float32) + 0.025 * texture
    streaks = np.clip(belly * 0.5 + texture * 0.22, 0, 2)
    image = over(image, inside(36 - across, 6), 0.2 + 0.13 * streaks)
    image = over(image, inside(64 - across + 4 * np.sin(y / 30 + side / 9), 3), 0.74 + 0.04 * texture)
    gut = 0.33 + 0.13 * belly
    image = over(image, inside(across + 27, 4), gut)
    vessel = inside(np.abs(across + 26 + 2 * np.sin(y / 40)) - 6.5, 2) * inside(y - 40, 20)
    image = over(image, vessel * inside(abs(side + 4) - 12 + 0 * across, 4), 0.05)
    skin = inside(np.abs(back + 1) - 1.1, 0.8)
    return over(image, skin, 0.3) * body


def _fluid(along: Array, across: Array, side: float) -> Array:
    """The dural sac: bright fluid, the cord down to L1 and the strands of the cauda equina below."""
    cord_end = 48.0
    taper = np.clip((cord_end - along) / 26, 0, 1)
    cord = inside(np.abs(across - 25) - (1.0 + 3.4 * taper), 1) * inside(along - cord_end, 3)
    strands = 0.14 * np.sin(across * 2.4 + along * 0.05) + 0.1 * np.sin(across * 4.1 - along * 0.03)
    toward_back = inside(24 - across, 3) * inside(cord_end - along, 10)
    sac = 0.93 - toward_back * np.clip(0.16 + strands, 0, 0.4)
    sac = over(sac, inside(205 - along, 14) * inside(across - 21, 4), 0.62)
    return over(sac, cord * float(inside(np.float32(abs(side) - 6), 2)), 0.5)


def _behind(image: Array, along: Array, across: Array, texture: Array, canal: float, side: float) -> Array:
    """Spinous processes with the bright fat between them; facet joints away from the middle."""
    start = 0.0
    spinous = float(inside(np.float32(abs(side) - 5), 3))
    for height, disc in zip(HEIGHTS[:6], DISCS[:6], strict=True):
        middle = start + height * 0.72
        low = (along - middle) - (across - 36) * 0.32
        fat = inside(box(across - 36.5, along - middle - height * 0.62, 3.4, 7.5, 3), 1.5)
        image = over(image, canal * fat, 0.82)
        process = box(across - 51, low, 14.5, 8.2, 5)
        image = over(image, spinous * inside(process, 1), 0.47 + 0.04 * texture)
        image = over(image, spinous * inside(np.abs(process) - 0.5, 0.8), 0.1)
        lateral = (1 - canal) * float(inside(np.float32(abs(side) - 20), 4))
        foramen = box(across - 23, along - start - height - disc * 0.1, 6.2, 9.5, 5)
        image = over(image, lateral * inside(foramen, 1.5), 0.8)
        nerve = ellipse(across - 23, along - start - height + 4, 3.1, 3.4)
        image = over(image, lateral * inside(nerve, 1), 0.28)
        facet = box(across - 36 - (along - middle - 14) * 0.25, along - middle - 10, 7.5, 15, 4)
        image = over(image, lateral * inside(facet, 1), 0.4 + 0.05 * texture)
        image = over(image, lateral * inside(np.abs(facet) - 0.6, 0.8), 0.09)
        start += height + disc
    return image


def _column(
    image: Array,
    along: Array,
    across: Array,
    texture: Array,
    bodies: float,
    canal: float,
    bulge: float,
    side: float,
) -> Array:
    """Vertebral bodies with their cortex, discs by wear, ligaments, and the bulge into the canal."""
    start = 0.0
    ligament = inside(np.abs(across - 17.3) - 0.7, 0.8) + inside(np.abs(across + 17.6) - 0.7, 0.8)
    image = over(image, bodies * np.clip(ligament, 0, 1) * inside(along - 215, 4), 0.05)
    for level, height in enumerate(HEIGHTS):
        half = 17.2 if level < 6 else 15.5 - 3.5 * (level - 6)
        waist = 1.1 * np.cos(np.clip((along - start - height / 2) / height, -0.5, 0.5) * np.pi) ** 2
        body = box(across, along - start - height / 2, half, height / 2, 2.6) + waist * (np.abs(across) > half - 5)
        marrow = (
            0.44
            + 0.03 * texture
            + (0.07 if level in (4, 5) else 0.0) * inside(np.abs(along - start - height * (level == 4)) - 7, 6)
        )
        image = over(image, bodies * inside(body, 0.9), marrow)
        image = over(image, bodies * inside(np.abs(body) - 0.55, 0.8), 0.07)
        vein = box(across - half + 5, along - start - height / 2, 5, 1.2, 1)
        image = over(image, bodies * canal * inside(vein, 1) * (level < 6), 0.62)
        if level < len(DISCS):
            image = _disc(image, along - start - height, across, level, bodies, canal, bulge, texture, side)
            start += height + DISCS[level]
    return image


def _disc(
    image: Array,
    down: Array,
    across: Array,
    level: int,
    bodies: float,
    canal: float,
    bulge: float,
    texture: Array,
    side: float,
) -> Array:
    """One disc, ``down`` millimetres below the end plate above it."""
    height, wear = DISCS[level], WEAR[level]
    half = 17.8 if level < 6 else 12.0
    ring = box(across, down - height / 2, half, height / 2 - 0.5, 3)
    image = over(image, bodies * inside(ring, 0.9), 0.1)
    core = ellipse(across - 1.5, down - height / 2, half * 0.68, height * 0.36)
    image = over(image, bodies * inside(core, 1.5), (1 - wear) * 0.76 + 0.13 + 0.02 * texture)
    if wear < 0.3:
        cleft = box(across - 1.5, down - height / 2, half * 0.5, 0.5, 0.4)
        image = over(image, bodies * inside(cleft, 1), 0.42)
    reach = BULGE[level] * (bulge if level == 4 else 1.0) * float(np.exp(-(((side + 3) / 9) ** 2)))
    if reach > 0.3:
        lump = ellipse(across - 17, down - height / 2 - 0.8, reach, height * 0.62 + 1.5)
        image = over(image, inside(lump, 1), 0.16)
        image = over(image, inside(np.abs(lump) - 0.5, 0.8) * (across > 17), 0.04)
        flavum = ellipse(across - 34.5, down - height / 2, 3.2, 8)
        image = over(image, canal * inside(flavum, 1), 0.12)
    return image


def _coil(x: Array, y: Array, across: Array) -> Array:
    """The surface coil lies under the back: signal falls towards the belly and the ends."""
    return (0.5 + 0.62 * np.exp(-(((across - 55) / 95) ** 2))) * np.exp(-((y / 175) ** 4)) * (1 + 0 * x)
