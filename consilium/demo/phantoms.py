"""Simple pictures of other body parts: a knee, a breast, a head, a prostate, a beating valve. Nobody's body."""

from __future__ import annotations

import numpy as np

from consilium.demo.noise import Array, blur, box, clouds, ellipse, grid, inside, over, rician


def knee(seed: int = 3) -> list[Array]:
    """Two standing X-rays (front, side): femur, tibia, fibula; the inner joint space is narrow."""
    return [_knee_front(np.random.default_rng(seed)), _knee_side(np.random.default_rng(seed + 1))]


def _knee_front(dice: np.random.Generator) -> Array:
    x, y = grid(900, 720, 0.3)
    soft = inside(ellipse(x, y, 78, 190), 6) * 0.28
    texture = clouds(x.shape, dice, 2, 6) * 0.02
    shaft = box(x, y + 95, 17, 60, 8)
    condyles = np.minimum(ellipse(x + 20, y + 26, 24, 23), ellipse(x - 20, y + 25, 24, 22))
    image = over(soft, inside(np.minimum(shaft, condyles), 2), 0.72 + texture)
    gap = np.where(x < 0, 1.2, 5.2)  # the inner half (left in the picture) has lost its cartilage
    plateau = box(x, y - 9 - gap, 43, 6, 4)
    tibia = np.minimum(plateau, box(x, y - 80, 19, 70, 8))
    image = over(image, inside(tibia, 2), 0.74 + texture)
    image = over(image, inside(box(x - 47, y - 75, 6, 60, 4), 1.5), 0.55)
    image = over(image, inside(ellipse(x, y + 40, 22, 24), 2), np.maximum(image, 0.8))
    spur = ellipse(x + 46, y - 3, 4, 3)
    image = over(image, inside(np.minimum(spur, ellipse(x + 45, y + 9, 4, 3)), 1), 0.8)
    return np.clip(blur(image, 1.2) + dice.normal(0, 0.012, x.shape), 0, 1).astype(np.float32)


def _knee_side(dice: np.random.Generator) -> Array:
    x, y = grid(900, 720, 0.3)
    image = inside(ellipse(x, y, 70, 190), 6) * 0.26
    texture = clouds(x.shape, dice, 2, 6) * 0.02
    femur = np.minimum(box(x + 6, y + 95, 16, 60, 8), ellipse(x - 6, y + 24, 33, 24))
    image = over(image, inside(femur, 2), 0.7 + texture)
    tibia = np.minimum(box(x, y - 14, 32, 8, 5), box(x - 2, y - 85, 17, 68, 8))
    image = over(image, inside(tibia, 2), 0.72 + texture)
    image = over(image, inside(ellipse(x + 46, y + 34, 9, 19), 1.5), 0.72)
    return np.clip(blur(image, 1.2) + dice.normal(0, 0.012, x.shape), 0, 1).astype(np.float32)


def breast(seed: int = 5) -> list[Array]:
    """Two mammograms of the left breast with a spiculated mass in the upper outer part."""
    return [
        _mammogram(np.random.default_rng(seed), (60.0, -38.0)),
        _mammogram(np.random.default_rng(seed + 1), (70.0, -52.0)),
    ]


def _mammogram(dice: np.random.Generator, place: tuple[float, float]) -> Array:
    x, y = grid(1000, 760, 0.24)
    x = x + 0.24 * 380
    outline = ellipse(x, y, 140, 105)
    tissue = 0.24 + 0.16 * np.clip(clouds(x.shape, dice, 4, 12, 30) * 0.6 + 0.3, 0, 2) * inside(
        ellipse(x - 45, y, 70, 70), 30
    )
    image = inside(outline, 3) * tissue
    dx, dy = x - place[0], y - place[1]
    angle = np.arctan2(dy, dx)
    rays = 1 + 0.45 * np.cos(11 * angle) + 0.25 * np.cos(17 * angle + 1)
    mass = np.hypot(dx, dy) - 8.0 * rays
    image = over(image, inside(mass, 4) * inside(outline, 3), 0.86)
    return np.clip(blur(image, 1.0) + dice.normal(0, 0.01, x.shape), 0, 1).astype(np.float32)


def brain(slices: int = 22, seed: int = 7) -> list[Array]:
    """FLAIR-like axial slices of a head with a few bright ovals beside the ventricles."""
    dice = np.random.default_rng(seed)
    x, y = grid(256, 256, 0.9)
    texture = clouds(x.shape, dice, 1.5, 4)
    return [_head(x, y, texture, (index - slices / 2) * 6.0, dice) for index in range(slices)]


LESIONS = (
    (-16.0, -10.0, 6.0, 5.0, 2.6),
    (19.0, 2.0, 12.0, 6.0, 2.8),
    (-24.0, 18.0, 18.0, 3.5, 3.0),
    (28.0, -26.0, 0.0, 3.0, 3.5),
)


