"""What scattering needs besides the image: smooth random fields, a guess at depth, the guided filter."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Plane = NDArray[np.float32]


def luma(color: NDArray[np.float32]) -> Plane:
    """Return the BT.601 luma, (H, W), of a (3, H, W) image."""
    # Not a matrix product, whose last bits depend on the number of threads.
    red, green, blue = (color[i] * np.float32(weight) for i, weight in enumerate((0.299, 0.587, 0.114)))
    result: Plane = red + green + blue
    return result


def fractal_noise(shape: tuple[int, int], octaves: int, rng: np.random.Generator) -> Plane:
    """Return smooth random noise: octaves of doubling frequency, each half as strong (persistence 0.5).

    The first octave has two cells along the longer side.

    Args:
        shape: Height and width.
        octaves: At least 1.
        rng: The source of randomness.

    Returns:
        (H, W) float32 that spans [0, 1] exactly (all 0 where it is constant).
    """
    total = np.zeros(shape, np.float32)
    cell = max(shape) / 2
    for octave in range(octaves):
        grid_shape = [int(np.ceil(side / cell)) + 1 for side in shape]
        grid = rng.random(grid_shape, dtype=np.float32)
        tall = _interpolate(grid, shape[0], cell)
        total += np.float32(0.5**octave) * _interpolate(tall.T, shape[1], cell).T
        cell /= 2
    return rescale(total, 0, 1)


def _interpolate(grid: Plane, length: int, cell: float) -> Plane:
    """Sample the first axis of `grid` at `length` places `1 / cell` apart, smoothly between its rows."""
    place = (np.arange(length) + 0.5) / cell
    below = np.minimum(place.astype(int), len(grid) - 2)
    fraction = np.clip(place - below, 0, 1)
    weight = (fraction * fraction * (3 - 2 * fraction)).astype(np.float32)[:, None]
    result: Plane = grid[below] * (1 - weight) + grid[below + 1] * weight
    return result


def rescale(plane: Plane, low: float, high: float) -> Plane:
    """Stretch a plane linearly so that it spans [low, high]; a constant plane becomes `low`."""
    least, most = plane.min(), plane.max()
    if most <= least:
        return np.full_like(plane, low)
    stretched: Plane = (plane - least) * np.float32((high - low) / (most - least)) + np.float32(low)
    return stretched


def guided_filter(guide: Plane, source: Plane, radius: int, epsilon: float) -> Plane:
    """Smooth `source` but keep the edges of `guide` (He, Sun, Tang, TPAMI 2013); borders are mirrored.

    Args:
        guide: (H, W) in [0, 1].
        source: (H, W).
        radius: Of the square window, in pixels.
        epsilon: Variance of the guide below which an area counts as flat.
    """

    def mean(plane: NDArray[np.float64]) -> NDArray[np.float64]:
        result: NDArray[np.float64] = ndimage.uniform_filter(plane, 2 * radius + 1, mode="reflect")
        return result

    guide_, source_ = guide.astype(np.float64), source.astype(np.float64)
    mean_guide, mean_source = mean(guide_), mean(source_)
    variance = mean(guide_ * guide_) - mean_guide**2
    covariance = mean(guide_ * source_) - mean_guide * mean_source
    slope = covariance / (variance + epsilon)
    offset = mean_source - slope * mean_guide
    return np.asarray(mean(slope) * guide_ + mean(offset), dtype=np.float32)


def pseudo_depth(color: NDArray[np.float32], falloff: float, octaves: int, rng: np.random.Generator) -> Plane:
    """Guess how far each pixel is, without a network: high in the image is far, saturated detail is near.

    0.6 (1 - row / H)^falloff + 0.25 fractal noise + 0.15 (1 - saturation x local contrast), smoothed by the
    guided filter along the edges of luma (radius H / 20, epsilon 1e-3). Saturation is that of HSV; local
    contrast is the standard deviation of luma in the same window over its largest value.

    Args:
        color: (3, H, W) float32 in [0, 1].
        falloff: Exponent of the gradient from bottom to top.
        octaves: Of the noise.
        rng: The source of randomness.

    Returns:
        (H, W) float32 that spans [0, 1].
    """
    height, width = color.shape[1:]
    radius = max(1, height // 20)
    guide = luma(color)
    rows = (1 - np.arange(height, dtype=np.float32) / height) ** np.float32(falloff)
    noise = fractal_noise((height, width), octaves, rng)
    detail = _saturation(color) * _local_contrast(guide, radius)
    depth = np.float32(0.6) * rows[:, None] + np.float32(0.25) * noise + np.float32(0.15) * (1 - detail)
    return rescale(guided_filter(guide, depth, radius, 1e-3), 0, 1)


def _saturation(color: NDArray[np.float32]) -> Plane:
    most = color.max(axis=0)
    result: Plane = (most - color.min(axis=0)) / np.maximum(most, np.float32(1e-6))
    return result


def _local_contrast(guide: Plane, radius: int) -> Plane:
    window = 2 * radius + 1
    exact = guide.astype(np.float64)
    mean = ndimage.uniform_filter(exact, window, mode="reflect")
    square = ndimage.uniform_filter(exact * exact, window, mode="reflect")
    spread = np.sqrt(np.maximum(square - mean * mean, 0))
    return np.asarray(spread / max(float(spread.max()), 1e-6), dtype=np.float32)
