"""Enlarging by a whole factor, with the kernels of Keys and of Lanczos, as MATLAB's imresize does it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from restorecli.degradation.families.resize import cubic

Doubles = NDArray[np.float64]
Kernel = Callable[[Doubles], Doubles]


def lanczos3(distance: Doubles) -> Doubles:
    """Return Lanczos' kernel with three lobes, sinc(x) sinc(x / 3), at the given distances."""
    return np.where(np.abs(distance) < 3, np.sinc(distance) * np.sinc(distance / 3), 0.0)


def enlarge(planes: NDArray[np.floating], factor: int, kernel: Kernel = cubic, reach: int = 2) -> Doubles:
    """Enlarge planes by interpolation; beyond the border they are mirrored.

    Output pixel j lies at (j + 1/2) / factor - 1/2 of the input, so that areas and not corners coincide.

    Args:
        planes: (C, H, W).
        factor: At least 1.
        kernel: Weight of an input pixel by its distance.
        reach: Distance from which on the kernel is 0.

    Returns:
        (C, factor H, factor W) float64.
    """
    wide = np.asarray(planes, np.float64)
    return _enlarge_axis(_enlarge_axis(wide, factor, 1, kernel, reach), factor, 2, kernel, reach)


def _enlarge_axis(planes: Doubles, factor: int, axis: int, kernel: Kernel, reach: int) -> Doubles:
    length = planes.shape[axis]
    centers = (np.arange(length * factor) + 0.5) / factor - 0.5
    taps = np.floor(centers - reach).astype(int)[:, None] + 1 + np.arange(2 * reach)
    weights = kernel(centers[:, None] - taps)
    weights /= weights.sum(axis=1, keepdims=True)
    mirrored = np.mod(taps, 2 * length)
    mirrored = np.where(mirrored < length, mirrored, 2 * length - 1 - mirrored)
    shape = [1] * planes.ndim
    shape[axis] = -1
    enlarged = np.zeros(tuple(s * (factor if a == axis else 1) for a, s in enumerate(planes.shape)))
    for index, weight in zip(mirrored.T, weights.T, strict=True):
        enlarged += np.take(planes, index, axis) * weight.reshape(shape)
    return enlarged
