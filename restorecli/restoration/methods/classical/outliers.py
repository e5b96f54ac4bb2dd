"""Hot and dead pixels of a sensor: single pixels that stand out from all of their neighbors."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

_AROUND = 5
"""Side of the window whose median a pixel is compared with, in pixels."""

_LOCAL = 15
"""Side of the window over which the noise is measured, in pixels: noise of photons follows brightness."""

_NORMAL = 1.4826
"""Standard deviation of a normal variable over the median of its absolute values."""

_ALONE, _UNSURE = 0.5, 3.0
"""Share of its height by which a pixel must stand out from the nearest of its eight neighbors, too, and the
standard deviations of noise that are taken off that: a point of light that optics spread over 2 px has
neighbors of half its height."""


def find_outliers(plane: NDArray[np.float32], score: float) -> NDArray[np.bool_]:
    """Return where a single pixel stands out from all around it, brighter or darker.

    Its distance d from the median of 5x5 must be `score` standard deviations s of the noise, which the median
    of |d| over 15x15 tells (at least one level), and its distance from the nearest of its eight neighbors
    0.5 d + 3 s. Two hot pixels side by side are not seen.

    Args:
        plane: (H, W) float32.
        score: Standard deviations; more than 0.
    """
    distance = plane - ndimage.median_filter(plane, _AROUND, mode="reflect")
    height = np.abs(distance)
    if not height.any():
        return np.zeros(plane.shape, np.bool_)
    step = height[height > 0].min()  # where levels are few, most neighbors are equal
    noise = np.maximum(_NORMAL * ndimage.median_filter(height, _LOCAL, mode="reflect"), step)
    ring = np.ones((3, 3), np.bool_)
    ring[1, 1] = False
    above = plane - ndimage.maximum_filter(plane, footprint=ring, mode="reflect")
    below = ndimage.minimum_filter(plane, footprint=ring, mode="reflect") - plane
    alone = np.where(distance > 0, above, below) > _ALONE * height + _UNSURE * noise
    outliers: NDArray[np.bool_] = alone & (height > score * noise)
    return outliers
