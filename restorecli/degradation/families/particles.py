"""Dust grains near the lens: small discs and short streaks, blended over the image."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from restorecli.core.ops.compilation import compiled
from restorecli.images.image import Pixels

_MIN_RADIUS, _MAX_RADIUS = 0.3, 2.5  # px, radius
_STREAKED = 0.1
_STREAK = (3.0, 9.0)  # px
_OPACITY = (0.2, 0.8)
_TINT = 0.1


@dataclass(frozen=True, slots=True)
class Particles:
    """One row for each grain: places and sizes in pixels.

    Attributes:
        shapes: (N, 5): row, column, radius, and half the streak as (rows, columns).
        opacities: (N,) in [0, 1].
        colors: (N, 3) in [0, 1].
    """

    shapes: NDArray[np.float64]
    opacities: NDArray[np.float32]
    colors: NDArray[np.float32]


def draw_particles(
    shape: tuple[int, int], share: float, color: NDArray[np.float32], rng: np.random.Generator
) -> Particles:
    """Draw grains that cover about `share` of an image.

    Radii are 0.3 to 2.5 px (log-uniform: many small, few large), opacities 0.2 to 0.8, colors `color` plus
    or minus 0.1; one in ten is streaked by 3 to 9 px along a wind that all of them share within 10 degrees.

    Args:
        shape: Height and width.
        share: Of the pixels that the discs cover, streaks aside.
        color: (3,) of the dust.
        rng: The source of randomness.
    """
    ratio = math.log(_MAX_RADIUS / _MIN_RADIUS)
    mean_area = math.pi * (_MAX_RADIUS**2 - _MIN_RADIUS**2) / (2 * ratio)
    count = int(rng.poisson(share * shape[0] * shape[1] / mean_area))
    places = rng.random((count, 2)) * shape
    radii = _MIN_RADIUS * np.exp(rng.random(count) * ratio)
    wind = rng.uniform(0, math.pi)
    angles = wind + rng.uniform(-1, 1, count) * math.radians(10)
    lengths = rng.uniform(*_STREAK, count) * (rng.random(count) < _STREAKED)
    streaks = 0.5 * lengths[:, None] * np.stack([np.sin(angles), np.cos(angles)], axis=1)
    opacities = rng.uniform(*_OPACITY, count)
    tints = rng.uniform(-_TINT, _TINT, count)
    colors = np.clip(color + tints[:, None], 0, 1)
    shapes = np.concatenate([places, radii[:, None], streaks], axis=1)
    return Particles(shapes, opacities.astype(np.float32), colors.astype(np.float32))


@compiled
def _blend(
    image: Pixels, shapes: NDArray[np.float64], opacities: NDArray[np.float32], colors: NDArray[np.float32]
) -> None:
    for grain in range(len(shapes)):
        row, column, radius, down, across = shapes[grain]
        square = down * down + across * across
        # A disc smaller than a pixel cannot hide one: its opacity falls with its area.
        strength = opacities[grain] * min(1.0, 4 * radius * radius)
        top = max(int(np.floor(row - abs(down) - radius - 0.5)), 0)
        bottom = min(int(np.ceil(row + abs(down) + radius + 0.5)) + 1, image.shape[1])
        left = max(int(np.floor(column - abs(across) - radius - 0.5)), 0)
        right = min(int(np.ceil(column + abs(across) + radius + 0.5)) + 1, image.shape[2])
        for y in range(top, bottom):
            for x in range(left, right):
                dy, dx = y + 0.5 - row, x + 0.5 - column
                along = 0.0
                if square > 0:
                    along = min(max((dy * down + dx * across) / square, -1.0), 1.0)
                distance = np.hypot(dy - along * down, dx - along * across)
                cover = np.float32(strength * min(max(radius + 0.5 - distance, 0.0), 1.0))
                for channel in range(image.shape[0]):
                    image[channel, y, x] += cover * (colors[grain, channel] - image[channel, y, x])


def blend_particles(image: Pixels, particles: Particles) -> None:
    """Blend grains over a (3, H, W) float32 image in place, in their order."""
    _blend(image, particles.shapes, particles.opacities, particles.colors)
