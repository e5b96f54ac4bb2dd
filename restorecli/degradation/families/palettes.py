"""Color palettes for dither: a few historic ones, and median cut from the image itself."""

from __future__ import annotations

import itertools
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from restorecli.images.image import Pixels

Palette = NDArray[np.float64]
"""(N, C) colors in [0, 1]."""

Indices = NDArray[np.intp]


def _grid(*steps: int) -> Palette:
    return np.array(list(itertools.product(steps, repeat=3)), dtype=np.float64) / 255


def _ega() -> Palette:
    """The 16 colors of the Enhanced Graphics Adapter at start: dark yellow is brown."""
    colors = np.concatenate([_grid(0, 170), _grid(85, 255)])
    colors[6] = np.array([170, 85, 0]) / 255
    return colors


NAMED: Mapping[str, Palette] = {
    "web-safe": _grid(0, 51, 102, 153, 204, 255),
    "ega": _ega(),
    "cga": np.array([[0, 0, 0], [85, 255, 255], [255, 85, 255], [255, 255, 255]]) / 255,
}


def named_palette(name: str, channels: int) -> Palette:
    """Return a palette's colors, or for a gray image its grays."""
    palette = NAMED[name]
    if channels == 3:
        return palette
    grays = palette[(palette == palette[:, :1]).all(axis=1)]
    return np.unique(grays[:, :1], axis=0)


def median_cut(image: Pixels, colors: int) -> Palette:
    """Choose colors from an image by median cut (Heckbert, SIGGRAPH 1982).

    The 8-bit colors of the image start as one box; again and again the box with the most pixels times its
    longest side is cut at the median pixel of that side; each final box gives the mean of its pixels.

    Args:
        image: (C, H, W) float32; clipped to [0, 1].
        colors: The most colors to return; fewer when the image has fewer.

    Returns:
        (N, C) float64 in [0, 1], sorted.
    """
    samples = np.floor(np.clip(image, 0, 1) * 255 + np.float32(0.5)).astype(np.int32)
    packed = samples[0] if len(samples) == 1 else samples[0] << 16 | samples[1] << 8 | samples[2]
    values, counts = np.unique(packed, return_counts=True)
    shifts = [0] if len(samples) == 1 else [16, 8, 0]
    # 8-bit, because NumPy sorts those by radix, ten times as fast.
    points = np.stack([values >> shift & 255 for shift in shifts], axis=1).astype(np.uint8)
    boxes = [np.arange(len(points))]
    urgency = [_urgency(boxes[0], points, counts)]
    while len(boxes) < colors and max(urgency) > 0:
        worst = int(np.argmax(urgency))
        halves = _cut(boxes[worst], points, counts)
        boxes[worst : worst + 1] = halves
        urgency[worst : worst + 1] = [_urgency(half, points, counts) for half in halves]
    means = [np.average(points[box], axis=0, weights=counts[box]) for box in boxes]
    return np.unique(np.array(means), axis=0) / 255


def _urgency(box: Indices, points: NDArray[np.uint8], counts: Indices) -> int:
    return int(counts[box].sum()) * int(np.ptp(points[box], axis=0).max())


def _cut(box: Indices, points: NDArray[np.uint8], counts: Indices) -> list[Indices]:
    side = int(np.argmax(np.ptp(points[box], axis=0)))
    box = box[np.argsort(points[box, side], kind="stable")]
    total = np.cumsum(counts[box])
    middle = int(np.searchsorted(total, total[-1] / 2)) + 1
    middle = min(max(middle, 1), len(box) - 1)
    return [box[:middle], box[middle:]]