def _head(x: Array, y: Array, texture: Array, z: float, dice: np.random.Generator) -> Array:
    size = float(np.sqrt(max(0.12, 1 - (z / 82) ** 2)))
    image = inside(ellipse(x, y, 78 * size, 96 * size), 3) * 0.5
    image = over(image, inside(ellipse(x, y, 73 * size, 91 * size), 2), 0.06)
    grey = 0.46 + 0.03 * texture + 0.05 * np.sin(np.arctan2(y, x) * 22 + z / 7)
    image = over(image, inside(ellipse(x, y, 68 * size, 86 * size), 2), grey)
    image = over(image, inside(ellipse(x, y, 54 * size, 70 * size), 5), 0.36 + 0.02 * texture)
    image = over(image, inside(np.abs(x) - 0.9, 1) * inside(ellipse(x, y, 68 * size, 86 * size), 2), 0.14)
    if abs(z - 6) < 26:
        for side in (-1, 1):
            horn = ellipse(x - side * 10, y + 4 - 0.2 * z, 5.5, 24)
            image = over(image, inside(horn, 1.5), 0.07)
    for lx, ly, lz, width, height in LESIONS:
        fade = float(np.exp(-(((z - lz) / 6) ** 2)))
        image = over(image, inside(ellipse(x - lx, y - ly, width, height), 1.5) * fade, 0.92)
    return np.clip(rician(blur(image, 0.8), 0.015, dice), 0, 1)


def prostate(slices: int = 20, seed: int = 11) -> list[Array]:
    """T2-like axial slices of a small pelvis: bladder above, the gland with one dark spot on the left."""
    dice = np.random.default_rng(seed)
    x, y = grid(320, 320, 0.6)
    texture = clouds(x.shape, dice, 1.5, 5)
    return [_pelvis(x, y, texture, (index - slices / 2) * 3.0, dice) for index in range(slices)]


def _pelvis(x: Array, y: Array, texture: Array, z: float, dice: np.random.Generator) -> Array:
    image = inside(ellipse(x, y, 92, 74), 5) * (0.5 + 0.05 * texture)
    for side in (-1, 1):
        image = over(image, inside(ellipse(x - side * 58, y + 4, 20, 30), 3), 0.22 + 0.03 * texture)
        image = over(image, inside(ellipse(x - side * 34, y - 4, 7, 24), 3), 0.16)
    image = over(image, inside(ellipse(x, y - 36, 13, 10), 2), 0.3 + 0.1 * texture)
    if z < -12:
        image = over(image, inside(ellipse(x, y + 16, 30, 22), 2), 0.93)
    size = float(np.sqrt(max(0.05, 1 - (z / 30) ** 2)))
    image = over(image, inside(ellipse(x, y, 25 * size, 20 * size), 1.5), 0.62 + 0.05 * texture)
    image = over(image, inside(ellipse(x, y + 3, 15 * size, 12 * size), 2), 0.42 + 0.08 * texture)
    fade = float(np.exp(-(((z - 3) / 5) ** 2)))
    image = over(image, inside(ellipse(x - 15, y - 11, 5, 3.5), 1.5) * fade, 0.2)
    return np.clip(rician(blur(image, 0.8), 0.02, dice), 0, 1)


def echo(frames: int = 24, seed: int = 13) -> list[Array]:
    """An ultrasound loop: a fan with a chamber that beats and a bright, stiff valve."""
    dice = np.random.default_rng(seed)
    x, y = grid(420, 520, 0.4)
    speckle = [np.abs(clouds(x.shape, dice, 1.2, 2.5)) for _ in range(4)]
    return [_beat(x, y + 84, speckle[index % 4], index / frames) for index in range(frames)]


def _beat(x: Array, y: Array, speckle: Array, phase: float) -> Array:
    squeeze = 1 - 0.24 * float(np.sin(np.pi * phase) ** 2)
    fan = inside(np.abs(x) - np.maximum(y, 0) * 0.78, 2) * inside(y - 160, 3) * inside(4 - y, 2)
    wall = np.abs(ellipse(x + 8, y - 88, 30 * squeeze, 52 * squeeze)) - 6
    image = 0.08 * speckle + inside(wall, 3) * (0.3 + 0.25 * speckle)
    image = image + inside(np.abs(ellipse(x - 34, y - 118, 15, 20)) - 3, 2) * (0.25 + 0.2 * speckle)
    opening = 3.0 + 4.0 * float(np.sin(np.pi * phase) ** 2)
    for side in (-1, 1):
        leaflet = box(x - 22, y - 100 - side * opening, 8, 1.6, 1)
        image = over(image, inside(leaflet, 1), 0.95)
    return np.clip(image * fan, 0, 1).astype(np.float32)
