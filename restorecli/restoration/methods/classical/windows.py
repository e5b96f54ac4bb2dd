"""Compiled loops over the window around every pixel."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from restorecli.core.ops.compilation import compiled
from restorecli.images.image import Pixels


@compiled
def _bilateral(padded: Pixels, spatial: NDArray[np.float64], fall: float, out: Pixels) -> None:
    channels, height, width = out.shape
    side = spatial.shape[0]
    middle = side // 2
    total = np.zeros(channels)
    for y in range(height):
        for x in range(width):
            total[:] = 0
            mass = 0.0
            for i in range(side):
                for j in range(side):
                    distance = 0.0
                    for channel in range(channels):
                        step = padded[channel, y + i, x + j] - padded[channel, y + middle, x + middle]
                        distance += step * step
                    weight = spatial[i, j] * math.exp(-distance * fall)
                    mass += weight
                    for channel in range(channels):
                        total[channel] += weight * padded[channel, y + i, x + j]
            for channel in range(channels):
                out[channel, y, x] = total[channel] / mass


def bilateral(pixels: Pixels, color: float, width: float, radius: int) -> Pixels:
    """Average every pixel with its neighbors, weighted by distance in space and in color.

    Args:
        pixels: (C, H, W) float32; mirrored at the border.
        color: Standard deviation of the weight over the Euclidean distance of colors, above 0.
        width: The same over the distance in pixels, above 0.
        radius: Of the square window, in pixels.

    Returns:
        (C, H, W) float32.
    """
    place = np.arange(-radius, radius + 1) ** 2
    spatial = np.exp(-(place[:, None] + place) / (2 * width**2))
    padded = np.pad(pixels, ((0, 0), (radius, radius), (radius, radius)), mode="symmetric")
    out = np.empty(pixels.shape, np.float32)
    _bilateral(padded, spatial, 1 / (2 * color**2), out)
    return out


@compiled
def _fill(plane: NDArray[np.float32], lost: NDArray[np.bool_], reach: int, out: NDArray[np.float32]) -> None:
    height, width = plane.shape
    found = np.empty((2 * reach + 1) ** 2, np.float32)
    for y in range(height):
        for x in range(width):
            if not lost[y, x]:
                continue
            for radius in range(1, reach + 1):
                count = 0
                for i in range(max(y - radius, 0), min(y + radius + 1, height)):
                    for j in range(max(x - radius, 0), min(x + radius + 1, width)):
                        if not lost[i, j]:
                            found[count] = plane[i, j]
                            count += 1
                if count > 0:
                    out[y, x] = np.median(found[:count])
                    break


def fill_from_median(
    plane: NDArray[np.float32], lost: NDArray[np.bool_], reach: int
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Replace lost pixels by the median of the others in the smallest window that holds any.

    Args:
        plane: (H, W).
        lost: (H, W), True where a pixel is to be replaced; the others stay bit for bit.
        reach: Half the side of the largest window: 3 for 7x7.

    Returns:
        The plane, and which pixels found no other one and stay lost. The order of pixels does not matter.
    """
    out = np.where(lost, np.float32(np.nan), plane)
    _fill(plane, lost, reach, out)
    left = np.isnan(out) & lost
    return np.where(left, plane, out), left
