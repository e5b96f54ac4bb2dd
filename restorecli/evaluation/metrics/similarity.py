"""The sum of the SSIM map in one compiled pass over the bytes: the hot loop of every evaluation.

The window is separable and symmetric. A ring of eleven lines holds the sum s and the difference d of the two
images and their squares, which are exact in 32-bit integers; every new line is weighed downwards, then
across, in double precision (single precision would be wrong in the fifth digit of SSIM on flat bright areas).
The inner loops run along a line, where they become vector instructions, and nothing larger than the ring is
ever kept. Loading this module loads numba: import it inside functions.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from restorecli.core.ops.compilation import compiled
from restorecli.evaluation.metrics.gaussian import C1, C2, TAPS, WINDOW

# The compiled code is kept by the date of this file: what it takes from elsewhere is fixed by definition.
W0, W1, W2, W3, W4, W5 = TAPS[:6]

Lines = NDArray[np.int32]
Doubles = NDArray[np.float64]


def similarity_sum(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> float:
    """Sum the SSIM map of one channel over its valid area (formula and source: `metrics.ssim`).

    Args:
        first: (H, W) uint8, both sides at least 11.
        second: The same shape.

    Returns:
        The sum of (H - 10)(W - 10) values; exactly their number when the two are identical; the same to
        the last digit in any thread.
    """
    return _sum(np.require(first, requirements=("C", "W")), np.require(second, requirements=("C", "W")))


@compiled
def _sum(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> float:
    height, width = first.shape
    ring = np.empty((4, WINDOW, width), np.int32)
    lines = np.empty((4, width))
    means = np.empty((4, width - WINDOW + 1))
    columns = np.zeros(width - WINDOW + 1)
    for row in range(height):
        newest = row % WINDOW
        _enter(first[row], second[row], ring[:, newest])
        if row >= WINDOW - 1:
            for plane in range(4):
                _weigh_down(ring[plane], newest + 1, lines[plane])
                _weigh_across(lines[plane], means[plane])
            _add_scores(means, columns)
    total = 0.0
    for column in columns:
        total += column
    return total


@compiled
def _enter(first: NDArray[np.uint8], second: NDArray[np.uint8], planes: Lines) -> None:
    """Write s, d, s^2 and d^2 of one line."""
    for x in range(first.size):
        one, two = np.int32(first[x]), np.int32(second[x])
        planes[0, x] = one + two
        planes[1, x] = one - two
        planes[2, x] = (one + two) * (one + two)
        planes[3, x] = (one - two) * (one - two)


@compiled
def _weigh_down(ring: Lines, oldest: int, out: Doubles) -> None:
    a, b, c = ring[oldest % 11], ring[(oldest + 1) % 11], ring[(oldest + 2) % 11]
    d, e, f = ring[(oldest + 3) % 11], ring[(oldest + 4) % 11], ring[(oldest + 5) % 11]
    g, h, i = ring[(oldest + 6) % 11], ring[(oldest + 7) % 11], ring[(oldest + 8) % 11]
    j, k = ring[(oldest + 9) % 11], ring[(oldest + 10) % 11]
    for x in range(out.size):
        out[x] = _weighed(a[x] + k[x], b[x] + j[x], c[x] + i[x], d[x] + h[x], e[x] + g[x], f[x])


@compiled
def _weigh_across(line: Doubles, out: Doubles) -> None:
    for x in range(out.size):
        out[x] = _weighed(
            line[x] + line[x + 10],
            line[x + 1] + line[x + 9],
            line[x + 2] + line[x + 8],
            line[x + 3] + line[x + 7],
            line[x + 4] + line[x + 6],
            line[x + 5],
        )


@compiled
def _weighed(ends: float, second: float, third: float, fourth: float, fifth: float, middle: float) -> float:
    """Return the windowed mean from the sums of the samples that stand equally far from the middle."""
    return ends * W0 + second * W1 + third * W2 + fourth * W3 + fifth * W4 + middle * W5


@compiled
def _add_scores(means: Doubles, columns: Doubles) -> None:
    """Add one line of the SSIM map, from the local means of s, d, s^2 and d^2, to the sums by column."""
    for x in range(columns.size):
        square_s, square_d = means[0, x] * means[0, x], means[1, x] * means[1, x]
        variance_s, variance_d = means[2, x] - square_s, means[3, x] - square_d
        above = (square_s - square_d + 2 * C1) * (variance_s - variance_d + 2 * C2)
        below = (square_s + square_d + 2 * C1) * (variance_s + variance_d + 2 * C2)
        columns[x] += above / below
