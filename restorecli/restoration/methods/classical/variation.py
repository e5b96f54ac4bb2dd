"""Least total variation in holes, by a compiled primal-dual loop over the lost pixels alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from restorecli.core.ops.compilation import compiled
from restorecli.restoration.methods.classical.holes import Mask

Doubles = NDArray[np.float64]
Indices = NDArray[np.int64]

_STEP = 8**-0.5
"""Both step sizes: their product times 8, the squared norm of the gradient, is 1."""


@compiled
def _iterate(
    image: Doubles, lost: Indices, sites: Indices, neighbors: Indices, step: float, count: int
) -> None:
    """Change `image` (C, H W) at `lost` in place.

    `sites` are the pixels whose forward differences touch a lost one; `neighbors` (S, 2) the pixels below
    and to the right of each, or itself at the image's border. The dual field lives at the sites.
    """
    channels = image.shape[0]
    dual = np.zeros((sites.size, channels, 2))
    ahead = image.copy()
    slope = np.zeros(image.shape)
    for _ in range(count):
        slope[:, lost] = 0.0
        for site in range(sites.size):
            here = sites[site]
            length = 0.0
            for channel in range(channels):
                for axis in range(2):
                    difference = ahead[channel, neighbors[site, axis]] - ahead[channel, here]
                    dual[site, channel, axis] += step * difference
                    length += dual[site, channel, axis] ** 2
            scale = 1.0 / max(np.sqrt(length), 1.0)
            for channel in range(channels):
                for axis in range(2):
                    dual[site, channel, axis] *= scale
                    slope[channel, neighbors[site, axis]] -= dual[site, channel, axis]
                    slope[channel, here] += dual[site, channel, axis]
        for pixel in lost:
            for channel in range(channels):
                before = image[channel, pixel]
                image[channel, pixel] = before + step * slope[channel, pixel]
                ahead[channel, pixel] = 2 * image[channel, pixel] - before


def least_variation(image: Doubles, mask: Mask, iterations: int) -> Doubles:
    """Return the image with the holes' values changed toward the least total variation.

    This is the sum over pixels of the length of all channels' forward differences together.

    Args:
        image: (C, H, W), with a first guess in the holes.
        mask: (H, W), True where a pixel is lost.
        iterations: Of the algorithm of Chambolle and Pock, JMIV 2011, with constant steps.
    """
    height, width = mask.shape
    touched = mask.copy()
    touched[:-1] |= mask[1:]
    touched[:, :-1] |= mask[:, 1:]
    rows, columns = np.nonzero(touched)
    below = np.minimum(rows + 1, height - 1) * width + columns
    right = rows * width + np.minimum(columns + 1, width - 1)
    flat = image.reshape(len(image), -1).copy()
    neighbors = np.stack([below, right], axis=1)
    _iterate(flat, np.flatnonzero(mask), rows * width + columns, neighbors, _STEP, iterations)
    return flat.reshape(image.shape)
