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

_MANY = 4096
"""Windows that are held at once."""

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
    ring = np.ones((3, 3), np.bool_)
    ring[1, 1] = False
    above = plane - ndimage.maximum_filter(plane, footprint=ring, mode="reflect")
    below = ndimage.minimum_filter(plane, footprint=ring, mode="reflect") - plane
    alone = np.where(distance > 0, above, below) - _ALONE * height
    outliers: NDArray[np.bool_] = (alone > _UNSURE * step) & (height > score * step)
    places = np.nonzero(outliers)
    noise = np.maximum(_NORMAL * _local_medians(height, places), step)
    outliers[places] = (alone[places] > _UNSURE * noise) & (height[places] > score * noise)
    return outliers


def _local_medians(values: NDArray[np.float32], places: tuple[NDArray[np.intp], ...]) -> NDArray[np.float32]:
    """Return the medians around few places, as `ndimage.median_filter` has them everywhere, mirrored.

    Args:
        values: (H, W).
        places: Rows and columns, (N,) each.
    """
    padded = np.pad(values, _LOCAL // 2, mode="symmetric")
    windows = np.lib.stride_tricks.sliding_window_view(padded, (_LOCAL, _LOCAL))
    medians = np.empty(places[0].size, np.float32)
    for start in range(0, medians.size, _MANY):
        some = slice(start, start + _MANY)
        around = windows[tuple(part[some] for part in places)]
        medians[some] = np.median(around.reshape(len(around), -1), axis=1)
    return medians
