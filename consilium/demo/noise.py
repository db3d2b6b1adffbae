"""Soft shapes and textures the phantoms are painted with (numpy only)."""

from __future__ import annotations

import numpy as np

Array = np.ndarray


def blur(image: Array, sigma: float) -> Array:
    """Gaussian blur in pixels, by FFT; edges wrap, which the phantoms' dark margins do not show."""
    if sigma <= 0:
        return image
    fy = np.fft.fftfreq(image.shape[0])[:, None]
    fx = np.fft.rfftfreq(image.shape[1])[None, :]
    gain = np.exp(-2 * (np.pi * sigma) ** 2 * (fx**2 + fy**2))
    return np.fft.irfft2(np.fft.rfft2(image) * gain, s=image.shape).astype(np.float32)


def clouds(shape: tuple[int, int], dice: np.random.Generator, *scales: float) -> Array:
    """Smooth random texture, zero mean and unit spread: the sum of blurred noise at these scales in pixels."""
    total = np.zeros(shape, dtype=np.float32)
    for scale in scales:
        layer = blur(dice.standard_normal(shape).astype(np.float32), scale)
        total += layer / (layer.std() + 1e-9)
    return total / (total.std() + 1e-9)


def inside(distance: Array, softness: float = 1.0) -> Array:
    """1 within a shape (negative distance), 0 outside, soft over ``softness`` units."""
    return 1 / (1 + np.exp(np.clip(distance / (softness * 0.35), -40, 40)))


def box(x: Array, y: Array, half_x: float, half_y: float, corner: float = 0.0) -> Array:
    """Signed distance to a rounded rectangle around the origin."""
    dx, dy = np.abs(x) - half_x + corner, np.abs(y) - half_y + corner
    return np.hypot(np.maximum(dx, 0), np.maximum(dy, 0)) + np.minimum(np.maximum(dx, dy), 0) - corner


def ellipse(x: Array, y: Array, half_x: float, half_y: float) -> Array:
    """Approximate signed distance to an ellipse around the origin."""
    return (np.hypot(x / half_x, y / half_y) - 1) * min(half_x, half_y)


def over(base: Array, mask: Array, value: Array | float) -> Array:
    """Paint ``value`` over ``base`` where ``mask`` is 1."""
    return base * (1 - mask) + mask * value


def rician(image: Array, spread: float, dice: np.random.Generator) -> Array:
    """Magnitude noise as a magnetic resonance scanner makes it."""
    real = image + dice.normal(0, spread, image.shape)
    return np.hypot(real, dice.normal(0, spread, image.shape)).astype(np.float32)


def grid(rows: int, columns: int, spacing: float) -> tuple[Array, Array]:
    """Millimetre coordinates (x to the right, y down) of every pixel, zero in the middle."""
    y, x = np.mgrid[0:rows, 0:columns].astype(np.float32)
    return (x - (columns - 1) / 2) * spacing, (y - (rows - 1) / 2) * spacing
