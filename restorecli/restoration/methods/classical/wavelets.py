"""Wavelets whose result does not depend on where the image begins, and shrinking of their coefficients.

The transform is undecimated (a trous): every shift of the decimated one at once, which removes the ringing
that single shifts leave. Filters are orthonormal, so white noise keeps its level in every band.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]
Taps = NDArray[np.float64]

_ROOT = 3**0.5

FILTERS: Mapping[str, Taps] = {
    "haar": np.array([1, 1]) / 2**0.5,
    "db2": np.array([1 + _ROOT, 3 + _ROOT, 3 - _ROOT, 1 - _ROOT]) / 32**0.5,
    "sym4": np.array(
        [
            -0.07576571478927333,
            -0.02963552764599851,
            0.49761866763201545,
            0.8037387518059161,
            0.29785779560527736,
            -0.09921954357684722,
            -0.012603967262037833,
            0.0322231006040427,
        ]
    ),
}
"""Low-pass filters: Haar, Daubechies with 2 vanishing moments, the least asymmetric one with 4."""


def high_pass(low: Taps) -> Taps:
    """Return the high-pass counterpart of an orthonormal low-pass filter."""
    return low[::-1] * (-1) ** np.arange(low.size)


def _filtered(plane: Plane, taps: Taps, step: int, axis: int) -> Plane:
    """Return the sum over k of taps[k] plane[n + k step], which repeats at its end; step < 0: the adjoint."""
    total = plane * np.float32(taps[0])
    for k, tap in enumerate(taps[1:], start=1):
        total += np.roll(plane, -k * step, axis) * np.float32(tap)
    return total


def split(plane: Plane, low: Taps, step: int) -> list[Plane]:
    """Return the four bands of one level: coarse, and details along rows, columns and diagonals.

    Args:
        plane: (H, W) float32, taken to repeat.
        low: The low-pass filter.
        step: Pixels between its taps: 1, 2, 4 ...
    """
    high = high_pass(low)
    halves = [_filtered(plane, taps, step, 0) for taps in (low, high)]
    return [_filtered(half, taps, step, 1) for half in halves for taps in (low, high)]


def join(bands: list[Plane], low: Taps, step: int) -> Plane:
    """Undo `split` exactly; for changed bands, the mean over all shifts."""
    high = high_pass(low)
    halves = [
        _filtered(bands[first], low, -step, 1) + _filtered(bands[first + 1], high, -step, 1)
        for first in (0, 2)
    ]
    joined: Plane = (_filtered(halves[0], low, -step, 0) + _filtered(halves[1], high, -step, 0)) / np.float32(
        4
    )
    return joined


def band_gains(low: Taps, levels: int, color: NDArray[np.floating] | None = None) -> list[list[float]]:
    """Return the level of noise of level 1 in the three detail bands of every level.

    Args:
        low: The low-pass filter.
        levels: How many.
        color: (a, b) kernel that makes the noise from white noise; None for white noise, whose gains are 1.
    """
    if color is None:
        return [[1.0] * 3] * levels
    side = max(color.shape) + (low.size - 1) * 2**levels
    plane = np.zeros((side, side), np.float32)
    plane[: color.shape[0], : color.shape[1]] = color
    gains = []
    for level in range(levels):
        plane, *details = split(plane, low, 2**level)
        gains.append([float(np.sqrt(np.sum(band.astype(np.float64) ** 2))) for band in details])
    return gains


def bayes_shrink(band: Plane, noise: float) -> Plane:
    """Move coefficients toward 0 by T = noise^2 / signal, one T for the band.

    BayesShrink: Chang, Yu and Vetterli, "Adaptive wavelet thresholding", TIP 2000. The signal's level is what
    the band's energy exceeds the noise's by; where there is none, nothing is left.

    Args:
        band: (H, W) float32.
        noise: Level of the noise in it.
    """
    signal = np.sqrt(max(float(np.mean(band.astype(np.float64) ** 2)) - noise**2, 0))
    if signal == 0:
        return np.zeros_like(band)
    shrunk: Plane = np.sign(band) * np.maximum(np.abs(band) - np.float32(noise**2 / signal), 0)
    return shrunk


def denoise(
    plane: Plane,
    noise: float,
    *,
    low: Taps,
    levels: int,
    color: NDArray[np.floating] | None = None,
) -> Plane:
    """Return a plane whose detail coefficients are shrunk.

    It is mirrored around its border, by as much as the filters reach. Costs 3 levels + 6 planes of memory.

    Args:
        plane: (H, W) float32 of any size.
        noise: Level of its noise, in its own units; 0 returns a copy.
        low: One of `FILTERS`.
        levels: Each doubles the size of the coarsest detail.
        color: See `band_gains`.
    """
    if noise == 0:
        return plane.copy()
    margin = (low.size - 1) * (2**levels - 1)
    coarse: Plane = np.pad(plane, margin, mode="symmetric")
    kept: list[list[Plane]] = []
    for level, gains in enumerate(band_gains(low, levels, color)):
        coarse, *details = split(coarse, low, 2**level)
        kept.append([bayes_shrink(band, noise * gain) for band, gain in zip(details, gains, strict=True)])
    for level in reversed(range(levels)):
        coarse = join([coarse, *kept.pop()], low, 2**level)
    return coarse[margin : margin + plane.shape[0], margin : margin + plane.shape[1]].copy()
