"""Axes of color along which photographs are uncorrelated and white noise stays white."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from restorecli.images.image import Pixels

_AXES: NDArray[np.float32] = np.array(
    [[1 / 3**0.5] * 3, [1 / 2**0.5, 0, -1 / 2**0.5], [1 / 6**0.5, -2 / 6**0.5, 1 / 6**0.5]], np.float32
)
"""Sum, red - blue, red + blue - 2 green: orthonormal, so noise keeps its level in each."""


def _turned(pixels: Pixels, axes: NDArray[np.float32]) -> Pixels:
    # Not a matrix product, whose last bits depend on the number of threads.
    rows = [sum((plane * weight for plane, weight in zip(pixels, row, strict=True)), 0.0) for row in axes]
    return np.stack([np.asarray(row, np.float32) for row in rows])


def to_opponent(pixels: Pixels) -> Pixels:
    """Return a color image (3, H, W) along its opponent axes; gray is returned as it is."""
    return _turned(pixels, _AXES) if len(pixels) == 3 else pixels


def from_opponent(planes: Pixels) -> Pixels:
    """Undo `to_opponent`."""
    return _turned(planes, _AXES.T) if len(planes) == 3 else planes
