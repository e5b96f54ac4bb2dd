"""Metrics on edges: the deviation of gradient similarity, and the PSNR of the gradient's magnitude."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from restorecli.errors import DataError
from restorecli.evaluation.metrics.color import luma_pyiqa, luma_yiq
from restorecli.evaluation.metrics.pixelwise import Levels
from restorecli.evaluation.metrics.structure import average

Doubles = NDArray[np.float64]

_T = 170.0
_PREWITT = (np.array([1.0, 0.0, -1.0]), np.full(3, 1 / 3))
_SOBEL = (np.array([1.0, 0.0, -1.0]) / 2, np.array([1.0, 2.0, 1.0]) / 4)


def gmsd(restored: Levels, reference: Levels) -> float:
    """Gradient magnitude similarity deviation, as pyiqa computes it.

    Y of YIQ in whole levels, means over 2x2 pixels, Prewitt gradients with zeros beyond the border,
    similarity (2 m1 m2 + T) / (m1^2 + m2^2 + T) with T = 170, standard deviation of a sample (N - 1): Xue,
    Zhang, Mou and Bovik, "Gradient magnitude similarity deviation", IEEE TIP 2014. The row or column that an
    odd side leaves over is dropped. piq differs: it neither rounds nor drops, and divides by N.

    Args:
        restored: (C, H, W) on the 0-255 scale, C = 1 or 3, both sides at least 4.
        reference: The clean image in the same shape.

    Returns:
        A number from 0, lower is better.

    Raises:
        DataError: A side is under 4 pixels.
    """
    first, second = (average(np.rint(luma_pyiqa(side)), 2)[0] for side in (restored, reference))
    return float(_similarity(first, second).std(ddof=1))


def gmsd_piq(restored: Levels, reference: Levels) -> float:
    """GMSD as piq computes it: Y is not rounded, odd sides end in zeros, the deviation divides by N.

    Raises:
        DataError: A side is under 4 pixels.
    """
    first, second = (average(_ending_in_zeros(luma_yiq(side)), 2)[0] for side in (restored, reference))
    return float(_similarity(first, second).std())


def edge_psnr(restored: Levels, reference: Levels) -> float:
    """PSNR of the gradient's magnitude: 10 log10(255^2 / mean((|grad restored| - |grad reference|)^2)).

    |grad| is the root of the sum of squares of the two Sobel derivatives (in levels per pixel, so that a
    slope of 1 counts 1), over the valid area of Y of YIQ. It sees edges alone: a shift of all levels changes
    nothing. No paper fixes such a measure; this is restorecli's own. The EPSNR of ITU-T J.144 (Lee, Seo and
    Lee, "EPSNR for objective image quality measurements", 2009) is another: the error of the levels where
    the reference has edges, which needs a threshold for what an edge is.

    Args:
        restored: (C, H, W) on the 0-255 scale, C = 1 or 3, both sides at least 3.
        reference: The clean image in the same shape.

    Returns:
        Decibels, higher is better; infinity when the two have the same gradients.

    Raises:
        DataError: A side is under 3 pixels.
    """
    height, width = restored.shape[1:]
    if min(height, width) < 3:
        raise DataError(
            "Edges need an image of 3x3 pixels.",
            expected="both sides at least 3 pixels",
            got=f"{width}x{height}",
        )
    first, second = (_magnitude(luma_yiq(side)[0], _SOBEL)[1:-1, 1:-1] for side in (restored, reference))
    error = float(np.square(first - second).mean())
    return 10 * math.log10(255**2 / error) if error else math.inf


def _similarity(first: Doubles, second: Doubles) -> Doubles:
    if min(first.shape) < 2:
        raise DataError(
            "GMSD needs an image of 4x4 pixels.",
            expected="both sides at least 4 pixels",
            got="less",
        )
    one, other = _magnitude(first, _PREWITT), _magnitude(second, _PREWITT)
    return (2 * one * other + _T) / (one * one + other * other + _T)


def _magnitude(plane: Doubles, taps: tuple[Doubles, Doubles]) -> Doubles:
    """Root of the sum of squares of two derivatives, with zeros beyond the border; (H, W)."""
    from scipy.ndimage import correlate1d

    slope, smooth = taps
    across, down = (
        correlate1d(
            correlate1d(plane, slope, axis=axis, mode="constant"), smooth, axis=1 - axis, mode="constant"
        )
        for axis in (1, 0)
    )
    magnitude: Doubles = np.hypot(across, down)
    return magnitude


def _ending_in_zeros(levels: Doubles) -> Doubles:
    odd = max(levels.shape[1] % 2, levels.shape[2] % 2)
    return np.pad(levels, ((0, 0), (0, odd), (0, odd)))
